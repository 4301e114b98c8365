"""What the worker does for interviews that nobody is looking at: late replies, and ends after a long silence."""

import json
from typing import Any

import httpx
import pytest

from afterword.db import Db
from afterword.interviews import completion, conversation
from tests.conftest import Api, Tenant
from tests.page_forms import Visitor

PRICE = "The price was too high, and Globex had the better integration with our warehouse, as the pilot in May showed."


async def begun(api: Api, acme: Tenant, web: httpx.AsyncClient, email: str, said: str = PRICE) -> tuple[int, Visitor]:
    """An interview with one message from the contact."""
    asked = await api.post("/interviews", {"contact_email": email, "interview_type_id": acme.type_id})
    visitor = Visitor(web, asked.json()["survey_token"])
    await visitor.do("consent")
    await visitor.do("answer", text=said)
    return asked.json()["interview_request_id"], visitor


async def silent_since(db: Db, days: int, interview_id: int) -> None:
    async with db.tx() as tx:
        await tx.execute(
            "update interviews set answered_at = now() - make_interval(days => %s) where id = %s", [days, interview_id]
        )


async def unanswered(db: Db, interview_id: int) -> None:
    """As if the process had died before it replied to the contact's first message."""
    async with db.tx() as tx:
        await tx.execute("delete from turns where interview_id = %s and turn_no = 3", [interview_id])
        await tx.execute(
            "update interviews set turn_no = 2, reply_due_at = now() - make_interval(secs => 1000 - id) where id = %s",
            [interview_id],
        )


async def look(api: Api, interview_id: int) -> dict[str, Any]:
    return (await api.get(f"/interviews/{interview_id}")).json()


async def test_an_interview_that_was_left_completes_thirty_days_after_the_last_answer(
    api: Api, acme: Tenant, db: Db, web: httpx.AsyncClient
):
    left, visitor = await begun(api, acme, web, "left@initech.example")
    going_on, _ = await begun(api, acme, web, "going.on@initech.example")
    await silent_since(db, 31, left)
    await silent_since(db, 29, going_on)

    await conversation.complete_idle(db)

    closed = await look(api, left)
    assert (closed["status"], closed["ended_by"]) == ("completed", "expired")
    assert PRICE in closed["transcript"]["content"]
    assert "This interview is closed" in (await visitor.open()).text
    assert (await look(api, going_on))["status"] == "created"


@pytest.mark.parametrize("said", ["stop", "I am the wrong person, please stop"])
async def test_a_no_before_any_answer_never_becomes_an_interview(
    api: Api, acme: Tenant, db: Db, web: httpx.AsyncClient, said: str
):
    declined, _ = await begun(api, acme, web, "no@initech.example", said)
    await silent_since(db, 31, declined)

    await conversation.complete_idle(db)

    seen = await look(api, declined)
    assert (seen["status"], seen["ended_by"], seen["transcript"]) == ("created", None, None)


@pytest.mark.parametrize("meanwhile", ["answer", "withdraw"])
async def test_a_contact_who_comes_back_is_not_closed_out_at_that_moment(
    api: Api, acme: Tenant, db: Db, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, meanwhile: str
):
    interview, visitor = await begun(api, acme, web, "back@initech.example")
    await silent_since(db, 31, interview)
    by_id = completion.by_id

    async def comes_back_first(*given: Any, **rest: Any) -> Any:
        monkeypatch.setattr(completion, "by_id", by_id)
        await visitor.do(meanwhile, **({"text": PRICE} if meanwhile == "answer" else {}))
        return await by_id(*given, **rest)

    monkeypatch.setattr(completion, "by_id", comes_back_first)
    await conversation.complete_idle(db)

    seen = await look(api, interview)
    assert (seen["status"], seen["transcript"]) == ("created", None)


@pytest.mark.parametrize("state", [{"schema": "of tomorrow"}, ["of tomorrow"]])
async def test_one_interview_that_cannot_be_read_holds_up_no_other(
    api: Api, acme: Tenant, db: Db, web: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, state: object
):
    interviews = [(await begun(api, acme, web, f"{name}@initech.example"))[0] for name in ("broken", "fine")]
    for interview in interviews:
        await unanswered(db, interview)
    async with db.tx() as tx:
        await tx.execute("update interviews set state = %s where id = %s", [json.dumps(state), interviews[0]])

    assert await conversation.finish_replies(db) == 1

    assert [turn["role"] for turn in (await look(api, interviews[1]))["turns"]][-1] == "interviewer"
    assert f"interview {interviews[0]} cannot be read" in caplog.text
    assert "of tomorrow" in caplog.text or isinstance(state, list)
    assert PRICE not in caplog.text
