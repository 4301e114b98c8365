"""What the language model was asked and what it said, word for word: kept with the interview, for administrators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Json

from afterword.db import Db, Tx, execute, fetch_all
from afterword.interviews import get
from afterword.interviews.calls import Call
from afterword.settings import current

_BATCH = 1000  # prompts in one statement, which may not take long


@dataclass(frozen=True, slots=True)
class Prompt:
    """One call. `turn_no` is Paige's turn that it was for, 0 for the planner; `attempt` 2 is the one regeneration.

    `outcome`: `shown`; `guard:RULE` for words that were not fit to be shown; `unshown` where the rules spoke instead;
    `late` where another reply was there first; `planned`; or why there was no usable reply (`timeout`, `cut`, …).
    """

    turn_no: int
    attempt: int
    purpose: str
    model: str
    messages: Sequence[Mapping[str, str]]
    reply: str | None
    outcome: str
    input_tokens: int
    output_tokens: int
    milliseconds: int
    created_at: datetime


async def keep(tx: Tx, org_id: str, interview_id: int, call: Call, *, turn_no: int, outcome: str) -> None:
    """Store one call of a turn. A second one under the same number changes nothing."""
    await _keep(tx, org_id, interview_id, call, turn_no, "turn", outcome)


async def keep_plan(tx: Tx, org_id: str, interview_id: int, call: Call, *, outcome: str) -> None:
    """Store one call of the planner, after those that were made for earlier inputs."""
    await _keep(tx, org_id, interview_id, call, 0, "plan", outcome)


async def _keep(tx: Tx, org_id: str, interview_id: int, call: Call, turn_no: int, purpose: str, outcome: str) -> None:
    await execute(
        tx,
        """
        insert into prompts (
            org_id, interview_id, turn_no, attempt, purpose, model, messages, reply, outcome,
            input_tokens, output_tokens, milliseconds)
        select %(org_id)s, %(id)s, %(turn_no)s,
            case when %(purpose)s = 'turn' then %(attempt)s else (
                select coalesce(max(p.attempt), 0) + 1 from prompts p
                where p.org_id = %(org_id)s and p.interview_id = %(id)s and p.purpose = 'plan') end,
            %(purpose)s, %(model)s, %(messages)s, %(reply)s, %(outcome)s,
            %(input_tokens)s, %(output_tokens)s, %(milliseconds)s
        on conflict do nothing
        """,
        org_id=org_id,
        id=interview_id,
        turn_no=turn_no,
        attempt=call.attempt,
        purpose=purpose,
        model=call.model,
        messages=Json([dict(message) for message in call.messages]),
        reply=call.reply.replace("\x00", "").encode("utf-8", "replace").decode() or None,
        outcome=outcome,
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        milliseconds=round(call.seconds * 1000),
    )


async def of(tx: Tx, org_id: str, interview_id: int, *, turn_no: int | None = None) -> Sequence[Prompt]:
    """Every call of an interview, or of one of Paige's turns, in order. Raises NotFound."""
    await get(tx, org_id, interview_id)
    return await fetch_all(
        tx,
        Prompt,
        """
        select turn_no, attempt, purpose, model, messages, reply, outcome, input_tokens, output_tokens, milliseconds,
            created_at
        from prompts
        where org_id = %(org_id)s and interview_id = %(id)s and (%(turn_no)s::int is null or turn_no = %(turn_no)s)
        order by turn_no, purpose, attempt
        """,
        org_id=org_id,
        id=interview_id,
        turn_no=turn_no,
    )


async def erase(tx: Tx, org_id: str, interview_id: int) -> None:
    """Forget every call of an interview."""
    await execute(
        tx,
        "delete from prompts where org_id = %(org_id)s and interview_id = %(id)s",
        org_id=org_id,
        id=interview_id,
    )


async def forget_old(db: Db) -> int:
    """Drop what is older than the setting says; how many. 0 keeps all of them."""
    days, forgotten = current().prompt_days, 0
    while days:
        async with db.tx() as tx:
            dropped = await execute(
                tx,
                """
                delete from prompts where ctid = any(array(
                    select ctid from prompts where created_at < clock_now() - make_interval(days => %(days)s)
                    order by created_at limit %(batch)s for update skip locked))
                """,
                days=days,
                batch=_BATCH,
            )
        forgotten += dropped
        if dropped < _BATCH:
            break
    return forgotten
