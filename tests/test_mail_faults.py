"""Mail servers that misbehave for one mail, while the others wait."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from afterword import mail
from afterword.db import Db, fetch_all
from afterword.outreach import MailServerDown, send_due
from tests.conftest import Tenant
from tests.smtp_sink import Sink, serving


@pytest.fixture
async def sink() -> AsyncGenerator[Sink]:
    async with serving() as one:
        yield one


async def enroll(tenant: Tenant, email: str) -> None:
    asked = await tenant.api.post("/interviews", {"contact_email": email, "sequence_id": tenant.sequence_id})
    assert asked.status_code == 201, asked.text


class Row:
    def __init__(self, **row: Any) -> None:
        self.row = row


async def messages(db: Db) -> dict[str, str]:
    """The state of each recipient's newest message."""
    async with db.tx() as tx:
        found = await fetch_all(tx, Row, "select recipient, state from messages order by id")
    return {one.row["recipient"]: one.row["state"] for one in found}


async def test_a_recipient_at_whom_the_server_hangs_up_holds_up_nobody_else(acme: Tenant, db: Db, sink: Sink) -> None:
    sink.answers["poison@initech.example", "rcpt"] = ["cut"] * 9
    mailer = mail.SmtpMailer(sink.url, timeout=5)
    await enroll(acme, "poison@initech.example")
    await enroll(acme, "jane@initech.example")

    for _ in range(3):  # one at a time, as the worker does while it doubts the server
        try:
            await send_due(db, mailer, worker_id="one", limit=1)
        except MailServerDown:
            continue
    await mailer.close()

    assert [one.recipient for one in sink.accepted] == ["jane@initech.example"]
    assert await messages(db) == {"poison@initech.example": "refused", "jane@initech.example": "accepted"}
