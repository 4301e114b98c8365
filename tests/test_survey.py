"""The contact's page as a browser without scripts sees it, and as somebody who means harm."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from afterword.db import Db, fetch_all, fetch_one
from afterword.settings import Settings
from tests.conftest import Api, Tenant
from tests.page_forms import Reader, Visitor

PRICE = "The price was too high, and Globex had the better integration with our warehouse, as the pilot in May showed."


@pytest.fixture
async def interview(api: Api, acme: Tenant) -> dict[str, Any]:
    """A fresh interview of Acme's with Jane."""
    answer = await api.post(
        "/interviews",
        {"contact_email": "jane@initech.example", "contact_name": "Jane Smith", "interview_type_id": acme.type_id},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def jane(web: httpx.AsyncClient, interview: dict[str, Any]) -> Visitor:
    """Jane, with her link."""
    return Visitor(web, interview["survey_token"])


class Row:
    """Any row, as JSON."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row


async def stored(db: Db, interview: dict[str, Any]) -> dict[str, Any]:
    """The interview's row."""
    async with db.tx() as tx:
        found = await fetch_one(
            tx,
            Row,
            "select to_jsonb(i) as row from interviews i where id = %(id)s",
            id=interview["interview_request_id"],
        )
    assert found is not None
    return found.row


async def turns(db: Db, interview: dict[str, Any], role: str = "contact") -> list[dict[str, Any]]:
    """What one side said, in order."""
    async with db.tx() as tx:
        rows = await fetch_all(
            tx,
            Row,
            "select to_jsonb(t) as row from turns t where interview_id = %(id)s and role = %(role)s order by turn_no",
            id=interview["interview_request_id"],
            role=role,
        )
    return [row.row for row in rows]


async def seen_by_company(api: Api, interview: dict[str, Any]) -> dict[str, Any]:
    """The interview as the API shows it."""
    return (await api.get(f"/interviews/{interview['interview_request_id']}")).json()


# The way through ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [PRICE, "ok", "What do you mean?"])
@pytest.mark.parametrize("name_buttons", [True, False])
async def test_a_robot_without_scripts_reaches_the_end_in_forty_posts(
    api: Api, interview: dict[str, Any], jane: Visitor, text: str, name_buttons: bool
):
    pressed = await jane.walk(text, name_buttons=name_buttons)

    assert pressed[0] == "consent"
    assert "Thank you" in (await jane.open()).text
    done = await seen_by_company(api, interview)
    assert done["status"] == "completed"
    assert text in done["transcript"]["content"]


async def test_before_the_first_question_the_contact_is_told_what_this_is(jane: Visitor):
    page = await jane.open()

    for told in (
        "AI interviewer, not a person",
        "works for Acme",
        "Not a sales call",
        "About 13 minutes",
        "Skip any question, pause and come back with the same link, or stop",
        "Acme's product and sales teams",
        "Acme keeps your answers until",
        "90 days",
    ):
        assert told in page.text
    languages, begin, *ways_out = page.forms
    assert (languages.step, languages.buttons) == (False, [("language", "en"), ("language", "de")])
    assert (begin.step, begin.buttons) == (True, [("action", "consent"), ("action", "consent_short")])
    assert [form.buttons[0][1] for form in ways_out] == ["decline", "opt_out", "wrong_person"]


async def test_opening_the_link_changes_nothing(
    db: Db, web: httpx.AsyncClient, interview: dict[str, Any], jane: Visitor
):
    for _ in range(2):
        before = await stored(db, interview), await turns(db, interview, "interviewer")
        for headers in ({}, {"Sec-Purpose": "prefetch"}, {"X-Survey-Token": jane.token}):
            assert (await web.get("/survey", params={"token": jane.token}, headers=headers)).status_code == 200
            assert (await web.head("/survey", params={"token": jane.token}, headers=headers)).status_code == 200
        assert (await stored(db, interview), await turns(db, interview, "interviewer")) == before
        if before[0]["phase"] == "new":
            await jane.do("consent")


async def test_the_consent_is_stored_with_its_text_and_time(db: Db, interview: dict[str, Any], jane: Visitor):
    shown = (await jane.open()).text
    fields = await jane.fields("consent")

    answers = [await jane.send(fields) for _ in range(2)]

    assert {answer.status_code for answer in answers} == {303}
    row = await stored(db, interview)
    assert row["consent_at"] is not None
    assert row["started_at"] is None
    assert len(row["consent_text"].splitlines()) == 6
    for line in row["consent_text"].splitlines():
        term, _, text = line.partition(": ")
        assert term in shown
        assert text in shown
    assert len(await turns(db, interview, "interviewer")) == 1


async def test_a_consent_to_terms_that_have_changed_asks_again(
    db: Db, acme: Tenant, interview: dict[str, Any], jane: Visitor
):
    fields = await jane.fields("consent")
    async with db.tx() as tx:
        await tx.execute("update organizations set consent_text = 'We record.' where id = %s", [acme.org_id])

    answer = await jane.send(fields)

    assert answer.status_code == 409
    assert "We record." in answer.text
    assert (await stored(db, interview))["consent_at"] is None


async def test_a_link_opened_again_goes_on_where_it_stood(web: httpx.AsyncClient, jane: Visitor):
    await jane.do("consent")
    await jane.do("answer", text=PRICE)

    from_the_mail = await jane.open()
    after_a_step = await web.get("/survey", params={"token": jane.token}, headers={"Sec-Fetch-Site": "same-origin"})

    assert "Welcome back." in from_the_mail.text
    assert PRICE in from_the_mail.text
    assert "Welcome back." not in after_a_step.text


async def test_skip_pause_and_resume_are_always_in_reach(db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.do("consent")
    await jane.do("skip")
    await jane.do("pause")
    assert "Paused. What you said is saved." in (await jane.open()).text
    assert (await stored(db, interview))["started_at"] is None

    await jane.do("resume")
    await jane.do("answer", text=PRICE)

    assert [turn["action"] for turn in await turns(db, interview)] == ["skip", "pause", "resume", "answer"]
    assert (await stored(db, interview))["started_at"] is not None


async def test_stop_ends_at_once_keeps_the_answers_and_can_be_taken_back(
    api: Api, interview: dict[str, Any], jane: Visitor
):
    await jane.do("consent")
    await jane.do("answer", text=PRICE)
    await jane.do("stop")

    stopped = await seen_by_company(api, interview)
    assert (stopped["status"], stopped["ended_by"]) == ("completed", "stopped")
    assert PRICE in stopped["transcript"]["content"]
    assert await jane.way_on() is None

    await jane.do("undo")
    await jane.do("answer", text="One more thing: the sandbox was down for a week in June.")
    assert (await seen_by_company(api, interview))["status"] == "completed"
    await jane.walk("That is all.")

    done = await seen_by_company(api, interview)
    assert done["ended_by"] == "finished"
    assert PRICE in done["transcript"]["content"]
    assert "sandbox was down" in done["transcript"]["content"]


async def test_a_stop_is_taken_from_a_tab_that_was_left_behind(db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.do("consent")
    behind = await jane.fields("stop")
    await jane.do("answer", text=PRICE)

    assert (await jane.send(behind)).status_code == 303
    assert (await jane.send(behind)).status_code == 303

    assert (await stored(db, interview))["phase"] == "stopped"
    assert [turn["action"] for turn in await turns(db, interview)] == ["answer", "stop"]


async def test_a_stop_before_any_answer_completes_nothing(api: Api, interview: dict[str, Any], jane: Visitor):
    await jane.do("consent")
    await jane.do("stop")

    assert (await seen_by_company(api, interview))["status"] == "created"
    assert await jane.way_on() is None


async def to_a_scale(visitor: Visitor) -> list[str]:
    """Answer at length until a scale is asked; its choices."""
    for number in range(20):
        form = await visitor.way_on()
        assert form is not None
        if form.radios:
            return [value for _, value in form.radios]
        await visitor.do(
            "answer", text=f"In week {number} we compared {number + 3} points of the offer with Globex. {PRICE}"
        )
    raise AssertionError("no scale was asked")


async def test_a_scale_takes_a_choice(db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.do("consent")
    choices = await to_a_scale(jane)

    await jane.do("answer", text=choices[1])

    assert (await turns(db, interview))[-1]["text"] == choices[1]


async def test_a_scale_without_a_choice_is_skipped(db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.do("consent")
    await to_a_scale(jane)

    await jane.do("answer")

    assert (await turns(db, interview))[-1]["action"] == "skip"


async def test_a_correction_counts_whichever_button_sends_it(api: Api, interview: dict[str, Any], jane: Visitor):
    await jane.walk(PRICE, until="confirm")
    assert "The price was too high" in (await jane.open()).text

    await jane.do("confirm", text="It was not the price alone.")

    done = await seen_by_company(api, interview)
    assert done["status"] == "completed"
    assert "It was not the price alone." in done["transcript"]["content"]


async def test_the_closing_questions_are_optional_and_stored(db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.walk(PRICE, until="experience")

    await jane.do("experience", satisfaction="6", recommend="yes", captured="", rumour="x")

    assert (await stored(db, interview))["experience"] == {"satisfaction": "6", "recommend": "yes"}
    page = await jane.open()
    assert "Thank you" in page.text
    assert "satisfaction" not in page.text


# Once, whatever happens ---------------------------------------------------------------------------------------------


async def test_a_double_click_is_one_answer(db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.do("consent")
    fields = await jane.fields("answer", text=PRICE)

    answers = await asyncio.gather(*(jane.send(fields) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {303}
    assert [turn["text"] for turn in await turns(db, interview)] == [PRICE]
    assert len(await turns(db, interview, "interviewer")) == 2


async def test_the_second_tab_is_told_where_things_stand_and_keeps_its_text(
    db: Db, interview: dict[str, Any], jane: Visitor
):
    await jane.do("consent")
    tabs = [await jane.fields("answer", text=text) for text in (PRICE, "Typed in the second tab & not lost.")]

    first, second = [await jane.send(fields) for fields in tabs]

    assert (first.status_code, second.status_code) == (303, 409)
    page = Reader(second.text)
    assert page.forms[0].textareas == {"text": "Typed in the second tab & not lost."}
    assert "moved on" in page.text
    assert PRICE in page.text
    assert [turn["text"] for turn in await turns(db, interview)] == [PRICE]
    sent_again = {**page.forms[0].hidden, "action": "answer", **page.forms[0].textareas}
    assert (await jane.send(sent_again)).status_code == 303


async def test_of_fifty_different_answers_at_once_one_is_taken_and_none_is_lost_silently(
    db: Db, interview: dict[str, Any], jane: Visitor
):
    await jane.do("consent")
    forms = [await jane.fields("answer", text=f"Answer number {number}, in a few words.") for number in range(50)]

    answers = await asyncio.gather(*(jane.send(fields) for fields in forms))

    taken = [fields["text"] for fields, answer in zip(forms, answers, strict=True) if answer.status_code == 303]
    assert [turn["text"] for turn in await turns(db, interview)] == taken
    assert len(taken) == 1
    refused = [answer for answer in answers if answer.status_code != 303]
    assert {answer.status_code for answer in refused} == {409}


async def test_an_answer_whose_reply_is_missing_gets_it_from_the_page(db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.do("consent")
    state = (await stored(db, interview))["state"]
    await jane.do("answer", text=PRICE)
    async with db.tx() as tx:  # as after the death of the process between the two
        await tx.execute("delete from turns where turn_no = 3")
        await tx.execute("update interviews set turn_no = 2, state = %s", [json.dumps(state)])

    page = await jane.open()
    assert "Your answer is saved." in page.text
    await jane.do("wait")

    assert [turn["text"] for turn in await turns(db, interview)] == [PRICE]
    assert len(await turns(db, interview, "interviewer")) == 2
    assert await jane.way_on() is not None


async def test_while_the_database_is_away_the_page_keeps_the_text_and_sends_it_again(
    db: Db, web: httpx.AsyncClient, interview: dict[str, Any], jane: Visitor
):
    await jane.do("consent")
    fields = await jane.fields("answer", text=f"{PRICE} <b>&")
    state = web.door.fastapi.state  # type: ignore[attr-defined]  # set in the fixture
    async with Db.open("postgresql://nobody@127.0.0.1:9/none", size=1) as dead:
        state.db = dead
        away = await jane.send(fields)
        opened = await web.get("/survey", params={"token": jane.token})
        state.db = db

    assert (away.status_code, opened.status_code) == (503, 503)
    assert away.headers["retry-after"]
    form = Reader(away.text).forms[0]
    assert form.textareas == {"text": f"{PRICE} <b>&"}
    assert (await jane.send({**form.hidden, **form.textareas})).status_code == 303
    assert [turn["text"] for turn in await turns(db, interview)] == [f"{PRICE} <b>&"]


async def test_the_closing_questions_are_no_answer_to_another_question(
    db: Db, interview: dict[str, Any], jane: Visitor
):
    await jane.do("consent")

    answer = await jane.send({**await jane.fields("answer"), "action": "experience", "satisfaction": "7"})

    assert answer.status_code == 409
    assert await turns(db, interview) == []
    assert (await stored(db, interview))["experience"] is None


async def test_nobody_fills_the_disk_by_pausing(
    configure: Callable[..., Settings], db: Db, interview: dict[str, Any], jane: Visitor
):
    configure(survey_messages=4)
    await jane.do("consent")
    for action in ("pause", "resume", "pause", "resume"):
        await jane.do(action)

    assert (await jane.send(await jane.fields("pause"))).status_code == 429
    assert len(await turns(db, interview)) == 4
    await jane.do("stop")


async def test_a_closed_interview_stores_nothing_more(db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.do("consent")
    late = await jane.fields("answer", text="Too late to be stored, but not to be copied.")
    await jane.walk(PRICE)
    before = await turns(db, interview)

    answer = await jane.send(late)

    assert answer.status_code == 409
    assert "closed" in answer.text
    assert "Too late to be stored, but not to be copied." in answer.text
    assert await turns(db, interview) == before


async def test_a_link_ends_after_ninety_days(db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.do("consent")
    fields = await jane.fields("answer", text=PRICE)
    async with db.tx() as tx:
        await tx.execute("update interviews set updated_at = now() - interval '91 days'")

    assert "This link has expired" in (await jane.open()).text
    assert (await jane.send(fields)).status_code == 409
    assert await turns(db, interview) == []


# The ways out --------------------------------------------------------------------------------------------------------


async def test_no_thanks_asks_nothing_and_can_be_thought_over(api: Api, interview: dict[str, Any], jane: Visitor):
    await jane.do("decline")
    assert await jane.way_on() is None
    assert (await seen_by_company(api, interview))["status"] == "created"

    await jane.do("reconsider")
    assert "AI interviewer" in (await jane.open()).text
    await jane.do("consent")


@pytest.mark.parametrize("begun", [False, True])
async def test_no_more_mail_is_kept_for_ever(api: Api, interview: dict[str, Any], jane: Visitor, begun: bool):
    if begun:
        await jane.do("consent")

    await jane.do("opt_out")

    contact = (await api.get(f"/contacts/{interview['contact_id']}")).json()
    assert contact["suppressed"]["reason"] == "unsubscribed"
    assert "no more e-mails" in (await jane.open()).text
    assert (await jane.way_on() is not None) == begun


async def test_withdrawing_erases_what_was_said(api: Api, db: Db, interview: dict[str, Any], jane: Visitor):
    await jane.walk(PRICE)

    await jane.do("withdraw")

    assert await turns(db, interview) == []
    assert "Your answers are deleted" in (await jane.open()).text
    erased = await seen_by_company(api, interview)
    assert (erased["status"], erased["transcript"]) == ("completed", None)
    assert PRICE not in json.dumps(erased)
    assert PRICE not in json.dumps(await stored(db, interview))


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("\u200b\u2060\ufeff", "is empty"),
        ("\x00\x00", "is empty"),
        ("ä" * 4001, "at most 4,000 characters, yours has 4,001"),
    ],
)
async def test_an_answer_that_cannot_be_taken_is_explained_and_kept(
    db: Db, interview: dict[str, Any], jane: Visitor, text: str, says: str
):
    await jane.do("consent")

    answer = await jane.send(await jane.fields("answer", text=text))

    assert answer.status_code == 400
    page = Reader(answer.text)
    assert f"Your answer {says}" in " ".join(page.text.split()) or says in page.text
    assert page.forms[0].textareas["text"].strip() == text.replace("\x00", "").strip()
    assert await turns(db, interview) == []
    assert (await stored(db, interview))["started_at"] is None


@pytest.mark.parametrize("text", ["👍", "a\r\n" * 2000, "ß" * 4000, "zero\x00byte"])
async def test_an_unusual_answer_is_taken(db: Db, interview: dict[str, Any], jane: Visitor, text: str):
    await jane.do("consent")

    await jane.do("answer", text=text)

    assert (await turns(db, interview))[0]["text"] == text.replace("\r\n", "\n").replace("\x00", "").strip()


async def test_markup_is_shown_as_text(api: Api, acme: Tenant, web: httpx.AsyncClient, jane: Visitor):
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1))</main>"
    named = await api.post(
        "/interviews",
        {"contact_email": "eve@x.example", "contact_name": hostile[:60], "interview_type_id": acme.type_id},
    )
    for visitor in (jane, Visitor(web, named.json()["survey_token"])):
        await visitor.do("consent")
        await visitor.do("answer", text=hostile)
        page = (await web.get("/survey", params={"token": visitor.token})).text

        assert hostile in Reader(page).text
        assert page.count("<script") == 2  # both our own
        assert "<img" not in page
        assert page.count("</main>") == 1


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"text=" + b"a" * (256 * 1024), {}, 413),
        (b"text=" + b"a" * (1024 * 1024), {}, 413),
        (b"text=%ff%fe", {}, 400),
        (b"text=%ed%a0%80", {}, 400),
        (b"text=\xff", {}, 400),
        (b"&".join(b"a%d=b" % number for number in range(21)), {}, 400),
        (b"action=answer&turn=1e3&client_id=x", {}, 400),
        (b"action=answer&turn=999999999999&client_id=x", {}, 400),
        (b"action=answer&turn=1&text=x", {}, 400),
        (b"action=answer&turn=1&text=x&client_id=../..", {}, 400),
        (b"action=constructor&turn=1&client_id=x&text=x", {}, 400),
        (b'{"action": "answer"}', {"Content-Type": "application/json"}, 415),
        (b"--x\r\n\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
    ],
)
async def test_a_malformed_form_is_refused_with_a_page(
    db: Db, web: httpx.AsyncClient, interview: dict[str, Any], jane: Visitor, content: bytes, headers: Any, status: int
):
    await jane.do("consent")
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Survey-Token": jane.token}

    answer = await web.post("/survey", content=content, headers={**form, **headers})

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert await turns(db, interview) == []


async def test_every_token_that_opens_nothing_gets_the_same_page(acme: Tenant, web: httpx.AsyncClient, jane: Visitor):
    wrong = ["tok_unknown", jane.token[:-1], jane.token + "A", jane.token.upper(), acme.key, "x" * 5000, "\x00", "é"]

    opened = [await web.get("/survey", params={"token": token}) for token in wrong]
    sent = [await web.post("/survey", data={"token": token, "action": "consent"}) for token in wrong]

    assert {answer.status_code for answer in (*opened, *sent)} == {404}
    assert len({answer.content for answer in (*opened, *sent)}) == 1
    assert (await web.get("/api/v1/me", headers={"Authorization": f"Bearer {jane.token}"})).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:8321.evil.example"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "https://user@127.0.0.1:8321"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://127.0.0.1:8321", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null"}, 303),
    ],
)
async def test_a_form_from_another_site_is_refused(
    db: Db, interview: dict[str, Any], jane: Visitor, headers: dict[str, str], status: int
):
    answer = await jane.send(await jane.fields("consent"), headers=headers)

    assert answer.status_code == status
    assert ((await stored(db, interview))["consent_at"] is not None) == (status == 303)


async def test_every_answer_carries_the_headers_that_protect_the_page(web: httpx.AsyncClient, jane: Visitor):
    await jane.do("consent")
    stale = await jane.fields("answer", text=PRICE)
    asset = re.findall(r'(?:href|src)="(/survey/static/[^"]+)"', (await web.get("/survey")).text)
    answers = [
        await web.get("/survey"),
        await web.get("/survey", params={"token": jane.token}),
        await web.head("/survey", params={"token": jane.token}),
        await web.get("/survey", params={"token": "tok_unknown"}),
        await web.get("/survey/nothing"),
        await web.put("/survey"),
        await jane.send(stale),
        await jane.send({**stale, "client_id": "another"}),
        await jane.send({**stale, "client_id": "third"}, headers={"Accept": "application/x-ndjson"}),
        await jane.send(stale, headers={"Origin": "https://evil.example"}),
        await jane.send({"text": "x" * 300_000}),
        await web.get("/survey/static/nothing.css"),
        *[await web.get(path) for path in asset],
    ]

    assert len(asset) == 4
    assert [answer.status_code for answer in answers[:12]] == [
        200,
        200,
        200,
        404,
        404,
        405,
        303,
        409,
        200,
        403,
        413,
        404,
    ]
    assert {answer.status_code for answer in answers[12:]} == {200}
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-robots-tag"].startswith("noindex")
        assert "set-cookie" not in answer.headers
    assert {answer.headers["cache-control"] for answer in answers[:12]} <= {"no-store", "no-cache"}
    assert {answer.headers["cache-control"] for answer in answers[12:]} == {"public, max-age=31536000, immutable"}


# The stream that the page's script reads ----------------------------------------------------------------------------


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    """The lines of a streamed answer."""
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_the_stream_says_typing_and_then_shows_the_next_page_once(
    db: Db, interview: dict[str, Any], jane: Visitor
):
    await jane.do("consent")
    fields = await jane.fields("answer", text=PRICE)
    headers = {"Accept": "application/x-ndjson", "X-Survey-Token": jane.token}
    del fields["token"]

    first, again = [lines(await jane.send(fields, headers=headers)) for _ in range(2)]

    assert first[0] == {"typing": True}
    assert (first[1]["turn"], again[1]["turn"]) == (3, 3)
    assert PRICE in first[1]["html"]
    assert "<main" not in first[1]["html"]
    assert first[1]["title"] == "Your interview for Acme – Paige, AI interviewer for Acme"
    assert len(await turns(db, interview)) == 1


async def test_the_stream_tells_what_went_wrong_with_the_page_as_it_stands(jane: Visitor):
    await jane.do("consent")
    headers = {"Accept": "application/x-ndjson"}
    fields = await jane.fields("answer", text=" ")

    empty = lines(await jane.send(fields, headers=headers))
    unknown = lines(await jane.send({**fields, "token": "tok_x"}, headers=headers))
    foreign = lines(await jane.send(fields, headers={**headers, "Origin": "https://evil.example"}))

    assert empty[-1]["error"]["status"] == 400
    assert "Your answer is empty" in empty[-1]["html"]
    assert unknown[-1]["error"]["status"] == 404
    assert foreign[-1]["error"]["code"] == "forbidden"
