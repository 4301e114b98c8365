"""Where one interview's mailing stands, in a word for programs and in a sentence for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import get_args
from zoneinfo import ZoneInfo

from afterword import contacts
from afterword.db import Tx, fetch_one
from afterword.interviews import Interview
from afterword.outreach.claims import stop_reason

_WORDS = {
    "completed": "the interview is completed",
    "declined": "the contact declined",
    "wrong_person": "the contact is not the right person",
    "withdrawn": "the contact withdrew the answers",
    "stopped": "the contact ended the interview",
    "unsubscribed": "the contact asked for no more mail",
    "hard_bounce": "the address does not exist",
    "complaint": "the contact reported a mail as spam",
    "manual": "the address is on the suppression list",
    "superseded": "a newer request for this contact has taken the mailing over",
    "undeliverable": "the mail server refused the mail for good",
}


@dataclass(frozen=True, slots=True)
class Outreach:
    """`state`: waiting_approval, scheduled, paused, suppressed, stopped or finished. `step` goes next, or was last."""

    state: str
    step: int | None
    next_send_at: datetime | None
    stop_reason: str | None
    reason: str | None
    why: str


@dataclass(frozen=True, slots=True)
class _Row:
    now: datetime
    state: str
    stop_reason: str | None
    step: int
    next_send_at: datetime
    approved_at: datetime | None
    in_flight: bool
    enabled: bool
    approval: bool
    time_zone: str
    send_window: object
    holidays: Sequence[date]
    last_state: str | None
    last_step: int | None
    last_code: int | None
    last_text: str | None


async def explain(tx: Tx, org_id: str, interview: Interview) -> Outreach | None:
    """What is mailed for this interview and why the next mail has not gone yet; None for a link-only request."""
    if interview.sequence_id is None:
        return None
    row = await _row(tx, org_id, interview.id)
    if row is None:
        return _without_enrollment(interview)
    reason = stop_reason(interview.status, interview.phase, interview.outreach_stop_reason)
    if row.state == "live" and reason is None:
        reason = (await contacts.get(tx, org_id, interview.contact_id)).suppressed_reason
    if row.state == "finished":
        return Outreach("finished", row.step, None, None, None, "Every mail of the sequence has been sent.")
    if row.state == "stopped" or reason is not None:
        return _stopped(row.stop_reason or reason or "stopped", row.step, row.last_text)
    return _live(row)


async def _row(tx: Tx, org_id: str, interview_id: int) -> _Row | None:
    return await fetch_one(
        tx,
        _Row,
        """
        select clock_now() as now, e.state, e.stop_reason, e.step, e.next_send_at, e.approved_at,
            coalesce(e.claimed_until > clock_now(), false) as in_flight,
            s.enabled, s.approval, s.time_zone, s.send_window, s.holidays,
            m.state as last_state, m.step as last_step, m.reply_code as last_code, m.reply_text as last_text
        from enrollments e
        join sequences s on s.org_id = e.org_id and s.id = e.sequence_id
        left join lateral (
            select state, step, reply_code, reply_text from messages m
            where m.org_id = e.org_id and m.enrollment_id = e.id order by m.id desc limit 1) m on true
        where e.org_id = %(org_id)s and e.interview_id = %(id)s
        order by e.id desc limit 1
        """,
        org_id=org_id,
        id=interview_id,
    )


def _without_enrollment(interview: Interview) -> Outreach:
    """Never enrolled because the address is suppressed, or taken over by a newer request."""
    reason = interview.outreach_stop_reason or "stopped"
    if reason in get_args(contacts.Reason):
        return Outreach("suppressed", None, None, None, reason, f"Nothing is mailed: {_WORDS[reason]}.")
    return _stopped(reason, None, None)


def _stopped(reason: str, step: int | None, said: str | None) -> Outreach:
    words = _WORDS.get(reason, reason)
    detail = f' It said: "{said}".' if reason in {"undeliverable", "hard_bounce"} and said else ""
    return Outreach("stopped", step, None, reason, None, f"No more mail is sent: {words}.{detail}")


def _live(row: _Row) -> Outreach:
    at, step = row.next_send_at, row.step
    mail = "The first mail" if step == 1 else f"Mail {step}"
    when = _when(at, row.time_zone)
    if not row.enabled:
        why = f"{mail} waits: the sequence is switched off."
        return Outreach("paused", step, at, None, None, why)
    if row.approval and step == 1 and row.approved_at is None:
        return Outreach("waiting_approval", step, at, None, None, f"{mail} waits for a person to approve it.")
    tried = row.last_state if row.last_step == step else None
    answer = f'"{row.last_code} {row.last_text}"' if row.last_code else f'"{row.last_text}"'
    if row.in_flight:
        why = f"{mail} is being handed to the mail server now."
    elif tried == "refused":
        why = f"The mail server did not take {mail[0].lower()}{mail[1:]} yet ({answer}); it is tried again on {when}."
    elif tried == "claimed" and row.last_text:
        why = f"{mail} waits: the mail server cannot be used at the moment ({answer})."
    elif tried in {"unknown", "data_started"}:
        why = f"Nobody knows whether the mail server took {mail[0].lower()}{mail[1:]}; it is sent once more on {when}."
    elif at <= row.now:
        why = f"{mail} is due and goes out in a moment."
    elif row.send_window is not None or row.holidays:
        why = f"{mail} goes out on {when}, inside the sequence's send window."
    else:
        why = f"{mail} goes out on {when}, after the step's delay."
    return Outreach("scheduled", step, at, None, None, why)


def _when(at: datetime, time_zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(time_zone)):%A %d %B %Y at %H:%M} ({time_zone})"
