"""Alerts: what a person of the organization should look at, raised with the change and mailed by the worker.

An alert's mail says what happened and which interview to open; never what the contact wrote, and no link that opens it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

from psycopg.types.json import Jsonb

from afterword import ids
from afterword.db import Db, Tx, execute, fetch_all
from afterword.mail import Mailer, Outcome

Kind = Literal["distress", "abuse", "injection", "delete_request", "model_down", "cost_cap", "referral"]

_MAILED_FOR = 24  # hours; what is older when an address is given first is seen in the interview
_HELD = 900  # seconds: longer than a try takes
_SOON = 30  # seconds until the second try; after that each wait is as long as all the time before it
_BATCH = 20

_WHAT: Mapping[str, tuple[str, str]] = {
    "distress": (
        "a contact may be in distress",
        "Something in this interview reads as if the contact is not well. Paige left the subject and gave the\n"
        "support text of your organization. Please let a person read the conversation soon.",
    ),
    "abuse": ("a contact was abusive", "Paige did not answer it in kind, and ends an interview in which it goes on."),
    "injection": (
        "a message tried to give Paige orders",
        "It was stored as what it is, a message, and changed nothing. You may want to read the conversation.",
    ),
    "delete_request": (
        "a contact asks for deletion",
        "The contact asked that their data be deleted. The interview has ended and nothing more is mailed. Please\n"
        "erase what you keep about this person, here and elsewhere, and confirm it to them.",
    ),
    "referral": (
        "a contact named somebody else",
        "The contact says that somebody else knows more and told Paige who. Read the conversation to see whom.",
    ),
    "model_down": (
        "the language model does not answer",
        "Three calls in a row have failed, so Paige asks by her script until it answers again. Interviews go on.",
    ),
    "cost_cap": (
        "the cost cap of the language model is reached",
        "Paige asks by her script until the cap allows more. Interviews go on.",
    ),
}

_log = logging.getLogger(__name__)


async def raise_alert(
    tx: Tx,
    org_id: str,
    kind: Kind,
    key: str,
    *,
    interview_id: int | None = None,
    details: Mapping[str, object] | None = None,
    quiet_hours: int = 0,
) -> bool:
    """Tell a person, once for each `key`; True when it is new. `details` hold ids and numbers, never what was said.

    With `quiet_hours` it is not new either where the organization was told of this kind within so many hours.
    """
    return (
        await execute(
            tx,
            """
            insert into alerts (org_id, id, kind, key, interview_id, details)
            select %(org_id)s, %(id)s, %(kind)s, %(key)s, %(interview_id)s::bigint, %(details)s
            where not exists (
                select from alerts a
                where a.org_id = %(org_id)s and a.kind = %(kind)s
                  and a.created_at > clock_now() - make_interval(hours => %(quiet_hours)s))
            on conflict (org_id, key) do nothing
            """,
            org_id=org_id,
            id=ids.new("alert"),
            kind=kind,
            key=key,
            interview_id=interview_id,
            details=Jsonb(dict(details or {})),
            quiet_hours=quiet_hours,
        )
        > 0
    )


async def clear_details(tx: Tx, org_id: str, interview_id: int) -> None:
    """Forget what alerts say of an interview, when its contact withdraws; that there was one stays."""
    await execute(
        tx,
        "update alerts set details = '{}' where org_id = %(org_id)s and interview_id = %(id)s",
        org_id=org_id,
        id=interview_id,
    )


@dataclass(frozen=True, slots=True)
class _Unmailed:
    org_id: str
    id: str
    kind: str
    interview_id: int | None
    created_at: datetime
    organization: str
    alert_email: str


async def mail_new(db: Db, mailer: Mailer) -> int:
    """Mail what is new to the organizations that gave an address for it; how many mails left.

    (1) tx: claim by holding the next try off for a quarter of an hour; (2) no transaction: hand the mail over; (3) tx:
    note what came of it. A crash after (2) mails it once more, under the same Message-ID: twice is better than never.
    """
    async with db.tx() as tx:
        claimed = await fetch_all(
            tx,
            _Unmailed,
            """
            with due as (
                select a.org_id, a.id, o.name, o.alert_email
                from alerts a join organizations o on o.id = a.org_id
                where a.mailed_at is null and a.mail_at <= clock_now() and o.alert_email <> ''
                  and a.created_at > clock_now() - make_interval(hours => %(hours)s)
                order by a.created_at limit %(batch)s
                for no key update of a skip locked
            )
            update alerts a set mail_at = clock_now() + make_interval(secs => %(held)s)
            from due where a.org_id = due.org_id and a.id = due.id
            returning a.org_id, a.id, a.kind, a.interview_id, a.created_at, due.name as organization, due.alert_email
            """,
            hours=_MAILED_FOR,
            batch=_BATCH,
            held=_HELD,
        )
    mailed = 0
    reached = True
    for alert in claimed:
        outcome = await _hand_over(mailer, alert) if reached else None
        reached = outcome is not None and outcome.kind != "unreachable"
        left = outcome is not None and outcome.kind in {"accepted", "captured"}
        if outcome is not None and not left:
            _log.warning("an alert could not be mailed to its organization: %s %s", outcome.kind, outcome.text)
        async with db.tx() as tx:
            await _note(tx, alert, left=left)
        mailed += left
    return mailed


async def _note(tx: Tx, alert: _Unmailed, *, left: bool) -> None:
    await execute(
        tx,
        """
        update alerts
        set mailed_at = case when %(left)s then coalesce(mailed_at, clock_now()) else mailed_at end,
            mail_at = clock_now() + greatest(make_interval(secs => %(soon)s), clock_now() - created_at)
        where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=alert.org_id,
        id=alert.id,
        left=left,
        soon=_SOON,
    )


async def _hand_over(mailer: Mailer, alert: _Unmailed) -> Outcome:
    envelope = await mailer.begin(alert.alert_email, alert.alert_email, utf8=not alert.alert_email.isascii())
    return envelope if isinstance(envelope, Outcome) else await envelope.data(_compose(alert))


def _compose(alert: _Unmailed) -> bytes:
    """From the organization's own address to itself: no other is sure to be one that its mail server may send from."""
    subject, text = _WHAT[alert.kind]
    local, _, domain = alert.alert_email.rpartition("@")
    about = f"Interview request: {alert.interview_id}\n" if alert.interview_id is not None else ""
    message = EmailMessage(policy=SMTP.clone(utf8=not alert.alert_email.isascii()))
    message["From"] = Address("Afterword", local, domain)
    message["To"] = Address("", local, domain)
    message["Subject"] = f"Afterword: {subject}"
    message["Date"] = format_datetime(alert.created_at.astimezone(UTC).replace(microsecond=0))
    message["Message-ID"] = f"<{alert.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        f"{subject[0].upper()}{subject[1:]}.\n\n{text}\n\n{about}Organization: {alert.organization}\n"
        f"At: {alert.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC\n"
    )
    return message.as_bytes()
