"""`/interviews`: ask for an interview, look at it, change what Paige knows."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, field_validator

from afterword import interviews, outreach, paige
from afterword.api.gate import Administers, Database, OptionalKey, ReadsInterviews, WritesInterviews
from afterword.api.shapes import (
    IgnoredOrgId,
    Instant,
    OptionalInstant,
    RequestModel,
    ResponseModel,
    json_response,
)
from afterword.errors import BadRequest, NotFound
from afterword.interviews import Interview, Requested, Turn, prompts

router = APIRouter(prefix="/interviews", tags=["Interviews"])

ContactContext = Annotated[
    str | dict[str, Any] | None,
    Field(
        description="Background on the contact for Paige: text, or an object, serialized for you. Stored in the "
        "contact's notes, replacing earlier notes, and used in every interview prompt for this contact. At most 64 "
        'KiB; `""` clears the notes.',
        examples=[
            {
                "title": "VP of Engineering",
                "use_case": "Evaluating us for CI/CD pipeline automation",
                "evaluation_stage": "POC completed",
            }
        ],
    ),
]
ContactName = Annotated[str | None, Field(description="Full name of the contact.", examples=["Jane Smith"])]
Objective = Annotated[
    str | None,
    Field(
        description="The goal of this one interview, extra context for Paige. At most 4,000 characters.",
        examples=["Understand why we lost this deal to Competitor X"],
    ),
]


def _check_context(value: object) -> object:
    if value is not None and not isinstance(value, str | dict):
        raise ValueError("must be a string or an object")
    return value  # pyright: ignore[reportUnknownVariableType]  (the field's own type is checked next)


class InterviewRequest(RequestModel):
    """Ask for an interview. One of `sequence_id` and `interview_type_id` is required."""

    contact_email: str = Field(
        description="E-mail address of the contact, who is created if new, updated if known.",
        examples=["jane.smith@example.com"],
    )
    sequence_id: str | None = Field(
        default=None,
        description="Enroll the contact in this sequence: Paige does the mailing. The interview type comes from it.",
        examples=["seq_abc123"],
    )
    interview_type_id: str | None = Field(
        default=None, description="Link only: nothing is mailed.", examples=["type_abc123"]
    )
    contact_name: ContactName = None
    contact_context: ContactContext = None
    deal_id: str | None = Field(default=None, description="The deal this is about.", examples=["deal_xyz789"])
    objective: Objective = None
    org_id: IgnoredOrgId = None

    _context = field_validator("contact_context", mode="before")(_check_context)


class OutreachPlan(ResponseModel):
    """What happens by mail: `scheduled`, `waiting_approval`, `paused`, or `suppressed` with the reason."""

    state: str = Field(examples=["scheduled"])
    next_send_at: OptionalInstant = Field(default=None, examples=["2026-11-24T09:30:00.000Z"])
    reason: str | None = Field(default=None, examples=[None])


class InterviewCreated(ResponseModel):
    """The interview request as it was made."""

    interview_request_id: int = Field(examples=[4821])
    contact_id: str = Field(examples=["contact_abc123"])
    deal_id: str | None = Field(examples=["deal_xyz789"])
    survey_url: str | None = Field(examples=["https://interviews.example.com/survey?token=tok_xyz"])
    survey_token: str | None = Field(examples=["tok_xyz"])
    status: str = Field(
        description="`sent` when enrolled in a sequence, `created` for link only.",
        examples=["sent"],
        json_schema_extra={"enum": ["created", "sent"]},
    )
    outreach: OutreachPlan | None = None


class InterviewUpdate(RequestModel):
    """Any of the three; what is left out stays."""

    contact_context: ContactContext = None
    contact_name: ContactName = None
    objective: Objective = None
    org_id: IgnoredOrgId = None

    _context = field_validator("contact_context", mode="before")(_check_context)


class InterviewUpdated(ResponseModel):
    """Which interview was changed."""

    interview_request_id: int = Field(examples=[4821])


class Transcript(ResponseModel):
    """The finished conversation as markdown: `**Paige:** …` and `**Jane Smith:** …`, one paragraph a turn."""

    document_id: str = Field(examples=["doc_abc123"])
    content: str
    created_at: Instant


class TurnOut(ResponseModel):
    """One message of the conversation."""

    turn: int = Field(examples=[1])
    role: str = Field(examples=["interviewer"], json_schema_extra={"enum": ["interviewer", "contact"]})
    action: str = Field(examples=["answer"])
    text: str
    created_at: Instant


class FlagOut(ResponseModel):
    """Something that a person should look at."""

    reason: str = Field(
        description="`distress`, `abuse`, `injection`, `delete_request`, `referral`, `referral_given`, "
        "`question_for_a_person` or `contradiction`.",
        examples=["referral_given"],
    )
    turn: int = Field(description="The contact's turn that it is about.", examples=[4])
    at: Instant


class ProgressOut(ResponseModel):
    """How far the conversation is, by topics."""

    done: int
    total: int


class OutreachOut(ResponseModel):
    """Where the mailing stands, and in one sentence why the next mail has not gone yet."""

    state: str = Field(examples=["scheduled"])
    step: int | None = Field(default=None, examples=[1])
    next_send_at: OptionalInstant = None
    stop_reason: str | None = None
    reason: str | None = None
    why: str | None = Field(
        default=None, examples=["The first mail goes out on Tuesday at 09:30 in the contact's time zone."]
    )


class InterviewOut(ResponseModel):
    """One interview request, with its transcript once it is completed."""

    interview_request_id: int = Field(examples=[4821])
    contact_id: str
    contact_email: str
    deal_id: str | None
    interview_type_id: str
    sequence_id: str | None
    survey_url: str | None
    status: str = Field(json_schema_extra={"enum": ["created", "sent", "completed"]})
    objective: str | None
    email_sent_at: OptionalInstant
    created_at: Instant
    transcript: Transcript | None
    outreach: OutreachOut | None
    started_at: OptionalInstant
    completed_at: OptionalInstant
    ended_by: str | None
    withdrawn_at: OptionalInstant
    progress: ProgressOut | None
    turns: list[TurnOut]
    language: str | None = Field(default=None, description="The language it is held in.", examples=["en"])
    referral: str | None = Field(
        default=None,
        description="Whom a contact who was the wrong person named instead, before the interview began.",
        examples=["Head of purchasing"],
    )
    flags: list[FlagOut]
    analysis: dict[str, Any] | None = None


@router.post(
    "",
    status_code=201,
    responses={201: {"model": InterviewCreated, "description": "Interview request created"}},
    summary="Create an interview request",
)
async def create(caller: WritesInterviews, key: OptionalKey, body: InterviewRequest, db: Database) -> Response:
    """Ask for an interview with a contact, who is created or updated by e-mail address.

    With `sequence_id` the contact is enrolled and Paige does the outreach. With only `interview_type_id` a survey link
    comes back and nothing is mailed. All of it is one transaction.
    """
    made = await interviews.request(
        db,
        caller.org_id,
        email=body.contact_email,
        sequence_id=body.sequence_id,
        interview_type_id=body.interview_type_id,
        name=body.contact_name,
        notes=_notes(body.contact_context),
        deal_id=body.deal_id,
        objective=body.objective or None,
        first_send=outreach.first_send,
        key=key,
    )
    if made.status == "sent" and not made.replayed:
        outreach.wake(db)
    response = json_response(_created(made), 201)
    if made.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _created(made: Requested) -> InterviewCreated:
    return InterviewCreated.model_construct(
        interview_request_id=made.interview_id,
        contact_id=made.contact_id,
        deal_id=made.deal_id,
        survey_url=interviews.survey_url(made.token),
        survey_token=made.token,
        status=made.status,
        outreach=OutreachPlan.model_validate(made.outreach) if made.outreach else None,
    )


def _notes(context: str | Mapping[str, Any] | None) -> str | None:
    """The contact's notes: text as it is, an object as pretty JSON with its keys in the order given."""
    return json.dumps(context, indent=2, ensure_ascii=False) if isinstance(context, Mapping) else context


InterviewId = Annotated[str, Path(description="`interview_request_id`.", examples=["4821"])]


def _id(interview_id: str) -> int:
    """The id as a number. A path that is none names nothing, so that is 404 and not 400."""
    if not (interview_id.isascii() and interview_id.isdigit() and len(interview_id) < 19):
        raise NotFound(f"interview request {interview_id[:40]} not found")
    return int(interview_id)


@router.get("/{interview_id}", summary="Look at an interview")
async def read(interview_id: InterviewId, caller: ReadsInterviews, db: Database) -> InterviewOut:
    """Status, outreach and, once completed, the transcript."""
    number = _id(interview_id)
    async with db.tx() as tx:
        interview = await interviews.get(tx, caller.org_id, number)
        said = await interviews.turns(tx, caller.org_id, number)
        noted = await interviews.flags(tx, caller.org_id, number)
        mailing = await outreach.explain(tx, caller.org_id, interview)
    return InterviewOut(
        interview_request_id=interview.id,
        contact_id=interview.contact_id,
        contact_email=interview.contact_email,
        deal_id=interview.deal_id,
        interview_type_id=interview.interview_type_id,
        sequence_id=interview.sequence_id,
        survey_url=interviews.survey_url(interview.token),
        status=interview.status,
        objective=interview.objective or None,
        email_sent_at=interview.email_sent_at,
        created_at=interview.created_at,
        transcript=_transcript(interview),
        outreach=OutreachOut.model_validate(mailing) if mailing else None,
        started_at=interview.started_at,
        completed_at=interview.completed_at,
        ended_by=interview.ended_by,
        withdrawn_at=interview.withdrawn_at,
        progress=_progress(interview),
        turns=[_turn(turn) for turn in said],
        language=interview.language,
        referral=interview.referral,
        flags=[FlagOut(reason=flag.reason, turn=flag.turn_no, at=flag.at) for flag in noted],
    )


def _transcript(interview: Interview) -> Transcript | None:
    if interview.document_id is None or interview.transcript is None or interview.transcript_at is None:
        return None
    return Transcript(
        document_id=interview.document_id, content=interview.transcript, created_at=interview.transcript_at
    )


def _progress(interview: Interview) -> ProgressOut | None:
    if interview.state is None or interview.guide is None:
        return None
    progress = paige.progress(paige.load_guide(interview.guide), paige.State.from_json(interview.state))
    return ProgressOut(done=progress.done, total=progress.total)


def _turn(turn: Turn) -> TurnOut:
    return TurnOut(turn=turn.turn_no, role=turn.role, action=turn.action, text=turn.text, created_at=turn.created_at)


@router.patch("/{interview_id}", summary="Change an interview's context")
async def change(
    interview_id: InterviewId, caller: WritesInterviews, body: InterviewUpdate, db: Database
) -> InterviewUpdated:
    """Set `contact_context`, `contact_name` or `objective`; prompts built from now on use the new values."""
    number = _id(interview_id)
    names = ("contact_context", "contact_name", "objective")
    if all(getattr(body, name) is None for name in names):
        raise BadRequest(
            "Give at least one of contact_context, contact_name and objective.",
            fields=[(name, "one of these is required") for name in names],
        )
    async with db.tx() as tx:
        await interviews.update(
            tx,
            caller.org_id,
            number,
            name=body.contact_name,
            notes=_notes(body.contact_context),
            objective=body.objective,
        )
    return InterviewUpdated(interview_request_id=number)


class MessageOut(ResponseModel):
    """One message as the model got it."""

    role: str = Field(examples=["user"], json_schema_extra={"enum": ["system", "user"]})
    content: str


class PromptOut(ResponseModel):
    """One call of the language model, word for word."""

    turn: int = Field(description="Paige's turn that it was for; 0 for the planner.", examples=[3])
    attempt: int = Field(description="2 is the one regeneration.", examples=[1])
    purpose: str = Field(examples=["turn"], json_schema_extra={"enum": ["turn", "plan"]})
    model: str = Field(examples=["llama3.3:70b"])
    messages: list[MessageOut]
    reply: str | None
    outcome: str = Field(
        description="`shown`; `guard:` with the rule that kept it from being shown; `unshown` where the rules answered "
        "instead; `late` where another reply was there first; `planned`; or why no usable reply came, such as "
        "`timeout`.",
        examples=["shown"],
    )
    input_tokens: int
    output_tokens: int
    milliseconds: int
    created_at: Instant


class PromptsOut(ResponseModel):
    """Every call that was made for an interview."""

    interview_request_id: int = Field(examples=[4821])
    prompts: list[PromptOut]


@router.get("/{interview_id}/prompts", summary="Read an interview's prompts")
async def read_prompts(
    interview_id: InterviewId,
    caller: Administers,
    db: Database,
    turn: Annotated[int | None, Query(description="Only those of this turn of Paige's.", ge=0, le=1000)] = None,
) -> PromptsOut:
    """The exact messages that each turn's language model got, what it said and what became of it."""
    number = _id(interview_id)
    async with db.tx() as tx:
        calls = await prompts.of(tx, caller.org_id, number, turn_no=turn)
    return PromptsOut(interview_request_id=number, prompts=[_prompt(call) for call in calls])


def _prompt(call: prompts.Prompt) -> PromptOut:
    return PromptOut(
        turn=call.turn_no,
        attempt=call.attempt,
        purpose=call.purpose,
        model=call.model,
        messages=[MessageOut(role=message["role"], content=message["content"]) for message in call.messages],
        reply=call.reply,
        outcome=call.outcome,
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        milliseconds=call.milliseconds,
        created_at=call.created_at,
    )
