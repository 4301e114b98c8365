"""The tables of the endpoint as ORM classes; columns that it neither reads nor writes are left out."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Interval, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy's own way to say it)
        str: Text,
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        timedelta: Interval,
    }


class Organization(Base):
    __tablename__ = "organizations"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    plan: Mapped[str]


class ApiKey(Base):
    __tablename__ = "api_keys"
    org_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    hash: Mapped[bytes]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    organization: Mapped[Organization] = relationship(lazy="joined", innerjoin=True)


class DirectoryKey(Base):
    __tablename__ = "directory_keys"
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    org_id: Mapped[str]
    id: Mapped[str]


class DirectoryToken(Base):
    __tablename__ = "directory_tokens"
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    org_id: Mapped[str]
    id: Mapped[str]


class RateCounter(Base):
    __tablename__ = "rate_counters"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime]
    calls: Mapped[int]


class Idempotency(Base):
    __tablename__ = "idempotency"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    status: Mapped[int]
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    interview_id: Mapped[int | None] = mapped_column(BigInteger)


class Contact(Base):
    __tablename__ = "contacts"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str]
    name: Mapped[str | None]
    notes: Mapped[str] = mapped_column(default="")
    updated_at: Mapped[datetime]


class ContactNotes(Base):
    __tablename__ = "contact_notes"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    notes: Mapped[str]


class Suppression(Base):
    __tablename__ = "suppressions"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[bytes] = mapped_column(primary_key=True)
    reason: Mapped[str]
    lifted_at: Mapped[datetime | None]


class Deal(Base):
    __tablename__ = "deals"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class InterviewType(Base):
    __tablename__ = "interview_types"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Sequence(Base):
    __tablename__ = "sequences"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    approval: Mapped[bool]
    interview_type_id: Mapped[str]
    first_wait: Mapped[timedelta | None]


class Interview(Base):
    __tablename__ = "interviews"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    contact_id: Mapped[str]
    deal_id: Mapped[str | None]
    interview_type_id: Mapped[str]
    sequence_id: Mapped[str | None]
    objective: Mapped[str]
    status: Mapped[str]
    seed: Mapped[bytes]
    token_hash: Mapped[bytes]
    outreach_stop_reason: Mapped[str | None]


class Enrollment(Base):
    __tablename__ = "enrollments"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sequence_id: Mapped[str]
    contact_id: Mapped[str]
    interview_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(default="live")
    step: Mapped[int] = mapped_column(default=1)
    next_send_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]


class Event(Base):
    __tablename__ = "events"
    org_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    interview_id: Mapped[int | None] = mapped_column(BigInteger)
    contact_id: Mapped[str | None]
