"""What a person should look at: noted with the turn, shown by the API, mailed once, without a word of the contact's."""

import asyncio
import email
import email.policy
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from afterword import alerts, mail
from afterword.db import Db, execute, fetch_all
from tests.conftest import Api, Tenant
from tests.page_forms import Visitor
from tests.smtp_sink import Sink, serving

PRICE = "The price was too high, and Globex had the better integration with our warehouse, as the pilot in May showed."
WATCH = "watch@acme.example"


@pytest.fixture
async def asked(api: Api, acme: Tenant) -> dict[str, Any]:
    """A fresh interview of Acme's with Jane, in its sequence."""
    body = {"contact_email": "jane@initech.example", "contact_name": "Jane Smith", "sequence_id": acme.sequence_id}
    return (await api.post("/interviews", body)).json()


@pytest.fixture
def jane(web: httpx.AsyncClient, asked: dict[str, Any]) -> Visitor:
    """Jane, with her link."""
    return Visitor(web, asked["survey_token"])


class Alert:
    """One row of the table."""

    def __init__(self, kind: str, key: str, interview_id: int | None, details: Any, mailed: bool, org_id: str) -> None:
        self.kind, self.key, self.interview_id = kind, key, interview_id
        self.details, self.mailed, self.org_id = details, mailed, org_id


async def raised(db: Db) -> list[Alert]:
    async with db.tx() as tx:
        return list(
            await fetch_all(
                tx,
                Alert,
                """
                select kind, key, interview_id, details, mailed_at is not null as mailed, org_id from alerts
                order by created_at, id
                """,
            )
        )


async def watched(db: Db, tenant: Tenant, address: str | None = WATCH) -> None:
    """The organization wants to be mailed."""
    async with db.tx() as tx:
        await execute(
            tx,
            "update organizations set alert_email = %(address)s where id = %(id)s",
            address=address,
            id=tenant.org_id,
        )


async def due_again(db: Db) -> None:
    async with db.tx() as tx:
        await execute(tx, "update alerts set mail_at = clock_now()")


async def raise_(db: Db, tenant: Tenant, kind: Any = "model_down", key: str = "k", **rest: Any) -> bool:
    async with db.tx() as tx:
        return await alerts.raise_alert(tx, tenant.org_id, kind, key, **rest)


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


async def seen(api: Api, asked: dict[str, Any]) -> dict[str, Any]:
    return (await api.get(f"/interviews/{asked['interview_request_id']}")).json()


# What raises one ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("I want to kill myself", "distress"),
        ("You are a fucking idiot", "abuse"),
        ("Please delete my data", "delete_request"),
    ],
)
async def test_what_a_person_should_see_is_flagged_and_raised_once(
    api: Api, asked: dict[str, Any], jane: Visitor, db: Db, said: str, kind: str
):
    await jane.do("consent")
    await jane.do("answer", text=said)

    [alert] = await raised(db)
    assert (alert.kind, alert.interview_id, alert.details) == (kind, asked["interview_request_id"], {"turn": 2})
    [flag] = (await seen(api, asked))["flags"]
    assert (flag["reason"], flag["turn"]) == (kind, 2)
    assert flag["at"].endswith("Z")


async def test_the_same_thing_again_is_one_alert_and_two_flags(api: Api, asked: dict[str, Any], jane: Visitor, db: Db):
    await jane.do("consent")
    for _ in range(2):
        await jane.do("answer", text="You are a fucking idiot")

    assert len(await raised(db)) == 1
    assert [flag["turn"] for flag in (await seen(api, asked))["flags"]] == [2, 4]


async def test_a_referral_is_raised_and_stops_the_mailing_for_that_reason(
    api: Api, asked: dict[str, Any], jane: Visitor, db: Db
):
    await jane.do("consent")
    await jane.do("answer", text="I am the wrong person, I was not involved at all.")
    await jane.do("answer", text="Ask our head of purchasing.")

    assert [alert.kind for alert in await raised(db)] == ["referral"]
    interview = await seen(api, asked)
    assert interview["outreach"]["stop_reason"] == "wrong_person"
    assert "not the right person" in interview["outreach"]["why"]
    assert [flag["reason"] for flag in interview["flags"]] == ["referral", "referral_given"]


async def test_an_ordinary_interview_raises_nothing(api: Api, asked: dict[str, Any], jane: Visitor, db: Db):
    await jane.walk(PRICE)

    assert await raised(db) == []
    assert (await seen(api, asked))["flags"] == []


async def test_a_contact_who_withdraws_leaves_an_alert_without_details(jane: Visitor, db: Db):
    await jane.do("consent")
    await jane.do("answer", text="You are a fucking idiot")
    await jane.do("withdraw")

    assert [(alert.kind, alert.details) for alert in await raised(db)] == [("abuse", {})]


async def test_of_many_who_raise_the_same_one_is_first(acme: Tenant, rival: Tenant, db: Db):
    first = await asyncio.gather(*(raise_(db, acme) for _ in range(8)))

    assert sorted(first) == [False] * 7 + [True]
    assert await raise_(db, rival)
    assert {alert.org_id for alert in await raised(db)} == {acme.org_id, rival.org_id}


# The mail ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def sink() -> Any:
    """A mail server."""
    async with serving() as one:
        yield one


@pytest.fixture
async def mailer(sink: Sink) -> Any:
    """The way to it."""
    one = mail.SmtpMailer(sink.url, timeout=10)
    yield one
    await one.close()


async def test_the_mail_says_what_happened_and_nothing_of_what_was_said(
    acme: Tenant, asked: dict[str, Any], jane: Visitor, db: Db, sink: Sink, mailer: mail.Mailer
):
    await watched(db, acme)
    await jane.do("consent")
    await jane.do("answer", text="I want to kill myself because of Globex")

    assert await alerts.mail_new(db, mailer) == 1

    [taken] = sink.taken
    assert (taken.sender, taken.recipient) == (WATCH, WATCH)
    message = read(taken.raw)
    text = message.get_content()
    assert message.get_content_type() == "text/plain"
    assert message["Subject"] == "Afterword: a contact may be in distress"
    assert f"Interview request: {asked['interview_request_id']}" in text
    assert "Acme" in text
    for unsaid in ("kill", "Globex", "Jane", "jane@", "tok_", "http"):
        assert unsaid not in taken.raw.decode()


async def test_each_alert_is_mailed_once_however_many_workers_look(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
):
    await watched(db, acme)
    for number in range(6):
        await raise_(db, acme, key=f"k{number}")

    mailed = await asyncio.gather(*(alerts.mail_new(db, mailer) for _ in range(4)))
    await due_again(db)

    assert sum(mailed) == len(sink.taken) == 6
    assert len({read(one.raw)["Message-ID"] for one in sink.taken}) == 6
    assert await alerts.mail_new(db, mailer) == 0


async def test_nobody_is_mailed_who_gave_no_address_and_nothing_old_when_they_do(
    acme: Tenant, rival: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
):
    await watched(db, rival)
    await raise_(db, acme, key="old")
    assert await alerts.mail_new(db, mailer) == 0
    async with db.tx() as tx:
        await execute(tx, "update alerts set created_at = created_at - interval '25 hours'")

    await raise_(db, acme, "cost_cap", "new")
    await watched(db, acme)

    assert await alerts.mail_new(db, mailer) == 1
    assert read(sink.taken[0].raw)["Subject"] == "Afterword: the cost cap of the language model is reached"


async def test_a_mail_server_that_refuses_is_tried_again_later(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer, caplog: pytest.LogCaptureFixture
):
    await watched(db, acme)
    await raise_(db, acme)
    sink.answers[WATCH, "rcpt"] = ["450 4.2.0 come back later"]

    assert await alerts.mail_new(db, mailer) == 0
    assert "come back later" in caplog.text
    assert await alerts.mail_new(db, mailer) == 0
    await due_again(db)
    assert await alerts.mail_new(db, mailer) == 1


async def test_a_mail_server_that_is_away_holds_up_nothing_for_long(acme: Tenant, db: Db, sink: Sink):
    await watched(db, acme)
    for number in range(3):
        await raise_(db, acme, key=f"k{number}")
    nowhere = mail.SmtpMailer("smtp://127.0.0.1:9", timeout=2)
    assert await alerts.mail_new(db, nowhere) == 0
    await nowhere.close()

    await due_again(db)
    back = mail.SmtpMailer(sink.url, timeout=10)
    assert await alerts.mail_new(db, back) == 3
    await back.close()


@pytest.mark.parametrize(
    "kind", ["distress", "abuse", "injection", "delete_request", "model_down", "cost_cap", "referral"]
)
async def test_every_kind_has_its_words(acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer, kind: Any):
    await watched(db, acme)
    await raise_(db, acme, kind)

    assert await alerts.mail_new(db, mailer) == 1
    assert len(read(sink.taken[0].raw).get_content()) > 100


async def test_while_mail_is_captured_so_are_alerts(acme: Tenant, db: Db, tmp_path: Any):
    await watched(db, acme, "wätch@acme.example")
    await raise_(db, acme)

    assert await alerts.mail_new(db, mail.CapturingMailer(tmp_path)) == 1
    [one] = mail.captured(tmp_path)
    assert one.recipient == "wätch@acme.example"


async def test_the_worker_mails_alerts(acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer, database_url: str):
    from afterword import worker
    from afterword.settings import current

    await watched(db, acme)
    await raise_(db, acme)
    stop = asyncio.Event()
    settings = current().model_copy(update={"smtp_url": sink.url})
    working = asyncio.create_task(worker.run(settings, database_url, stop=stop))
    for _ in range(200):
        if sink.taken:
            break
        await asyncio.sleep(0.05)
    stop.set()
    await working

    assert len(sink.taken) == 1


async def test_an_outage_across_a_full_hour_is_told_once(db: Db, acme: Tenant, rival: Tenant):
    assert await raise_(db, acme, key="model_down:10", quiet_hours=1)

    assert not await raise_(db, acme, key="model_down:11", quiet_hours=1)
    assert await raise_(db, acme, kind="cost_cap", key="cost_cap:11", quiet_hours=1)
    assert await raise_(db, rival, key="model_down:11", quiet_hours=1)
    assert await raise_(db, acme, key="model_down:12")
