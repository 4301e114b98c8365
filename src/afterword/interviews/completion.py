"""How an interview ends: completed by the last answer, by a stop, or by a month of silence."""

from afterword import contacts, ids, jobs, tokens, webhooks
from afterword.db import Db, Tx, execute, fetch_all
from afterword.interviews import transcript, turns
from afterword.interviews.visiting import OPEN_PHASES, Place, Row, by_id, set_aside

IDLE_DAYS = 30  # after this long without an answer an interview that was begun counts as completed


async def complete(tx: Tx, row: Row, ended_by: str) -> None:
    """Status, transcript, event and analysis job, all in the caller's transaction. Completing twice is once.

    After a stop that was taken back the interview completes anew, and its new transcript takes the old one's place.
    """
    completed = await execute(
        tx,
        """
        update interviews
        set status = 'completed', completed_at = clock_now(), ended_by = %(ended_by)s, updated_at = clock_now()
        where org_id = %(org_id)s and id = %(id)s and completed_at is null
        """,
        org_id=row.org_id,
        id=row.interview_id,
        ended_by=ended_by,
    )
    if not completed:
        return
    document_id = ids.new("doc")
    await execute(
        tx,
        "delete from documents where org_id = %(org_id)s and interview_id = %(id)s",
        org_id=row.org_id,
        id=row.interview_id,
    )
    await execute(
        tx,
        """
        insert into documents (org_id, id, interview_id, content)
        values (%(org_id)s, %(document_id)s, %(id)s, %(content)s)
        """,
        org_id=row.org_id,
        id=row.interview_id,
        document_id=document_id,
        content=transcript.render(
            await turns(tx, row.org_id, row.interview_id), interviewer=row.interviewer_name, contact=row.contact_name
        ),
    )
    await webhooks.emit(
        tx,
        row.org_id,
        "interview.completed",
        {
            "interview_request_id": row.interview_id,
            "contact_id": row.contact_id,
            "deal_id": row.deal_id,
            "document_id": document_id,
            "ended_by": ended_by,
        },
        interview_id=row.interview_id,
        contact_id=row.contact_id,
    )
    await jobs.enqueue(tx, "insights.analyze", queue="insights", org_id=row.org_id, interview_id=row.interview_id)


async def reopen(tx: Tx, row: Row) -> None:
    """A stop was taken back. The status stays, for it never goes backwards; the end is still to come."""
    await execute(
        tx,
        """
        update interviews set completed_at = null, ended_by = null, updated_at = clock_now()
        where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=row.org_id,
        id=row.interview_id,
    )


async def opt_out(tx: Tx, row: Row) -> None:
    """No more mail to the contact, from any sequence of the organization."""
    address = tokens.address_hashes(row.contact_email_key)[0]
    await contacts.suppress(tx, row.org_id, address, "unsubscribed", "survey")


async def complete_idle(db: Db) -> int:
    """Complete interviews under way whose last answer is older than IDLE_DAYS, as `expired`; how many."""
    async with db.tx() as tx:
        idle = await fetch_all(
            tx,
            Place,
            """
            select org_id, id as interview_id from interviews
            where answered_at < clock_now() - make_interval(days => %(days)s) and completed_at is null
              and phase = any(%(open)s)
            order by answered_at limit 100
            """,
            days=IDLE_DAYS,
            open=list(OPEN_PHASES),
        )
    completed = 0
    for place in idle:
        with set_aside(place):
            completed += await _if_idle(db, place)
    return completed


async def _if_idle(db: Db, place: Place) -> bool:
    """Look once more, under the lock: the contact may have come back, or withdrawn."""
    async with db.tx() as tx:
        row = await by_id(tx, place.org_id, place.interview_id, lock=True)
        idle = row is not None and await execute(
            tx,
            """
            select from interviews
            where org_id = %(org_id)s and id = %(id)s and completed_at is null and phase = any(%(open)s)
              and answered_at < clock_now() - make_interval(days => %(days)s)
            """,
            org_id=place.org_id,
            id=place.interview_id,
            days=IDLE_DAYS,
            open=list(OPEN_PHASES),
        )
        if row is not None and idle:
            await complete(tx, row, "expired")
        return bool(idle)
