"""What time it is. One function here, one in SQL (`clock_now()`); tests move the two together."""

from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The current instant, in UTC."""
    return datetime.now(UTC) + _offset


def move(offset: timedelta) -> None:
    """Let this process's clock run `offset` ahead of the machine's. For tests."""
    global _offset  # noqa: PLW0603  (the clock is the one thing that is global by nature)
    _offset = offset


def iso(instant: datetime) -> str:
    """ISO 8601 in UTC ending in Z, with milliseconds: the one way in which the API writes an instant."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
