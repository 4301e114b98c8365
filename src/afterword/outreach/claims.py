"""Which mails go now: take up due enrollments under a lease, and write down the bytes that will be sent.

An enrollment is `live` until it is `stopped` (completed, unsubscribed, declined, …) or `finished` (no step is left).
Its row is the job. A claim is (claimed_by, attempt) until claimed_until; every claim raises `attempt`, so a worker that
was frozen and comes back finds that nothing it writes fits any more.

A message is `claimed` (its bytes are fixed, nothing has been sent), `data_started` (handing over began), then
`accepted`, `captured`, `refused` (the server said: later), `failed`, or `unknown`; `dropped` if somebody said no, or a
newer request took the enrollment over, before it was handed over.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from afterword import contacts, ids, interviews, tokens
from afterword.db import Tx, execute, fetch_all, fetch_one
from afterword.outreach.compose import Letter, compose
from afterword.outreach.schedule import Calendar, Delay, Send, Standing, Stop, Wait, next_action, opening, read_delay
from afterword.settings import current

LEASE = timedelta(seconds=40)  # renewed while its worker lives, so that a dead one's mails are taken over within 45 s
STOPPED_PHASES = ("declined", "withdrawn", "stopped")
_UNREADABLE = timedelta(minutes=15)  # until a row that cannot be read or composed is looked at again

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """One mail that is ours to send until the lease ends. `next_delay` None: it is the last step."""

    org_id: str
    enrollment_id: str
    interview_id: int
    message_id: str
    worker_id: str
    attempt: int
    step: int
    sender: str
    recipient: str
    hashes: Sequence[bytes]
    utf8: bool
    raw: bytes
    next_delay: Delay | None
    calendar: Calendar

    @property
    def fence(self) -> Mapping[str, object]:
        """What every later statement about this mail must still find."""
        return {
            "org_id": self.org_id,
            "enrollment_id": self.enrollment_id,
            "message_id": self.message_id,
            "worker_id": self.worker_id,
            "attempt": self.attempt,
        }


@dataclass(frozen=True, slots=True)
class _Due:
    """A due enrollment and everything its mail is made of."""

    org_id: str
    id: str
    interview_id: int
    step: int
    waits_since: datetime
    attempt: int
    now: datetime
    status: str
    phase: str
    outreach_stop_reason: str | None
    seed: bytes
    token_hash: bytes
    email: str
    email_key: str
    contact_name: str | None
    notes: str
    deal_name: str | None
    client_name: str | None
    vendor: str
    minutes: int
    sequence_id: str
    sender_name: str
    sender_address: str
    reply_to: str | None
    time_zone: str
    send_window: object
    holidays: Sequence[date]
    throttle_per_minute: int | None
    throttle_per_day: int | None
    incentive: str
    postal_address: str
    delay_unit: str | None
    delay_count: int | None
    subject: str | None
    body: str | None
    first_subject: str | None
    next_delay_unit: str | None
    next_delay_count: int | None

    @property
    def key(self) -> tuple[str, str]:
        return self.org_id, self.id

    @property
    def address(self) -> contacts.Address:
        return contacts.Address(self.email, self.email_key)

    @property
    def calendar(self) -> Calendar:
        return Calendar.of(self.time_zone, self.send_window, self.holidays)

    @property
    def delay(self) -> Delay | None:
        return _delay(self.delay_unit, self.delay_count)

    @property
    def next_delay(self) -> Delay | None:
        return _delay(self.next_delay_unit, self.next_delay_count)

    @property
    def stop_reason(self) -> str | None:
        """Why the interview wants no more mail."""
        return stop_reason(self.status, self.phase, self.outreach_stop_reason)


def stop_reason(status: str, phase: str, outreach_stop_reason: str | None) -> str | None:
    """Why an interview in this state wants no more mail; None while it does."""
    if status == "completed":
        return "completed"
    if outreach_stop_reason is not None:
        return outreach_stop_reason
    return phase if phase in STOPPED_PHASES else None


def _delay(unit: str | None, count: int | None) -> Delay | None:
    return read_delay(unit, count) if unit is not None and count is not None else None


async def claim_due(tx: Tx, worker_id: str, limit: int) -> tuple[int, list[Claim]]:
    """Take up at most `limit` due enrollments: how many were looked at, and the mails to send now.

    The others were moved (their window is closed, or the sender's throttle is full) or stopped.
    """
    rows = await _due(tx, limit)
    suppressed = await _suppressed(tx, rows)
    sendable: list[_Due] = []
    moved: dict[tuple[str, str], datetime] = {}
    for row in rows:
        try:
            standing = Standing(row.waits_since, row.delay, row.stop_reason or suppressed.get(row.key))
            action = next_action(standing, row.now, row.calendar)
        except (ValueError, KeyError):
            _log.exception("enrollment %s: its sequence's times cannot be read", row.id)
            action = Wait(row.now + _UNREADABLE)
        match action:
            case Send():
                sendable.append(row)
            case Wait(until):
                moved[row.key] = until
            case Stop(reason):
                await stop(tx, row.org_id, row.id, reason)
    sendable = await _throttled(tx, sendable, moved)
    opened = await _open_messages(tx, sendable)
    claims: list[Claim] = []
    for row in sendable:
        try:
            claim = await _claim(tx, row, opened.get(row.key), worker_id)
        except (ValueError, LookupError, TypeError):
            _log.exception("enrollment %s: its mail cannot be written", row.id)
            moved[row.key] = row.now + _UNREADABLE
        else:
            if claim is not None:
                claims.append(claim)
    await _move(tx, moved)
    return len(rows), claims


async def _due(tx: Tx, limit: int) -> Sequence[_Due]:
    return await fetch_all(
        tx,
        _Due,
        """
        select e.org_id, e.id, e.interview_id, e.step, e.waits_since, e.attempt, clock_now() as now,
            i.status, i.phase, i.outreach_stop_reason, i.seed, i.token_hash,
            c.email, c.email_key, c.name as contact_name, c.notes, d.name as deal_name, d.client_name,
            o.name as vendor, y.minutes,
            s.id as sequence_id, s.sender_name, s.sender_address, s.reply_to, s.time_zone, s.send_window, s.holidays,
            s.throttle_per_minute, s.throttle_per_day, s.incentive, s.postal_address,
            t.delay_unit, t.delay_count, t.subject, t.body, f.subject as first_subject,
            n.delay_unit as next_delay_unit, n.delay_count as next_delay_count
        from enrollments e
        join sequences s on s.org_id = e.org_id and s.id = e.sequence_id
        join interviews i on i.org_id = e.org_id and i.id = e.interview_id
        join contacts c on c.org_id = i.org_id and c.id = i.contact_id
        join organizations o on o.id = e.org_id
        join interview_types y on y.org_id = i.org_id and y.id = i.interview_type_id
        left join deals d on d.org_id = i.org_id and d.id = i.deal_id
        left join steps t on t.org_id = e.org_id and t.sequence_id = e.sequence_id and t.position = e.step
        left join steps f on f.org_id = e.org_id and f.sequence_id = e.sequence_id and f.position = 1
        left join steps n on n.org_id = e.org_id and n.sequence_id = e.sequence_id and n.position = e.step + 1
        where e.state = 'live' and e.next_send_at <= clock_now()
          and (e.claimed_until is null or e.claimed_until <= clock_now())
          and s.enabled and (not s.approval or e.approved_at is not null or e.step > 1)
        order by e.next_send_at
        limit %(limit)s
        for update of e skip locked
        """,
        limit=limit,
    )


async def _suppressed(tx: Tx, rows: Sequence[_Due]) -> dict[tuple[str, str], str]:
    """The reason, by enrollment, where the contact is not mailed any more."""
    reasons: dict[tuple[str, str], str] = {}
    for org_id, group in groupby(sorted(rows, key=lambda row: row.org_id), key=lambda row: row.org_id):
        hashes = {row.key: row.address.hashes for row in group}
        found = await contacts.suppressions(tx, org_id, [digest for some in hashes.values() for digest in some])
        for key, some in hashes.items():
            reason = next((found[digest].reason for digest in some if digest in found), None)
            if reason is not None:
                reasons[key] = reason
    return reasons


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a sender has sent lately, and when the oldest of it was."""

    minute: int
    day: int
    minute_since: datetime | None
    day_since: datetime | None


async def _throttled(tx: Tx, rows: Sequence[_Due], moved: dict[tuple[str, str], datetime]) -> list[_Due]:
    """Those that their senders' throttles let pass now; the others are `moved`, one after the other."""
    passing = [row for row in rows if row.throttle_per_minute is None and row.throttle_per_day is None]
    capped = sorted(
        (row for row in rows if row.throttle_per_minute is not None or row.throttle_per_day is not None),
        key=lambda row: (row.org_id, row.sender_address),
    )
    for (org_id, sender), group in groupby(capped, key=lambda row: (row.org_id, row.sender_address)):
        # two workers count one sender's mails one after the other, always in the same order of senders
        await execute(
            tx,
            "select pg_advisory_xact_lock(hashtextextended(%(org_id)s || ' sender ' || %(sender)s, 0))",
            org_id=org_id,
            sender=sender,
        )
        sent = await fetch_one(
            tx,
            _Sent,
            """
            select count(*) filter (where tried_at > clock_now() - interval '1 minute') as minute, count(*) as day,
                min(tried_at) filter (where tried_at > clock_now() - interval '1 minute') as minute_since,
                min(tried_at) as day_since
            from messages
            where org_id = %(org_id)s and sender = %(sender)s and tried_at > clock_now() - interval '24 hours'
              and state <> 'dropped'
            """,
            org_id=org_id,
            sender=sender,
        )
        assert sent is not None
        late = 0
        for passed, row in enumerate(group):
            per_minute, per_day = row.throttle_per_minute, row.throttle_per_day
            if per_day is not None and sent.day + passed - late >= per_day:
                free = (sent.day_since or row.now) + timedelta(hours=24)
            elif per_minute is not None and sent.minute + passed - late >= per_minute:
                free = (sent.minute_since or row.now) + timedelta(minutes=1)
            else:
                passing.append(row)
                continue
            apart = timedelta(minutes=1) / per_minute if per_minute is not None else timedelta(0)
            moved[row.key] = opening(max(free, row.now) + apart * late, row.calendar)
            late += 1
    return passing


@dataclass(frozen=True, slots=True)
class _Open:
    """A message whose fate is not settled: its bytes are the ones to send."""

    org_id: str
    id: str
    enrollment_id: str
    interview_id: int
    state: str
    recipient: str
    sealed: bytes
    unknowns: int


async def _open_messages(tx: Tx, rows: Sequence[_Due]) -> dict[tuple[str, str], _Open]:
    found = await fetch_all(
        tx,
        _Open,
        """
        select m.org_id, m.id, m.enrollment_id, m.interview_id, m.state, m.recipient, m.sealed, m.unknowns
        from unnest(%(orgs)s::text[], %(ids)s::text[], %(steps)s::integer[]) as w (org_id, id, step)
        join messages m on m.org_id = w.org_id and m.enrollment_id = w.id and m.step = w.step
        where m.state in ('claimed', 'refused', 'data_started', 'unknown')
        order by m.id
        """,
        orgs=[row.org_id for row in rows],
        ids=[row.id for row in rows],
        steps=[row.step for row in rows],
    )
    return {(one.org_id, one.enrollment_id): one for one in found}


async def _claim(tx: Tx, row: _Due, opened: _Open | None, worker_id: str) -> Claim | None:
    """Put the lease on one enrollment and fix its mail's bytes: those of an earlier try, or new ones."""
    unknowns = 0
    if opened is not None:
        # a lease that ended after handing over began: nobody knows whether the server has it
        unknowns = opened.unknowns + (opened.state == "data_started")
        if unknowns > 1:
            await settle(tx, opened.org_id, opened.id, "unknown", unknowns=unknowns)
            await advance(tx, row.org_id, row.id, row.next_delay, row.calendar, row.now)
            return None
        if unknowns == 0 and opened.interview_id != row.interview_id:
            await settle(tx, opened.org_id, opened.id, "dropped")  # a newer request's link goes out instead
            opened = None
    if opened is not None:
        message_id, raw, utf8 = opened.id, tokens.unseal(opened.sealed, opened.id), not opened.recipient.isascii()
        interview_id = opened.interview_id
    else:
        message_id, interview_id = ids.new("msg"), row.interview_id
        raw, utf8 = await _write(tx, row, message_id, worker_id)
    attempt = row.attempt + 1
    await execute(
        tx,
        """
        update messages
        set state = 'claimed', claimed_by = %(worker_id)s, attempt = %(attempt)s, unknowns = %(unknowns)s,
            tried_at = clock_now(), data_started_at = null
        where org_id = %(org_id)s and id = %(message_id)s
        """,
        org_id=row.org_id,
        message_id=message_id,
        worker_id=worker_id,
        attempt=attempt,
        unknowns=unknowns,
    )
    await execute(
        tx,
        """
        update enrollments
        set claimed_by = %(worker_id)s, claimed_until = clock_now() + %(lease)s, attempt = %(attempt)s,
            updated_at = clock_now()
        where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=row.org_id,
        id=row.id,
        worker_id=worker_id,
        lease=LEASE,
        attempt=attempt,
    )
    return Claim(
        org_id=row.org_id,
        enrollment_id=row.id,
        interview_id=interview_id,
        message_id=message_id,
        worker_id=worker_id,
        attempt=attempt,
        step=row.step,
        sender=row.sender_address,
        recipient=row.email,
        hashes=row.address.hashes,
        utf8=utf8,
        raw=raw,
        next_delay=row.next_delay,
        calendar=row.calendar,
    )


@dataclass(frozen=True, slots=True)
class _Earlier:
    message_id: str
    subject: str


async def _write(tx: Tx, row: _Due, message_id: str, worker_id: str) -> tuple[bytes, bool]:
    """Compose the mail and store its bytes; also the row that makes its unsubscribe link work, for ever."""
    thread: Sequence[_Earlier] = []
    if row.step > 1:
        thread = await fetch_all(
            tx,
            _Earlier,
            """
            select message_id, subject from messages
            where org_id = %(org_id)s and enrollment_id = %(id)s and step < %(step)s
              and state in ('accepted', 'captured', 'unknown')
            order by step, id
            """,
            org_id=row.org_id,
            id=row.id,
            step=row.step,
        )
    address = row.address.hashes[0]
    unsubscribe = tokens.unsubscribe_token(row.org_id, address)
    mail = compose(_letter(row, message_id, unsubscribe, thread))
    await execute(
        tx,
        """
        insert into directory_tokens (hash, purpose, org_id, id)
        values (%(hash)s, 'unsubscribe', %(org_id)s, %(id)s) on conflict (hash) do nothing
        """,
        hash=tokens.digest(unsubscribe),
        org_id=row.org_id,
        id=address.hex(),
    )
    await execute(
        tx,
        """
        insert into messages (
            org_id, id, enrollment_id, interview_id, step, state, message_id, sender, recipient, address, subject,
            sealed, claimed_by, attempt)
        values (
            %(org_id)s, %(id)s, %(enrollment_id)s, %(interview_id)s, %(step)s, 'claimed', %(message_id)s, %(sender)s,
            %(recipient)s, %(address)s, %(subject)s, %(sealed)s, %(worker_id)s, 0)
        """,
        org_id=row.org_id,
        id=message_id,
        enrollment_id=row.id,
        interview_id=row.interview_id,
        step=row.step,
        message_id=mail.message_id,
        sender=row.sender_address,
        recipient=row.email,
        address=address,
        subject=mail.subject,
        sealed=tokens.seal(mail.raw, message_id),
        worker_id=worker_id,
    )
    return mail.raw, mail.utf8


def _letter(row: _Due, message_id: str, unsubscribe: str, thread: Sequence[_Earlier]) -> Letter:
    return Letter(
        key=f"{row.id}.{row.step}.{message_id}",
        sender_name=row.sender_name,
        sender_address=row.sender_address,
        reply_to=row.reply_to,
        recipient=row.email,
        recipient_name=row.contact_name,
        subject=row.subject or row.first_subject or "",
        body=row.body or "",
        values={
            "name": row.contact_name,
            "first_name": row.contact_name.split()[0] if row.contact_name else None,
            "company": row.client_name or contacts.company(row.notes),
            "deal_name": row.deal_name,
            "survey_length": f"{row.minutes} minutes",
            "sender_name": row.sender_name or row.vendor,
            "incentive": row.incentive,
        },
        vendor=row.vendor,
        postal_address=row.postal_address,
        link=interviews.survey_url(tokens.survey_token(row.seed, row.token_hash)),
        unsubscribe_link=f"{current().base_url}/unsubscribe?token={unsubscribe}",
        list_id=row.sequence_id,
        at=row.now,
        thread_subject=thread[0].subject if thread else None,
        references=[earlier.message_id for earlier in thread],
    )


async def _move(tx: Tx, moved: Mapping[tuple[str, str], datetime]) -> None:
    if not moved:
        return
    await execute(
        tx,
        """
        update enrollments e
        set next_send_at = w.at, claimed_by = null, claimed_until = null, updated_at = clock_now()
        from unnest(%(orgs)s::text[], %(ids)s::text[], %(ats)s::timestamptz[]) as w (org_id, id, at)
        where e.org_id = w.org_id and e.id = w.id
        """,
        orgs=[org_id for org_id, _ in moved],
        ids=[enrollment_id for _, enrollment_id in moved],
        ats=list(moved.values()),
    )


async def stop(tx: Tx, org_id: str, enrollment_id: str, reason: str) -> None:
    """End an enrollment that lives: `finished` when no step is left, else `stopped` with the reason.

    A mail that is on its way under a lease is left to its worker, which looks before it hands the mail over.
    """
    await execute(
        tx,
        """
        update enrollments
        set state = case when %(reason)s = 'finished' then 'finished' else 'stopped' end,
            stop_reason = nullif(%(reason)s, 'finished'), updated_at = clock_now()
        where org_id = %(org_id)s and id = %(id)s and state = 'live'
        """,
        org_id=org_id,
        id=enrollment_id,
        reason=reason,
    )
    await execute(
        tx,
        """
        update messages m set state = case when m.state = 'data_started' then 'unknown' else 'dropped' end
        from enrollments e
        where m.org_id = %(org_id)s and m.enrollment_id = %(id)s and m.state in ('claimed', 'refused', 'data_started')
          and e.org_id = m.org_id and e.id = m.enrollment_id
          and (e.claimed_until is null or e.claimed_until <= clock_now())
        """,
        org_id=org_id,
        id=enrollment_id,
    )


async def settle(tx: Tx, org_id: str, message_id: str, state: str, *, unknowns: int = 0) -> None:
    """Close a message that was not handed over, or of which nobody knows."""
    await execute(
        tx,
        """
        update messages set state = %(state)s, unknowns = greatest(unknowns, %(unknowns)s)
        where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=org_id,
        id=message_id,
        state=state,
        unknowns=unknowns,
    )


async def advance(
    tx: Tx, org_id: str, enrollment_id: str, next_delay: Delay | None, calendar: Calendar, since: datetime
) -> None:
    """A step has left at `since`: date the next one, or finish."""
    match next_action(Standing(since, next_delay), since, calendar):
        case Stop(reason):
            await stop(tx, org_id, enrollment_id, reason)
        case Send() | Wait() as action:
            await execute(
                tx,
                """
                update enrollments
                set step = step + 1, waits_since = %(since)s, next_send_at = %(at)s, claimed_by = null,
                    claimed_until = null, updated_at = clock_now()
                where org_id = %(org_id)s and id = %(id)s and state = 'live'
                """,
                org_id=org_id,
                id=enrollment_id,
                since=since,
                at=action.until if isinstance(action, Wait) else since,
            )


async def stop_for_address(tx: Tx, org_id: str, address: bytes, reason: str) -> None:
    """End the live enrollments of an address that mails were written to. Waits for those about to be handed over."""
    found = await fetch_all(
        tx,
        _Id,
        """
        select e.id from enrollments e
        where e.org_id = %(org_id)s and e.state = 'live' and e.id in (
            select m.enrollment_id from messages m where m.org_id = %(org_id)s and m.address = %(address)s)
        order by e.id
        for update
        """,
        org_id=org_id,
        address=address,
    )
    for row in found:
        await stop(tx, org_id, row.id, reason)


@dataclass(frozen=True, slots=True)
class _Id:
    id: str
