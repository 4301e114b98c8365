"""The contact's side: open the link, consent, answer, and come back later. Nothing said is lost or taken twice.

A turn is three steps. (1) A transaction stores the answer as turn n+1; its number and the client's id for it are
unique, so a double click is one answer. (2) No transaction: Paige hears it, and perhaps asks a language model. (3) A
transaction stores her turn n+2 if the interview is still at n+1; at the end of the interview it also sets the status
and writes the transcript, the event and the analysis job. `generation` has (2) and (3), with what becomes of them when
a process dies in between.
"""

import contextlib
from collections.abc import Generator

from psycopg.types.json import Json

from afterword import alerts, paige
from afterword.contacts import strip_invisible
from afterword.db import Db, Tx, execute
from afterword.errors import BadRequest, Conflict, NotFound
from afterword.interviews import limits, planner, prompts
from afterword.interviews.completion import IDLE_DAYS, complete_idle, opt_out
from afterword.interviews.generation import finish_replies, reply, store_turn
from afterword.interviews.visiting import LINK_DAYS, MAX_REFERRAL, UNSAID, Row, Visit, by_token, context, visit

__all__ = [
    "IDLE_DAYS",
    "LINK_DAYS",
    "MAX_REFERRAL",
    "Visit",
    "complete_idle",
    "consent",
    "decline",
    "enter",
    "finish_replies",
    "reconsider",
    "reply",
    "take_turn",
    "withdraw",
]

_WORDED = ("answer", "correct")
_WORDLESS = ("skip", "stop", "pause", "resume", "confirm", "go_on", "undo", "experience")
_EITHER = ("wrong_person", "language")  # with text or without: who is right, which language


async def enter(db: Db, token: str, *, address: str = "") -> Visit:
    """What the link opens. Changes nothing. Raises NotFound for a token that is not, or no longer, anybody's.

    `address` is the client's: one that opens too many links of nobody's gets RateLimited.
    """
    with _counting(db, address):
        async with db.tx() as tx:
            return await visit(tx, await by_token(tx, token))


async def consent(
    db: Db,
    token: str,
    consent_text: str,
    *,
    address: str = "",
    language: str | None = None,
    short: bool = False,
    told_of_model: bool = True,
) -> Visit:
    """Begin: record what the contact agreed to and when, and store Paige's opening as turn 1. Twice is once.

    `language` is the one that the contact chose or their browser prefers; one that the guide does not have is ignored.
    `short` is the form of 2 to 3 minutes. `told_of_model`: the text says that a language model may read the answers;
    without it none ever does. Raises RateLimited for too many starts from one client address.
    """
    with _counting(db, address):
        async with db.tx() as tx:
            row = await by_token(tx, token)
            if row.phase == "new" and not row.expired:
                await _begin(tx, row, consent_text, address, language, short=short, told_of_model=told_of_model)
            return await visit(tx, await by_token(tx, token))


async def _begin(
    tx: Tx, row: Row, consent_text: str, address: str, language: str | None, *, short: bool, told_of_model: bool
) -> None:
    guide = row.guide
    wanted = [code for code in (language, row.language, row.contact_language) if code]
    spoken = next((code for code in wanted if _has(guide, code)), guide.language)
    # a plan made from what has changed since is none; from here on nobody changes it
    plan = row.plan if row.context_mode == "planned" and row.plan_inputs == planner.digest(row) else None
    told = context(row, language=spoken, plan=plan)
    step = paige.open(guide, told, row.seed, short=short)
    begun = await execute(
        tx,
        """
        update interviews i
        set phase = %(phase)s, state = %(state)s, turn_no = 1, consent_at = clock_now(),
            consent_text = %(consent_text)s, updated_at = clock_now(), language = %(language)s, plan = %(plan)s,
            guide_version = %(version)s, model_agreed = %(model_agreed)s
        where i.org_id = %(org_id)s and i.id = %(id)s and i.phase = 'new'
        """,
        org_id=row.org_id,
        id=row.interview_id,
        phase=step.state.phase,
        state=Json(step.state.to_json()),
        consent_text=consent_text,
        language=step.state.language,
        plan=Json(plan) if plan is not None else None,
        version=row.guide_version,
        model_agreed=told_of_model and row.may_use_model,
    )
    if begun:
        await limits.count_start(tx, address)
        await store_turn(tx, row, 1, "interviewer", "answer", step.say, step.events, origin=step.origin)


def _has(guide: paige.Guide, language: str) -> bool:
    return language in guide.packs or language.partition("-")[0] in guide.packs


async def reconsider(db: Db, token: str) -> Visit:
    """Whoever declined may read the terms again and begin after all. No mail goes out for it."""
    async with db.tx() as tx:
        row = await by_token(tx, token)
        await execute(
            tx,
            """
            update interviews set phase = 'new', updated_at = clock_now()
            where org_id = %(org_id)s and id = %(id)s and phase = 'declined'
            """,
            org_id=row.org_id,
            id=row.interview_id,
        )
        return await visit(tx, await by_token(tx, token))


async def withdraw(db: Db, token: str) -> Visit:
    """Erase what the contact said: answers, transcript, prompts, what Paige remembers. The link then only says so."""
    async with db.tx() as tx:
        row = await by_token(tx, token, lock=True)
        for query in (
            "delete from turns where org_id = %(org_id)s and interview_id = %(id)s",
            "delete from documents where org_id = %(org_id)s and interview_id = %(id)s",
            """
            update interviews
            set phase = 'withdrawn', state = null, referral = null, experience = null, turn_no = 0, reply_due_at = null,
                answered_at = null, outreach_stop_reason = coalesce(outreach_stop_reason, 'withdrawn'),
                plan = null, plan_inputs = null, generating_until = null,
                withdrawn_at = coalesce(withdrawn_at, clock_now()), updated_at = clock_now()
            where org_id = %(org_id)s and id = %(id)s and phase not in ('new', 'declined')
            """,
        ):
            await execute(tx, query, org_id=row.org_id, id=row.interview_id)
        await prompts.erase(tx, row.org_id, row.interview_id)
        await alerts.clear_details(tx, row.org_id, row.interview_id)
        return await visit(tx, await by_token(tx, token))


async def decline(
    db: Db, token: str, *, no_more_mail: bool = False, wrong_person: bool = False, referral: str = ""
) -> Visit:
    """The contact would rather not: nothing is asked, no further mail goes out; on request never again.

    `referral` is whom the wrong person names instead, or which role: for people to read, never to be mailed by us.
    """
    reason = "unsubscribed" if no_more_mail else "wrong_person" if wrong_person else "declined"
    named = paige.mask(strip_invisible(referral.replace("\x00", "")).strip())[:MAX_REFERRAL] if wrong_person else ""
    async with db.tx() as tx:
        row = await by_token(tx, token)
        await execute(
            tx,
            """
            update interviews
            set outreach_stop_reason = coalesce(outreach_stop_reason, %(reason)s), updated_at = clock_now(),
                phase = case when phase = 'new' then 'declined' else phase end,
                referral = coalesce(nullif(%(referral)s, ''), referral)
            where org_id = %(org_id)s and id = %(id)s and status <> 'completed'
            """,
            org_id=row.org_id,
            id=row.interview_id,
            reason=reason,
            referral=named,
        )
        if named:
            key = f"referral:{row.interview_id}"
            await alerts.raise_alert(tx, row.org_id, "referral", key, interview_id=row.interview_id)
        if no_more_mail:
            await opt_out(tx, row)
        return await visit(tx, await by_token(tx, token))


async def take_turn(
    db: Db, token: str, *, turn_no: int, client_id: str, answer: paige.Answer, address: str = ""
) -> Visit:
    """Store one answer to the interviewer's turn `turn_no`, once, and let Paige reply.

    `client_id` is the form's own id: the same id again is the same answer again. While another call of the same answer
    is waiting for a reply, the visit says `awaiting_reply`. A stop waits for nothing: it is taken from whichever page,
    also while a reply is being made, which is then dropped. Raises NotFound; BadRequest for an empty or over-long
    answer; RateLimited for one message too many; Conflict when the conversation has moved on (another tab) or is over.
    """
    answer = _checked(answer)
    if not 1 <= len(client_id) <= 64:
        raise BadRequest.field("client_id", "must be 1 to 64 characters")
    if answer.action == "stop":
        client_id += "/stop"  # a form that has just sent its answer may send a stop after it
    with _counting(db, address):
        async with db.tx() as tx:
            row = await by_token(tx, token, lock=True)
            known = await execute(
                tx,
                "select from turns where org_id = %(org_id)s and interview_id = %(id)s and client_id = %(client_id)s",
                org_id=row.org_id,
                id=row.interview_id,
                client_id=client_id,
            )
            if not known:
                await _store_answer(tx, row, turn_no, client_id, answer)
    await reply(db, row.org_id, row.interview_id)
    return await enter(db, token)


def _checked(answer: paige.Answer) -> paige.Answer:
    limits.check_length(answer.text)
    if answer.action not in {*_WORDED, *_WORDLESS, *_EITHER}:
        raise BadRequest.field("action", f"must be one of {', '.join((*_WORDED, *_WORDLESS, *_EITHER))}")
    text = strip_invisible(answer.text.replace("\x00", "")).strip()
    if answer.action in _WORDED and not text:
        raise BadRequest.field("text", "is empty. Type a few words, or choose Skip.")
    # numbers of cards and identity papers are not ours to keep
    return paige.Answer(text=text if answer.action in UNSAID else paige.mask(text), action=answer.action)


async def _store_answer(tx: Tx, row: Row, turn_no: int, client_id: str, answer: paige.Answer) -> None:
    seen = await visit(tx, row)
    if not seen.open and not (seen.can_undo and answer.action == "undo"):
        raise Conflict("This interview is closed; nothing more was stored.")
    ending = seen.state is not None and seen.state.expects == "experience"
    if answer.action == "stop" and turn_no <= row.turn_no and not ending:
        if seen.awaiting_reply and seen.turns[-1].action == "stop":
            return  # by another click
        turn_no = row.turn_no
    elif turn_no != row.turn_no or seen.awaiting_reply or (answer.action == "experience" and not ending):
        raise Conflict("The conversation has moved on, perhaps in another window. Here is where it stands.")
    limits.check_number(sum(turn.role == "contact" for turn in seen.turns), answer.action)
    await store_turn(tx, row, turn_no + 1, "contact", answer.action, answer.text, (), client_id=client_id)
    await execute(
        tx,
        """
        update interviews
        set turn_no = %(turn_no)s, reply_due_at = clock_now() + interval '15 seconds', updated_at = clock_now(),
            generating_until = null,
            answered_at = case when %(worded)s then clock_now() else answered_at end,
            started_at = case when %(worded)s then coalesce(started_at, clock_now()) else started_at end
        where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=row.org_id,
        id=row.interview_id,
        turn_no=turn_no + 1,
        worded=bool(answer.text) and answer.action not in UNSAID,
    )


@contextlib.contextmanager
def _counting(db: Db, address: str) -> Generator[None]:
    """A link that opens nothing is counted for its client address. Raises RateLimited."""
    try:
        yield
    except NotFound:
        limits.count_unknown_token(db, address)
        raise
