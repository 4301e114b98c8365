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
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.types.json import Json

from afterword import accounts, llm, paige
from afterword.db import Db, Tx, execute, fetch_all, fetch_one
from afterword.errors import AfterwordError
from afterword.interviews import prompts
from afterword.interviews.calls import ask, reserve, settle
from afterword.interviews.visiting import LINK_DAYS, Place, Row, by_id, context
from afterword.settings import current

TRIES = 3  # for the same inputs
_PAUSE = 20  # seconds after the first failure; three times as long after each further one
_CAPPED_PAUSE = 900  # seconds until a cost cap is asked again
_BREAKER_PAUSE = 60
_AT_ONCE = 4  # calls at the same time, of one organization in one worker
_BATCH = 40  # of one organization in one look
# Looking for changes takes as long as an organization in `planned` has interviews that nobody has opened; so many times
# as long it then rests. New interviews are found by themselves, and at once.
_REST = 20
# A change commits later than the clock that stands in its row says, by no more than a transaction may last.
_MARGIN = 15  # seconds

_log = logging.getLogger(__name__)


def digest(row: Row) -> str:
    """What tells the inputs of a plan from others: notes, objective, deal facts, and the guide's version."""
    inputs = [row.notes, row.objective, row.deal, row.interview_type_id, row.guide_version]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


class Planner:
    """One worker's planning. A slow model of one organization holds up no other's."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._tasks: dict[Place, asyncio.Task[bool]] = {}
        self._gates: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self._next_check = 0.0  # monotonic seconds

    async def look(self) -> None:
        """Start to plan what is new or has changed. Returns at once; what is under way is not started again."""
        async with self._db.tx() as tx:
            models = await accounts.models_of(tx, [org.id for org in await _planning(tx)])
            able = [org for org, model in models.items() if not llm.breaker_is_open(model)]
            due = [*await _new(tx, able)] if able else []
        began = time.monotonic()
        if able and began >= self._next_check:
            async with self._db.tx() as tx:
                due += await _changed(tx, able)
            now = time.monotonic()
            self._next_check = now + _REST * (now - began)
        for place in due:
            if place not in self._tasks:
                task = asyncio.create_task(self._plan(place, models[place.org_id]))
                self._tasks[place] = task
                task.add_done_callback(lambda _, place=place: self._tasks.pop(place, None))

    async def finish(self) -> int:
        """Wait for what is under way; how many plans came of it."""
        return sum(await asyncio.gather(*self._tasks.values()))

    async def _plan(self, place: Place, model: llm.Model) -> bool:
        async with self._gates[place.org_id]:
            try:
                return await _plan(self._db, place, model)
            except (AfterwordError, psycopg.Error) as error:
                _log.warning("a plan waits for the database: %s", error)
            except Exception as error:  # its text may quote the notes, which belong into no log
                _log.error("interview %d cannot be planned: %s", place.interview_id, type(error).__name__)
            return False


async def plan_due(db: Db) -> int:
    """One look, and all that comes of it; how many plans were made."""
    planner = Planner(db)
    await planner.look()
    return await planner.finish()


@dataclass(frozen=True, slots=True)
class _Org:
    id: str


async def _planning(tx: Tx) -> Sequence[_Org]:
    return await fetch_all(tx, _Org, "select id from organizations where context_mode = 'planned'")


# Both statements go through `interviews_new` in its order, organization by organization: those in `direct`, however
# many interviews they have, cost nothing (tests/test_planner.py counts the rows that are read).


async def _new(tx: Tx, orgs: Sequence[str]) -> Sequence[Place]:
    """Interviews that nobody has looked at yet."""
    return await fetch_all(
        tx,
        Place,
        """
        select due.org_id, due.interview_id
        from unnest(%(orgs)s::text[]) as o (id)
        cross join lateral (
            select i.org_id, i.id as interview_id from interviews i
            where i.org_id = o.id and i.phase = 'new' and i.plan_checked_at is null
              and i.updated_at > clock_now() - make_interval(days => %(days)s)
              and (i.plan_due_at is null or i.plan_due_at <= clock_now())
            order by i.plan_checked_at nulls first, i.id
            limit %(batch)s
        ) due
        """,
        orgs=list(orgs),
        days=LINK_DAYS,
        batch=_BATCH,
    )


async def _changed(tx: Tx, orgs: Sequence[str]) -> Sequence[Place]:
    """Interviews of which something has changed since they were looked at, or that a failed try left without a plan.

    Whether it was something that a plan is made from, their digest tells.
    """
    return await fetch_all(
        tx,
        Place,
        """
        select due.org_id, due.interview_id
        from unnest(%(orgs)s::text[]) as o (id)
        cross join lateral (
            select i.org_id, i.id as interview_id
            from interviews i
            join contacts c on c.org_id = i.org_id and c.id = i.contact_id
            join interview_types t on t.org_id = i.org_id and t.id = i.interview_type_id
            join guide_versions g
                on g.org_id = t.org_id and g.interview_type_id = t.id and g.version = t.version
            left join deals d on d.org_id = i.org_id and d.id = i.deal_id
            where i.org_id = o.id and i.phase = 'new' and i.plan_checked_at is not null
              and i.updated_at > clock_now() - make_interval(days => %(days)s)
              and (i.plan_due_at is null or i.plan_due_at <= clock_now())
              and (i.plan_checked_at < greatest(i.updated_at, c.updated_at, d.updated_at, g.created_at)
                or (i.plan is null and i.plan_attempts between 1 and %(tries)s - 1))
            order by i.plan_checked_at nulls first, i.id
            limit %(batch)s
        ) due
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
        inputs, guide = digest(row), row.guide
        asked = paige.plan_ask(guide, context(row, mode="planned"))
        attempts = await _claim(tx, row, inputs, asked.deadline * current().llm_deadline_scale)
        if attempts is None:
            return False
        if not await reserve(tx, row.org_id, model, asked):
            await _give_back(tx, row, _CAPPED_PAUSE)
            return False
    call, result = await ask(model, asked, attempt=attempts, seconds=asked.deadline)
    plan = None if isinstance(result, paige.Failure) else _read(guide, result)
    async with db.tx() as tx:
        if call.failure == "breaker":
            await _give_back(tx, row, _BREAKER_PAUSE)  # after which what follows finds other inputs
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


async def _give_back(tx: Tx, row: Row, pause: float) -> None:
    """A try that was not made, for a cost cap or a breaker, is none."""
    await execute(
        tx,
        """
        update interviews
        set plan_inputs = null, plan_attempts = 0, plan_checked_at = null,
            plan_due_at = clock_now() + make_interval(secs => %(pause)s)
        where org_id = %(org_id)s and id = %(id)s and phase = 'new'
        """,
        org_id=row.org_id,
        id=row.interview_id,
        pause=pause,
    )
