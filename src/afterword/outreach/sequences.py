"""Sequences: who is mailed what, when, and from whom. All of it is checked when it is saved."""

import functools
import unicodedata
import zoneinfo
from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from psycopg.types.json import Json

from afterword import contacts, ids
from afterword.db import Tx, execute, fetch_all
from afterword.errors import BadRequest, NotFound
from afterword.outreach import shipped
from afterword.outreach.compose import check_template
from afterword.outreach.schedule import DAYS, Delay, SendWindow, minutes, read_delay, read_windows

MAX_STEPS = 10
MAX_NAME = 120  # characters, as all below
_MAX_SUBJECT = 200
_MAX_BODY = 10_000
_MAX_LINE = 300
_MAX_POSTAL_ADDRESS = 500
_MAX_HOLIDAYS = 400
_MAX_WINDOWS = 50
_MAX_DELAY = {"minutes": 365 * 24 * 60, "hours": 365 * 24, "business_days": 260}  # a year


@dataclass(frozen=True, slots=True)
class Step:
    """One mail: how long after the step before, and its templates. Later steps reply in the first one's thread."""

    position: int
    delay: Delay
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most so many mails from one sender address; None is no cap."""

    per_minute: int | None
    per_day: int | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence. `window` None is always; `revision` counts its changes."""

    id: str
    name: str
    enabled: bool
    interview_type_id: str
    sender_name: str
    sender_address: str
    reply_to: str | None
    time_zone: str
    window: Ordered[SendWindow] | None
    holidays: Ordered[date]
    steps: Ordered[Step]
    approval: bool
    throttle: Throttle | None
    incentive: str
    postal_address: str
    revision: int
    created_at: datetime


async def create(
    tx: Tx,
    org_id: str,
    *,
    name: str,
    interview_type_id: str,
    steps: Ordered[Step],
    enabled: bool = False,
    sender_name: str = "",
    sender_address: str = "",
    reply_to: str | None = None,
    time_zone: str = "UTC",
    window: Ordered[SendWindow] | None = None,
    holidays: Ordered[date] = (),
    approval: bool = False,
    throttle: Throttle | None = None,
    incentive: str = "",
    postal_address: str = "",
) -> Sequence:
    """A new sequence with its steps, numbered in the order given. Raises BadRequest that names the field."""
    sequence_id = ids.new("seq")
    holidays = sorted(set(holidays))
    if len(holidays) > _MAX_HOLIDAYS:
        raise BadRequest.field("holidays", f"can have at most {_MAX_HOLIDAYS} days")
    if time_zone not in _time_zones():
        raise BadRequest.field("time_zone", f"{time_zone[:60]!r} is not an IANA time zone such as Europe/Berlin")
    checked_steps = _checked_steps(steps)
    checked_window = _checked_window(window)
    row: dict[str, object] = {
        "name": _line(name, "name", MAX_NAME, required=True),
        "enabled": enabled,
        "sender_name": _line(sender_name, "sender.name", 100),
        "sender_address": _sender_address(sender_address, "sender.address"),
        "reply_to": _sender_address(reply_to or "", "sender.reply_to") or None,
        "time_zone": time_zone,
        "window": Json([one.to_json() for one in checked_window]) if checked_window is not None else None,
        "holidays": holidays,
        "approval": approval,
        "throttle_per_minute": _cap(throttle and throttle.per_minute, "throttle.per_minute"),
        "throttle_per_day": _cap(throttle and throttle.per_day, "throttle.per_day"),
        "incentive": _line(incentive, "incentive", _MAX_LINE),
        "postal_address": _lines(postal_address, "postal_address", _MAX_POSTAL_ADDRESS),
        "first_wait": _first_wait(checked_steps[0].delay) if checked_window is None and not holidays else None,
    }
    if enabled:
        if not row["sender_address"]:
            raise BadRequest.field("sender.address", "is required before a sequence can be enabled")
        if not row["postal_address"]:
            raise BadRequest.field(
                "postal_address", "is required before a sequence can be enabled; mails must show one"
            )
    made = await execute(
        tx,
        """
        insert into sequences (
            org_id, id, name, enabled, interview_type_id, sender_name, sender_address, reply_to, time_zone, send_window,
            holidays, approval, throttle_per_minute, throttle_per_day, incentive, postal_address, first_wait)
        select org_id, %(id)s, %(name)s, %(enabled)s, id, %(sender_name)s, %(sender_address)s, %(reply_to)s,
            %(time_zone)s, %(window)s, %(holidays)s::date[], %(approval)s, %(throttle_per_minute)s,
            %(throttle_per_day)s, %(incentive)s, %(postal_address)s, %(first_wait)s
        from interview_types where org_id = %(org_id)s and id = %(interview_type_id)s
        """,
        org_id=org_id,
        id=sequence_id,
        interview_type_id=interview_type_id,
        **row,
    )
    if not made:
        raise BadRequest.field("interview_type_id", "not found")
    for step in checked_steps:
        await execute(
            tx,
            """
            insert into steps (org_id, sequence_id, position, delay_unit, delay_count, subject, body)
            values (%(org_id)s, %(id)s, %(position)s, %(unit)s, %(count)s, %(subject)s, %(body)s)
            """,
            org_id=org_id,
            id=sequence_id,
            position=step.position,
            unit=step.delay.unit,
            count=step.delay.count,
            subject=step.subject,
            body=step.body,
        )
    return await get(tx, org_id, sequence_id)


async def add_default(tx: Tx, org_id: str, interview_type_id: str) -> Sequence:
    """The sequence "Win-loss buyer", switched off until it has a sender and a postal address."""
    return await create(
        tx,
        org_id,
        name="Win-loss buyer",
        interview_type_id=interview_type_id,
        window=shipped.MORNINGS,
        throttle=Throttle(per_minute=30, per_day=400),
        steps=_shipped_steps(*(Delay("business_days", count) for count in (0, 3, 8))),
    )


async def add_demo(tx: Tx, org_id: str, interview_type_id: str) -> Sequence:
    """The sequence "Demo: sends at once": switched on, no window, no caps, delays of 0, 3 and 8 days."""
    return await create(
        tx,
        org_id,
        name="Demo: sends at once",
        interview_type_id=interview_type_id,
        enabled=True,
        sender_name="Dana Reed",
        sender_address="dana.reed@afterword.example",
        postal_address="Afterword demo\n1 Example Street\n12345 Exampletown",
        steps=_shipped_steps(*(Delay("hours", days * 24) for days in (0, 3, 8))),
    )


def _shipped_steps(*delays: Delay) -> list[Step]:
    return [
        Step(position, delay, text.subject, text.body)
        for position, (delay, text) in enumerate(zip(delays, shipped.BUYER_MAILS, strict=True), start=1)
    ]


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    name: str
    enabled: bool
    interview_type_id: str
    sender_name: str
    sender_address: str
    reply_to: str | None
    time_zone: str
    send_window: object
    holidays: Ordered[date]
    approval: bool
    throttle_per_minute: int | None
    throttle_per_day: int | None
    incentive: str
    postal_address: str
    revision: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _StepRow:
    sequence_id: str
    position: int
    delay_unit: str
    delay_count: int
    subject: str
    body: str


async def get(tx: Tx, org_id: str, sequence_id: str) -> Sequence:
    """One sequence of the organization. Raises NotFound."""
    found = await _matching(tx, org_id, sequence_id=sequence_id)
    if not found:
        raise NotFound(f"sequence {sequence_id} not found")
    return found[0]


async def find(tx: Tx, org_id: str, *, limit: int, after: str | None) -> Ordered[Sequence]:
    """Sequences, oldest first, from after a sequence's id on."""
    return await _matching(tx, org_id, after=after, limit=limit)


async def _matching(
    tx: Tx, org_id: str, *, sequence_id: str | None = None, after: str | None = None, limit: int = 1
) -> list[Sequence]:
    rows = await fetch_all(
        tx,
        _Row,
        """
        select id, name, enabled, interview_type_id, sender_name, sender_address, reply_to, time_zone, send_window,
            holidays, approval, throttle_per_minute, throttle_per_day, incentive, postal_address, revision, created_at
        from sequences
        where org_id = %(org_id)s
          and (%(id)s::text is null or id = %(id)s)
          and (%(after)s::text is null or id > %(after)s)
        order by id limit %(limit)s
        """,
        org_id=org_id,
        id=sequence_id,
        after=after,
        limit=limit,
    )
    steps = await fetch_all(
        tx,
        _StepRow,
        """
        select sequence_id, position, delay_unit, delay_count, subject, body from steps
        where org_id = %(org_id)s and sequence_id = any(%(ids)s) order by sequence_id, position
        """,
        org_id=org_id,
        ids=[row.id for row in rows],
    )
    return [_sequence(row, [step for step in steps if step.sequence_id == row.id]) for row in rows]


def _sequence(row: _Row, steps: Ordered[_StepRow]) -> Sequence:
    capped = row.throttle_per_minute is not None or row.throttle_per_day is not None
    return Sequence(
        id=row.id,
        name=row.name,
        enabled=row.enabled,
        interview_type_id=row.interview_type_id,
        sender_name=row.sender_name,
        sender_address=row.sender_address,
        reply_to=row.reply_to,
        time_zone=row.time_zone,
        window=read_windows(row.send_window),
        holidays=row.holidays,
        steps=[
            Step(step.position, read_delay(step.delay_unit, step.delay_count), step.subject, step.body)
            for step in steps
        ],
        approval=row.approval,
        throttle=Throttle(row.throttle_per_minute, row.throttle_per_day) if capped else None,
        incentive=row.incentive,
        postal_address=row.postal_address,
        revision=row.revision,
        created_at=row.created_at,
    )


# What may be saved


def _checked_steps(steps: Ordered[Step]) -> list[Step]:
    if not 1 <= len(steps) <= MAX_STEPS:
        raise BadRequest.field("steps", f"must be 1 to {MAX_STEPS}, these are {len(steps)}")
    return [_checked_step(step, index) for index, step in enumerate(steps)]


def _checked_step(step: Step, index: int) -> Step:
    field = f"steps[{index}]"
    if step.delay.unit not in _MAX_DELAY:
        raise BadRequest.field(f"{field}.delay.unit", f"must be one of {', '.join(_MAX_DELAY)}")
    if not 0 <= step.delay.count <= _MAX_DELAY[step.delay.unit]:
        raise BadRequest.field(
            f"{field}.delay.count", f"must be 0 to {_MAX_DELAY[step.delay.unit]:,} {step.delay.unit.replace('_', ' ')}"
        )
    subject = _line(step.subject, f"{field}.subject", _MAX_SUBJECT, required=index == 0)
    body = _lines(step.body, f"{field}.body", _MAX_BODY, required=True)
    check_template(subject, f"{field}.subject")
    check_template(body, f"{field}.body")
    return Step(index + 1, step.delay, subject, body)


def _checked_window(windows: Ordered[SendWindow] | None) -> list[SendWindow] | None:
    if windows is None:
        return None
    if not 1 <= len(windows) <= _MAX_WINDOWS:
        raise BadRequest.field("window", f"must have 1 to {_MAX_WINDOWS} entries; null means always")
    checked: list[SendWindow] = []
    for index, window in enumerate(windows):
        field = f"window[{index}]"
        unknown = sorted(set(window.days) - set(DAYS))
        if not window.days or unknown:
            wrong = f", not {unknown[0][:20]!r}" if unknown else ""
            raise BadRequest.field(f"{field}.days", f"must name days as {', '.join(DAYS)}{wrong}")
        for name, clock in (("from", window.from_), ("to", window.to)):
            try:
                minutes(clock)
            except ValueError as error:
                raise BadRequest.field(f"{field}.{name}", str(error)) from None
        if minutes(window.from_) >= minutes(window.to):
            raise BadRequest.field(
                f"{field}.to", "must be later than from; a window over midnight is two, one of them to 24:00"
            )
        checked.append(SendWindow(tuple(day for day in DAYS if day in window.days), window.from_, window.to))
    spans = sorted((day, minutes(one.from_), minutes(one.to)) for one in checked for day in one.days)
    if any(a[0] == b[0] and b[1] < a[2] for a, b in pairwise(spans)):
        raise BadRequest.field("window", "has entries that overlap")
    return checked


def _first_wait(delay: Delay) -> timedelta | None:
    """The wait before the first mail where only passing time has a say in it."""
    match delay.unit:
        case "minutes":
            return timedelta(minutes=delay.count)
        case "hours":
            return timedelta(hours=delay.count)
        case "business_days":
            return timedelta(0) if delay.count == 0 else None


def _cap(value: int | None, field: str) -> int | None:
    if value is not None and not 1 <= value <= 1_000_000:
        raise BadRequest.field(field, "must be 1 to 1,000,000; null means no cap")
    return value


def _sender_address(text: str, field: str) -> str:
    if not text.strip(" "):
        return ""
    address = contacts.parse_address(text, field)
    if not address.email.isascii():
        raise BadRequest.field(field, "must have only ASCII letters before the @: many mail servers refuse others")
    return address.email


def _line(text: str, field: str, longest: int, *, required: bool = False) -> str:
    """One line of text, trimmed. Raises BadRequest."""
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text):
        raise BadRequest.field(field, "must not contain line breaks or control characters")
    return _sized(contacts.strip_invisible(text).strip(), field, longest, required=required)


def _lines(text: str, field: str, longest: int, *, required: bool = False) -> str:
    """Text of several lines, trimmed, ending lines as we do. Raises BadRequest."""
    text = text.replace("\r\n", "\n")
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t" for char in text):
        raise BadRequest.field(field, "must not contain control characters")
    return _sized(contacts.strip_invisible(text).strip(), field, longest, required=required)


def _sized(text: str, field: str, longest: int, *, required: bool) -> str:
    if required and not text:
        raise BadRequest.field(field, "must not be empty")
    if len(text) > longest:
        raise BadRequest.field(field, f"must be at most {longest:,} characters, this has {len(text):,}")
    return text


@functools.cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"localtime"})  # that one is whatever this machine is set to
