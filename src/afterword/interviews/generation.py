"""Paige's half of a turn: hear the answer, ask the language model where one is to be asked, store what she says.

(1) Claim: a conditional update makes this process the only one that generates a reply to the answer, for a lease longer
than the deadline; it takes one turn out of the interview's bucket and reserves the likely cost. Whoever does not get it
waits. (2) No transaction: the model is asked, at most twice within one deadline; whatever goes wrong, the rules answer.
(3) A transaction stores Paige's turn if the interview is still where it was, with the exact prompts, tokens and cost.

If the process dies after (1), the lease ends and the page's retry or the worker's sweep takes over; the first to commit
(3) wins, and a late reply is dropped. Turns that need no model claim nothing and cost nothing.
"""

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from psycopg.types.json import Json

from afterword import accounts, alerts, llm, paige
from afterword.db import Db, Tx, execute, fetch_all, fetch_one
from afterword.interviews import Turn, prompts, turns
from afterword.interviews.calls import Call, ask, estimated, reserve, settle
from afterword.interviews.completion import complete, opt_out, reopen
from afterword.interviews.visiting import Place, Row, by_id, context, set_aside
from afterword.settings import current

_LEASE = 15.0  # seconds: longer than a deadline with what surrounds it
_AROUND = 7.0  # seconds of the lease beyond the deadline, should that be stretched by a setting
_TOO_LATE = 0.3  # seconds: with less than this left of the deadline the model is not asked any more
_ALERTED: Mapping[str, alerts.Kind] = {
    "distress": "distress",
    "abuse": "abuse",
    "injection": "injection",
    "referral_given": "referral",
}

_log = logging.getLogger(__name__)
# A generation goes on when the contact's connection breaks; the loop itself holds tasks only weakly.
_under_way: set[asyncio.Task[bool]] = set()


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer that has no reply yet, and what it is answered from."""

    row: Row
    guide: paige.Guide
    state: paige.State
    before: Sequence[Turn]
    turn: Turn

    @property
    def answer(self) -> paige.Answer:
        action = "answer" if self.turn.action == "experience" else self.turn.action
        return paige.Answer(text=self.turn.text, action=action)

    def context(self, mode: paige.Mode) -> paige.Context:
        plan = self.row.plan if self.row.context_mode == "planned" else None
        return context(self.row, mode=mode, said=self.before, plan=plan)

    def scripted(self, why: str = "") -> paige.Step:
        """What the rules alone say; `why` names what kept the model from it."""
        step = paige.hear(self.guide, self.context("script"), self.state, self.answer)
        if isinstance(step, paige.Ask):
            raise TypeError("the script asked for a model")
        return replace(step, origin=f"fallback:{why}") if why else step


async def reply(db: Db, org_id: str, interview_id: int, *, use_model: bool = True) -> bool:
    """Let Paige answer the contact's last turn if nobody has yet. True if this call was the one that did.

    False also while another process is at it: look again in a moment.
    """
    async with db.tx() as tx:
        row = await by_id(tx, org_id, interview_id)
        said: Sequence[Turn] = await turns(tx, org_id, interview_id) if row else ()
        # a model that came after the consent is not what the contact agreed to
        may_ask = use_model and row is not None and row.open and row.model_agreed
        model = await accounts.model_of(tx, org_id) if may_ask else None
    if row is None or row.state is None or not said or said[-1].role != "contact" or row.turn_no != said[-1].turn_no:
        return False
    if row.generating:
        return False
    state = paige.State.from_json(row.state)
    if len(said) > 1 and said[-2].role == "contact":
        return await _store(db, *_interrupted(row, state, said))
    answered = _Answered(row, row.guide, state, said[:-1], said[-1])
    if model is None:
        return await _store(db, answered, answered.scripted())
    heard = _hear(answered)
    if isinstance(heard, paige.Step):
        return await _store(db, answered, heard)
    task = asyncio.create_task(_generate(db, answered, model, heard))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return await asyncio.shield(task)


def _interrupted(row: Row, state: paige.State, said: Sequence[Turn]) -> tuple[_Answered, paige.Step]:
    """What follows a stop that came before the reply to the answer ahead of it: that answer counts, unanswered."""
    ahead = _Answered(row, row.guide, state, said[:-2], said[-2]).scripted()
    stopped = _Answered(row, row.guide, ahead.state, said[:-1], said[-1])
    step = stopped.scripted()
    farewell = ahead.say if ahead.state.phase == "stopped" else step.say  # the answer itself may have ended it
    return stopped, replace(step, say=farewell, events=(*ahead.events, *step.events))


def _hear(answered: _Answered) -> paige.Step | paige.Ask:
    """What follows the answer, or what a model is to be asked of it. No background may keep a contact from a reply."""
    told = answered.context(answered.row.context_mode)
    try:
        return paige.hear(answered.guide, told, answered.state, answered.answer)
    except Exception as error:  # its text may quote the background, which belongs into no log
        _log.error("a prompt could not be made: %s", type(error).__name__)
        return answered.scripted("prompt")


async def finish_replies(db: Db) -> int:
    """The worker's sweep: reply, by the script, to answers whose process died before Paige's turn; how many."""
    async with db.tx() as tx:
        waiting = await fetch_all(
            tx,
            Place,
            """
            select org_id, id as interview_id from interviews
            where reply_due_at < clock_now() order by reply_due_at limit 100
            """,
        )
    replied = 0
    for place in waiting:
        with set_aside(place):
            replied += await reply(db, place.org_id, place.interview_id, use_model=False)
    return replied


async def _generate(db: Db, answered: _Answered, model: llm.Model, asked: paige.Ask) -> bool:
    """Steps (1) to (3) for an answer that a model is to be asked about."""
    refused = await _claim(db, answered.row, model, asked)
    if refused == "taken":
        return False
    if refused:
        return await _store(db, answered, answered.scripted(refused))
    calls: list[Call] = []
    ends = time.monotonic() + asked.deadline * current().llm_deadline_scale
    spoken: paige.Step | paige.Ask = asked
    while isinstance(spoken, paige.Ask):
        left = (ends - time.monotonic()) / current().llm_deadline_scale
        result: Mapping[str, object] | paige.Failure
        if left < _TOO_LATE:
            result = paige.Failure("timeout")
        elif calls and (why := await _refused_again(db, answered.row, model, spoken, calls)):
            result = paige.Failure(why)
        else:
            call, result = await ask(model, spoken, attempt=len(calls) + 1, seconds=left)
            calls.append(call)
        spoken = _decide(answered, spoken, result)
    return await _store(db, answered, spoken, calls)


def _decide(
    answered: _Answered, asked: paige.Ask, result: Mapping[str, object] | paige.Failure
) -> paige.Step | paige.Ask:
    """What follows a reply. A contact never waits in vain because a reply was stranger than anybody foresaw."""
    try:
        told = answered.context(answered.row.context_mode)
        spoken = paige.decide(answered.guide, told, answered.state, asked, result)
        if isinstance(spoken, paige.Ask) and (asked.attempt > 1 or isinstance(result, paige.Failure)):
            return answered.scripted("again")
    except Exception as error:  # its text may quote the reply, which belongs into no log
        _log.error("a reply of the model could not be read: %s", type(error).__name__)
        return answered.scripted("malformed")
    return spoken


@dataclass(frozen=True, slots=True)
class _Granted:
    granted: bool


async def _claim(db: Db, row: Row, model: llm.Model, asked: paige.Ask) -> str | None:
    """Become the one that generates this reply. None when it is so, else `taken`, or why the script answers instead."""
    settings = current()
    if _over_tokens(row, asked, 0):
        return "token_cap"
    if llm.breaker_is_open(model):
        return "breaker"
    async with db.tx() as tx:
        claimed = await fetch_one(
            tx,
            _Granted,
            """
            update interviews i
            set bucket_left = b.level - case when b.level >= 1 then 1 else 0 end, bucket_at = clock_now(),
                generating_until = case when b.level >= 1 then clock_now() + make_interval(secs => %(lease)s) end,
                reply_due_at = clock_now() + make_interval(secs => %(lease)s)
            from (
                select org_id, id,
                    case when %(size)s > 0 then bucket_level(bucket_left, bucket_at, %(size)s, %(refill)s) else 1 end
                        as level
                from interviews where org_id = %(org_id)s and id = %(id)s for no key update
            ) b
            where i.org_id = b.org_id and i.id = b.id and i.turn_no = %(turn_no)s
              and (i.generating_until is null or i.generating_until <= clock_now())
            returning b.level >= 1 as granted
            """,
            org_id=row.org_id,
            id=row.interview_id,
            turn_no=row.turn_no,
            size=settings.survey_bucket_turns,
            refill=settings.survey_bucket_refill_per_minute,
            lease=max(_LEASE, asked.deadline * settings.llm_deadline_scale + _AROUND),
        )
        if claimed is None:
            return "taken"
        if not claimed.granted:
            return "bucket"
        return None if await reserve(tx, row.org_id, model, asked) else "cost_cap"


async def _refused_again(db: Db, row: Row, model: llm.Model, asked: paige.Ask, calls: Sequence[Call]) -> str | None:
    """Whether the second call of a turn is one too many, and why."""
    if _over_tokens(row, asked, sum(call.tokens for call in calls)):
        return "token_cap"
    async with db.tx() as tx:
        return None if await reserve(tx, row.org_id, model, asked) else "cost_cap"


def _over_tokens(row: Row, asked: paige.Ask, used: int) -> bool:
    cap = current().llm_tokens_per_interview
    likely = estimated(asked.messages[asked.fixed :]) + llm.MAX_TOKENS
    return bool(cap) and row.model_tokens + used + likely > cap


async def _store(db: Db, answered: _Answered, step: paige.Step, calls: Sequence[Call] = ()) -> bool:
    """Step (3). True where this reply is the one; False where another was first, or the contact has withdrawn."""
    row = answered.row
    async with db.tx() as tx:
        now = await by_id(tx, row.org_id, row.interview_id, lock=True)
        first = now is not None and now.turn_no == row.turn_no
        if now is not None and first:
            await _store_step(tx, now, step, answered.turn)
        if now is not None and now.phase != "withdrawn":
            for call, outcome in zip(calls, _outcomes(calls, step, first=first), strict=True):
                await prompts.keep(tx, row.org_id, row.interview_id, call, turn_no=row.turn_no + 1, outcome=outcome)
        if calls:
            await execute(
                tx,
                """
                update interviews set model_tokens = model_tokens + %(tokens)s
                where org_id = %(org_id)s and id = %(id)s
                """,
                org_id=row.org_id,
                id=row.interview_id,
                tokens=sum(call.tokens for call in calls),
            )
        for call in calls:
            await settle(tx, row.org_id, call)
    return first


def _outcomes(calls: Sequence[Call], step: paige.Step, *, first: bool) -> list[str]:
    blocked = {event.data.get("attempt"): event.data.get("rule") for event in step.events if event.kind == "guard"}
    shown = step.origin == "model"
    return [
        call.failure
        or (f"guard:{blocked[call.attempt]}" if call.attempt in blocked else "")
        or ("late" if not first else "shown" if shown and call is calls[-1] else "unshown")
        for call in calls
    ]


async def _store_step(tx: Tx, row: Row, step: paige.Step, answered: Turn) -> None:
    await store_turn(tx, row, row.turn_no + 1, "interviewer", "answer", step.say, step.events, origin=step.origin)
    await execute(
        tx,
        """
        update interviews
        set turn_no = %(turn_no)s, phase = %(phase)s, state = %(state)s, reply_due_at = null, generating_until = null,
            updated_at = clock_now(), experience = coalesce(%(experience)s, experience)
        where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=row.org_id,
        id=row.interview_id,
        turn_no=row.turn_no + 1,
        phase=step.state.phase,
        state=Json(step.state.to_json()),
        experience=Json(json.loads(answered.text)) if answered.action == "experience" and answered.text else None,
    )
    for event in step.events:
        await _act_on(tx, row, event)


async def _act_on(tx: Tx, row: Row, event: paige.Event) -> None:
    """What an event of Paige's means for the rest of the house. All of them are kept with the turn."""
    match event.kind:
        case "completed":
            await complete(tx, row, str(event.data["ended_by"]))
        case "stopped_early":
            await execute(
                tx,
                """
                update interviews set outreach_stop_reason = coalesce(outreach_stop_reason, %(reason)s)
                where org_id = %(org_id)s and id = %(id)s
                """,
                org_id=row.org_id,
                id=row.interview_id,
                reason="wrong_person" if event.data.get("reason") == "wrong_person" else "declined",
            )
        case "opt_out":
            await opt_out(tx, row)
        case "stop_undone":
            await reopen(tx, row)
        case "language":
            await execute(
                tx,
                "update interviews set language = %(to)s where org_id = %(org_id)s and id = %(id)s",
                org_id=row.org_id,
                id=row.interview_id,
                to=str(event.data["to"]),
            )
        case "delete_request":
            await _alert(tx, row, "delete_request")
        case "flag" if kind := _ALERTED.get(str(event.data.get("reason"))):
            await _alert(tx, row, kind)
        case _:
            pass


async def _alert(tx: Tx, row: Row, kind: alerts.Kind) -> None:
    """One for each kind and interview: whoever is told reads all of it. `turn` is the contact's."""
    await alerts.raise_alert(
        tx,
        row.org_id,
        kind,
        f"{kind}:{row.interview_id}",
        interview_id=row.interview_id,
        details={"turn": row.turn_no},
    )


async def store_turn(
    tx: Tx,
    row: Row,
    turn_no: int,
    role: str,
    action: str,
    text: str,
    events: Sequence[paige.Event],
    *,
    client_id: str | None = None,
    origin: str | None = None,
) -> None:
    """Add one message to the conversation."""
    await execute(
        tx,
        """
        insert into turns (org_id, interview_id, turn_no, role, action, text, client_id, origin, events)
        values (%(org_id)s, %(id)s, %(turn_no)s, %(role)s, %(action)s, %(text)s, %(client_id)s, %(origin)s, %(events)s)
        """,
        org_id=row.org_id,
        id=row.interview_id,
        turn_no=turn_no,
        role=role,
        action=action,
        text=text,
        client_id=client_id,
        origin=origin,
        events=Json([{"kind": event.kind, **event.data} for event in events]),
    )
