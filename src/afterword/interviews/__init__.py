"""Interviews: asked for by the API, held with a contact through a link, finished with a transcript.

Here: the request and what the company sees of it. `conversation` is the contact's side, `transcript` the document.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from afterword import contacts, ids, tokens
from afterword.accounts import MISMATCH, IdempotencyKey
from afterword.contacts import strip_invisible
from afterword.db import Db, Tx, execute, fetch_all, fetch_one
from afterword.errors import BadRequest, IdempotencyMismatch, NotFound
from afterword.settings import current

MAX_OBJECTIVE = 4000  # characters

Status = Literal["created", "sent", "completed"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the date of a sequence's first mail follows from, as the database holds it."""

    now: datetime
    time_zone: str
    window: Sequence[Mapping[str, object]] | None
    holidays: Sequence[str]
    delay_unit: str
    delay_count: int


FirstSend = Callable[[Schedule], datetime]


@dataclass(frozen=True, slots=True)
class RequestedOutreach:
    """What will be mailed: `scheduled`, `waiting_approval` or `paused`; or `suppressed` with the reason."""

    state: str
    next_send_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Requested:
    """The answer to a request. `replayed`: an Idempotency-Key brought back the answer to an earlier call."""

    interview_id: int
    contact_id: str
    deal_id: str | None
    token: str
    status: Status
    outreach: RequestedOutreach | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    outcome: str
    interview_id: int | None
    seed: bytes
    token_hash: bytes
    answer: Mapping[str, object] | None
    schedule: Mapping[str, object] | None


_REFUSED = {
    "no_sequence": ("sequence_id", "not found"),
    "no_type": ("interview_type_id", "not found"),
    "no_deal": ("deal_id", "not found"),
    "type_mismatch": ("interview_type_id", "is not the sequence's interview type; leave it out"),
}


async def request(
    db: Db,
    org_id: str,
    *,
    email: str,
    first_send: FirstSend,
    sequence_id: str | None = None,
    interview_type_id: str | None = None,
    name: str | None = None,
    notes: str | None = None,
    deal_id: str | None = None,
    objective: str | None = None,
    key: IdempotencyKey | None = None,
) -> Requested:
    """Ask for an interview with the contact of this address, made or updated as needed. One statement, all or nothing.

    `notes` and `name` replace what is stored where given. With `sequence_id` the contact is enrolled, and `first_send`
    dates the first mail where the sequence has a window. Raises BadRequest, IdempotencyMismatch.
    """
    address = contacts.parse_address(email)
    if sequence_id is None and interview_type_id is None:
        raise BadRequest(
            "One of sequence_id and interview_type_id is required.",
            fields=[(field, "this or the other is required") for field in ("sequence_id", "interview_type_id")],
        )
    if sequence_id is not None and address.read_by_machines:
        raise BadRequest.field(
            "contact_email", "is a mailbox that no person reads; use interview_type_id to get a link without a mail"
        )
    seed = tokens.new_seed()
    arguments: dict[str, object] = {
        "org_id": org_id,
        "contact_id": ids.new("contact"),
        "email": address.email,
        "email_key": address.key,
        "name": contacts.check_name(name) if name is not None else None,
        "notes": contacts.check_notes(notes) if notes is not None else None,
        "sequence_id": sequence_id,
        "type_id": interview_type_id,
        "deal_id": deal_id,
        "objective": check_objective(objective) if objective is not None else None,
        "seed": seed,
        "token_hash": tokens.digest(tokens.survey_token(seed)),
        "addresses": address.hashes if sequence_id is not None else [],
        "enrollment_id": ids.new("enr") if sequence_id is not None else None,
        "event_id": ids.new("evt"),
        "route": key.route if key else None,
        "key": key.key if key else None,
        "fingerprint": key.fingerprint if key else None,
    }
    outcome = await _request(db, arguments, None, None)
    while outcome.outcome == "needs_schedule":  # again only if the sequence was changed in between
        assert outcome.schedule is not None
        revision, schedule = _schedule(outcome.schedule)
        outcome = await _request(db, arguments, revision, first_send(schedule))
    if outcome.outcome == "mismatch":
        raise IdempotencyMismatch(MISMATCH)
    if outcome.outcome in _REFUSED:
        raise BadRequest.field(*_REFUSED[outcome.outcome])
    return _requested(outcome, deal_id)


async def _request(
    db: Db, arguments: Mapping[str, object], revision: int | None, first_send: datetime | None
) -> _Outcome:
    outcome = await db.together(
        _Outcome,
        """
        select * from request_interview(
            %(org_id)s, %(contact_id)s, %(email)s, %(email_key)s, %(name)s, %(notes)s,
            %(sequence_id)s, %(type_id)s, %(deal_id)s, %(objective)s,
            %(seed)s, %(token_hash)s, %(addresses)s::bytea[], %(enrollment_id)s, %(event_id)s,
            %(revision)s, %(first_send)s, %(route)s, %(key)s, %(fingerprint)s)
        """,
        "select * from request_interview_many(%(items)s)",
        **arguments,
        revision=revision,
        first_send=first_send,
    )
    assert outcome is not None
    return outcome


def _schedule(raw: Mapping[str, object]) -> tuple[int, Schedule]:
    """What request_interview() says under `schedule`."""
    return cast("int", raw["revision"]), Schedule(
        now=datetime.fromtimestamp(cast("float", raw["now"]), UTC),
        time_zone=cast("str", raw["time_zone"]),
        window=cast("Sequence[Mapping[str, object]] | None", raw["window"]),
        holidays=cast("Sequence[str]", raw["holidays"]),
        delay_unit=cast("str", raw["delay_unit"]),
        delay_count=cast("int", raw["delay_count"]),
    )


def _requested(outcome: _Outcome, deal_id: str | None) -> Requested:
    """What request_interview() says under `answer`."""
    answer = outcome.answer
    assert answer is not None
    assert outcome.interview_id is not None
    outreach = cast("Mapping[str, object] | None", answer["outreach"])
    return Requested(
        interview_id=outcome.interview_id,
        contact_id=cast("str", answer["contact_id"]),
        deal_id=deal_id,
        token=tokens.survey_token(outcome.seed, outcome.token_hash),
        status=cast("Status", answer["status"]),
        outreach=_outreach(outreach) if outreach else None,
        replayed=outcome.outcome == "replayed",
    )


def _outreach(raw: Mapping[str, object]) -> RequestedOutreach:
    at = cast("float | None", raw["next_send_at"])
    return RequestedOutreach(
        state=cast("str", raw["state"]),
        next_send_at=datetime.fromtimestamp(at, UTC) if at is not None else None,
        reason=cast("str | None", raw["reason"]),
    )


def check_objective(objective: str) -> str:
    """The goal of one interview, invisible characters dropped. Raises BadRequest."""
    if len(objective) > MAX_OBJECTIVE:
        raise BadRequest.field("objective", f"must be at most {MAX_OBJECTIVE} characters, this has {len(objective)}")
    return strip_invisible(objective)


def survey_url(token: str) -> str:
    """The link that opens the contact's page."""
    return f"{current().base_url}/survey?token={token}"


@dataclass(frozen=True, slots=True)
class Interview:
    """One interview as the company sees it. `transcript` is None until it is completed."""

    id: int
    contact_id: str
    contact_email: str
    contact_name: str | None
    deal_id: str | None
    interview_type_id: str
    sequence_id: str | None
    objective: str
    status: Status
    phase: str
    seed: bytes
    token_hash: bytes
    outreach_stop_reason: str | None
    language: str | None
    referral: str | None
    state: Mapping[str, object] | None
    email_sent_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    ended_by: str | None
    withdrawn_at: datetime | None
    created_at: datetime
    document_id: str | None
    transcript: str | None
    transcript_at: datetime | None
    guide: Mapping[str, object] | None

    @property
    def token(self) -> str:
        """The survey token, derived again: it is stored nowhere."""
        return tokens.survey_token(self.seed, self.token_hash)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of an interview, in order from 1. `role` is `interviewer` or `contact`."""

    turn_no: int
    role: str
    action: str
    text: str
    created_at: datetime


async def get(tx: Tx, org_id: str, interview_id: int) -> Interview:
    """One interview of the organization. Raises NotFound."""
    found = await fetch_one(
        tx,
        Interview,
        """
        select i.id, i.contact_id, c.email as contact_email, c.name as contact_name, i.deal_id, i.interview_type_id,
            i.sequence_id, i.objective, i.status, i.phase, i.seed, i.token_hash, i.outreach_stop_reason, i.language,
            i.referral, i.state, i.email_sent_at, i.started_at, i.completed_at, i.ended_by, i.withdrawn_at,
            i.created_at, d.id as document_id, d.content as transcript, d.created_at as transcript_at, g.guide
        from interviews i
        join contacts c on c.org_id = i.org_id and c.id = i.contact_id
        left join documents d on d.org_id = i.org_id and d.interview_id = i.id
        left join guide_versions g
            on g.org_id = i.org_id and g.interview_type_id = i.interview_type_id and g.version = i.guide_version
        where i.org_id = %(org_id)s and i.id = %(id)s
        """,
        org_id=org_id,
        id=interview_id,
    )
    if found is None:
        raise NotFound(f"interview request {interview_id} not found")
    return found


async def turns(tx: Tx, org_id: str, interview_id: int) -> Sequence[Turn]:
    """What was said so far, in order."""
    return await fetch_all(
        tx,
        Turn,
        """
        select turn_no, role, action, text, created_at from turns
        where org_id = %(org_id)s and interview_id = %(id)s order by turn_no
        """,
        org_id=org_id,
        id=interview_id,
    )


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that a person should look at, such as `distress` or `referral_given`; `turn_no` is the contact's."""

    reason: str
    turn_no: int
    at: datetime


async def flags(tx: Tx, org_id: str, interview_id: int) -> Sequence[Flag]:
    """What Paige noted for a person, in order. She notes it with her reply, the turn after the one that it is about."""
    return await fetch_all(
        tx,
        Flag,
        """
        select coalesce(e.event ->> 'reason', e.event ->> 'kind') as reason, t.turn_no - 1 as turn_no,
            t.created_at as at
        from turns t cross join lateral json_array_elements(t.events) as e (event)
        where t.org_id = %(org_id)s and t.interview_id = %(id)s and e.event ->> 'kind' in ('flag', 'delete_request')
        order by t.turn_no
        """,
        org_id=org_id,
        id=interview_id,
    )


@dataclass(frozen=True, slots=True)
class _ContactId:
    contact_id: str


async def update(
    tx: Tx,
    org_id: str,
    interview_id: int,
    *,
    name: str | None = None,
    notes: str | None = None,
    objective: str | None = None,
) -> None:
    """Set the objective, or the contact's name or notes, where given; the rest stays. Raises NotFound, BadRequest."""
    found = await fetch_one(
        tx,
        _ContactId,
        """
        update interviews set objective = coalesce(%(objective)s, objective), updated_at = clock_now()
        where org_id = %(org_id)s and id = %(id)s returning contact_id
        """,
        org_id=org_id,
        id=interview_id,
        objective=check_objective(objective) if objective is not None else None,
    )
    if found is None:
        raise NotFound(f"interview request {interview_id} not found")
    if name is not None or notes is not None:
        await contacts.update(
            tx,
            org_id,
            found.contact_id,
            name=contacts.check_name(name) if name is not None else None,
            notes=contacts.check_notes(notes) if notes is not None else None,
        )


async def mail_accepted(tx: Tx, org_id: str, interview_id: int) -> None:
    """Note that the first mail with this interview's link has left; later mails change nothing but its age."""
    await execute(
        tx,
        """
        update interviews
        set email_sent_at = coalesce(email_sent_at, clock_now()), updated_at = clock_now()
        where org_id = %(org_id)s and id = %(id)s
        """,
        org_id=org_id,
        id=interview_id,
    )
