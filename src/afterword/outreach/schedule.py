"""When a mail may go. Pure: no database, no clock, the same answer for the same question.

Instants are UTC; what people mean is wall-clock time in their zone. A wall-clock time that a change of the clocks skips
is the first instant after the gap; one that happens twice is the first of the two. Windows are half-open: at 09:30 a
window from 09:30 to 11:30 is open, at 11:30 it is closed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias, cast
from zoneinfo import ZoneInfo

from afterword.interviews import Schedule

Unit = Literal["minutes", "hours", "business_days"]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Delay:
    """How long a step waits after the one before it. A business day is Monday to Friday and no holiday."""

    unit: Unit
    count: int


@dataclass(frozen=True, slots=True)
class SendWindow:
    """Hours of some days of the week (`mon` … `sun`), from `from_` to before `to`, as `HH:MM`; `24:00` ends a day."""

    days: tuple[str, ...]
    from_: str
    to: str

    def to_json(self) -> dict[str, object]:
        """As the API and the database write it."""
        return {"days": list(self.days), "from": self.from_, "to": self.to}

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> "SendWindow":
        """The reverse. Raises ValueError for what `to_json` did not write."""
        match raw:
            case {"days": list(), "from": str(start), "to": str(end)}:
                return cls(tuple(str(day) for day in cast("list[object]", raw["days"])), start, end)
            case _:
                raise ValueError(f"not a send window: {raw!r}")


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a sequence may mail. Without windows: at any hour of any day that is no holiday."""

    zone: ZoneInfo
    windows: Sequence[SendWindow] | None = None
    holidays: frozenset[date] = frozenset()

    @classmethod
    def of(cls, time_zone: str, window: object, holidays: Sequence[str | date]) -> "Calendar":
        """From what the database holds. Raises ValueError, or ZoneInfoNotFoundError."""
        return cls(
            ZoneInfo(time_zone),
            read_windows(window),
            frozenset(day if isinstance(day, date) else date.fromisoformat(day) for day in holidays),
        )

    def is_open(self, at: datetime) -> bool:
        """Whether a mail may go at this instant."""
        local = at.astimezone(self.zone)
        if local.date() in self.holidays:
            return False
        if self.windows is None:
            return True
        minute = local.hour * 60 + local.minute
        return any(
            DAYS[local.weekday()] in window.days and minutes(window.from_) <= minute < minutes(window.to)
            for window in self.windows
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one enrollment stands: what its next delay counts from, and that delay (None: no step is left)."""

    waits_since: datetime
    delay: Delay | None
    stop_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before this instant."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """Never: `finished`, or the reason that the standing gives."""

    reason: str


Action: TypeAlias = Send | Wait | Stop


def next_action(standing: Standing, now: datetime, calendar: Calendar) -> Action:
    """What to do with an enrollment at this instant. Never earlier than its delay, never outside the windows."""
    if standing.stop_reason is not None:
        return Stop(standing.stop_reason)
    if standing.delay is None:
        return Stop("finished")
    at = opening(max(due(standing.waits_since, standing.delay, calendar), now), calendar)
    return Send() if at <= now else Wait(at)


def first_send(schedule: Schedule) -> datetime:
    """When the first mail of an enrollment made at `schedule.now` goes."""
    calendar = Calendar.of(schedule.time_zone, schedule.window, schedule.holidays)
    delay = read_delay(schedule.delay_unit, schedule.delay_count)
    return opening(max(due(schedule.now, delay, calendar), schedule.now), calendar)


def due(since: datetime, delay: Delay, calendar: Calendar) -> datetime:
    """`since` plus the delay: minutes and hours as time that passes, business days at the same time of day."""
    match delay.unit:
        case "minutes":
            return since + timedelta(minutes=delay.count)
        case "hours":
            return since + timedelta(hours=delay.count)
        case "business_days":
            if delay.count == 0:
                return since
            local = since.astimezone(calendar.zone)
            day, left = local.date(), delay.count
            while left:
                day += timedelta(days=1)
                left -= day.weekday() < 5 and day not in calendar.holidays
            return instant(datetime.combine(day, local.time().replace(fold=0)), calendar.zone)


def opening(at: datetime, calendar: Calendar) -> datetime:
    """`at` if mails may go then, else the first instant after it at which they may."""
    if calendar.is_open(at):
        return at
    windows = calendar.windows if calendar.windows is not None else [SendWindow(DAYS, "00:00", "24:00")]
    # from the day before, for a clock that is set back across midnight
    day = at.astimezone(calendar.zone).date() - timedelta(days=1)
    for _ in range(7 * (len(calendar.holidays) + 8)):
        starts = sorted(start for window in windows for start in _starts(day, window, calendar.zone) if start > at)
        for start in starts:
            if calendar.is_open(start):
                return start
        day += timedelta(days=1)
    raise ValueError("the windows never open")


def _starts(day: date, window: SendWindow, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants at which the window opens that day: two where the clock is set back over its start."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes(window.from_))
    yield instant(wall, zone)
    yield instant(wall.replace(fold=1), zone)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """A naive wall-clock time as an instant in UTC: behind the gap if skipped; its `fold` chooses if it comes twice."""
    at = wall.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall:
        return at
    # skipped: read with the offset before the change it lies behind the gap, with the one after it before the gap
    low, high = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    before = low.astimezone(zone).utcoffset()
    first, last = int(low.timestamp()), int(high.timestamp()) + 1
    while last - first > 1:
        middle = (first + last) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            first = middle
        else:
            last = middle
    return datetime.fromtimestamp(last, UTC)


def minutes(clock: str) -> int:
    """Minutes since midnight of `HH:MM`, at most 24:00. Raises ValueError."""
    hours, _, rest = clock.partition(":")
    if len(hours) != 2 or len(rest) != 2 or not (clock.isascii() and hours.isdigit() and rest.isdigit()):
        raise ValueError(f"{clock!r} is not a time such as 09:30")
    total = int(hours) * 60 + int(rest)
    if int(rest) > 59 or total > _DAY:
        raise ValueError(f"{clock!r} is not a time such as 09:30")
    return total


def read_windows(raw: object) -> tuple[SendWindow, ...] | None:
    """Windows as the database's JSON holds them; None where there are none. Raises ValueError."""
    if raw is None:
        return None
    if not isinstance(raw, list):
        raise ValueError(f"not send windows: {raw!r}")
    return tuple(SendWindow.from_json(window) for window in cast("list[Mapping[str, object]]", raw))


def read_delay(unit: str, count: int) -> Delay:
    """A delay as the database holds it. Raises ValueError."""
    match unit:
        case "minutes" | "hours" | "business_days":
            return Delay(unit, count)
        case _:
            raise ValueError(f"not a unit of delay: {unit!r}")
