"""`/sequences`: who is mailed what, when, and from whom."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from afterword import outreach
from afterword.api.gate import Administers, Database, OptionalKey, ReadsInterviews
from afterword.api.shapes import (
    Cursor,
    IgnoredOrgId,
    Instant,
    Limit,
    Page,
    RequestModel,
    ResponseModel,
    create_once,
    page,
    read_cursor,
)
from afterword.db import Tx
from afterword.outreach import Delay, SendWindow, Sequence, Step, Throttle

router = APIRouter(prefix="/sequences", tags=["Sequences"])

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class SenderModel(RequestModel):
    """Whom the mails come from."""

    name: str = Field(default="", examples=["Dana Reed"])
    address: str = Field(default="", examples=["dana@acme.example"])
    reply_to: str | None = Field(default=None, examples=["interviews@acme.example"])


class WindowModel(RequestModel):
    """Hours of some weekdays, by the clock of the sequence's time zone, in which mails may go."""

    days: list[Day] = Field(examples=[["tue", "wed", "thu"]])
    from_: str = Field(alias="from", examples=["09:30"])
    to: str = Field(examples=["11:30"])


class DelayModel(RequestModel):
    """How long after the step before."""

    unit: Literal["minutes", "hours", "business_days"]
    count: Annotated[int, Field(ge=0, le=100_000)]


class StepModel(RequestModel):
    """One mail. `{name}`, `{link}` and the other variables are filled in when it is sent."""

    delay: DelayModel = DelayModel(unit="minutes", count=0)
    subject: str = Field(default="", max_length=500, examples=["Your decision on {company}"])
    body: str = Field(max_length=20_000, examples=["Hi {first_name},\n\n…\n\n{link}"])


class ThrottleModel(RequestModel):
    """At most so many mails."""

    per_minute: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)


class SequenceCreate(RequestModel):
    """A new sequence. `window` null means always, `throttle` null means no cap."""

    name: str = Field(examples=["Win-loss buyer"])
    interview_type_id: str = Field(examples=["type_abc123"])
    enabled: bool = False
    sender: SenderModel = SenderModel()
    time_zone: str = Field(default="UTC", examples=["America/New_York"])
    window: list[WindowModel] | None = None
    holidays: list[date] = Field(default_factory=list)
    steps: list[StepModel]
    approval: bool = False
    throttle: ThrottleModel | None = None
    incentive: str = Field(default="", max_length=500)
    postal_address: str = Field(default="", max_length=500)
    org_id: IgnoredOrgId = None


class SenderOut(ResponseModel):
    """Whom the mails come from."""

    name: str
    address: str
    reply_to: str | None


class WindowOut(ResponseModel):
    """Hours of some weekdays in which mails may go."""

    days: list[Day]
    from_: str = Field(serialization_alias="from")
    to: str


class DelayOut(ResponseModel):
    """How long after the step before."""

    unit: str
    count: int


class StepOut(ResponseModel):
    """One mail."""

    position: int
    delay: DelayOut
    subject: str
    body: str


class ThrottleOut(ResponseModel):
    """At most so many mails."""

    per_minute: int | None
    per_day: int | None


class SequenceOut(ResponseModel):
    """A sequence."""

    id: str = Field(examples=["seq_abc123"])
    name: str
    enabled: bool
    interview_type_id: str
    sender: SenderOut
    time_zone: str
    window: list[WindowOut] | None
    holidays: list[date]
    steps: list[StepOut]
    approval: bool
    throttle: ThrottleOut | None
    incentive: str
    postal_address: str
    created_at: Instant


@router.get("", summary="List sequences")
async def index(caller: ReadsInterviews, db: Database, limit: Limit = 20, cursor: Cursor = None) -> Page[SequenceOut]:
    """Sequences, oldest first."""
    after = read_cursor(cursor)
    async with db.tx() as tx:
        found = await outreach.find(tx, caller.org_id, limit=limit + 1, after=after)
    last = found[limit - 1].id if len(found) >= limit else None
    return page([_out(one) for one in found], limit, last)


@router.post("", status_code=201, responses={201: {"model": SequenceOut}}, summary="Create a sequence")
async def create(caller: Administers, key: OptionalKey, body: SequenceCreate, db: Database) -> Response:
    """With its steps. A sequence can be switched on once it has a sender and a postal address."""

    async def work(tx: Tx) -> SequenceOut:
        made = await outreach.create(
            tx,
            caller.org_id,
            name=body.name,
            interview_type_id=body.interview_type_id,
            enabled=body.enabled,
            sender_name=body.sender.name,
            sender_address=body.sender.address,
            reply_to=body.sender.reply_to,
            time_zone=body.time_zone,
            window=[SendWindow(days=tuple(one.days), from_=one.from_, to=one.to) for one in body.window]
            if body.window is not None
            else None,
            holidays=body.holidays,
            steps=[
                Step(
                    position=position,
                    delay=Delay(unit=one.delay.unit, count=one.delay.count),
                    subject=one.subject,
                    body=one.body,
                )
                for position, one in enumerate(body.steps, start=1)
            ],
            approval=body.approval,
            throttle=Throttle(per_minute=body.throttle.per_minute, per_day=body.throttle.per_day)
            if body.throttle
            else None,
            incentive=body.incentive,
            postal_address=body.postal_address,
        )
        return _out(made)

    return await create_once(db, caller, key, work)


def _out(one: Sequence) -> SequenceOut:
    return SequenceOut(
        id=one.id,
        name=one.name,
        enabled=one.enabled,
        interview_type_id=one.interview_type_id,
        sender=SenderOut(name=one.sender_name, address=one.sender_address, reply_to=one.reply_to),
        time_zone=one.time_zone,
        window=[WindowOut.model_validate(window) for window in one.window] if one.window is not None else None,
        holidays=list(one.holidays),
        steps=[StepOut.model_validate(step) for step in one.steps],
        approval=one.approval,
        throttle=ThrottleOut.model_validate(one.throttle) if one.throttle else None,
        incentive=one.incentive,
        postal_address=one.postal_address,
        created_at=one.created_at,
    )
