"""Sending, with a real database and a real mail server: nothing lost, nothing twice, nothing after a no."""

import asyncio
import contextlib
import email
import email.policy
import os
import re
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from afterword import mail, worker
from afterword.db import Db, execute, fetch_all, fetch_one
from afterword.outreach import MailServerDown, SendWindow, Throttle, send_due, sending
from afterword.outreach.claims import claim_due
from tests.conftest import Tenant
from tests.smtp_sink import Sink, serving
from tests.test_sequences import make_sequence

WORKER = """
import asyncio, sys
from afterword import tokens, worker
from afterword.settings import current
tokens.load_secret(current())
asyncio.run(worker.run(current(), sys.argv[1]))
"""


@pytest.fixture
async def sink() -> AsyncGenerator[Sink]:
    async with serving() as one:
        yield one


@pytest.fixture
async def mailer(sink: Sink) -> AsyncGenerator[mail.Mailer]:
    one = mail.SmtpMailer(sink.url, timeout=10)
    yield one
    await one.close()


async def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


async def enroll(tenant: Tenant, email_: str = "jane@initech.example", **rest: Any) -> dict[str, Any]:
    body = {"contact_email": email_, "contact_name": "Jane Smith", "sequence_id": tenant.sequence_id, **rest}
    answer = await tenant.api.post("/interviews", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def standing(tenant: Tenant, asked: dict[str, Any]) -> dict[str, Any]:
    answer = await tenant.api.get(f"/interviews/{asked['interview_request_id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def sql(db: Db, query: Any, **params: Any) -> int:
    async with db.tx() as tx:
        return await execute(tx, query, **params)


async def make_due(db: Db, *, lease_over: bool = False) -> None:
    """Let the time pass that an enrollment waits for."""
    await sql(
        db, "update enrollments set next_send_at = clock_now() - interval '1 s', waits_since = now() - interval '30 d'"
    )
    if lease_over:
        await sql(
            db, "update enrollments set claimed_until = clock_now() - interval '1 s' where claimed_until is not null"
        )


@dataclass
class MessageRow:
    state: str
    message_id: str
    step: int
    failures: int
    unknowns: int
    queue_id: str | None
    reply_code: int | None


async def messages(db: Db) -> list[MessageRow]:
    async with db.tx() as tx:
        return list(
            await fetch_all(
                tx,
                MessageRow,
                "select state, message_id, step, failures, unknowns, queue_id, reply_code from messages order by id",
            )
        )


@dataclass
class EnrollmentRow:
    state: str
    stop_reason: str | None
    step: int
    wait: timedelta
    claimed_by: str | None


async def enrollment(db: Db) -> EnrollmentRow:
    async with db.tx() as tx:
        row = await fetch_one(
            tx,
            EnrollmentRow,
            "select state, stop_reason, step, next_send_at - clock_now() as wait, claimed_by from enrollments",
        )
    assert row is not None
    return row


async def suppressed(db: Db) -> int:
    return await sql(db, "select from suppressions where lifted_at is null")


def parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.SMTP)


def text_of(raw: bytes) -> str:
    body = parsed(raw).get_body(("plain",))
    assert body is not None
    return body.get_content()


@contextlib.asynccontextmanager
async def running_worker(settings: Any, url: str) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(settings, url, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


# the main road


async def test_the_mail_is_out_two_seconds_after_the_call(
    acme: Tenant, db: Db, sink: Sink, configure: Any, database_url: str
) -> None:
    async with running_worker(configure(smtp_url=sink.url), database_url):
        for number in range(3):  # with the worker in whatever part of its second
            await asyncio.sleep(number * 0.3)
            begun = time.monotonic()
            asked = await enroll(acme, f"jane{number}@initech.example")
            await until(lambda expected=number + 1: len(sink.accepted) == expected, 2)
            assert time.monotonic() - begun < 2
            assert asked["survey_url"] in text_of(sink.accepted[-1].raw)

    seen = await standing(acme, asked)
    assert seen["status"] == "sent"
    assert seen["email_sent_at"] is not None
    assert seen["outreach"]["state"] == "scheduled"
    assert seen["outreach"]["step"] == 2
    wait = datetime.fromisoformat(seen["outreach"]["next_send_at"]) - datetime.fromisoformat(seen["email_sent_at"])
    assert abs(wait - timedelta(days=3)) < timedelta(seconds=2)
    assert "Mail 2 goes out on" in seen["outreach"]["why"]
    assert (await messages(db))[0].queue_id == "Q0"


async def test_without_a_mail_server_mails_are_captured(
    acme: Tenant, configure: Any, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "outbox"
    async with running_worker(configure(), database_url):
        asked = await enroll(acme, contact_name="Jörg Groß")
        await until(lambda: folder.exists() and list(folder.glob("[0-9]*.eml")), 2)

    [file] = folder.glob("*")
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert re.fullmatch(r"\d{8}T\d{6}Z-msg_[a-z0-9]+\.eml", file.name)
    message = parsed(file.read_bytes())
    assert message["To"].addresses[0].display_name == "Jörg Groß"
    assert asked["survey_url"] in text_of(file.read_bytes())
    assert (await standing(acme, asked))["email_sent_at"] is not None


async def test_three_mails_make_one_thread_and_then_there_is_silence(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    asked = await enroll(acme)
    for _ in range(5):
        await send_due(db, mailer, worker_id="one")
        await make_due(db)

    first, second, third = (parsed(one.raw) for one in sink.accepted)
    assert {str(one["Subject"]) for one in (first, second, third)} == {"How did you decide?"}
    assert first["In-Reply-To"] is None
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert third["In-Reply-To"] == second["Message-ID"]
    assert third["References"] == f"{first['Message-ID']} {second['Message-ID']}"
    assert len({str(one["Message-ID"]) for one in (first, second, third)}) == 3
    assert (await standing(acme, asked))["outreach"]["state"] == "finished"


async def test_two_workers_send_two_hundred_mails_once_each(acme: Tenant, db: Db, sink: Sink) -> None:
    await asyncio.gather(*(enroll(acme, f"person{number}@initech.example") for number in range(200)))

    async def work(name: str) -> None:
        one = mail.SmtpMailer(sink.url, timeout=10)
        while await send_due(db, one, worker_id=name):
            pass
        await one.close()

    await asyncio.gather(work("one"), work("two"))

    assert len(sink.taken) == 200
    assert {one.recipient for one in sink.taken} == {f"person{number}@initech.example" for number in range(200)}
    assert {row.state for row in await messages(db)} == {"accepted"}
    assert sink.sessions <= 2 * mail.CONNECTIONS


# when the server says later, or no


async def test_a_mail_that_is_tried_again_is_the_same_to_the_byte(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    sink.answers["jane@initech.example", "data"] = ["451 4.3.0 later"] * 5
    asked = await enroll(acme)
    for minutes in (5, 15, 30, 60, 120):
        await send_due(db, mailer, worker_id="one")
        wait = (await enrollment(db)).wait / timedelta(minutes=minutes)
        assert 0.89 < wait < 1.11
        assert (await standing(acme, asked))["email_sent_at"] is None
        await make_due(db)
    await sql(db, "update sequences set sender_name = 'Somebody Else'")
    await send_due(db, mailer, worker_id="two")

    assert len(sink.taken) == 6
    assert len({one.raw for one in sink.taken}) == 1
    [row] = await messages(db)
    assert (row.state, row.failures) == ("accepted", 5)


async def test_it_is_said_why_a_mail_has_not_gone(acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer) -> None:
    sink.answers["jane@initech.example", "rcpt"] = ["450 4.2.0 Greylisted"]
    asked = await enroll(acme)
    await send_due(db, mailer, worker_id="one")

    why = (await standing(acme, asked))["outreach"]["why"]
    assert why.startswith(
        'The mail server did not take the first mail yet ("450 4.2.0 Greylisted"); it is tried again on '
    )


async def test_after_three_days_of_later_it_is_over(acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer) -> None:
    sink.answers["jane@initech.example", "rcpt"] = ["450 4.2.0 later"] * 2
    asked = await enroll(acme)
    await send_due(db, mailer, worker_id="one")
    await sql(db, "update messages set created_at = created_at - interval '72 h'")
    await make_due(db)
    await send_due(db, mailer, worker_id="one")

    assert (await enrollment(db)).state == "stopped"
    assert (await standing(acme, asked))["outreach"]["stop_reason"] == "undeliverable"
    assert await suppressed(db) == 0


# (stage, what the server answers, the message's state, the stop reason, how many addresses are suppressed)
ANSWERS = [
    ("rcpt", "550 5.1.1 no such user", "failed", "hard_bounce", 1),
    ("rcpt", "550 5.1.10 null mx", "failed", "hard_bounce", 1),
    ("rcpt", "550 5.2.1 disabled", "failed", "hard_bounce", 1),
    ("data", "550 5.1.6 moved", "failed", "hard_bounce", 1),
    ("rcpt", "550 5.7.1 policy", "failed", "undeliverable", 0),
    ("rcpt", "552 5.2.2 mailbox full", "failed", "undeliverable", 0),
    ("rcpt", "550 no code at all", "failed", "undeliverable", 0),
    ("data", "554 5.6.0 content", "failed", "undeliverable", 0),
    ("data", "552 5.3.4 too big", "failed", "undeliverable", 0),
    ("rcpt", "450 4.2.1 busy", "refused", None, 0),
    ("rcpt", "452 4.5.3 too many", "refused", None, 0),
    ("rcpt", "421 4.3.2 going down", "refused", None, 0),
    ("data", "421 4.7.0 slow down", "refused", None, 0),
    ("mail", "451 4.3.2 not now", "refused", None, 0),
    ("mail", "550 5.1.8 bad sender", "refused", None, 0),
]


async def test_what_each_answer_leads_to(acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer) -> None:
    for number, (stage, answer, state, reason, suppresses) in enumerate(ANSWERS):
        address = f"p{number}@initech.example"
        sink.answers["dana.reed@afterword.example" if stage == "mail" else address, stage] = [answer]
        before = await suppressed(db)
        asked = await enroll(acme, address)
        await send_due(db, mailer, worker_id="one")

        row = (await messages(db))[-1]
        assert (row.state, row.reply_code) == (state, int(answer[:3])), answer
        assert (await standing(acme, asked))["outreach"]["stop_reason"] == reason, answer
        assert await suppressed(db) - before == suppresses, answer

    # and the server is good for the next mail
    await enroll(acme, "john@initech.example")
    await send_due(db, mailer, worker_id="one")
    assert [one.recipient for one in sink.accepted] == ["john@initech.example"]


async def test_after_a_hard_bounce_nothing_is_mailed_again(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    sink.answers["jane@initech.example", "rcpt"] = ["550 5.1.1 no such user"]
    await enroll(acme)
    await send_due(db, mailer, worker_id="one")

    again = await enroll(acme)
    assert again["status"] == "created"
    assert again["outreach"] == {"state": "suppressed", "next_send_at": None, "reason": "hard_bounce"}
    assert (await standing(acme, again))["outreach"]["state"] == "suppressed"
    await send_due(db, mailer, worker_id="one")
    assert sink.taken == []


async def test_a_mail_server_that_is_down_is_nobodys_fault(acme: Tenant, db: Db, sink: Sink) -> None:
    asked = [await enroll(acme, f"p{number}@initech.example") for number in range(3)]
    nobody = mail.SmtpMailer("smtp://127.0.0.1:1", timeout=5)
    with pytest.raises(MailServerDown):
        await send_due(db, nobody, worker_id="one")

    rows = await messages(db)
    assert [(row.state, row.failures) for row in rows] == [("claimed", 0)] * 3
    whys = {(await standing(acme, one))["outreach"]["why"] for one in asked}
    assert any("the mail server cannot be used at the moment" in why for why in whys)
    there = mail.SmtpMailer(sink.url, timeout=5)
    assert await send_due(db, there, worker_id="two") == 3
    await there.close()
    assert {str(parsed(one.raw)["Message-ID"]) for one in sink.accepted} == {row.message_id for row in rows}


async def test_a_login_that_fails_stops_the_sender_and_no_recipient(acme: Tenant, db: Db) -> None:
    async with serving(auth_required=False) as sink:
        await enroll(acme)
        no_auth = mail.SmtpMailer(f"smtp://user:secret@127.0.0.1:{sink.port}", timeout=5)
        with pytest.raises(MailServerDown, match="AUTH"):
            await send_due(db, no_auth, worker_id="one")
        no_tls = mail.SmtpMailer(f"smtp://127.0.0.1:{sink.port}?tls=starttls", timeout=5)
        with pytest.raises(MailServerDown, match="STARTTLS"):
            await send_due(db, no_tls, worker_id="one")
    assert (await messages(db))[0].state == "claimed"


async def test_an_address_that_needs_smtputf8_fails_alone(acme: Tenant, db: Db) -> None:
    async with serving(enable_SMTPUTF8=False) as sink:
        asked = await enroll(acme, "jörg@initech.example")
        await enroll(acme, "jane@initech.example")
        one = mail.SmtpMailer(sink.url, timeout=5)
        assert await send_due(db, one, worker_id="one") == 2
        await one.close()
        assert [taken.recipient for taken in sink.accepted] == ["jane@initech.example"]
    seen = (await standing(acme, asked))["outreach"]
    assert seen["stop_reason"] == "undeliverable"
    assert "SMTPUTF8" in seen["why"]
    assert await suppressed(db) == 0


async def test_an_address_that_needs_smtputf8_is_mailed_where_the_server_has_it(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    await enroll(acme, "jörg@bücher.example")
    await send_due(db, mailer, worker_id="one")

    assert [one.recipient for one in sink.accepted] == ["jörg@xn--bcher-kva.example"]


# somebody says no


async def _unsubscribe(acme: Tenant, db: Db) -> None:
    @dataclass
    class Raw:
        sealed: bytes
        id: str

    from afterword import tokens

    async with db.tx() as tx:
        row = await fetch_one(tx, Raw, "select sealed, id from messages order by id desc limit 1")
    assert row is not None
    token = re.search(rb"unsubscribe\?token=(un_[\w-]+)", tokens.unseal(row.sealed, row.id))
    assert token is not None
    answer = await acme.api.client.post(f"/unsubscribe?token={token[1].decode()}")
    assert answer.status_code == 200


async def _complete(acme: Tenant, db: Db) -> None:
    await sql(db, "update interviews set status = 'completed'")


async def _decline(acme: Tenant, db: Db) -> None:
    await sql(db, "update interviews set outreach_stop_reason = 'declined', phase = 'declined'")


async def _switch_off(acme: Tenant, db: Db) -> None:
    await sql(db, "update sequences set enabled = false")


@pytest.mark.parametrize(
    ("say_no", "state", "reason"),
    [
        (_unsubscribe, "stopped", "unsubscribed"),
        (_complete, "stopped", "completed"),
        (_decline, "stopped", "declined"),
        (_switch_off, "live", None),
    ],
)
async def test_after_a_no_between_claim_and_data_nothing_is_handed_over(
    acme: Tenant,
    db: Db,
    sink: Sink,
    mailer: mail.Mailer,
    say_no: Callable[[Tenant, Db], Awaitable[None]],
    state: str,
    reason: str | None,
) -> None:
    async def meanwhile(_: str) -> None:
        await say_no(acme, db)

    sink.on_rcpt = meanwhile
    await enroll(acme)
    await send_due(db, mailer, worker_id="one")
    await send_due(db, mailer, worker_id="one")

    assert sink.taken == []
    assert [row.state for row in await messages(db)] == ["dropped"]
    now = await enrollment(db)
    assert (now.state, now.stop_reason, now.claimed_by) == (state, reason, None)


async def test_completion_stops_the_rest(acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer) -> None:
    asked = await enroll(acme)
    await send_due(db, mailer, worker_id="one")
    await _complete(acme, db)
    await make_due(db)

    seen = (await standing(acme, asked))["outreach"]
    assert (seen["state"], seen["stop_reason"]) == ("stopped", "completed")
    assert await send_due(db, mailer, worker_id="one") == 1
    assert await send_due(db, mailer, worker_id="one") == 0
    assert len(sink.taken) == 1
    assert (await enrollment(db)).stop_reason == "completed"


async def test_an_address_suppressed_after_enrolling_is_not_mailed(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    await enroll(acme, "jane+work@initech.example")
    from afterword import contacts

    async with db.tx() as tx:
        plain = contacts.parse_address("jane@initech.example").hashes[0]
        await contacts.suppress(tx, acme.org_id, plain, "complaint", "test")
    await send_due(db, mailer, worker_id="one")

    assert sink.taken == []
    assert (await enrollment(db)).stop_reason == "complaint"


async def test_a_newer_request_takes_the_thread_over_with_its_own_link(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    older = await enroll(acme)
    await send_due(db, mailer, worker_id="one")
    newer = await enroll(acme)
    await make_due(db)
    await send_due(db, mailer, worker_id="one")

    assert len(sink.accepted) == 2
    assert newer["survey_url"] in text_of(sink.accepted[1].raw)
    assert parsed(sink.accepted[1].raw)["In-Reply-To"] == parsed(sink.accepted[0].raw)["Message-ID"]
    seen = (await standing(acme, older))["outreach"]
    assert (seen["state"], seen["stop_reason"]) == ("stopped", "superseded")
    assert (await standing(acme, newer))["outreach"]["state"] == "scheduled"


async def test_a_request_after_an_interview_that_is_over_starts_with_a_first_mail(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    older = await enroll(acme)
    await send_due(db, mailer, worker_id="one")
    await _complete(acme, db)
    newer = await enroll(acme)
    await send_due(db, mailer, worker_id="one")

    assert len(sink.accepted) == 2
    assert newer["survey_url"] in text_of(sink.accepted[1].raw)
    assert parsed(sink.accepted[1].raw)["In-Reply-To"] is None
    seen = (await standing(acme, older))["outreach"]
    assert (seen["state"], seen["stop_reason"]) == ("stopped", "completed")


async def test_a_mail_that_was_taken_over_before_it_left_is_written_anew(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    newer: list[dict[str, Any]] = []

    async def meanwhile(_: str) -> None:
        if not newer:
            newer.append(await enroll(acme))

    sink.on_rcpt = meanwhile
    older = await enroll(acme)
    await send_due(db, mailer, worker_id="one")
    await send_due(db, mailer, worker_id="one")

    [taken] = sink.accepted
    assert newer[0]["survey_url"] in text_of(taken.raw)
    assert older["survey_url"] not in text_of(taken.raw)
    assert (await standing(acme, newer[0]))["email_sent_at"] is not None
    assert (await standing(acme, older))["email_sent_at"] is None


# window, throttle, approval, switch


def closed_now() -> list[SendWindow]:
    """A window of the day after tomorrow."""
    day = (datetime.now(UTC) + timedelta(days=2)).strftime("%a").lower()
    return [SendWindow((day,), "09:30", "11:30")]


async def test_the_first_mail_waits_for_the_window(acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer) -> None:
    asked = await enroll(
        acme, sequence_id=await make_sequence(db, acme, window=closed_now(), time_zone="Asia/Kathmandu")
    )

    at = datetime.fromisoformat(asked["outreach"]["next_send_at"])
    assert (at.hour, at.minute) == (3, 45)  # 09:30 in Kathmandu
    await sql(db, "update enrollments set next_send_at = clock_now()")
    assert await send_due(db, mailer, worker_id="one") == 1
    assert sink.taken == []
    assert (await standing(acme, asked))["outreach"]["next_send_at"] == asked["outreach"]["next_send_at"]
    assert (
        "09:30 (Asia/Kathmandu), inside the sequence's send window" in (await standing(acme, asked))["outreach"]["why"]
    )


async def test_a_window_that_was_changed_holds_for_mails_already_queued(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    sequence_id = await make_sequence(db, acme)
    await enroll(acme, sequence_id=sequence_id)
    window = str([one.to_json() for one in closed_now()]).replace("'", '"')
    await sql(
        db, "update sequences set send_window = %(window)s::json where id = %(id)s", window=window, id=sequence_id
    )
    await send_due(db, mailer, worker_id="one")

    assert sink.taken == []
    assert (await enrollment(db)).wait > timedelta(hours=12)


async def test_a_sender_keeps_to_its_throttle_with_two_workers(acme: Tenant, db: Db, sink: Sink) -> None:
    sequence_id = await make_sequence(db, acme, throttle=Throttle(per_minute=3, per_day=5))
    for number in range(8):
        await enroll(acme, f"p{number}@initech.example", sequence_id=sequence_id)

    async def work(name: str) -> None:
        one = mail.SmtpMailer(sink.url, timeout=5)
        while await send_due(db, one, worker_id=name, limit=2):
            pass
        await one.close()

    await asyncio.gather(work("one"), work("two"))
    assert len(sink.accepted) == 3
    await sql(db, "update messages set tried_at = tried_at - interval '61 s'")
    await sql(db, "update enrollments set next_send_at = clock_now() where state = 'live'")
    await asyncio.gather(work("one"), work("two"))
    assert len(sink.accepted) == 5

    @dataclass
    class Next:
        wait: timedelta

    async with db.tx() as tx:
        waits = await fetch_all(
            tx, Next, "select next_send_at - clock_now() as wait from enrollments where state = 'live' order by 1"
        )
    assert all(timedelta(hours=23) < one.wait < timedelta(hours=25) for one in waits)


async def test_a_first_mail_waits_for_approval(acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer) -> None:
    asked = await enroll(acme, sequence_id=await make_sequence(db, acme, approval=True))
    assert await send_due(db, mailer, worker_id="one") == 0
    seen = (await standing(acme, asked))["outreach"]
    assert (seen["state"], seen["why"]) == ("waiting_approval", "The first mail waits for a person to approve it.")

    await sql(db, "update enrollments set approved_at = clock_now()")
    await send_due(db, mailer, worker_id="one")
    assert len(sink.accepted) == 1


async def test_mails_queue_while_a_sequence_is_off(acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer) -> None:
    asked = await enroll(acme, sequence_id=await make_sequence(db, acme, enabled=False))
    assert asked["status"] == "sent"
    assert asked["outreach"]["state"] == "paused"
    assert await send_due(db, mailer, worker_id="one") == 0
    assert (await standing(acme, asked))["outreach"]["state"] == "paused"

    await sql(db, "update sequences set enabled = true")
    await send_due(db, mailer, worker_id="one")
    assert len(sink.accepted) == 1


# crashes


async def test_a_dead_workers_claim_is_taken_over_with_the_same_bytes(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    await enroll(acme)
    async with db.tx() as tx:
        _, [claim] = await claim_due(tx, "dead", 10)
    assert await send_due(db, mailer, worker_id="one") == 0

    await make_due(db, lease_over=True)
    await send_due(db, mailer, worker_id="one")
    [taken] = sink.accepted
    assert taken.raw == claim.raw


async def test_a_frozen_worker_comes_back_to_find_that_nothing_fits(acme: Tenant, db: Db, sink: Sink) -> None:
    thawed, frozen = asyncio.Event(), asyncio.Event()

    async def freeze(_: str) -> None:
        sink.on_rcpt = None
        frozen.set()
        await thawed.wait()

    sink.on_rcpt = freeze
    await enroll(acme)
    first, second = mail.SmtpMailer(sink.url, timeout=30), mail.SmtpMailer(sink.url, timeout=30)
    slow = asyncio.create_task(send_due(db, first, worker_id="frozen"))
    await frozen.wait()
    await make_due(db, lease_over=True)
    await send_due(db, second, worker_id="lively")
    assert len(sink.taken) == 1
    thawed.set()
    await slow

    assert len(sink.taken) == 1
    [row] = await messages(db)
    assert row.state == "accepted"
    assert (await enrollment(db)).step == 2
    for one in (first, second):
        await one.close()


async def test_a_slow_mail_server_does_not_cost_a_living_worker_its_lease(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass
    class Lease:
        ends: datetime

    async def lease() -> datetime:
        async with db.tx() as tx:
            row = await fetch_one(tx, Lease, "select claimed_until as ends from enrollments")
        assert row is not None
        return row.ends

    async def be_slow(_: str) -> None:
        begun = await lease()
        while await lease() == begun:  # noqa: ASYNC110  (what is waited for is in the database)
            await asyncio.sleep(0.01)

    monkeypatch.setattr(sending, "_RENEW", 0.05)
    sink.on_rcpt = sink.on_data = be_slow
    await enroll(acme)
    await send_due(db, mailer, worker_id="one")

    assert [row.state for row in await messages(db)] == ["accepted"]


async def test_an_answer_that_never_came_makes_one_identical_copy_and_no_more(
    acme: Tenant, db: Db, sink: Sink, mailer: mail.Mailer
) -> None:
    sink.answers["jane@initech.example", "data"] = ["cut", "cut"]
    asked = await enroll(acme)
    await send_due(db, mailer, worker_id="one")
    assert (await messages(db))[0].state == "unknown"
    assert (await enrollment(db)).wait > timedelta(minutes=4)
    assert "it is sent once more on" in (await standing(acme, asked))["outreach"]["why"]
    await make_due(db)
    await send_due(db, mailer, worker_id="one")
    await make_due(db)
    await sql(db, "update enrollments set waits_since = clock_now()")
    await send_due(db, mailer, worker_id="one")

    assert len(sink.taken) == 2
    assert sink.taken[0].raw == sink.taken[1].raw
    assert (await messages(db))[0].unknowns == 2
    assert (await enrollment(db)).step == 2
    assert (await standing(acme, asked))["email_sent_at"] is None


async def _start_worker(database_url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, database_url, env={**os.environ})


async def test_a_worker_killed_between_data_and_commit_leaves_one_identical_copy(
    acme: Tenant, db: Db, sink: Sink, configure: Any, database_url: str, mailer: mail.Mailer
) -> None:
    configure(smtp_url=sink.url)
    reached = asyncio.Event()

    async def kill(_: str) -> None:
        sink.on_data = None
        victim.kill()
        reached.set()
        await asyncio.Event().wait()  # no answer: the connection ends with the process

    sink.on_data = kill
    await enroll(acme)
    victim = await _start_worker(database_url)
    await asyncio.wait_for(reached.wait(), 30)
    assert await victim.wait() == -signal.SIGKILL
    assert (await messages(db))[0].state == "data_started"
    assert await send_due(db, mailer, worker_id="one") == 0  # not before the lease is over

    await make_due(db, lease_over=True)
    await send_due(db, mailer, worker_id="one")
    first, second = sink.taken
    assert first.raw == second.raw
    [row] = await messages(db)
    assert (row.state, row.unknowns) == ("accepted", 1)


async def test_sigterm_finishes_the_mail_in_flight(
    acme: Tenant, db: Db, sink: Sink, configure: Any, database_url: str
) -> None:
    configure(smtp_url=sink.url)
    told = asyncio.Event()

    async def tell(_: str) -> None:
        one.terminate()
        told.set()
        await asyncio.sleep(0.5)  # the server takes its time; the worker has been told to end

    sink.on_data = tell
    await enroll(acme)
    one = await _start_worker(database_url)
    await asyncio.wait_for(told.wait(), 30)

    assert await asyncio.wait_for(one.wait(), 30) == 0
    assert [row.state for row in await messages(db)] == ["accepted"]


async def test_the_worker_outlives_an_outage_of_the_database(
    acme: Tenant, db: Db, sink: Sink, configure: Any, database_url: str, superuser_url: str
) -> None:
    import psycopg

    async with running_worker(configure(smtp_url=sink.url), database_url):
        await enroll(acme, "one@initech.example")
        await until(lambda: len(sink.accepted) == 1)
        with psycopg.connect(superuser_url, autocommit=True) as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'afterword worker%'"
            )
        await enroll(acme, "two@initech.example")
        await until(lambda: len(sink.accepted) == 2)


async def test_a_mail_is_never_sent_inside_a_transaction(db: Db, mailer: mail.Mailer) -> None:
    async with db.tx():
        with pytest.raises(RuntimeError, match="inside a transaction"):
            await mailer.begin("a@acme.example", "b@initech.example", utf8=False)


async def test_a_full_disk_is_a_reason_to_try_later(acme: Tenant, db: Db, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    asked = await enroll(acme)
    await send_due(db, mail.CapturingMailer(tmp_path / "file"), worker_id="one")

    assert (await messages(db))[0].state == "refused"
    assert (await standing(acme, asked))["outreach"]["state"] == "scheduled"
