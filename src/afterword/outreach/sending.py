"""Sending: nothing lost, and at most one identical copy."""

import asyncio
import contextlib
import functools
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from afterword import contacts, interviews
from afterword.db import Db, Tx, execute, fetch_one
from afterword.errors import AfterwordError
from afterword.mail import CONNECTIONS, Mailer, Outcome
from afterword.outreach.claims import LEASE, STOPPED_PHASES, Claim, advance, claim_due, stop

_RETRIES = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240, 480, 720))
_GIVE_UP = timedelta(hours=72)  # after the first try: a mail three days late is worse than none
_JITTER = 0.1
_AFTER_UNKNOWN = timedelta(minutes=5)  # before the one copy goes out
_RENEW = LEASE.total_seconds() / 4
_INSIST = 300.0  # seconds for which a result is written again and again while the database is away

_log = logging.getLogger(__name__)


class MailServerDown(Exception):
    """The mail server cannot be used at the moment. No recipient had anything to do with it; try again later."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"{outcome.code} {outcome.text}" if outcome.code else outcome.text)
        self.outcome = outcome


def _never() -> bool:
    return False


async def send_due(
    db: Db, mailer: Mailer, *, worker_id: str, limit: int = 20, stopping: Callable[[], bool] = _never
) -> int:
    """Send the mails that are due now, at most `limit`; how many due enrollments were looked at. Any number may call.

    1. A transaction claims due enrollments under a lease and writes each mail's final bytes and Message-ID. It looks at
       the window, the throttle, the interview's state and the suppressions as they are now.
       - Dies here: the lease ends, and the next claim sends the same bytes. Nothing had been sent.
    2. No transaction: connect, MAIL, RCPT.
       - Dies here: as above; a server forgets a mail that was never handed over.
    3. A transaction notes `data_started`, only if the lease is still ours and nobody has said no meanwhile. It holds
       the rows of the enrollment and the interview, so an opt-out or a completion comes either before it or after it.
       - Dies here: nobody knows whether step 4 happened. The next claim counts one unknown and sends the identical
         bytes once more; a second unknown is left at that, and the enrollment goes on.
    4. DATA: the mail is handed over.
       - Dies here: as after 3. A receiver that sees two copies sees one Message-ID.
    5. A transaction notes what came of it: `accepted`, the interview's email_sent_at and the next step's date; or when
       to try again; or that it is over. It insists through an outage of the database, for until it is written the
       mail counts as unknown.

    While mails are on their way their leases are renewed; the steps 3 and 5 must still find worker and attempt, so a
    worker that was frozen past its lease changes nothing. `stopping` is asked before each mail: the ones begun are
    finished, the others given back. Raises MailServerDown; the mails that were not sent are given back.
    """
    async with db.tx() as tx:
        looked_at, claims = await claim_due(tx, worker_id, limit)
    if claims:
        await _send_all(db, mailer, claims, stopping)
    return looked_at


async def _send_all(db: Db, mailer: Mailer, claims: list[Claim], stopping: Callable[[], bool]) -> None:
    waiting = list(reversed(claims))
    in_flight = list(claims)
    down: list[Outcome] = []

    async def send_some() -> None:
        while waiting:
            claim = waiting.pop()
            try:
                if down or stopping():
                    await _insist(functools.partial(_give_back, db, claim))
                elif outcome := await _send(db, mailer, claim):
                    down.append(outcome)
            except (AfterwordError, psycopg.Error):
                _log.exception("mail %s is left to the end of its lease", claim.message_id)
            finally:
                in_flight.remove(claim)

    renewal = asyncio.create_task(_renew(db, in_flight))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(CONNECTIONS, len(claims))):
                group.create_task(send_some())
    finally:
        renewal.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewal
    if down:
        raise MailServerDown(down[0])


async def _renew(db: Db, in_flight: list[Claim]) -> None:
    """Keep the leases of the mails that are on their way."""
    while True:
        await asyncio.sleep(_RENEW)
        for claim in list(in_flight):
            with contextlib.suppress(AfterwordError, psycopg.Error):
                async with db.tx() as tx:
                    await execute(
                        tx,
                        """
                        update enrollments set claimed_until = clock_now() + %(lease)s
                        where org_id = %(org_id)s and id = %(enrollment_id)s and claimed_by = %(worker_id)s
                          and attempt = %(attempt)s
                        """,
                        **claim.fence,
                        lease=LEASE,
                    )


async def _send(db: Db, mailer: Mailer, claim: Claim) -> Outcome | None:
    """Steps 2 to 5 for one mail. Returns the outcome if the mail server is down."""
    envelope = await mailer.begin(claim.sender, claim.recipient, utf8=claim.utf8)
    if isinstance(envelope, Outcome):
        outcome = envelope
    else:
        try:
            started = await _start_data(db, claim)
        except BaseException:
            await envelope.abandon()
            raise
        if not started:
            await envelope.abandon()
            await _insist(lambda: _drop(db, claim))
            return None
        outcome = await envelope.data(claim.raw)
    if outcome.kind == "unreachable":
        await _insist(lambda: _give_back(db, claim, outcome))
        return outcome
    await _insist(lambda: _record(db, claim, outcome))
    return None


@dataclass(frozen=True, slots=True)
class _Held:
    interview_id: int


async def _start_data(db: Db, claim: Claim) -> bool:
    """Step 3. False: somebody said no, or the lease is not ours any more, so nothing may be handed over."""
    async with db.tx() as tx:
        held = await fetch_one(
            tx,
            _Held,
            """
            select e.interview_id
            from enrollments e
            join interviews i on i.org_id = e.org_id and i.id = e.interview_id
            join sequences s on s.org_id = e.org_id and s.id = e.sequence_id
            where e.org_id = %(org_id)s and e.id = %(enrollment_id)s and e.state = 'live'
              and e.claimed_by = %(worker_id)s and e.attempt = %(attempt)s and e.claimed_until > clock_now()
              and i.status <> 'completed' and i.outreach_stop_reason is null and i.phase <> all(%(stopped)s)
              and s.enabled
            for no key update of e
            for share of i
            """,
            **claim.fence,
            stopped=list(STOPPED_PHASES),
        )
        if held is None:
            return False
        # a statement of its own, which sees what was committed while the one above waited
        started = await execute(
            tx,
            """
            update messages
            set state = 'data_started', data_started_at = clock_now()
            where org_id = %(org_id)s and id = %(message_id)s and state = 'claimed'
              and claimed_by = %(worker_id)s and attempt = %(attempt)s
              and (interview_id = %(interview_id)s or unknowns > 0)
              and not exists (
                  select from suppressions s
                  where s.org_id = %(org_id)s and s.address = any(%(hashes)s) and s.lifted_at is null)
            """,
            **claim.fence,
            interview_id=held.interview_id,
            hashes=list(claim.hashes),
        )
        return started > 0


async def _release(tx: Tx, claim: Claim, wait: timedelta) -> bool:
    """End the lease and date the next try, unless somebody else has taken the enrollment over."""
    return bool(
        await execute(
            tx,
            """
            update enrollments
            set claimed_by = null, claimed_until = null, updated_at = clock_now(),
                next_send_at = case when %(wait)s > interval '0' then clock_now() + %(wait)s else next_send_at end
            where org_id = %(org_id)s and id = %(enrollment_id)s
              and claimed_by = %(worker_id)s and attempt = %(attempt)s
            """,
            **claim.fence,
            wait=wait,
        )
    )


async def _give_back(db: Db, claim: Claim, outcome: Outcome | None = None) -> None:
    """Not sent, and nobody's fault: the next claim sends the same bytes."""
    async with db.tx() as tx:
        if await _release(tx, claim, timedelta(0)):
            await _note(tx, claim, outcome, "claimed")


async def _drop(db: Db, claim: Claim) -> None:
    """Somebody said no in time. The next claim finds out who, and stops the enrollment if there is a reason to."""
    async with db.tx() as tx:
        if await _release(tx, claim, timedelta(0)):
            await execute(
                tx,
                """
                update messages set state = case when unknowns > 0 then 'unknown' else 'dropped' end
                where org_id = %(org_id)s and id = %(message_id)s and state = 'claimed'
                """,
                **claim.fence,
            )


@dataclass(frozen=True, slots=True)
class _Noted:
    now: datetime
    created_at: datetime
    failures: int
    unknowns: int


async def _note(tx: Tx, claim: Claim, outcome: Outcome | None, state: str) -> _Noted:
    """Write down what the server said. The caller holds the enrollment's row."""
    noted = await fetch_one(
        tx,
        _Noted,
        """
        update messages
        set state = %(state)s, reply_code = %(code)s, enhanced_code = %(enhanced_code)s, reply_text = %(text)s,
            queue_id = %(queue_id)s,
            failures = failures + case when %(state)s in ('refused', 'failed') then 1 else 0 end,
            unknowns = unknowns + case when %(state)s = 'unknown' then 1 else 0 end,
            sent_at = case when %(state)s in ('accepted', 'captured') then clock_now() end
        where org_id = %(org_id)s and id = %(message_id)s
        returning clock_now() as now, created_at, failures, unknowns
        """,
        **claim.fence,
        state=state,
        code=outcome and outcome.code,
        enhanced_code=outcome and outcome.enhanced_code,
        text=outcome and outcome.text,
        queue_id=outcome and outcome.queue_id,
    )
    assert noted is not None
    return noted


async def _record(db: Db, claim: Claim, outcome: Outcome) -> None:
    """Step 5."""
    async with db.tx() as tx:
        ours = await execute(
            tx,
            """
            select from enrollments
            where org_id = %(org_id)s and id = %(enrollment_id)s
              and claimed_by = %(worker_id)s and attempt = %(attempt)s
            for no key update
            """,
            **claim.fence,
        )
        if not ours:
            _log.warning("mail %s was %s after its lease had ended", claim.message_id, outcome.kind)
            return
        match outcome.kind:
            case "accepted" | "captured":
                noted = await _note(tx, claim, outcome, outcome.kind)
                await interviews.mail_accepted(tx, claim.org_id, claim.interview_id)
                await _advance(tx, claim, noted.now)
            case "unknown":
                noted = await _note(tx, claim, outcome, "unknown")
                if noted.unknowns > 1:
                    await _advance(tx, claim, noted.now)
                else:
                    await _release(tx, claim, _AFTER_UNKNOWN)
            case "temporary":
                noted = await _note(tx, claim, outcome, "refused")
                wait = _RETRIES[min(noted.failures, len(_RETRIES)) - 1] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  (spreads load)
                if noted.now + wait > noted.created_at + _GIVE_UP:
                    await _note(tx, claim, outcome, "failed")
                    await stop(tx, claim.org_id, claim.enrollment_id, "undeliverable")
                else:
                    await _release(tx, claim, wait)
            case "unreachable":
                raise ValueError("a mail server that is down says nothing about a mail")
            case "permanent":
                await _note(tx, claim, outcome, "failed")
                reason = "hard_bounce" if outcome.bad_address else "undeliverable"
                await stop(tx, claim.org_id, claim.enrollment_id, reason)
                if outcome.bad_address:
                    await contacts.suppress(tx, claim.org_id, claim.hashes[0], "hard_bounce", "smtp")
        await _release(tx, claim, timedelta(0))  # where none of the above has


async def _advance(tx: Tx, claim: Claim, since: datetime) -> None:
    await advance(tx, claim.org_id, claim.enrollment_id, claim.next_delay, claim.calendar, since)


async def _insist(write: Callable[[], Awaitable[None]]) -> None:
    """Write a result, again and again while the database is away."""
    loop = asyncio.get_running_loop()
    give_up, delay = loop.time() + _INSIST, 0.1
    while True:
        try:
            await write()
        except (AfterwordError, psycopg.Error) as error:
            if loop.time() + delay > give_up:
                raise
            _log.warning("a result could not be written yet: %s", error)
        else:
            return
        await asyncio.sleep(delay)
        delay = min(delay * 2, 2.0)
