"""Sums over any span equal the sum of its events, in every zone and over every change of clocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.clock import LocalClock
from bellwether.domain.timeline import Grain, Timeline, chunk_of, chunks_of, cover
from bellwether.domain.windows import Window, span_at

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo",
         "America/Goose_Bay", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"]  # fmt: skip
CLOCKS = {zone: LocalClock(zone) for zone in ZONES}
# Changes of clocks: New York 2025-03-09, Lord Howe 2025-04-05, Sao Paulo 2018-11-04, and so on.
MOMENTS = st.one_of(
    st.integers(1_200_000_000, 1_800_000_000),
    st.builds(
        lambda change, off: change + off,
        st.sampled_from([1741503600, 1743865200, 1541300400, 1762063200, 1194153060, 1325239200]),
        st.integers(-100_000, 100_000),
    ),
)
MINUTES = MOMENTS.map(lambda m: m // 60 * 60)


@given(st.sampled_from(ZONES), MOMENTS)
def test_every_moment_is_in_one_hour_and_one_day_that_hold_it(zone: str, moment: int) -> None:
    clock = CLOCKS[zone]
    hour, day = clock.place(moment)
    assert hour <= moment < clock.next_hour(moment) <= hour + 3600
    assert clock.hour(hour) == hour
    assert clock.hour(clock.next_hour(moment)) == clock.next_hour(moment)
    assert clock.day_start(day) <= moment < clock.day_start(day + 1)
    assert clock.day(clock.day_start(day)) == day


@given(
    st.sampled_from(ZONES),
    MINUTES,
    st.integers(0, 60 * 24 * 40).map(lambda m: m * 60),
    st.lists(st.tuples(st.integers(-200_000, 4_000_000), st.integers(1, 9)), max_size=30),
)
def test_a_sum_over_a_span_is_the_sum_of_its_events(
    zone: str, start: int, length: int, events: list[tuple[int, int]]
) -> None:
    clock = CLOCKS[zone]
    timeline = Timeline(clock)
    moments = [(start + offset, n) for offset, n in events]
    end = start + length
    for segment in cover(start, end, clock):
        timeline.loaded.update(chunks_of(segment, clock))
    for moment, n in moments:
        hour, day = clock.place(moment)
        for grain, bucket in zip(Grain, (moment // 60 * 60, hour, day), strict=True):
            timeline.loaded.add(chunk_of(grain, bucket, clock))
            timeline.add(grain, bucket, 0, {"n": n})
            assert timeline.total(start, start + 60) is not None  # what is remembered must move
    expected = sum(n for moment, n in moments if start <= moment < end)
    assert timeline.total(start, end).get("n", 0) == expected


def test_a_rollup_that_is_not_loaded_is_never_added_to() -> None:
    with pytest.raises(KeyError, match="is not loaded"):
        Timeline(CLOCKS["UTC"]).add(Grain.MINUTE, 0, 0, {"n": 1})


@given(st.sampled_from(ZONES), MOMENTS, st.sampled_from(list(Window)), st.booleans())
def test_a_span_ends_at_the_moment_and_does_not_overlap_its_comparison(
    zone: str, as_of: int, window: Window, old: bool
) -> None:
    clock = CLOCKS[zone]
    span = span_at(window, as_of, clock, minutes_from=as_of + 86_400 if old else 0)
    assert span.start < span.end
    assert span.before_start <= span.before_end <= span.start
    if old:
        edges = (span.start, span.end, span.before_start, span.before_end)
        assert all(clock.hour(edge) == edge for edge in edges)
        assert span.end < as_of + 60
        assert as_of < span.end + 3600
    else:
        assert 0 <= span.end - as_of < 60


def test_a_period_that_just_ended_is_shown_whole() -> None:
    midnight = 1_424_563_200  # 2015-02-22T00:00:00Z
    span = span_at(Window.DAY, midnight, CLOCKS["UTC"], 0)
    assert (span.start, span.end, span.partial) == (midnight - 86_400, midnight, False)


def test_twelve_days_of_a_month_are_compared_with_twelve_days() -> None:
    noon = 1_426_161_600  # 2015-03-12T12:00:00Z
    span = span_at(Window.MONTH, noon, CLOCKS["UTC"], 0)
    february = 1_422_748_800
    assert span.partial
    assert (span.before_start, span.before_end) == (february, february + 11 * 86_400 + 43_200)


def test_the_day_on_which_clocks_change_has_23_or_25_hours() -> None:
    clock = LocalClock("America/New_York")
    lengths = {clock.day_start(d + 1) - clock.day_start(d) for d in range(20_100, 20_100 + 366)}
    assert lengths == {23 * 3600, 24 * 3600, 25 * 3600}
