"""When a mail may go: dates worked out by hand, and properties over zones with odd clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afterword.interviews import Schedule
from afterword.outreach.schedule import (
    DAYS,
    Calendar,
    Delay,
    Send,
    SendWindow,
    Standing,
    Stop,
    Wait,
    due,
    first_send,
    instant,
    minutes,
    next_action,
    opening,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
MORNINGS = SendWindow(("tue", "wed", "thu"), "09:30", "11:30")
ZONES = (
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Europe/Rome",
    "Europe/London",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "UTC",
)


def calendar(zone: str, *windows: SendWindow, holidays: tuple[date, ...] = ()) -> Calendar:
    return Calendar(ZoneInfo(zone), windows or None, frozenset(holidays))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00Z"),  # 02:00 to 03:00 is skipped
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z"),  # comes twice: the first
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z"),  # half an hour is skipped
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z"),  # half an hour comes twice
        ("America/Santiago", "2026-09-06T00:10", "2026-09-06T04:00Z"),  # midnight itself is skipped
        ("Asia/Kathmandu", "2026-05-05T09:30", "2026-05-05T03:45Z"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z"),  # a day that did not exist
    ],
)
def test_wall_clock_times_around_a_change_of_the_clocks(zone: str, wall: str, expected: str) -> None:
    assert instant(datetime.fromisoformat(wall), ZoneInfo(zone)) == at(expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-24T09:00+01:00", "2026-11-24T09:30+01:00"),  # Tuesday, too early
        ("2026-11-24T09:30+01:00", "2026-11-24T09:30+01:00"),
        ("2026-11-24T11:29:59+01:00", "2026-11-24T11:29:59+01:00"),
        ("2026-11-24T11:30+01:00", "2026-11-25T09:30+01:00"),  # half-open
        ("2026-11-26T12:00+01:00", "2026-12-01T09:30+01:00"),  # Thursday noon: Tuesday
        ("2026-12-22T12:00+01:00", "2026-12-29T09:30+01:00"),  # two holidays behind it
    ],
)
def test_the_window_opens(now: str, expected: str) -> None:
    berlin = calendar("Europe/Berlin", MORNINGS, holidays=(date(2026, 12, 23), date(2026, 12, 24)))

    assert opening(at(now), berlin) == at(expected)


def test_a_window_that_the_change_of_the_clocks_swallows_opens_the_week_after() -> None:
    berlin = calendar("Europe/Berlin", SendWindow(("sun",), "02:00", "03:00"))

    assert opening(at("2026-03-28T12:00Z"), berlin) == at("2026-04-05T00:00Z")


def test_a_window_over_the_hour_that_comes_twice_opens_again_in_its_second_pass() -> None:
    berlin = calendar("Europe/Berlin", SendWindow(("sun",), "02:15", "02:45"))

    assert opening(at("2026-10-25T00:20Z"), berlin) == at("2026-10-25T00:20Z")
    assert opening(at("2026-10-25T00:50Z"), berlin) == at("2026-10-25T01:15Z")


@pytest.mark.parametrize(
    ("since", "count", "expected"),
    [
        ("2026-11-23T15:00+01:00", 3, "2026-11-26T15:00+01:00"),
        ("2026-11-27T15:00+01:00", 1, "2026-11-30T15:00+01:00"),  # Friday to Monday
        ("2026-11-28T15:00+01:00", 1, "2026-11-30T15:00+01:00"),  # Saturday to Monday
        ("2026-12-23T15:00+01:00", 2, "2026-12-29T15:00+01:00"),  # 24 and 25 are holidays, then a weekend
        ("2026-03-27T15:00+01:00", 1, "2026-03-30T15:00+02:00"),  # the clocks change: same time of day
        ("2026-11-28T15:00+01:00", 0, "2026-11-28T15:00+01:00"),
    ],
)
def test_business_days_keep_the_time_of_day(since: str, count: int, expected: str) -> None:
    berlin = calendar("Europe/Berlin", holidays=(date(2026, 12, 24), date(2026, 12, 25)))

    assert due(at(since), Delay("business_days", count), berlin) == at(expected)


def test_the_first_mail_of_a_sequence_without_a_window_goes_at_once() -> None:
    now = at("2026-11-28T22:00Z")

    assert first_send(Schedule(now, "Europe/Berlin", None, [], "business_days", 0)) == now


def test_the_first_mail_waits_for_the_window_as_the_database_wrote_it() -> None:
    window = [MORNINGS.to_json()]

    sent = first_send(Schedule(at("2026-11-23T10:00Z"), "America/New_York", window, ["2026-11-24"], "hours", 1))

    assert sent == at("2026-11-25T09:30-05:00")


def test_what_the_next_action_is() -> None:
    berlin = calendar("Europe/Berlin", MORNINGS)
    now = at("2026-11-24T10:00+01:00")
    waited = Standing(at("2026-11-20T10:00+01:00"), Delay("hours", 24))

    assert next_action(waited, now, berlin) == Send()
    assert next_action(waited, at("2026-11-24T12:00+01:00"), berlin) == Wait(at("2026-11-25T09:30+01:00"))
    assert next_action(Standing(now, Delay("minutes", 5)), now, berlin) == Wait(now + timedelta(minutes=5))
    assert next_action(Standing(now, None), now, berlin) == Stop("finished")
    assert next_action(Standing(now, Delay("minutes", 5), "declined"), now, berlin) == Stop("declined")


@pytest.mark.parametrize("clock", ["9:30", "24:01", "09:60", "0930", "09:30:00", "٠٩:٣٠", ""])
def test_times_are_written_one_way(clock: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        minutes(clock)


windows = st.builds(
    lambda days, start, length: SendWindow(
        tuple(sorted(days, key=DAYS.index)),
        f"{start // 60:02}:{start % 60:02}",
        f"{min(start + length, 1440) // 60:02}:{min(start + length, 1440) % 60:02}",
    ),
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
calendars = st.builds(
    Calendar,
    st.sampled_from(ZONES).map(ZoneInfo),
    st.none() | st.lists(windows, min_size=1, max_size=3),
    st.frozensets(st.dates(date(2026, 1, 1), date(2028, 12, 31)), max_size=20),
)
instants = st.integers(0, 3 * 365 * 86400).map(lambda passed: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(0, passed))
delays = st.builds(Delay, st.sampled_from(("minutes", "hours", "business_days")), st.integers(0, 30))


@settings(max_examples=1500, deadline=None)
@given(calendars, instants, delays, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_no_mail_is_early_or_outside_the_window(
    calendar: Calendar, since: datetime, delay: Delay, passed: timedelta
) -> None:
    now = since + passed
    action = next_action(Standing(since, delay), now, calendar)

    sent = now if isinstance(action, Send) else action.until if isinstance(action, Wait) else None
    assert sent is not None
    assert sent >= now
    assert sent >= due(since, delay, calendar) >= since
    local = sent.astimezone(calendar.zone)
    assert local.date() not in calendar.holidays
    if calendar.windows is not None:
        assert any(
            DAYS[local.weekday()] in window.days and window.from_ <= f"{local:%H:%M}" < window.to
            for window in calendar.windows
        )
    # and asked again when that time has come, the answer is to send
    assert next_action(Standing(since, delay), sent, calendar) == Send()


@settings(max_examples=500, deadline=None)
@given(calendars, instants)
def test_no_opening_is_passed_over(calendar: Calendar, now: datetime) -> None:
    opens = opening(now, calendar)

    step = max((opens - now) / 200, timedelta(minutes=1))
    moment = now
    while moment < opens:
        assert not calendar.is_open(moment)
        moment += step
