"""Looking at one interview from its contact's side: found by token or number, with all that a turn is made from."""

import contextlib
import functools
import json
import logging
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from afterword import contacts, llm, paige, tokens
from afterword.db import Tx, execute, fetch_one
from afterword.errors import AfterwordError, NotFound
from afterword.interviews import Turn, turns
from afterword.settings import current

MAX_REFERRAL = 500  # characters of whom the wrong person names instead
LINK_DAYS = 90  # a link lives this long after the last mail or call
UNSAID = ("experience", "language")  # what comes with these is nothing that the contact said
OPEN_PHASES = ("asking", "recap", "experience", "paused")

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
    languages: tuple[str, ...]  # codes of the packs that the guide has, its own first
    language: str  # the code of the pack that is spoken, or that would be
    short: bool  # the form of 2 to 3 minutes
    uses_model: bool  # whether a language model may read the answers
    agreed: str | None  # the terms that the contact was shown and agreed to
    wrong_person: bool  # said before the interview began that somebody else should have been asked
    referral: str  # and whom, or which role

    @property
    def open(self) -> bool:
        """Whether the conversation can go on."""
        return _is_open(self.phase, expired=self.expired, completed=self.completed)

    @property
    def awaiting_reply(self) -> bool:
        """Whether the last word is the contact's, and Paige's is on its way."""
        return bool(self.turns) and self.turns[-1].role == "contact" and (self.open or self.can_undo)

    @property
    def can_undo(self) -> bool:
        """Whether the contact's stop can still be taken back."""
        return self.phase == "stopped" and not self.expired and self.state is not None and self.state.can_undo


@dataclass(frozen=True, slots=True)
class Row:
    """One interview with its contact, deal, guide and organization, as the database holds them."""

    org_id: str
    interview_id: int
    interview_type_id: str
    vendor: str
    interviewer_name: str
    consent_text: str
    support_text: str
    context_mode: paige.Mode
    contact_id: str
    contact_email: str
    contact_email_key: str
    contact_name: str | None
    contact_language: str | None
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
    language: str | None
    agreed: str | None
    own_model: bool
    model_agreed: bool
    outreach_stop_reason: str | None
    referral: str | None
    model_tokens: int
    generating: bool  # a reply is being made at this moment
    plan: Mapping[str, object] | None
    plan_inputs: str | None
    plan_attempts: int
    guide_version: int
    guide_json: str
    deal: Mapping[str, object] | None

    @property
    def guide(self) -> paige.Guide:
        """The guide of the pinned version, or before consent the type's. Raises GuideError."""
        return _guide(self.guide_json)

    @property
    def contact_address(self) -> contacts.Address:
        """The contact's e-mail address."""
        return contacts.Address(self.contact_email, self.contact_email_key)

    @property
    def open(self) -> bool:
        """Whether the conversation can go on."""
        return _is_open(self.phase, expired=self.expired, completed=self.completed)

    @property
    def may_use_model(self) -> bool:
        """Whether there is a language model for this interview."""
        return self.own_model or llm.from_settings(current()) is not None


@functools.lru_cache(maxsize=256)
def _guide(text: str) -> paige.Guide:
    """Read once for each text: a guide is long, and a turn looks at it five times."""
    return paige.load_guide(json.loads(text))


def _is_open(phase: str, *, expired: bool, completed: bool) -> bool:
    return phase in OPEN_PHASES and not expired and not (completed and phase != "experience")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an interview is kept."""

    org_id: str
    interview_id: int


async def by_token(tx: Tx, token: str, *, lock: bool = False) -> Row:
    """The interview that a link opens. Raises NotFound."""
    found = await fetch_one(
        tx,
        Place,
        "select org_id, id::bigint as interview_id from directory_tokens where hash = %(hash)s and purpose = 'survey'",
        hash=tokens.digest(token),
    )
    row = await by_id(tx, found.org_id, found.interview_id, lock=lock) if found else None
    if row is None:
        raise NotFound("This link is not valid.")
    return row


async def by_id(tx: Tx, org_id: str, interview_id: int, *, lock: bool = False) -> Row | None:
    """The interview of that number. `lock`: nobody else changes it until the transaction ends."""
    if lock:
        await execute(
            tx,
            "select from interviews where org_id = %(org_id)s and id = %(id)s for no key update",
            org_id=org_id,
            id=interview_id,
        )
    # What the deal tells Paige is listed here, column by column: `internal_notes` is not among it.
    return await fetch_one(
        tx,
        Row,
        """
        select i.org_id, i.id as interview_id, i.interview_type_id, o.name as vendor, o.interviewer_name,
            o.consent_text, o.support_text, o.context_mode, i.contact_id, c.email as contact_email,
            c.email_key as contact_email_key, c.name as contact_name, c.language as contact_language, c.notes,
            i.objective, i.deal_id, i.phase, i.completed_at is not null as completed,
            i.completed_at is null and i.updated_at < clock_now() - make_interval(days => %(link_days)s) as expired,
            i.started_at, i.seed, i.state, i.turn_no, i.language, i.consent_text as agreed,
            o.model is not null as own_model, i.model_agreed, i.outreach_stop_reason, i.referral, i.model_tokens,
            coalesce(i.generating_until > clock_now(), false) as generating,
            i.plan, i.plan_inputs, i.plan_attempts, g.version as guide_version, g.guide::text as guide_json,
            (select jsonb_build_object(
                'name', d.name, 'amount', d.amount, 'status', d.status, 'client_name', d.client_name, 'type', d.type,
                'region', d.region, 'industry', d.industry, 'close_date', d.close_date, 'summary', d.summary,
                'competitors', coalesce((
                    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                        'name', k.name, 'is_primary', nullif(k.is_primary, false),
                        'is_incumbent', nullif(k.is_incumbent, false), 'outcome', k.outcome)) order by k.position)
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


async def visit(tx: Tx, row: Row) -> Visit:
    """What the contact's page shows of it."""
    guide = row.guide
    state = paige.State.from_json(row.state) if row.state is not None else None
    about = context(row)
    return Visit(
        org_id=row.org_id,
        interview_id=row.interview_id,
        vendor=row.vendor,
        interviewer_name=row.interviewer_name,
        reader=about.said()["reader"],
        consent_text=row.consent_text,
        first_name=about.first_name,
        phase=row.phase,
        completed=row.completed,
        expired=row.expired,
        started=row.started_at is not None,
        guide=guide,
        state=state,
        turn_no=row.turn_no,
        # a turn stored since the row was read belongs to the next look: with it the form would carry an old number
        turns=[turn for turn in await turns(tx, row.org_id, row.interview_id) if turn.turn_no <= row.turn_no],
        mail_stopped=bool(await contacts.suppressions(tx, row.org_id, row.contact_address.hashes)),
        languages=(guide.language, *(code for code in guide.packs if code != guide.language)),
        language=state.language if state is not None else guide.pack(about.language).language,
        short=state is not None and state.short,
        uses_model=row.may_use_model,
        agreed=row.agreed,
        wrong_person=row.phase == "declined" and row.outreach_stop_reason == "wrong_person",
        referral=row.referral or "",
    )


def context(
    row: Row,
    *,
    mode: paige.Mode = "script",
    said: Sequence[Turn] = (),
    language: str | None = None,
    plan: Mapping[str, object] | None = None,
) -> paige.Context:
    """What Paige may use for one turn; `said` is the conversation up to the answer at hand, without it.

    `plan` is the planner's, where the interview has one that still holds.
    """
    deal = {name: value for name, value in (row.deal or {}).items() if value not in (None, "", [])}
    client = deal.get("client_name")
    return paige.Context(
        interviewer_name=row.interviewer_name,
        vendor=row.vendor,
        contact_name=row.contact_name,
        first_name=row.contact_name.split()[0] if row.contact_name else None,
        company=str(client) if client else contacts.company(row.notes),
        notes=row.notes,
        objective=row.objective,
        deal=deal,
        language=language or row.language or row.contact_language or row.guide.language,
        support=row.support_text,
        history=tuple(paige.Line(turn.role, turn.text) for turn in said if turn.text and turn.action not in UNSAID),
        mode=mode,
        plan=paige.Plan.from_json(plan) if plan is not None else None,
    )


@contextlib.contextmanager
def set_aside(place: Place) -> Generator[None]:
    """One interview that cannot be read must not hold up the others in a sweep."""
    try:
        yield
    except (AfterwordError, psycopg.OperationalError):
        raise  # the database is away, for the others too
    except Exception:
        _log.exception("interview %d cannot be read; the sweep goes on with the next", place.interview_id)
