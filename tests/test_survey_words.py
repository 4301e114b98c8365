"""The page's own words: every language says the same things, and nothing is said that is not in the files."""

import re
from pathlib import Path

import pytest

from afterword.survey import render, words

ENGLISH = words.speak("en")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
SURVEY = Path(render.__file__).parent


@pytest.mark.parametrize("language", words.available())
def test_every_language_has_the_texts_and_placeholders_of_english(language: str):
    spoken = words.speak(language)

    assert spoken.language == language
    assert [*spoken.texts] == [*ENGLISH.texts]
    for key, text in spoken.texts.items():
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(ENGLISH.texts[key])), key
        assert text.strip(), key
        assert not re.search(r"[<>]|https?:", text), key


def test_no_text_is_there_for_nothing():
    code = "".join(
        file.read_text("utf-8") for kind in ("*.py", "*.html", "*.js") for file in SURVEY.rglob(kind) if file.is_file()
    )
    families = ("did_", "problem_", "what_about_", "mail_", "declined", "wrong_person", "how_long", "storage")
    unused = [
        key
        for key in ENGLISH.texts
        if not re.search(rf"[\"']{key.removeprefix('js_')}[\"']", code) and not key.startswith(families)
    ]

    assert [key for key in unused if not key.endswith(("_ends", "_text"))] == []


def test_the_pages_hold_no_words_of_their_own():
    for template in (SURVEY / "templates").glob("*.html"):
        text = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!doctype html>", "", template.read_text("utf-8"), flags=re.DOTALL
        )
        visible = re.sub(r"<[^>]*>", "", text)
        assert re.findall(r"[A-Za-z]{2,}", visible) == [], template.name


@pytest.mark.parametrize(
    ("accepted", "offered", "chosen"),
    [
        ("de", ("en", "de"), "de"),
        ("de-CH, de;q=0.9, en;q=0.8", ("en", "de"), "de"),
        ("fr-FR, fr;q=0.9, en;q=0.5", ("en", "de"), "en"),
        ("en;q=0.5, de;q=0.7", ("en", "de"), "de"),
        ("en, de", ("de", "en"), "en"),
        ("pt", ("en", "pt-BR"), "pt-BR"),
        ("pt-br", ("en", "pt", "pt-BR"), "pt-BR"),
        ("de;q=0", ("en", "de"), None),
        ("de;q=nonsense, en;q=0.1", ("en", "de"), "en"),
        ("*", ("en", "de"), None),
        ("", ("en", "de"), None),
        (",;=,de;x=1", ("en", "de"), "de"),
        ("x," * 10_000 + "de", ("en", "de"), None),
        ("DE", ("en", "de"), "de"),
        ("de", (), None),
    ],
)
def test_the_browsers_languages_choose_among_those_offered(accepted: str, offered: tuple[str, ...], chosen: str | None):
    assert words.preferred(accepted, offered) == chosen


@pytest.mark.parametrize(
    ("language", "spoken"), [("de", "de"), ("de-AT", "de"), ("fr", "en"), ("../en", "en"), ("", "en")]
)
def test_a_language_without_words_of_its_own_is_framed_in_english(language: str, spoken: str):
    assert words.speak(language).language == spoken


def test_a_name_with_braces_is_said_as_it_is():
    spoken = ENGLISH.knowing(vendor="A{days}{0}", interviewer="{vendor}")

    assert spoken("who") == "{vendor}, AI interviewer for A{days}{0}"
    assert words.speak("de").number(12345) == "12.345"
    assert words.endonym("de") == "Deutsch"
    assert words.endonym("xx") == "xx"
