"""Events: what happened to whom, written in the transaction of the change itself."""

from collections.abc import Mapping

from psycopg.types.json import Jsonb

from afterword import ids
from afterword.db import Tx, execute


async def emit(
    tx: Tx,
    org_id: str,
    event: str,
    payload: Mapping[str, object],
    *,
    interview_id: int | None = None,
    contact_id: str | None = None,
) -> None:
    """Record `event` (such as `interview.completed`). It goes when the interview or contact it speaks of is erased."""
    await execute(
        tx,
        """
        insert into events (org_id, id, type, payload, interview_id, contact_id)
        values (%(org_id)s, %(id)s, %(type)s, %(payload)s, %(interview_id)s, %(contact_id)s)
        """,
        org_id=org_id,
        id=ids.new("evt"),
        type=event,
        payload=Jsonb(dict(payload)),
        interview_id=interview_id,
        contact_id=contact_id,
    )
