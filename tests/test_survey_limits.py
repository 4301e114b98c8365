"""The page at its limits: what was typed is kept, and the ways out stay open."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from afterword.db import Db
from afterword.settings import Settings
from tests.conftest import Api, Tenant
from tests.page_forms import Reader, Visitor
from tests.test_survey import PRICE, stored, turns

STREAM = {"Accept": "application/x-ndjson"}


@pytest.fixture
async def interview(api: Api, acme: Tenant) -> dict[str, Any]:
    """A fresh interview of Acme's with Jane."""
    answer = await api.post("/interviews", {"contact_email": "jane@x.example", "interview_type_id": acme.type_id})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def jane(web: httpx.AsyncClient, interview: dict[str, Any]) -> Visitor:
    """Jane, with her link."""
    return Visitor(web, interview["survey_token"])


async def test_a_full_interview_keeps_the_text_beside_the_reason(
    configure: Callable[..., Settings],
    db: Db,
    interview: dict[str, Any],
    jane: Visitor,
):
    configure(survey_messages=2)
    await jane.do("consent")
    for _ in range(2):
        await jane.do("answer", text=PRICE)
    fields = await jane.fields("answer", text="One message too many & not lost.")

    plain, streamed = await jane.send(fields), await jane.send(fields, headers=STREAM)

    assert plain.status_code == 429
    shown = Reader(plain.text)
    assert shown.forms[0].textareas == {"text": "One message too many & not lost."}
    assert "as much as an interview can hold" in shown.text
    last = json.loads(streamed.text.splitlines()[-1])
    assert last["error"]["status"] == 429
    assert "One message too many &amp; not lost." in last["html"]
    assert len(await turns(db, interview)) == 2
    await jane.do("stop")


async def test_without_a_limit_an_empty_answer_is_called_empty_and_not_too_long(
    configure: Callable[..., Settings], jane: Visitor
):
    configure(survey_message_characters=0)
    await jane.do("consent")

    refused = await jane.send(await jane.fields("answer", text=" \n\t "))

    assert refused.status_code == 400
    assert "is empty" in refused.text


async def test_too_many_starts_from_one_address_leave_the_first_page_as_it_is(
    configure: Callable[..., Settings], db: Db, acme: Tenant, web: httpx.AsyncClient
):
    configure(survey_starts_per_hour=1)
    links = [
        await acme.api.post("/interviews", {"contact_email": f"{n}@x.example", "interview_type_id": acme.type_id})
        for n in range(2)
    ]
    first, second = (Visitor(web, link.json()["survey_token"]) for link in links)
    await first.do("consent")

    refused = await second.send(await second.fields("consent"))

    assert refused.status_code == 429
    assert "Please wait a moment and try again." in refused.text
    assert ("action", "consent") in next(form for form in Reader(refused.text).forms if form.step).buttons
    await second.do("decline")


async def test_a_guesser_of_links_is_told_to_wait_and_a_real_link_still_opens(
    configure: Callable[..., Settings],
    web: httpx.AsyncClient,
    jane: Visitor,
):
    configure(survey_unknown_tokens_per_minute=3)
    form = {"token": "tok_wrong", "action": "answer", "turn": "1", "client_id": "x", "text": "Kept <b>& safe"}

    opened = [await web.get("/survey", params={"token": f"tok_{n}"}) for n in range(4)]
    plain, streamed = await web.post("/survey", data=form), await web.post("/survey", data=form, headers=STREAM)

    assert [answer.status_code for answer in opened] == [404, 404, 404, 429]
    assert "One moment, please" in opened[-1].text
    assert plain.status_code == 429
    assert plain.headers["retry-after"]
    assert Reader(plain.text).forms[0].textareas == {"text": "Kept <b>& safe"}
    assert json.loads(streamed.text.splitlines()[-1])["error"]["status"] == 429
    assert (await web.get("/survey", params={"token": jane.token})).status_code == 200


async def test_a_break_without_scripts_gives_the_text_back_and_stores_none_of_it(
    db: Db,
    interview: dict[str, Any],
    jane: Visitor,
):
    await jane.do("consent")
    half = "Half a <thou"

    paused = await jane.send(await jane.fields("pause", text=half))
    form = Reader(paused.text).forms[0]
    resumed = await jane.send({**form.hidden, "action": "resume"})

    assert (paused.status_code, resumed.status_code) == (200, 200)
    assert form.buttons[0] == ("action", "resume")
    assert half in Reader(paused.text).text
    assert Reader(resumed.text).forms[0].textareas == {"text": half}
    assert half not in json.dumps([await stored(db, interview), await turns(db, interview)])
    assert (await jane.open()).forms[0].textareas == {"text": ""}


# Who should not have been asked, and what is agreed to ---------------------------------------------------------------


async def test_the_wrong_person_names_a_role_and_nothing_begins(
    api: Api,
    db: Db,
    interview: dict[str, Any],
    jane: Visitor,
):
    await jane.do("wrong_person", text="  Head of\u200b purchasing\x00 ")

    row = await stored(db, interview)
    assert (row["phase"], row["outreach_stop_reason"], row["consent_at"]) == ("declined", "wrong_person", None)
    assert row["referral"] == "Head of purchasing"
    assert await turns(db, interview) == []
    page = await jane.open()
    assert "Thank you for telling us" in page.text
    assert "Head of purchasing" in page.text
    assert await jane.way_on() is None
    seen = (await api.get(f"/interviews/{interview['interview_request_id']}")).json()
    assert seen["referral"] == "Head of purchasing"

    await jane.do("reconsider")
    await jane.do("consent")


@pytest.mark.parametrize("text", ["", " ", "x" * 5000])
async def test_the_wrong_person_may_name_nobody_or_write_a_lot(
    db: Db,
    interview: dict[str, Any],
    jane: Visitor,
    text: str,
):
    await jane.do("wrong_person", text=text)

    assert (await stored(db, interview))["referral"] in {None, "x" * 500}
    assert "Thank you for telling us" in (await jane.open()).text


async def test_a_contact_is_told_before_the_first_question_that_a_model_may_read_along(
    db: Db,
    acme: Tenant,
    interview: dict[str, Any],
    jane: Visitor,
):
    assert "language model" not in (await jane.open()).text
    async with db.tx() as tx:
        await tx.execute(
            """update organizations set model = '{"provider": "openai", "url": "http://127.0.0.1:9", "name": "m"}'
            where id = %s""",
            [acme.org_id],
        )
    stale = await jane.open()

    assert "processed by a language model service of Acme's choosing" in stale.text
    assert "what was sent to the language model" in stale.text
    await jane.do("consent")
    assert "language model service" in (await stored(db, interview))["consent_text"]


async def test_what_was_agreed_to_can_be_read_again_word_for_word(
    db: Db,
    acme: Tenant,
    interview: dict[str, Any],
    jane: Visitor,
):
    await jane.do("consent")
    async with db.tx() as tx:
        await tx.execute("update organizations set consent_text = 'We record.' where id = %s", [acme.org_id])

    page = await jane.open()

    assert "We record." not in page.text
    for line in (await stored(db, interview))["consent_text"].splitlines():
        assert line in page.text
