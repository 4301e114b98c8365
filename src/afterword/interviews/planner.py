"""The planner: for organizations in `planned` it turns notes, objective and deal into weights, before the interview.

Only it sees the background; the prompts of the interview see its plan. The worker's sweep looks every few seconds for
interviews that have not begun and whose inputs are not the ones their plan was made from:

(1) tx: claim, by writing down which inputs are tried and when at the earliest somebody may try again, longer than a
call takes; so two workers do not plan the same. (2) No transaction: the model is asked. (3) tx: the plan is stored
where the interview has not begun, with the exact prompt. A crash in between is a try that failed. Failed tries are
repeated with growing pauses, three times for the same inputs; until there is a plan the keyword plan serves.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.types.json import Json

from afterword import accounts, llm, paige
from afterword.db import Db, Tx, execute, fetch_all, fetch_one
from afterword.interviews import prompts
from afterword.interviews.calls import ask, reserve, settle
from afterword.interviews.visiting import LINK_DAYS, Place, Row, by_id, context
from afterword.settings import current

TRIES = 3  # for the same inputs
_PAUSE = 20  # seconds after the first failure; three times as long after each further one
_CAPPED_PAUSE = 900  # seconds until a cost cap is asked again
_AT_ONCE = 4  # calls at the same time in one worker
_BATCH = 40
# A change commits later than the clock that stands in its row says, by no more than a transaction may last.
_MARGIN = 15  # seconds

_log = logging.getLogger(__name__)


def digest(row: Row) -> str:
    """What tells the inputs of a plan from others: notes, objective, deal facts, and the guide's version."""
    inputs = [row.notes, row.objective, row.deal, row.interview_type_id, row.guide_version]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


async def plan_due(db: Db) -> int:
    """Plan what is new or has changed; how many plans were made."""
    async with db.tx() as tx:
        models = {org.id: model for org in await _planning(tx) if (model := await accounts.model_of(tx, org.id))}
        due = await _due(tx, list(models)) if models else ()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(place: Place) -> bool:
        async with gate:
            try:
                return await _plan(db, place, models[place.org_id])
            except (paige.GuideError, ValueError, LookupError, TypeError) as error:
                _log.error("interview %d cannot be planned: %s", place.interview_id, type(error).__name__)
                return False

    return sum(await asyncio.gather(*(one(place) for place in due)))


@dataclass(frozen=True, slots=True)
class _Org:
    id: str


async def _planning(tx: Tx) -> Sequence[_Org]:
    return await fetch_all(tx, _Org, "select id from organizations where context_mode = 'planned'")


async def _due(tx: Tx, orgs: Sequence[str]) -> Sequence[Place]:
    """Interviews that may need a plan, the new ones first. Whether they do, their digest tells.

    Goes through `interviews_new`, by organization: those in `direct`, however many interviews they have, cost nothing
    (tests/test_planner.py looks at the plan). `updated_at` of an interview is left alone here, for a link lives by it.
    """
    return await fetch_all(
        tx,
        Place,
        """
        select i.org_id, i.id as interview_id
        from interviews i
        join contacts c on c.org_id = i.org_id and c.id = i.contact_id
        join interview_types t on t.org_id = i.org_id and t.id = i.interview_type_id
        join guide_versions g on g.org_id = t.org_id and g.interview_type_id = t.id and g.version = t.version
        left join deals d on d.org_id = i.org_id and d.id = i.deal_id
        where i.org_id = any(%(orgs)s) and i.phase = 'new'
          and i.updated_at > clock_now() - make_interval(days => %(days)s)
          and (i.plan_due_at is null or i.plan_due_at <= clock_now())
          and (i.plan_checked_at is null
            or i.plan_checked_at < greatest(i.updated_at, c.updated_at, d.updated_at, g.created_at)
            or (i.plan is null and i.plan_attempts between 1 and %(tries)s - 1))
        order by i.plan_checked_at nulls first, i.id
        limit %(batch)s
        """,
        orgs=list(orgs),
        days=LINK_DAYS,
        tries=TRIES,
        batch=_BATCH,
    )


@dataclass(frozen=True, slots=True)
class _Claimed:
    attempts: int


async def _plan(db: Db, place: Place, model: llm.Model) -> bool:
    """Steps (1) to (3) for one interview. True when a plan was stored."""
    async with db.tx() as tx:
        row = await by_id(tx, place.org_id, place.interview_id)
        if row is None or row.phase != "new":
            return False
        inputs, guide = digest(row), paige.load_guide(row.guide)
        asked = paige.plan_ask(guide, context(row, mode="planned"))
        attempts = await _claim(tx, row, inputs, asked.deadline * current().llm_deadline_scale)
        if attempts is None:
            return False
        if not await reserve(tx, row.org_id, model, asked):
            await _give_back(tx, row)
            return False
    call, result = await ask(model, asked, attempt=attempts, seconds=asked.deadline)
    plan = None if isinstance(result, paige.Failure) else _read(guide, result)
    async with db.tx() as tx:
        stored = await execute(
            tx,
            """
            update interviews
            set plan = %(plan)s,
                plan_due_at = case when %(planned)s then null else clock_now() + make_interval(secs => %(pause)s) end
            where org_id = %(org_id)s and id = %(id)s and phase = 'new' and plan_inputs = %(inputs)s
            """,
            org_id=row.org_id,
            id=row.interview_id,
            plan=Json(plan.to_json()) if plan is not None else None,
            planned=plan is not None,
            pause=_PAUSE * 3 ** (attempts - 1),
            inputs=inputs,
        )
        if stored:
            outcome = call.failure or ("planned" if plan is not None else "malformed")
            await prompts.keep_plan(tx, row.org_id, row.interview_id, call, outcome=outcome)
        await settle(tx, row.org_id, call)
    return bool(stored) and plan is not None


def _read(guide: paige.Guide, result: object) -> paige.Plan | None:
    try:
        return paige.read_plan(guide, result)
    except Exception as error:  # a strange reply is no plan; its words belong into no log
        _log.error("a plan could not be read: %s", type(error).__name__)
        return None


async def _claim(tx: Tx, row: Row, inputs: str, seconds: float) -> int | None:
    """Which try for these inputs this is; None where they are planned, given up, or in another worker's hands."""
    claimed = await fetch_one(
        tx,
        _Claimed,
        """
        update interviews
        set plan_inputs = %(inputs)s, plan_checked_at = clock_now() - make_interval(secs => %(margin)s),
            plan = case when plan_inputs = %(inputs)s then plan end,
            plan_attempts = case when plan_inputs = %(inputs)s then plan_attempts + 1 else 1 end,
            plan_due_at = clock_now() + make_interval(secs => %(lease)s)
        where org_id = %(org_id)s and id = %(id)s and phase = 'new'
          and (plan_due_at is null or plan_due_at <= clock_now())
          and (plan_inputs is distinct from %(inputs)s or (plan is null and plan_attempts < %(tries)s))
        returning plan_attempts as attempts
        """,
        org_id=row.org_id,
        id=row.interview_id,
        inputs=inputs,
        margin=_MARGIN,
        lease=seconds + _MARGIN,
        tries=TRIES,
    )
    if claimed is not None:
        return claimed.attempts
    await execute(
        tx,
        """
        update interviews set plan_checked_at = clock_now() - make_interval(secs => %(margin)s)
        where org_id = %(org_id)s and id = %(id)s and plan_inputs = %(inputs)s
        """,
        org_id=row.org_id,
        id=row.interview_id,
        inputs=inputs,
        margin=_MARGIN,
    )
    return None


async def _give_back(tx: Tx, row: Row) -> None:
    """A try that a cost cap did not allow is none."""
    await execute(
        tx,
        """
        update interviews
        set plan_inputs = null, plan_attempts = 0, plan_due_at = clock_now() + make_interval(secs => %(pause)s)
        where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=row.org_id,
        id=row.interview_id,
        pause=_CAPPED_PAUSE,
    )
