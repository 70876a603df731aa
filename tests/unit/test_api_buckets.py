"""The spans of series and scorecards, also where the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.clock import LocalClock
from bellwether.domain.windows import Span, Window
from bellwether_api.buckets import MOST_POINTS, SeriesGrain, buckets
from bellwether_api.periods import Period, before_of, period_of, span_of

BERLIN = LocalClock("Europe/Berlin")
LORD_HOWE = LocalClock("Australia/Lord_Howe")  # changes by half an hour
ZONES = [BERLIN, LORD_HOWE, LocalClock("America/New_York"), LocalClock("Asia/Kathmandu"), LocalClock("UTC")]


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%m-%dT%H:%M")


def _edges(spans: list[Span]) -> list[tuple[str, str]]:
    return [(_text(span.start), _text(span.end)) for span in spans]


LATER = _at("2027-06-01T00:00:00Z")


def test_the_day_on_which_the_clocks_go_back_has_25_hours() -> None:
    days = buckets(SeriesGrain.DAY, _at("2026-10-24T12:00:00Z"), _at("2026-10-26T12:00:00Z"), BERLIN, LATER)
    assert _edges(days) == [
        ("10-23T22:00", "10-24T22:00"),
        ("10-24T22:00", "10-25T23:00"),
        ("10-25T23:00", "10-26T23:00"),
    ]
    hours = buckets(SeriesGrain.HOUR, _at("2026-10-24T22:00:00Z"), _at("2026-10-25T23:00:00Z"), BERLIN, LATER)
    assert len(hours) == 25
    assert {span.end - span.start for span in hours} == {3600}


def test_the_day_on_which_the_clocks_go_forward_has_23_hours() -> None:
    hours = buckets(SeriesGrain.HOUR, _at("2027-03-27T23:00:00Z"), _at("2027-03-28T22:00:00Z"), BERLIN, LATER)
    assert len(hours) == 23
    (day,) = buckets(SeriesGrain.DAY, _at("2027-03-27T23:00:00Z"), _at("2027-03-28T22:00:00Z"), BERLIN, LATER)
    assert day.end - day.start == 23 * 3600


def test_where_the_clocks_change_by_half_an_hour_no_minute_is_lost_or_twice() -> None:
    hours = buckets(SeriesGrain.HOUR, _at("2026-10-03T12:00:00Z"), _at("2026-10-03T18:00:00Z"), LORD_HOWE, LATER)
    lengths = [span.end - span.start for span in hours]
    assert set(lengths) <= {1800, 3600}
    assert 1800 in lengths


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    weeks = buckets(SeriesGrain.WEEK, _at("2026-10-13T12:00:00Z"), _at("2026-10-20T12:00:00Z"), BERLIN, LATER)
    assert _edges(weeks) == [("10-11T22:00", "10-18T22:00"), ("10-18T22:00", "10-25T23:00")]
    months = buckets(SeriesGrain.MONTH, _at("2026-10-13T12:00:00Z"), _at("2026-11-01T00:00:00Z"), BERLIN, LATER)
    assert _edges(months) == [("09-30T22:00", "10-31T23:00"), ("10-31T23:00", "11-30T23:00")]


@pytest.mark.parametrize("grain", SeriesGrain)
def test_the_bucket_that_runs_is_partial_and_compared_with_as_much_of_the_one_before(grain: SeriesGrain) -> None:
    now = _at("2026-10-13T12:20:30Z")
    *whole, running = buckets(grain, _at("2026-08-01T00:00:00Z"), now, BERLIN, now)
    assert not any(span.partial for span in whole)
    assert running.partial
    assert running.end == _at("2026-10-13T12:21:00Z")
    compared = {
        SeriesGrain.HOUR: ("10-13T11:00", "10-13T11:21"),
        SeriesGrain.DAY: ("10-11T22:00", "10-12T12:21"),
        SeriesGrain.WEEK: ("10-04T22:00", "10-06T12:21"),
        SeriesGrain.MONTH: ("08-31T22:00", "09-13T12:00"),  # minutes of a month ago are not kept
    }
    assert (_text(running.before_start), _text(running.before_end)) == compared[grain]


def test_nothing_begins_after_now() -> None:
    now = _at("2026-10-13T12:00:00Z")
    hours = buckets(SeriesGrain.HOUR, now - 7200, now + 86_400, BERLIN, now)
    assert _edges(hours) == [("10-13T10:00", "10-13T11:00"), ("10-13T11:00", "10-13T12:00")]


def test_a_range_without_end_stops_one_point_beyond_the_limit() -> None:
    assert len(buckets(SeriesGrain.HOUR, 0, LATER, BERLIN, LATER)) == MOST_POINTS + 1


@given(
    st.sampled_from(ZONES),
    st.sampled_from(SeriesGrain),
    st.integers(_at("2025-01-01T00:00:00Z"), _at("2027-01-01T00:00:00Z")),
    st.integers(1, 40 * 86_400),
)
def test_buckets_follow_each_other_without_gap_and_hold_the_whole_range(
    clock: LocalClock, grain: SeriesGrain, start: int, length: int
) -> None:
    spans = buckets(grain, start, start + length, clock, LATER)
    assert spans[0].start <= start < spans[0].end
    assert spans[-1].start < start + length <= spans[-1].end
    for one, following in pairwise(spans):
        assert (one.start, one.end) == (following.before_start, following.start)
        assert following.before_end == following.start


def test_a_running_month_is_compared_with_as_much_of_the_month_before() -> None:
    now = _at("2026-10-13T12:00:30Z")
    period = period_of(Window.MONTH, now, BERLIN)
    span = span_of(period, BERLIN, now, now)
    before = before_of(period, span, BERLIN, now)
    assert (_text(span.start), _text(span.end), span.partial) == ("09-30T22:00", "10-13T12:01", True)
    assert (_text(before.start), _text(before.end)) == ("08-31T22:00", "09-13T12:00")
    assert (_text(before.before_start), _text(before.before_end)) == ("07-31T22:00", "08-13T12:00")


def test_a_period_that_is_over_is_compared_with_the_whole_one_before() -> None:
    period = Period(Window.QUARTER, date(2026, 7, 1))
    span = span_of(period, BERLIN, LATER, LATER)
    before = before_of(period, span, BERLIN, LATER)
    assert (_text(span.start), _text(span.end), span.partial) == ("06-30T22:00", "09-30T22:00", False)
    assert (_text(before.start), _text(before.end), before.partial) == ("03-31T22:00", "06-30T22:00", False)


def test_long_ago_a_period_ends_at_the_hour_since_minutes_are_gone() -> None:
    as_of = _at("2026-10-13T12:20:30Z")
    day = period_of(Window.DAY, as_of, BERLIN)
    assert _text(span_of(day, BERLIN, as_of, as_of).end) == "10-13T12:21"
    assert _text(span_of(day, BERLIN, as_of, LATER).end) == "10-13T12:00"


def test_a_week_of_which_the_one_before_is_half_forgotten_compares_whole_hours() -> None:
    as_of, now = _at("2026-10-06T12:20:00Z"), _at("2026-10-13T12:20:00Z")
    week = period_of(Window.WEEK, as_of, BERLIN)
    span = span_of(week, BERLIN, as_of, now)
    assert _text(span.before_end) == "09-29T12:20"
    assert _text(before_of(week, span, BERLIN, now).before_end) == "09-22T12:00"
