"""The contact's side: open the link, consent, answer, and come back later. Nothing said is lost or taken twice.

A turn is three steps. (1) A transaction stores the answer as turn n+1; its number and the client's id for it are
unique, so a double click is one answer. (2) No transaction: Paige hears it. (3) A transaction stores her turn n+2
if the interview is still at n+1; at the end of the interview it also sets the status and writes the transcript, the
event and the analysis job. If the process dies after (1), the answer stands there without a reply: the page's retry,
or after 15 seconds the worker's sweep, takes steps (2) and (3) again, and the first to commit wins.
"""

import contextlib
import json
import logging
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Json

from afterword import contacts, ids, jobs, paige, tokens, webhooks
from afterword.contacts import strip_invisible
from afterword.db import Db, Tx, execute, fetch_all, fetch_one
from afterword.errors import BadRequest, Conflict, NotFound
from afterword.interviews import Turn, transcript, turns
from afterword.settings import current

LINK_DAYS = 90  # a link lives this long after the last mail or call
MAX_REFERRAL = 500  # characters of whom the wrong person names instead
IDLE_DAYS = 30  # after this long without an answer an interview that was begun counts as completed

_OPEN_PHASES = ("asking", "recap", "experience", "paused")
_LEADING_OUT = ("skip", "stop", "confirm", "experience")  # what an interview that is full still takes
_WORDLESS = ("skip", "stop", "pause", "resume", "confirm", "go_on", "undo", "experience")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """One interview as its contact sees it. `phase` is `new` until consent; `state` is Paige's, from then on."""

    org_id: str
    interview_id: int
    vendor: str
    interviewer_name: str
    reader: str  # who will read the answers, in words
    consent_text: str
    first_name: str | None
    phase: str
    completed: bool
    expired: bool
    started: bool
    guide: paige.Guide
    state: paige.State | None
    turn_no: int
    turns: Sequence[Turn]
    mail_stopped: bool
    languages: tuple[str, ...]  # what the interview can be held in
    language: str
    short: bool
    uses_model: bool  # whether a language model may read the answers
    agreed: str | None  # the terms as the contact was shown them
    wrong_person: bool  # somebody else should have been asked
    referral: str  # whom the contact named instead, before the interview began

    @property
    def open(self) -> bool:
        """Whether the conversation can go on."""
        return self.phase in _OPEN_PHASES and not self.expired and not (self.completed and self.phase != "experience")

    @property
    def awaiting_reply(self) -> bool:
        """Whether the last word is the contact's, and Paige's is on its way."""
        return bool(self.turns) and self.turns[-1].role == "contact" and (self.open or self.can_undo)

    @property
    def can_undo(self) -> bool:
        """Whether the contact's stop can still be taken back."""
        return self.phase == "stopped" and not self.expired and self.state is not None and self.state.can_undo


@dataclass(frozen=True, slots=True)
class _Row:
    org_id: str
    interview_id: int
    interview_type_id: str
    vendor: str
    interviewer_name: str
    consent_text: str
    contact_id: str
    contact_name: str | None
    notes: str
    objective: str
    deal_id: str | None
    phase: str
    completed: bool
    expired: bool
    started_at: datetime | None
    seed: bytes
    state: Mapping[str, object] | None
    turn_no: int
    guide: Mapping[str, object]
    deal: Mapping[str, object] | None
    language: str | None
    agreed: str | None
    own_model: bool
    outreach_stop_reason: str | None
    referral: str | None


async def enter(db: Db, token: str, *, address: str = "") -> Visit:
    """What the link opens. Changes nothing. Raises NotFound for a token that is not, or no longer, anybody's."""
    async with db.tx() as tx:
        return await _visit(tx, await _by_token(tx, token))


async def consent(
    db: Db, token: str, consent_text: str, *, address: str = "", language: str | None = None, short: bool = False
) -> Visit:
    """Begin: record what the contact agreed to and when, and store Paige's opening as turn 1. Twice is once."""
    async with db.tx() as tx:
        row = await _by_token(tx, token)
        if row.phase == "new" and not row.expired:
            step = paige.open(paige.load_guide(row.guide), _context(row, language), row.seed)
            begun = await execute(
                tx,
                """
                update interviews i
                set phase = %(phase)s, state = %(state)s, turn_no = 1, consent_at = clock_now(),
                    consent_text = %(consent_text)s, updated_at = clock_now(), language = %(language)s,
                    guide_version = (
                        select t.version from interview_types t
                        where t.org_id = i.org_id and t.id = i.interview_type_id)
                where i.org_id = %(org_id)s and i.id = %(id)s and i.phase = 'new'
                """,
                org_id=row.org_id,
                id=row.interview_id,
                phase=step.state.phase,
                state=Json(step.state.to_json()),
                consent_text=consent_text,
                language=language,
            )
            if begun:
                await _store_turn(tx, row, 1, "interviewer", "answer", step.say, step.events)
        return await _visit(tx, await _by_token(tx, token))


async def reconsider(db: Db, token: str) -> Visit:
    """Whoever declined may read the terms again and begin after all. No mail goes out for it."""
    async with db.tx() as tx:
        row = await _by_token(tx, token)
        await execute(
            tx,
            """
            update interviews set phase = 'new', updated_at = clock_now()
            where org_id = %(org_id)s and id = %(id)s and phase = 'declined'
            """,
            org_id=row.org_id,
            id=row.interview_id,
        )
        return await _visit(tx, await _by_token(tx, token))


async def withdraw(db: Db, token: str) -> Visit:
    """Erase all that the contact said: answers, transcript, what Paige remembers. The link then only says so."""
    async with db.tx() as tx:
        row = await _by_token(tx, token, lock=True)
        for query in (
            "delete from turns where org_id = %(org_id)s and interview_id = %(id)s",
            "delete from documents where org_id = %(org_id)s and interview_id = %(id)s",
            "delete from prompts where org_id = %(org_id)s and interview_id = %(id)s",
            """
            update interviews
            set phase = 'withdrawn', state = null, referral = null, experience = null, turn_no = 0, reply_due_at = null,
                answered_at = null, outreach_stop_reason = coalesce(outreach_stop_reason, 'withdrawn'),
                withdrawn_at = coalesce(withdrawn_at, clock_now()), updated_at = clock_now()
            where org_id = %(org_id)s and id = %(id)s and phase not in ('new', 'declined')
            """,
        ):
            await execute(tx, query, org_id=row.org_id, id=row.interview_id)
        return await _visit(tx, await _by_token(tx, token))


async def decline(
    db: Db, token: str, *, no_more_mail: bool = False, wrong_person: bool = False, referral: str = ""
) -> Visit:
    """The contact would rather not: nothing is asked, no further mail goes out; on request never again.

    `referral` is whom the wrong person named instead: for people to read, never to be mailed by us.
    """
    reason = "unsubscribed" if no_more_mail else "wrong_person" if wrong_person else "declined"
    async with db.tx() as tx:
        row = await _by_token(tx, token)
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
            referral=strip_invisible(referral.replace("\x00", "")).strip()[:MAX_REFERRAL] if wrong_person else "",
        )
        if no_more_mail:
            await _opt_out(tx, row)
        return await _visit(tx, await _by_token(tx, token))


async def take_turn(
    db: Db, token: str, *, turn_no: int, client_id: str, answer: paige.Answer, address: str = ""
) -> Visit:
    """Store one answer to the interviewer's turn `turn_no`, once, and let Paige reply.

    `client_id` is the form's own id: the same id again is the same answer again. Raises NotFound; BadRequest for an
    empty or over-long answer; Conflict when the conversation has moved on (another tab) or is closed.
    """
    answer = _checked(answer)
    if not 1 <= len(client_id) <= 64:
        raise BadRequest.field("client_id", "must be 1 to 64 characters")
    async with db.tx() as tx:
        row = await _by_token(tx, token, lock=True)
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
    limit = current().survey_message_characters
    if len(answer.text) > limit:
        raise BadRequest.field(
            "text",
            f"can have at most {limit:,} characters, yours has {len(answer.text):,}. Please shorten it a little.",
        )
    text = strip_invisible(answer.text.replace("\x00", "")).strip()
    if answer.action in {"answer", "correct"} and not text:
        raise BadRequest.field("text", "is empty. Type a few words, or choose Skip.")
    if answer.action not in {"answer", "correct", *_WORDLESS}:
        raise BadRequest.field("action", f"must be one of answer, correct, {', '.join(_WORDLESS)}")
    return paige.Answer(text=text, action=answer.action)


async def _store_answer(tx: Tx, row: _Row, turn_no: int, client_id: str, answer: paige.Answer) -> None:
    visit = await _visit(tx, row)
    if not visit.open and not (visit.can_undo and answer.action == "undo"):
        raise Conflict("This interview is closed; nothing more was stored.")
    out_of_place = answer.action == "experience" and (visit.state is None or visit.state.expects != "experience")
    if turn_no != row.turn_no or visit.awaiting_reply or out_of_place:
        raise Conflict("The conversation has moved on, perhaps in another window. Here is where it stands.")
    said = sum(turn.role == "contact" for turn in visit.turns)
    if said >= current().survey_messages and answer.action not in _LEADING_OUT:
        raise Conflict(f"That was message {said}, more than an interview can hold. Please end it; all of it is stored.")
    await _store_turn(tx, row, turn_no + 1, "contact", answer.action, answer.text, (), client_id=client_id)
    await execute(
        tx,
        """
        update interviews
        set turn_no = %(turn_no)s, reply_due_at = clock_now() + interval '15 seconds', updated_at = clock_now(),
            answered_at = case when %(worded)s then clock_now() else answered_at end,
            started_at = case when %(worded)s then coalesce(started_at, clock_now()) else started_at end
        where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=row.org_id,
        id=row.interview_id,
        turn_no=turn_no + 1,
        worded=bool(answer.text) and answer.action != "experience",
    )


async def reply(db: Db, org_id: str, interview_id: int) -> bool:
    """Let Paige answer the contact's last turn if nobody has yet. True if this call was the one that did."""
    async with db.tx() as tx:
        row = await _by_id(tx, org_id, interview_id)
        said: Sequence[Turn] = await turns(tx, org_id, interview_id) if row else ()
    if row is None or row.state is None or not said or said[-1].role != "contact" or row.turn_no != said[-1].turn_no:
        return False
    guide, state = paige.load_guide(row.guide), paige.State.from_json(row.state)
    action = "answer" if said[-1].action == "experience" else said[-1].action
    step = paige.hear(guide, _context(row), state, paige.Answer(text=said[-1].text, action=action))
    if isinstance(step, paige.Ask):
        step = paige.decide(guide, _context(row), state, step, None)
    if isinstance(step, paige.Ask):
        raise TypeError("the interviewer asked again after a failure")
    async with db.tx() as tx:
        current_row = await _by_id(tx, org_id, interview_id, lock=True)
        if current_row is None or current_row.turn_no != row.turn_no:
            return False
        await _store_step(tx, current_row, step, said[-1])
    return True


async def _store_step(tx: Tx, row: _Row, step: paige.Step, answered: Turn) -> None:
    await _store_turn(tx, row, row.turn_no + 1, "interviewer", "answer", step.say, step.events)
    await execute(
        tx,
        """
        update interviews
        set turn_no = %(turn_no)s, phase = %(phase)s, state = %(state)s, reply_due_at = null, updated_at = clock_now(),
            experience = coalesce(%(experience)s, experience)
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
        match event.kind:
            case "completed":
                await _complete(tx, row, str(event.data["ended_by"]))
            case "stopped_early":
                await execute(
                    tx,
                    """
                    update interviews set outreach_stop_reason = coalesce(outreach_stop_reason, 'declined')
                    where org_id = %(org_id)s and id = %(id)s
                    """,
                    org_id=row.org_id,
                    id=row.interview_id,
                )
            case "opt_out":
                await _opt_out(tx, row)
            case "stop_undone":
                await _reopen(tx, row)
            case _:
                pass  # kept with the turn


async def _complete(tx: Tx, row: _Row, ended_by: str) -> None:
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


async def _reopen(tx: Tx, row: _Row) -> None:
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


@dataclass(frozen=True, slots=True)
class _Email:
    email: str


async def _opt_out(tx: Tx, row: _Row) -> None:
    contact = await fetch_one(
        tx,
        _Email,
        "select email from contacts where org_id = %(org_id)s and id = %(id)s",
        org_id=row.org_id,
        id=row.contact_id,
    )
    if contact is not None:
        address = tokens.address_hashes(contacts.parse_address(contact.email).key)[0]
        await contacts.suppress(tx, row.org_id, address, "unsubscribed", "survey")


async def _store_turn(
    tx: Tx,
    row: _Row,
    turn_no: int,
    role: str,
    action: str,
    text: str,
    events: Sequence[paige.Event],
    *,
    client_id: str | None = None,
) -> None:
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
        origin="script" if role == "interviewer" else None,
        events=Json([{"kind": event.kind, **event.data} for event in events]),
    )


async def _by_token(tx: Tx, token: str, *, lock: bool = False) -> _Row:
    found = await fetch_one(
        tx,
        _Place,
        "select org_id, id::bigint as interview_id from directory_tokens where hash = %(hash)s and purpose = 'survey'",
        hash=tokens.digest(token),
    )
    row = await _by_id(tx, found.org_id, found.interview_id, lock=lock) if found else None
    if row is None:
        raise NotFound("This link is not valid.")
    return row


@dataclass(frozen=True, slots=True)
class _Place:
    org_id: str
    interview_id: int


async def _by_id(tx: Tx, org_id: str, interview_id: int, *, lock: bool = False) -> _Row | None:
    if lock:
        await execute(
            tx,
            "select from interviews where org_id = %(org_id)s and id = %(id)s for no key update",
            org_id=org_id,
            id=interview_id,
        )
    return await fetch_one(
        tx,
        _Row,
        """
        select i.org_id, i.id as interview_id, i.interview_type_id, o.name as vendor, o.interviewer_name,
            o.consent_text, i.contact_id, c.name as contact_name, c.notes, i.objective, i.deal_id, i.phase,
            i.completed_at is not null as completed,
            i.completed_at is null and i.updated_at < clock_now() - make_interval(days => %(link_days)s) as expired,
            i.started_at, i.seed, i.state, i.turn_no, g.guide, i.language, i.consent_text as agreed,
            i.outreach_stop_reason, i.referral, o.model is not null as own_model,
            (select jsonb_build_object(
                'name', d.name, 'amount', d.amount, 'status', d.status, 'client_name', d.client_name,
                'competitors', coalesce((
                    select jsonb_agg(jsonb_build_object('name', k.name) order by k.position)
                    from deal_competitors k where k.org_id = d.org_id and k.deal_id = d.id), '[]'))
             from deals d where d.org_id = i.org_id and d.id = i.deal_id) as deal
        from interviews i
        join organizations o on o.id = i.org_id
        join contacts c on c.org_id = i.org_id and c.id = i.contact_id
        join interview_types t on t.org_id = i.org_id and t.id = i.interview_type_id
        join guide_versions g
            on g.org_id = t.org_id and g.interview_type_id = t.id and g.version = coalesce(i.guide_version, t.version)
        where i.org_id = %(org_id)s and i.id = %(id)s
        """,
        org_id=org_id,
        id=interview_id,
        link_days=LINK_DAYS,
    )


async def _visit(tx: Tx, row: _Row) -> Visit:
    guide = paige.load_guide(row.guide)
    state = paige.State.from_json(row.state) if row.state is not None else None
    return Visit(
        org_id=row.org_id,
        interview_id=row.interview_id,
        vendor=row.vendor,
        interviewer_name=row.interviewer_name,
        reader=_context(row).said()["reader"],
        consent_text=row.consent_text,
        first_name=_first_name(row.contact_name),
        phase=row.phase,
        completed=row.completed,
        expired=row.expired,
        started=row.started_at is not None,
        guide=guide,
        state=state,
        turn_no=row.turn_no,
        turns=await turns(tx, row.org_id, row.interview_id),
        mail_stopped=(await contacts.get(tx, row.org_id, row.contact_id)).suppressed_reason is not None,
        languages=tuple(guide.packs),
        language=state.language if state else row.language or guide.language,
        short=False,
        uses_model=row.own_model or bool(current().llm_model),
        agreed=row.agreed,
        wrong_person=row.outreach_stop_reason == "wrong_person",
        referral=row.referral or "",
    )


def _first_name(name: str | None) -> str | None:
    return name.split()[0] if name else None


def _context(row: _Row, language: str | None = None) -> paige.Context:
    deal = row.deal or {}
    return paige.Context(
        interviewer_name=row.interviewer_name,
        vendor=row.vendor,
        contact_name=row.contact_name,
        first_name=_first_name(row.contact_name),
        company=str(client) if (client := deal.get("client_name")) else contacts.company(row.notes),
        notes=row.notes,
        objective=row.objective,
        deal=deal,
        language=language or row.language or "en",
    )


async def finish_replies(db: Db) -> int:
    """The worker's sweep: reply to answers whose process died before Paige's turn was stored; how many."""
    async with db.tx() as tx:
        waiting = await fetch_all(
            tx,
            _Place,
            """
            select org_id, id as interview_id from interviews
            where reply_due_at < clock_now() order by reply_due_at limit 100
            """,
        )
    replied = 0
    for place in waiting:
        with _set_aside(place):
            replied += await reply(db, place.org_id, place.interview_id)
    return replied


async def complete_idle(db: Db) -> int:
    """Complete interviews under way whose last answer is older than IDLE_DAYS, as `expired`; how many."""
    async with db.tx() as tx:
        idle = await fetch_all(
            tx,
            _Place,
            """
            select org_id, id as interview_id from interviews
            where answered_at < clock_now() - make_interval(days => %(days)s) and completed_at is null
              and phase = any(%(open)s)
            order by answered_at limit 100
            """,
            days=IDLE_DAYS,
            open=list(_OPEN_PHASES),
        )
    completed = 0
    for place in idle:
        with _set_aside(place):
            completed += await _complete_if_idle(db, place)
    return completed


async def _complete_if_idle(db: Db, place: _Place) -> bool:
    """Look once more, under the lock: the contact may have come back, or withdrawn."""
    async with db.tx() as tx:
        row = await _by_id(tx, place.org_id, place.interview_id, lock=True)
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
            open=list(_OPEN_PHASES),
        )
        if row is not None and idle:
            await _complete(tx, row, "expired")
        return bool(idle)


@contextlib.contextmanager
def _set_aside(place: _Place) -> Generator[None]:
    """One interview that cannot be read must not hold up the others in a sweep."""
    try:
        yield
    except (paige.GuideError, ValueError, LookupError, TypeError):
        _log.exception("interview %d cannot be read; the sweep goes on with the next", place.interview_id)
