"""The page in the language of whoever reads it, and in no other: offered, chosen, recorded, changed."""

import json
import re
from typing import Any

import httpx
import pytest
import yaml

from afterword.db import Db, fetch_one
from tests.conftest import Api
from tests.page_forms import Reader, Visitor
from tests.paige_two_languages import TEXT

GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
PREIS = "Der Preis war zu hoch, und Globex war besser an unser Lager angebunden, wie der Test im Mai gezeigt hat."


@pytest.fixture
async def interview(api: Api) -> dict[str, Any]:
    """An interview of a type that has a guide in English and German."""
    made = await api.post("/interview-types", {"name": "Zwei", "guide": yaml.safe_load(TEXT)})
    assert made.status_code == 201, made.text
    answer = await api.post(
        "/interviews",
        {"contact_email": "ines@x.example", "contact_name": "Ines Weber", "interview_type_id": made.json()["id"]},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def ines(web: httpx.AsyncClient, interview: dict[str, Any]) -> Visitor:
    """Ines, with her link and no wish of her browser's."""
    return Visitor(web, interview["survey_token"])


class Row:
    """One interview's row, as JSON."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row


async def stored(db: Db) -> dict[str, Any]:
    """The only interview there is."""
    async with db.tx() as tx:
        found = await fetch_one(tx, Row, "select to_jsonb(i) as row from interviews i")
    assert found is not None
    return found.row


async def page(visitor: Visitor, **query: str) -> httpx.Response:
    """The page as a German browser opens it."""
    return await visitor.web.get("/survey", params={"token": visitor.token, **query}, headers=GERMAN)


async def test_the_browsers_language_is_offered_first_and_nothing_is_recorded(db: Db, ines: Visitor):
    before = await stored(db)

    english, german = await ines.open(), await page(ines)

    assert "Start the interview" in english.text
    assert '<html lang="de">' in german.text
    assert german.headers["content-language"] == "de"
    assert "Interview beginnen" in german.text
    assert "Interview-KI, kein Mensch" in german.text
    assert "Start the interview" not in german.text
    for shown in (english.text, german.text):
        assert "English" in shown
        assert "Deutsch" in shown
    assert await stored(db) == before


async def test_the_consent_is_recorded_in_the_language_it_was_read_in(db: Db, ines: Visitor):
    form = Reader((await page(ines)).text).forms
    begin = next(form for form in form if form.step)

    taken = await ines.send({**begin.hidden, "action": "consent"})

    assert taken.status_code == 303
    row = await stored(db)
    assert row["language"] == "de"
    assert row["state"]["language"] == "de"
    assert "kein Mensch" in row["consent_text"]
    assert '<html lang="de">' in (await ines.web.get("/survey", params={"token": ines.token})).text


async def test_a_choice_on_the_first_page_is_shown_and_not_recorded(db: Db, ines: Visitor):
    before = await stored(db)
    chosen = await ines.send({**await ines.fields("consent"), "action": "language", "language": "de"})

    assert chosen.status_code == 303
    shown = await ines.web.get(chosen.headers["location"])
    assert "Interview beginnen" in shown.text
    assert await stored(db) == before
    begin = next(form for form in Reader(shown.text).forms if form.step)
    assert (await ines.send({**begin.hidden, "action": "consent"})).status_code == 303
    assert (await stored(db))["state"]["language"] == "de"


async def test_the_language_can_be_changed_at_any_question(db: Db, ines: Visitor):
    await ines.do("consent")
    form = await ines.fields("answer")

    changed = await ines.send({**form, "action": "language", "language": "de"})

    assert changed.status_code == 303
    shown = (await ines.web.get(changed.headers["location"])).text
    assert '<html lang="de">' in shown
    assert "Ihre Antwort" in shown
    assert "Die Sprache gewechselt" in shown
    assert (await stored(db))["state"]["language"] == "de"
    assert (await stored(db))["started_at"] is None


@pytest.mark.parametrize("language", ["fr", "", "de' or 1=1", "../en"])
async def test_a_language_that_is_not_offered_is_refused(db: Db, ines: Visitor, language: str):
    await ines.do("consent")
    answer = await ines.send({**await ines.fields("answer"), "action": "language", "language": language})

    assert answer.status_code == 400
    assert "lang" not in str((await stored(db))["language"])
    assert (await stored(db))["state"]["language"] == "en"


async def test_what_could_not_be_taken_is_explained_in_german(ines: Visitor):
    begin = next(form for form in Reader((await page(ines)).text).forms if form.step)
    await ines.send({**begin.hidden, "action": "consent"})
    fields = await ines.fields("answer")

    empty = await ines.send({**fields, "text": " "})
    long = await ines.send({**fields, "text": "ä" * 4001})
    await ines.send({**fields, "text": PREIS})
    stale = await ines.send({**fields, "text": "Zweites Fenster", "client_id": "another"})
    streamed = await ines.send({**fields, "text": " "}, headers={"Accept": "application/x-ndjson"})

    assert "Ihre Antwort ist leer." in empty.text
    assert "höchstens 4.000 Zeichen" in long.text
    assert "sie hat 4.001" in long.text
    assert "Das Gespräch ist weitergegangen" in stale.text
    assert "Zweites Fenster" in stale.text
    last = json.loads(streamed.text.splitlines()[-1])
    assert last["language"] == "de"
    assert "Interview-KI" in last["masthead"]


async def test_pages_without_an_interview_speak_the_browsers_language(web: httpx.AsyncClient):
    for path, says in (
        ("/survey", "Bitte öffnen Sie Ihren Link noch einmal"),
        ("/survey?token=tok_x", "Dieser Link funktioniert nicht"),
        ("/unsubscribe?token=x", "Dieser Link funktioniert nicht"),
        ("/unsubscribe", "Dieser Link funktioniert nicht"),
    ):
        answer = await web.get(path, headers=GERMAN)
        assert says in answer.text, path
        assert '<html lang="de">' in answer.text, path
    foreign = await web.post("/survey", data={"token": "x"}, headers={**GERMAN, "Origin": "https://evil.example"})
    assert "von einer anderen Website" in foreign.text


async def test_no_english_is_left_on_a_german_way_to_the_end(ines: Visitor):
    begin = next(form for form in Reader((await page(ines)).text).forms if form.step)
    await ines.send({**begin.hidden, "action": "consent"})
    english = re.compile(r"\b(?:the|your|you|and|with|answer|send|skip|choose|thank|more|this)\b", re.IGNORECASE)

    for _ in range(40):
        shown = Reader((await ines.web.get("/survey", params={"token": ines.token})).text)
        said = shown.text.replace(PREIS, "")
        assert english.findall(said) == [], said
        form = await ines.way_on()
        if form is None:
            break
        fields = {**form.hidden, **dict.fromkeys(form.textareas, PREIS)}
        if form.radios:
            fields[form.radios[0][0]] = form.radios[0][1]
        assert (await ines.send(fields)).status_code == 303

    assert "Vielen Dank" in shown.text
