"""The fake model of the evaluations, seen by OpenAI's own client: it must be a good server and fail as real ones do."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import openai
import pytest

from afterword import llm
from afterword.llm import breaker
from evals import faults
from evals.fake_model import FakeModel
from evals.faults import FAULTS

GOOD = {
    "quality": 1,
    "slots": [],
    "flags": [],
    "lang": "en",
    "if_probe": "What happened then?",
    "if_advance": "Who decided?",
}
SCHEMA = {"type": "object", "properties": {"if_probe": {"type": "string"}, "if_advance": {"type": "string"}}}
NATIVE = {"response_format": {"type": "json_schema", "json_schema": {"name": "turn", "schema": SCHEMA}}}
TOOL = {"tools": [{"type": "function", "function": {"name": "turn", "parameters": SCHEMA}}]}
PROMPT = [
    {"role": "system", "content": "You are an interviewer who asks one plain question at a time. Reply as if_advance."},
    {"role": "user", "content": "Background\ncontact notes | Torvald fears that the budget will go elsewhere soon"},
    {"role": "user", "content": "They said: it was the price."},
]


def judge(_: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return GOOD


@pytest.fixture
async def fake() -> AsyncGenerator[FakeModel]:
    async with FakeModel.serving(judge, faults.play, scale=0.001) as server:
        yield server


@pytest.fixture
async def client(fake: FakeModel) -> AsyncGenerator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=fake.url, api_key="sk-test", max_retries=0, timeout=5) as client:
        yield client


async def whole(client: openai.AsyncOpenAI, fault: str, **rest: Any) -> Any:
    return await client.chat.completions.create(model=f"fake:{fault}", messages=PROMPT, **{**NATIVE, **rest})


async def streamed(client: openai.AsyncOpenAI, fault: str, **rest: Any) -> tuple[str, str | None, Any]:
    """The text, the finish reason and the usage of a stream."""
    stream = await whole(client, fault, stream=True, stream_options={"include_usage": True}, **rest)
    text, finish, usage = "", None, None
    async for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            text += "".join(call.function.arguments for call in choice.delta.tool_calls or ())
            finish = choice.finish_reason or finish
    return text, finish, usage


@pytest.mark.parametrize("shape", [NATIVE, TOOL, {"response_format": openai.omit}], ids=["native", "tool", "prompted"])
async def test_a_good_answer_comes_whole_and_in_pieces(client: openai.AsyncOpenAI, shape: dict[str, Any]) -> None:
    rest = {"response_format": openai.omit, **shape}
    at_once = (await whole(client, "F01", **rest)).choices[0]
    text, finish, usage = await streamed(client, "F01", **rest)

    message = at_once.message
    assert json.loads(message.content or message.tool_calls[0].function.arguments) == GOOD
    assert json.loads(text) == GOOD
    assert finish == at_once.finish_reason == ("tool_calls" if "tools" in shape else "stop")
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0


async def test_it_remembers_who_asked_what(fake: FakeModel, client: openai.AsyncOpenAI) -> None:
    await whole(client, "F01@one")
    await whole(client, "F01@two")
    await whole(client, "F01@one")

    first, last = fake.asked("fake:F01@one")
    assert (first.nth, last.nth, first.key, first.output, first.fault) == (0, 1, "sk-test", "native", "F01")
    assert "Torvald fears" in first.text
    assert [model.id async for model in client.models.list()] == ["fake:F01", "fake:F01@one", "fake:F01@two"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("F05/early", openai.APIConnectionError),
        ("F07/1s", openai.RateLimitError),
        ("F08/500", openai.InternalServerError),
        ("F08/502", openai.InternalServerError),
        ("F09/401", openai.AuthenticationError),
        ("F09/403", openai.PermissionDeniedError),
        ("F10", openai.BadRequestError),
        ("F06/json", json.JSONDecodeError),
    ],
)
async def test_a_broken_server_breaks_as_real_ones_do(
    client: openai.AsyncOpenAI, fault: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await streamed(client, fault)


async def test_a_stream_that_is_cut_looks_finished_but_for_its_reason(client: openai.AsyncOpenAI) -> None:
    text, finish, usage = await streamed(client, "F04")

    assert json.dumps(GOOD).startswith(text)
    assert len(text) < len(json.dumps(GOOD))
    assert (finish, usage) == (None, None)


async def test_a_rate_limit_says_how_long_to_wait(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        await whole(client, "F07/30s")

    assert caught.value.response.headers["retry-after"] == "30"


async def test_a_refusal_a_filter_and_a_tool_nobody_offered(client: openai.AsyncOpenAI) -> None:
    assert (await whole(client, "F12/refusal")).choices[0].message.refusal
    assert (await streamed(client, "F12/filter"))[1] == "content_filter"
    assert (await streamed(client, "F12/length"))[1] == "length"
    assert (await whole(client, "F13/call")).choices[0].message.tool_calls[0].function.name == "end_interview"


async def test_a_hostile_model_tells_what_it_was_told(client: openai.AsyncOpenAI) -> None:
    plain = json.loads((await streamed(client, "F14/plain"))[0])["if_advance"]
    backwards = json.loads((await streamed(client, "F14/reversed"))[0])["if_advance"]

    assert "Torvald fears that the budget" in plain
    assert "Torvald fears that the budget" in backwards[::-1]


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_can_be_played_again_and_again(
    client: openai.AsyncOpenAI, fake: FakeModel, fault: str
) -> None:
    for _ in range(3):
        try:
            await streamed(client, fault)
        except (openai.APIError, json.JSONDecodeError, UnicodeDecodeError):
            continue

    assert len(fake.requests) == 3


# The same faults as our own client takes them -------------------------------------------------------------------------


@pytest.fixture
async def ask(configure: Callable[..., Any]) -> AsyncGenerator[Callable[[str, str], Awaitable[llm.Answered]]]:
    """Ask the fake model that plays a fault, at a tenth of the real deadlines."""
    configure(llm_deadline_scale=0.1, llm_allow="127.0.0.0/8")
    breaker.reset()
    async with FakeModel.serving(judge, faults.play, scale=0.1) as server:

        async def one(fault: str, output: str) -> llm.Answered:
            model = llm.Model("openai", server.url, "sk-test", f"fake:{fault}", output=output, own=True)  # type: ignore[arg-type]
            return await llm.ask(model, PROMPT, SCHEMA, seconds=8.0)

        yield one
    await llm.close()


@pytest.mark.parametrize("output", ["native", "tool", "prompted"])
@pytest.mark.parametrize("fault", ["F01", "F02/2s", "F11/slots", "F14/plain", "F22/fine"])
async def test_our_client_reads_what_a_working_model_says(ask: Any, fault: str, output: str) -> None:
    answered = await ask(fault, output)

    assert {"quality", "if_probe", "if_advance"} <= set(answered.data)
    assert answered.input_tokens > 0 < answered.output_tokens


@pytest.mark.parametrize("output", ["native", "tool", "prompted"])
@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        ("F02/6s", {"timeout"}),
        ("F02/12s", {"timeout"}),
        ("F03", {"timeout"}),
        ("F04", {"cut", "malformed"}),
        ("F05/early", {"connection"}),
        ("F05/late", {"connection"}),
        ("F06/json", {"malformed"}),
        ("F06/bytes", {"malformed", "connection"}),
        ("F07/1s", {"rate_limited"}),
        ("F07/30s", {"rate_limited"}),
        ("F08/500", {"server"}),
        ("F08/502", {"server"}),
        ("F08/503", {"server"}),
        ("F09/401", {"unauthorized"}),
        ("F09/403", {"unauthorized"}),
        ("F10", {"too_long"}),
        ("F11/json", {"malformed"}),
        ("F11/empty", {"malformed"}),
        ("F11/prose", {"malformed"}),
        ("F11/huge", {"malformed", "timeout"}),
        ("F12/refusal", {"refused"}),
        ("F12/filter", {"refused"}),
        ("F12/length", {"cut"}),
        ("F13/call", {"malformed", "cut"}),
    ],
)
async def test_our_client_names_what_went_wrong(ask: Any, fault: str, reasons: set[str], output: str) -> None:
    with pytest.raises(llm.ModelFailed) as caught:
        await ask(fault, output)

    assert caught.value.reason in reasons
