"""`POST /api/v1/interviews`, the usual way."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from sqlalchemy import case, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from peers.models import (
    ApiKey,
    Contact,
    ContactNotes,
    Deal,
    DirectoryKey,
    DirectoryToken,
    Enrollment,
    Event,
    Idempotency,
    Interview,
    InterviewType,
    RateCounter,
    Sequence,
    Suppression,
)
from peers.schemas import InterviewCreated, InterviewRequest, Outreach

LIMITS = {"essentials": 1_000_000, "growth": 1_000_000, "enterprise": 1_000_000}  # a minute; nothing is refused here
WINDOW = timedelta(seconds=60)
ROUTE = "POST /api/v1/interviews"
SECRET = os.environ["AFTERWORD_SECRET_KEY"].encode()
PUBLIC_URL = "http://127.0.0.1:8321"

engine = create_async_engine(
    os.environ["AFTERWORD_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1),
    pool_size=10,
    max_overflow=0,
)
new_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def session() -> AsyncGenerator[AsyncSession]:
    async with new_session() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


@dataclass(frozen=True, slots=True)
class Caller:
    org_id: str
    scopes: list[str]


async def caller(response: Response, session: Session, authorization: Annotated[str | None, Header()] = None) -> Caller:
    """Who calls, counted against the plan's limit."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise HTTPException(401, "Invalid or missing API key", headers={"WWW-Authenticate": "Bearer"})
    now = datetime.now(UTC)
    found = await session.scalar(
        select(ApiKey)
        .join(DirectoryKey, (DirectoryKey.org_id == ApiKey.org_id) & (DirectoryKey.id == ApiKey.id))
        .where(DirectoryKey.hash == hashlib.sha256(key.encode()).digest())
    )
    if found is None or found.revoked_at is not None or (found.expires_at is not None and found.expires_at <= now):
        raise HTTPException(401, "Invalid or missing API key", headers={"WWW-Authenticate": "Bearer"})
    if found.last_used_at is None or found.last_used_at < now - WINDOW:
        found.last_used_at = now

    fresh = RateCounter.opened_at <= now - WINDOW
    counter = (
        await session.execute(
            insert(RateCounter)
            .values(org_id=found.org_id, opened_at=now, calls=1)
            .on_conflict_do_update(
                index_elements=[RateCounter.org_id],
                set_={
                    "opened_at": case((fresh, now), else_=RateCounter.opened_at),
                    "calls": case((fresh, 1), else_=RateCounter.calls + 1),
                },
            )
            .returning(RateCounter.opened_at, RateCounter.calls)
        )
    ).one()
    await session.commit()

    limit = LIMITS[found.organization.plan]
    reset = counter.opened_at + WINDOW
    headers = {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(limit - counter.calls, 0)),
        "X-RateLimit-Reset": str(int(reset.timestamp())),
    }
    if counter.calls > limit:
        raise HTTPException(429, "Too many requests", headers={**headers, "Retry-After": "1"})
    if "interviews:write" not in found.scopes:
        raise HTTPException(403, "This key lacks the scope interviews:write", headers=headers)
    response.headers.update(headers)
    return Caller(found.org_id, found.scopes)


@app.post("/api/v1/interviews", status_code=201)
async def create_interview(  # noqa: PLR0912  (one long handler is how it is usually written)
    request: Request,
    response: Response,
    body: InterviewRequest,
    caller: Annotated[Caller, Depends(caller)],
    session: Session,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> InterviewCreated:
    org_id, now = caller.org_id, datetime.now(UTC)

    fingerprint = hashlib.sha256(json.dumps(await request.json(), sort_keys=True).encode()).digest()
    if idempotency_key is not None:
        known = await session.get(Idempotency, (org_id, ROUTE, idempotency_key))
        if known is not None:
            if known.fingerprint != fingerprint:
                raise HTTPException(422, "This Idempotency-Key was used with another body")
            response.headers["Idempotent-Replayed"] = "true"
            return InterviewCreated.model_validate(known.answer)

    sequence = None
    type_id = body.interview_type_id
    if body.sequence_id is not None:
        sequence = await session.get(Sequence, (org_id, body.sequence_id))
        if sequence is None:
            raise HTTPException(400, "sequence_id not found")
        type_id = sequence.interview_type_id
    if body.interview_type_id is not None:
        if await session.get(InterviewType, (org_id, body.interview_type_id)) is None:
            raise HTTPException(400, "interview_type_id not found")
        if body.interview_type_id != type_id:
            raise HTTPException(400, "interview_type_id is not the sequence's")
    if body.deal_id is not None and await session.get(Deal, (org_id, body.deal_id)) is None:
        raise HTTPException(400, "deal_id not found")

    contact = await get_or_create_contact(session, org_id, body, now)

    suppressed = None
    if sequence is not None:
        address = hmac.digest(SECRET, contact.email_key.encode(), "sha256")
        suppression = await session.get(Suppression, (org_id, address))
        if suppression is not None and suppression.lifted_at is None:
            suppressed = suppression.reason

    seed = secrets.token_bytes(16)
    token = "tok_" + base64.urlsafe_b64encode(hmac.digest(SECRET, seed, "sha256")).rstrip(b"=").decode()
    token_hash = hashlib.sha256(token.encode()).digest()
    interview = Interview(
        org_id=org_id,
        contact_id=contact.id,
        deal_id=body.deal_id,
        interview_type_id=type_id,
        sequence_id=body.sequence_id,
        objective=body.objective or "",
        status="sent" if sequence is not None and suppressed is None else "created",
        seed=seed,
        token_hash=token_hash,
        outreach_stop_reason=suppressed,
    )
    session.add(interview)
    await session.flush()
    session.add(DirectoryToken(hash=token_hash, purpose="survey", org_id=org_id, id=str(interview.id)))

    outreach = None
    if sequence is not None:
        outreach = await enroll(session, sequence, contact, interview, now) if suppressed is None else None
        outreach = outreach or Outreach(state="suppressed", reason=suppressed)

    session.add(
        Event(
            org_id=org_id,
            id=new_id("evt"),
            type="interview.requested",
            payload={"interview_request_id": interview.id, "contact_id": contact.id, "deal_id": body.deal_id},
            interview_id=interview.id,
            contact_id=contact.id,
        )
    )
    created = InterviewCreated(
        interview_request_id=interview.id,
        contact_id=contact.id,
        deal_id=body.deal_id,
        survey_url=f"{PUBLIC_URL}/survey?token={token}",
        survey_token=token,
        status=interview.status,
        outreach=outreach,
    )
    if idempotency_key is not None:
        session.add(
            Idempotency(
                org_id=org_id,
                route=ROUTE,
                key=idempotency_key,
                fingerprint=fingerprint,
                status=201,
                answer=created.model_dump(mode="json"),
                interview_id=interview.id,
            )
        )
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(409, "The first call with this Idempotency-Key is still running") from None
    return created


async def get_or_create_contact(session: AsyncSession, org_id: str, body: InterviewRequest, now: datetime) -> Contact:
    """The contact of this address, with name and notes brought up to date; the old notes are kept."""
    email_key = body.contact_email.lower()
    notes = serialize(body.contact_context)
    by_address = select(Contact).where(Contact.org_id == org_id, Contact.email_key == email_key).with_for_update()
    contact = await session.scalar(by_address)
    if contact is None:
        made = await session.scalar(
            insert(Contact)
            .values(
                org_id=org_id,
                id=new_id("contact"),
                email=body.contact_email,
                email_key=email_key,
                name=body.contact_name,
                notes=notes or "",
                updated_at=now,
            )
            .on_conflict_do_nothing(index_elements=[Contact.org_id, Contact.email_key])
            .returning(Contact)
        )
        if made is not None:
            return made
        contact = (await session.scalars(by_address)).one()
    if notes is not None and notes != contact.notes:
        if contact.notes:
            session.add(ContactNotes(org_id=org_id, contact_id=contact.id, notes=contact.notes))
        contact.notes, contact.updated_at = notes, now
    if body.contact_name is not None and body.contact_name != contact.name:
        contact.name, contact.updated_at = body.contact_name, now
    return contact


async def enroll(
    session: AsyncSession, sequence: Sequence, contact: Contact, interview: Interview, now: datetime
) -> Outreach:
    """Put the contact into the sequence, or hand the enrollment that is live to this interview."""
    live = await session.scalar(
        select(Enrollment)
        .where(
            Enrollment.org_id == sequence.org_id,
            Enrollment.sequence_id == sequence.id,
            Enrollment.contact_id == contact.id,
            Enrollment.state == "live",
        )
        .with_for_update()
    )
    if live is None:
        live = Enrollment(
            org_id=sequence.org_id,
            id=new_id("enr"),
            sequence_id=sequence.id,
            contact_id=contact.id,
            interview_id=interview.id,
            next_send_at=now + (sequence.first_wait or timedelta()),
        )
        session.add(live)
    else:
        older = await session.get(Interview, (sequence.org_id, live.interview_id))
        if older is not None:
            older.outreach_stop_reason = "superseded"
        live.interview_id = interview.id
    state = "scheduled"
    if not sequence.enabled:
        state = "paused"
    elif sequence.approval and live.approved_at is None:
        state = "waiting_approval"
    return Outreach(state=state, next_send_at=live.next_send_at)


def serialize(context: str | dict[str, Any] | None) -> str | None:
    return json.dumps(context, indent=2, ensure_ascii=False) if isinstance(context, dict) else context


def new_id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex}"
