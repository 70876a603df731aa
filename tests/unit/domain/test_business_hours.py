"""Business hours: what counts, what does not and why, also where the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.business_hours import (
    BusinessHours,
    Holiday,
    Hours,
    Kind,
    Schedule,
    Stretch,
    business_hours,
    hours_text,
    parse_hours,
)

MINUTE = 60
HOUR = 3600
DAY = 86_400


def week(**days: str) -> tuple[tuple[Hours, ...], ...]:
    """Hours by weekday, as `mon="09:00-12:00 13:00-17:00"`."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return tuple(tuple(parse_hours(text) for text in days.get(name, "").split()) for name in names)


OFFICE = week(**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:00"))


def at(text: str, zone: str = "UTC") -> int:
    """A local moment, of two with one name the first."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def test_only_open_seconds_count() -> None:
    hours = BusinessHours("Europe/Berlin", Schedule(OFFICE))
    friday, monday = at("2026-03-06T16:45", "Europe/Berlin"), at("2026-03-09T09:15", "Europe/Berlin")
    assert hours.seconds_between(friday, monday) == 30 * MINUTE
    assert hours.moment_after(friday, 30 * MINUTE) == monday
    assert hours.moment_after(friday, 30 * MINUTE + 1) == monday + 1
    assert hours.seconds_between(monday, friday) == -30 * MINUTE


def test_a_brand_without_hours_is_always_open() -> None:
    assert business_hours("Asia/Kolkata", Schedule()) is None
    hours = BusinessHours("Asia/Kolkata", Schedule())
    assert hours.seconds_between(0, 10**9) == 10**9
    assert hours.intervals(5, 10**7) == [Stretch(5, 10**7, Kind.OPEN)]


def test_paused_time_says_why() -> None:
    easter = (Holiday(date(2026, 4, 3)), Holiday(date(2026, 4, 6)))
    hours = BusinessHours("Europe/Berlin", Schedule(OFFICE, easter))
    thursday, tuesday = at("2026-04-02T16:00", "Europe/Berlin"), at("2026-04-07T10:00", "Europe/Berlin")
    shown = [(s.kind.value, (s.end - s.start) // HOUR) for s in hours.intervals(thursday, tuesday)]
    assert shown == [
        ("open", 1), ("closed", 7), ("holiday", 24), ("closed", 48), ("holiday", 24), ("closed", 9), ("open", 1),
    ]  # fmt: skip
    assert hours.opens_next(thursday + HOUR) == at("2026-04-07T09:00", "Europe/Berlin")


def test_hours_that_pass_midnight_end_on_the_next_day_unless_that_is_a_holiday() -> None:
    late = week(fri="22:00-02:00", sat="22:00-02:00")
    hours = BusinessHours("UTC", Schedule(late, (Holiday(date(2026, 3, 8)),)))
    assert hours.seconds_between(at("2026-03-06T12:00"), at("2026-03-07T12:00")) == 4 * HOUR
    assert hours.seconds_between(at("2026-03-07T12:00"), at("2026-03-08T12:00")) == 2 * HOUR
    assert hours.intervals(at("2026-03-07T23:00"), at("2026-03-08T03:00")) == [
        Stretch(at("2026-03-07T23:00"), at("2026-03-08T00:00"), Kind.OPEN),
        Stretch(at("2026-03-08T00:00"), at("2026-03-08T03:00"), Kind.HOLIDAY),
    ]


def test_a_holiday_may_have_hours_of_its_own() -> None:
    eve = Holiday(date(2026, 12, 24), (parse_hours("10:00-12:00"),))
    hours = BusinessHours("UTC", Schedule(OFFICE, (eve,)))
    assert hours.seconds_between(at("2026-12-24T00:00"), at("2026-12-25T00:00")) == 2 * HOUR
    assert not hours.is_open(at("2026-12-24T09:30"))


def test_an_hour_that_is_shown_twice_is_open_twice_and_one_that_is_skipped_not_at_all() -> None:
    night = week(**dict.fromkeys(("sat", "sun"), "01:30-03:30"))
    hours = BusinessHours("Europe/Berlin", Schedule(night))
    autumn = at("2026-10-24T00:00", "Europe/Berlin"), at("2026-10-26T00:00", "Europe/Berlin")
    spring = at("2026-03-28T00:00", "Europe/Berlin"), at("2026-03-30T00:00", "Europe/Berlin")
    assert hours.seconds_between(*autumn) == (2 + 3) * HOUR
    assert hours.seconds_between(*spring) == (2 + 1) * HOUR


def test_what_never_opens_again_has_no_next_opening() -> None:
    eve = Holiday(date(2026, 12, 24), (parse_hours("10:00-12:00"),))
    hours = BusinessHours("UTC", Schedule(week(), (eve,)))
    assert hours.opens_next(at("2026-01-01T00:00")) == at("2026-12-24T10:00")
    assert hours.opens_next(at("2026-12-24T12:00")) is None
    assert hours.moment_after(at("2026-01-01T00:00"), 3 * HOUR) is None
    assert hours.moment_after(at("2030-01-01T00:00"), 0) == at("2030-01-01T00:00")
    assert BusinessHours("UTC", Schedule(week())).opens_next(10**9) is None


def test_a_closed_period_ends_where_it_opens() -> None:
    hours = BusinessHours("UTC", Schedule(OFFICE))
    friday, monday = at("2026-03-06T17:00"), at("2026-03-09T09:00")
    assert hours.are_in_one_closed_period(friday, monday - 1)
    assert not hours.are_in_one_closed_period(friday, monday)
    assert not hours.are_in_one_closed_period(friday - 1, monday - 1)
    assert not hours.are_in_one_closed_period(friday, monday + 9 * HOUR)


@pytest.mark.parametrize(
    "text", ["9:00-17:00", "09:00", "09:00-09:00", "09:00-24:01", "25:00-26:00", "", "09:00–17:00"]
)
def test_hours_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_hours(text)


@pytest.mark.parametrize("text", ["09:00-17:30", "22:00-06:00", "00:00-24:00", "18:00-24:00", "23:00-00:00"])
def test_hours_are_written_as_they_are_read(text: str) -> None:
    assert parse_hours(hours_text(parse_hours(text))) == parse_hours(text)


ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "America/Santiago",
        "Pacific/Apia",
    ]
)
HOURS = st.builds(lambda start, length: Hours(start, start + length), st.integers(0, 1439), st.integers(1, 1439))
DAYS = st.lists(HOURS, max_size=2).map(tuple)
WEEKS = st.one_of(st.none(), st.tuples(*[DAYS] * 7))
# Where clocks change: Apia skipped 30 December 2011, the others change in these months of 2026.
STARTS = st.sampled_from(
    ["2011-12-28", "2026-03-07", "2026-03-27", "2026-04-03", "2026-09-04", "2026-10-02", "2026-10-24", "2026-10-31"]
)
SPANS = st.tuples(STARTS, st.integers(0, 3 * DAY), st.integers(0, 2 * DAY)).map(
    lambda drawn: (start := at(drawn[0]) + drawn[1], start + drawn[2])
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    first = date.fromisoformat(draw(STARTS)).toordinal()
    days = draw(st.lists(st.integers(0, 4), max_size=3, unique=True))
    return Schedule(draw(WEEKS), tuple(Holiday(date.fromordinal(first + day), draw(DAYS)) for day in days))


def is_open_on_the_wall(moment: int, zone: str, schedule: Schedule) -> bool:
    """By the words of the definition, from what the clock on the wall shows."""
    shown = datetime.fromtimestamp(moment, ZoneInfo(zone))
    minute, today = shown.hour * 60 + shown.minute, shown.date()
    own = {holiday.date: holiday.hours for holiday in schedule.holidays}
    always = ((Hours(0, 1440),),) * 7

    def starting(day: date) -> tuple[Hours, ...]:
        return own[day] if day in own else (schedule.week or always)[day.weekday()]

    yesterday = () if today in own else starting(date.fromordinal(today.toordinal() - 1))
    return any(h.start <= minute < h.end for h in starting(today)) or any(minute + 1440 < h.end for h in yesterday)


@given(ZONES, schedules(), SPANS)
def test_open_seconds_are_those_of_a_walk_over_every_minute(
    zone: str, schedule: Schedule, span: tuple[int, int]
) -> None:
    start, end = (moment // MINUTE * MINUTE for moment in span)
    walked = sum(MINUTE for minute in range(start, end, MINUTE) if is_open_on_the_wall(minute, zone, schedule))
    hours = BusinessHours(zone, schedule)
    assert hours.seconds_between(start, end) == walked
    parts = hours.intervals(start, end)
    assert sum(s.end - s.start for s in parts if s.kind is Kind.OPEN) == walked
    assert [s.start for s in parts] + [end] == ([start] + [s.end for s in parts] if parts else [end])


@given(ZONES, schedules(), SPANS, st.integers(0, 20 * DAY))
def test_open_seconds_add_up_and_never_run_back(
    zone: str, schedule: Schedule, span: tuple[int, int], more: int
) -> None:
    hours, (start, middle) = BusinessHours(zone, schedule), span
    end = middle + more
    parts = hours.seconds_between(start, middle), hours.seconds_between(middle, end)
    assert sum(parts) == hours.seconds_between(start, end)
    assert 0 <= parts[0] <= middle - start
    assert 0 <= parts[1] <= more


@given(ZONES, schedules(), SPANS, st.integers(1, 5 * DAY))
def test_the_moment_after_so_many_seconds_is_the_first_at_which_they_passed(
    zone: str, schedule: Schedule, span: tuple[int, int], seconds: int
) -> None:
    hours = BusinessHours(zone, schedule)
    found = hours.moment_after(span[0], seconds)
    if found is None:
        assert hours.seconds_between(span[0], span[0] + 400 * DAY) < seconds
    else:
        assert hours.seconds_between(span[0], found) == seconds
        assert hours.is_open(found - 1)


def test_a_century_of_waiting_is_reckoned_at_once() -> None:
    hours = BusinessHours("Europe/Berlin", Schedule(OFFICE))
    start, end = at("1990-01-01T00:00", "Europe/Berlin"), at("2089-12-26T00:00", "Europe/Berlin")
    weeks = (datetime.fromtimestamp(end, UTC) - datetime.fromtimestamp(start, UTC)).days // 7
    assert hours.seconds_between(start, end) == pytest.approx(weeks * 40 * HOUR, abs=8 * HOUR)
