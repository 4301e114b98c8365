"""Settings that belong together, and secrets that are in no message."""

from collections.abc import Callable

import pytest

from afterword import settings
from afterword.settings import Settings, SettingsError

SECRET = "canary-4711-canary-4711-canary-4711"
Configure = Callable[..., Settings]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"llm_model": "qwen3", "llm_url": "http://127.0.0.1:11434/v1"},
        {"llm_model": "gpt", "llm_key": SECRET},
        {"llm_model": "claude", "llm_provider": "anthropic", "llm_key": SECRET},
        {"llm_model": "gemini", "llm_provider": "google", "llm_key": SECRET, "llm_url": "https://proxy.example.com"},
        {"llm_provider": "anthropic"},
        {"llm_daily_cap": "5", "llm_allow": "10.0.0.0/8, fd00::/8"},
    ],
    ids=str,
)
def test_a_model_is_named_with_what_it_needs(given: dict[str, str], configure: Configure) -> None:
    assert configure(**given)


@pytest.mark.parametrize(
    ("given", "named", "says"),
    [
        ({"llm_url": "http://127.0.0.1:11434/v1"}, "LLM_MODEL", "needed with AFTERWORD_LLM_URL"),
        ({"llm_key": SECRET}, "LLM_MODEL", "needed with AFTERWORD_LLM_KEY"),
        ({"llm_model": "gpt"}, "LLM_KEY", "OpenAI's own"),
        ({"llm_model": "c", "llm_provider": "anthropic"}, "LLM_KEY", "anthropic"),
        ({"llm_model": "g", "llm_provider": "google", "llm_url": "http://x.example"}, "LLM_KEY", "google"),
        ({"llm_model": "m", "llm_url": "127.0.0.1:11434"}, "LLM_URL", "http://127.0.0.1:11434/v1"),
        ({"llm_model": "m", "llm_url": "ftp://x/v1"}, "LLM_URL", "http"),
        ({"llm_model": "m", "llm_url": "http:///v1"}, "LLM_URL", "http"),
        ({"llm_model": "m", "llm_url": "http://x:0/v1"}, "LLM_URL", "http"),
        ({"llm_model": "m", "llm_url": f"http://me:{SECRET}@x/v1"}, "LLM_URL", "AFTERWORD_LLM_KEY"),
        ({"llm_model": "m", "llm_url": f"http://x/v1?key={SECRET}"}, "LLM_URL", "AFTERWORD_LLM_KEY"),
        ({"llm_model": "m", "llm_key": f"{SECRET} and more"}, "LLM_KEY", "without spaces"),
        ({"llm_model": "m", "llm_key": f"{SECRET}é"}, "LLM_KEY", "ASCII"),
        ({"llm_provider": "azure"}, "LLM_PROVIDER", "'openai', 'anthropic' or 'google'"),
        ({"llm_daily_cap": "-1"}, "LLM_DAILY_CAP", "greater"),
        ({"llm_deadline_scale": "0"}, "LLM_DEADLINE_SCALE", "greater"),
        ({"llm_allow": "10.0.0.0/33"}, "LLM_ALLOW", "10.0.0.0/33"),
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_named_without_the_secret(
    given: dict[str, str], named: str, says: str, configure: Configure
) -> None:
    with pytest.raises(SettingsError) as raised:
        configure(**given)

    assert str(raised.value).startswith(f"AFTERWORD_{named}: ")
    assert says in str(raised.value)
    assert SECRET not in str(raised.value)


def test_no_secret_is_in_a_repr(configure: Configure) -> None:
    found = configure(
        secret_key=SECRET,
        old_secret_keys=SECRET + "2",
        llm_model="m",
        llm_key=SECRET,
        smtp_url=f"smtp://user:{SECRET}@mail.example.com",
        database_url=f"postgresql://user:{SECRET}@db.example.com/afterword",
    )

    assert SECRET not in repr(found)
    assert SECRET not in str(found)


def test_surrounding_spaces_of_a_key_and_a_last_slash_are_taken_off(configure: Configure) -> None:
    found = configure(llm_model="m", llm_url="http://127.0.0.1:11434/v1/", llm_key=" key ")

    assert (found.llm_url, found.llm_key) == ("http://127.0.0.1:11434/v1", "key")
    assert settings.current() is found
