"""What windows cover: at the ends of periods, on days of 23 and 25 hours, and what they are compared with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock, ceil_minute, day_of, floor_minute
from bellwether.domain.windows import (
    MINUTES_KEPT_S,
    PERIOD_START,
    ROLLING_S,
    Span,
    Window,
    next_period,
    period_span,
    span_at,
)

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"]
CLOCKS = {zone: LocalClock(zone) for zone in ZONES}
CALENDAR = [Window.DAY, Window.WEEK, Window.MONTH, Window.QUARTER, Window.YEAR]
DATES = st.dates(date(2010, 1, 1), date(2035, 12, 31))
# Any moment, moments around whole hours, and the days around a change of clocks by half an hour (Lord Howe 2025-04-05).
MOMENTS = st.one_of(
    st.integers(1_262_304_000, 2_082_758_400),
    st.builds(lambda hour, off: hour * HOUR_S + off, st.integers(360_000, 570_000), st.integers(-70, 70)),
    st.builds(
        lambda change, days, off: change + days * DAY_S + off,
        st.sampled_from([1_743_865_200, 1_759_592_600 // 1800 * 1800]),
        st.sampled_from([0, 1, 7, 14, 28, 56, 90, 180]),
        st.integers(-HOUR_S, HOUR_S),
    ),
)


def moment(zone: str, text: str) -> int:
    """The UTC second of a local wall clock time; of an hour shown twice the first."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def whole(zone: str, window: Window, as_of: str) -> Span:
    return span_at(window, moment(zone, as_of), CLOCKS[zone], 0)


@pytest.mark.parametrize(
    ("window", "first", "following"),
    [
        (Window.DAY, "2024-02-28", "2024-02-29"),
        (Window.WEEK, "2024-12-30", "2025-01-06"),
        (Window.MONTH, "2024-02-01", "2024-03-01"),
        (Window.MONTH, "2025-12-01", "2026-01-01"),
        (Window.QUARTER, "2024-01-01", "2024-04-01"),
        (Window.QUARTER, "2025-10-01", "2026-01-01"),
        (Window.YEAR, "2024-01-01", "2025-01-01"),
    ],
)
def test_a_period_is_followed_by_the_next_of_its_kind(window: Window, first: str, following: str) -> None:
    assert next_period(window, date.fromisoformat(first)) == date.fromisoformat(following)


@given(st.sampled_from(CALENDAR), DATES)
def test_periods_follow_each_other_without_a_gap_and_hold_their_days(window: Window, day: date) -> None:
    first = PERIOD_START[window](day)
    following = next_period(window, first)
    assert first <= day < following
    assert PERIOD_START[window](following) == following
    assert PERIOD_START[window](following - timedelta(days=1)) == first


@given(st.sampled_from(ZONES), st.sampled_from(CALENDAR), DATES)
def test_a_finished_period_is_compared_with_the_whole_one_before_it(zone: str, window: Window, day: date) -> None:
    clock = CLOCKS[zone]
    first = PERIOD_START[window](day)
    start, end = clock.day_start(day_of(first)), clock.day_start(day_of(next_period(window, first)))
    before = clock.day_start(day_of(PERIOD_START[window](first - timedelta(days=1))))
    assert period_span(window, first, clock, end) == Span(start, end, before, start)
    assert period_span(window, first, clock, end + 12_345) == Span(start, end, before, start)


@pytest.mark.parametrize(
    ("window", "as_of", "start", "before_start", "before_end"),
    [
        # Noon on the 31st of March has no like in February: the whole of February it is.
        (Window.MONTH, "2025-03-31 12:00", "2025-03-01 00:00", "2025-02-01 00:00", "2025-03-01 00:00"),
        (Window.MONTH, "2025-03-12 12:00", "2025-03-01 00:00", "2025-02-01 00:00", "2025-02-12 12:00"),
        # Longer periods are compared to the hour.
        (Window.MONTH, "2025-03-12 12:59", "2025-03-01 00:00", "2025-02-01 00:00", "2025-02-12 12:00"),
        (Window.QUARTER, "2025-04-02 10:30", "2025-04-01 00:00", "2025-01-01 00:00", "2025-01-02 10:00"),
        (Window.QUARTER, "2025-06-30 23:59", "2025-04-01 00:00", "2025-01-01 00:00", "2025-04-01 00:00"),
        (Window.YEAR, "2024-12-31 12:00", "2024-01-01 00:00", "2023-01-01 00:00", "2024-01-01 00:00"),
        (Window.YEAR, "2025-01-01 00:01", "2025-01-01 00:00", "2024-01-01 00:00", "2024-01-01 00:00"),
        (Window.WEEK, "2025-03-12 12:59", "2025-03-10 00:00", "2025-03-03 00:00", "2025-03-05 12:59"),
        (Window.DAY, "2025-03-12 12:59", "2025-03-12 00:00", "2025-03-11 00:00", "2025-03-11 12:59"),
    ],
)
def test_a_period_that_runs_is_compared_with_as_much_of_the_one_before(
    window: Window, as_of: str, start: str, before_start: str, before_end: str
) -> None:
    span = whole("UTC", window, as_of)
    expected = (moment("UTC", start), moment("UTC", as_of), moment("UTC", before_start), moment("UTC", before_end))
    assert (span.start, span.end, span.before_start, span.before_end) == expected
    assert span.partial


@pytest.mark.parametrize(("window", "days"), [(Window.DAY, 1), (Window.WEEK, 7), (Window.MONTH, 31)])
def test_at_its_last_moment_a_period_is_whole_and_a_minute_later_a_new_one_runs(window: Window, days: int) -> None:
    midnight = moment("Europe/Berlin", {1: "2025-08-02", 7: "2025-08-04", 31: "2025-09-01"}[days])
    clock = CLOCKS["Europe/Berlin"]
    ended, began = span_at(window, midnight, clock, 0), span_at(window, midnight + 1, clock, 0)
    assert (ended.end - ended.start, ended.end, ended.partial) == (days * DAY_S, midnight, False)
    assert (began.start, began.end, began.partial) == (midnight, midnight + 60, True)
    assert began.before_start == ended.start


def test_a_day_of_23_hours_is_compared_with_as_many_hours_of_the_day_before() -> None:
    # Berlin skips 02:00 to 03:00 on 2025-03-30: noon is 11 hours after midnight.
    span = whole("Europe/Berlin", Window.DAY, "2025-03-30 12:00")
    assert span.end - span.start == 11 * HOUR_S
    assert span.before_end - span.before_start == 11 * HOUR_S
    day_after = whole("Europe/Berlin", Window.DAY, "2025-03-31 00:00")
    assert (day_after.end - day_after.start, day_after.partial) == (23 * HOUR_S, False)


def test_a_day_of_25_hours_is_never_compared_with_more_than_the_day_before() -> None:
    midnight = moment("Europe/Berlin", "2025-10-27 00:00")
    span = span_at(Window.DAY, midnight - 60, CLOCKS["Europe/Berlin"], 0)
    assert span.end - span.start == 25 * HOUR_S - 60
    assert span.before_end == span.start
    assert span.before_end - span.before_start == 24 * HOUR_S


def test_a_week_that_lost_an_hour_is_compared_with_as_much_of_its_weekday() -> None:
    span = whole("Europe/Berlin", Window.WEEK, "2025-03-30 12:00")  # Sunday
    assert span.before_end == moment("Europe/Berlin", "2025-03-23 11:00")  # 11 hours of Sunday, as many as this one's
    assert span.before_start == moment("Europe/Berlin", "2025-03-17 00:00")


@pytest.mark.parametrize("window", [Window.HOUR, Window.DAY_24H, Window.DAYS_7])
def test_a_short_rolling_window_ends_at_the_minute_and_is_compared_with_as_long_a_one(window: Window) -> None:
    as_of = moment("UTC", "2025-03-12 12:34:56")
    span = span_at(window, as_of, CLOCKS["UTC"], 0)
    end, length = moment("UTC", "2025-03-12 12:35"), ROLLING_S[window]
    assert span == Span(end - length, end, end - 2 * length, end - length)


@pytest.mark.parametrize("window", [Window.DAYS_28, Window.DAYS_90])
def test_a_long_rolling_window_starts_at_an_hour_since_minutes_are_not_kept(window: Window) -> None:
    end, length = moment("UTC", "2025-03-12 12:35"), ROLLING_S[window]
    span = span_at(window, end, CLOCKS["UTC"], 0)
    assert span.end == end
    assert span.start == end - length + 25 * 60
    assert (span.before_start, span.before_end) == (span.start - length, span.start)


@given(st.sampled_from(ZONES), st.sampled_from(list(Window)), MOMENTS)
def test_a_span_is_the_same_all_through_a_minute(zone: str, window: Window, as_of: int) -> None:
    clock, end = CLOCKS[zone], ceil_minute(as_of)
    for minutes_from in (0, as_of - MINUTES_KEPT_S, as_of + DAY_S):
        assert span_at(window, as_of, clock, minutes_from) == span_at(window, end, clock, minutes_from)


@given(st.sampled_from(ZONES), st.sampled_from(list(Window)), MOMENTS)
def test_current_windows_need_no_minute_that_is_not_kept(zone: str, window: Window, now: int) -> None:
    clock = CLOCKS[zone]
    span = span_at(window, now, clock, now - MINUTES_KEPT_S)
    for edge in (span.start, span.end, span.before_start, span.before_end):
        assert edge % 60 == 0
        assert edge >= now - MINUTES_KEPT_S or clock.hour(edge) == edge


def test_where_clocks_change_by_half_an_hour_windows_still_end_between_hours() -> None:
    clock, change = CLOCKS["Australia/Lord_Howe"], 1_743_865_200
    for days in range(0, 190, 2):
        for off in range(-2 * HOUR_S, 2 * HOUR_S, 600):
            now = change + days * DAY_S + off
            spans = [span_at(window, now, clock, now - MINUTES_KEPT_S) for window in Window]
            edges = {edge for s in spans for edge in (s.start, s.end, s.before_start, s.before_end)}
            assert all(edge >= now - MINUTES_KEPT_S or clock.hour(edge) == edge for edge in edges)


@given(st.sampled_from(ZONES), st.sampled_from(CALENDAR), MOMENTS)
def test_a_calendar_span_starts_at_a_local_midnight_and_never_reaches_ahead(
    zone: str, window: Window, as_of: int
) -> None:
    clock = CLOCKS[zone]
    span = span_at(window, as_of, clock, 0)
    first = datetime.fromtimestamp(span.start, ZoneInfo(zone)).date()
    assert span.start == clock.day_start(day_of(first))
    assert PERIOD_START[window](first) == first
    assert span.partial == (span.end < clock.day_start(day_of(next_period(window, first))))
    assert span.before_end <= span.start < span.end == ceil_minute(as_of)


@given(MOMENTS)
def test_minutes_are_rounded_down_and_up(at: int) -> None:
    exact = datetime.fromtimestamp(at, UTC)
    assert floor_minute(at) == int(exact.replace(second=0).timestamp())
    assert ceil_minute(at) in (floor_minute(at), floor_minute(at) + 60)
    assert ceil_minute(at) >= at
