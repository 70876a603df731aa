"""Markers and crises: which of them count in a window, and what is read around them."""

from __future__ import annotations

from datetime import UTC as UTC_ZONE
from datetime import datetime

import pytest

from bellwether.catalogue.formula import (
    DuringCrises,
    Moments,
    Reading,
    Reason,
    Recovered,
    RecoveryTime,
    Regained,
    Undone,
    Uplift,
    less,
    total,
)
from bellwether.catalogue.formula.moments import (
    MOST_MARKERS,
    Stretch,
    course_of,
    day_edges,
    days_after,
    days_before,
    in_crisis,
    markers_over,
)
from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock
from bellwether.domain.incidents import Interval
from bellwether.domain.totals import Totals
from bellwether.domain.windows import Span
from tests.unit.catalogue.facts import FOUR_WEEKS, UTC, ZERO, around, facts, timeline

BERLIN = LocalClock("Europe/Berlin")
MENTIONS = Uplift(total("mentions"), None, "training")
NET, TEXTS = less("positive_n", "negative_n"), total("sentiment_n")


def day(number: float) -> int:
    return round(number * DAY_S)


def texts(positive: int, negative: int) -> Totals:
    return {"positive_n": positive, "negative_n": negative, "sentiment_n": positive + negative}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC_ZONE).timestamp())


def test_days_around_a_marker_are_counted_from_the_start_of_its_hour() -> None:
    marker = ZERO + 9 * HOUR_S + 1800
    assert days_before(marker, 7, UTC) == Stretch(ZERO + 9 * HOUR_S - day(7), ZERO + 9 * HOUR_S)
    assert days_after(marker, 7, UTC) == Stretch(ZERO + 9 * HOUR_S, ZERO + 9 * HOUR_S + day(7))


def test_where_clocks_change_by_half_an_hour_the_days_end_with_a_local_hour() -> None:
    lord_howe = LocalClock("Australia/Lord_Howe")
    marker = at("2026-04-01 03:10")  # the clocks went back by half an hour on the 4th
    edges = day_edges(marker, 7, lord_howe)
    assert edges[0] == at("2026-04-01 03:00")
    assert edges[-1] == days_after(marker, 7, lord_howe).end == at("2026-04-08 02:30")
    assert all(lord_howe.hour(edge) == edge for edge in edges)


def test_a_marker_counts_in_the_window_in_which_its_days_after_are_over() -> None:
    marker = ZERO - day(7) + 1800  # over at the very start of the window, as the hour is what counts
    ends = [ZERO - day(7) + 1800, ZERO - day(6.5), ZERO + day(21) - HOUR_S + 60, ZERO + day(21) + 60, ZERO + day(22)]
    assert markers_over([marker, *ends[1:]], 7, FOUR_WEEKS, UTC) == [ends[1], ends[2], ends[3]]


def test_of_very_many_markers_the_latest_count() -> None:
    markers = [ZERO + 60 * n for n in range(MOST_MARKERS + 20)]
    assert markers_over(markers, 7, FOUR_WEEKS, UTC) == markers[20:]


def test_a_marker_whose_days_after_are_not_over_yet_does_not_count() -> None:
    hours: dict[int, Totals] = {0: {"mentions": 10}, 30: {"mentions": 30}}
    over = around(hours, {"training": [day(1)]}, span=Span(ZERO, ZERO + day(8), 0, 0))
    assert MENTIONS.read(over) == Reading(200.0, 30, 10, 1)
    early = around(hours, {"training": [day(1)]}, span=Span(ZERO, ZERO + day(8) - 60, 0, 0))
    assert MENTIONS.read(early) == Reading(None, n=0, reason=Reason.NO_MARKER)
    assert MENTIONS.read(around(hours, {"campaign": [day(1)]})).reason is Reason.NO_MARKER
    assert MENTIONS.read(facts()).reason is Reason.NO_MARKER


def test_uplift_of_several_markers_is_of_their_sums_not_the_mean_of_their_uplifts() -> None:
    hours: dict[int, Totals] = {
        -24: {"mentions": 10},
        24: {"mentions": 30},
        240: {"mentions": 100},
        300: {"mentions": 90},
    }
    read = MENTIONS.read(around(hours, {"training": [0, 12 * DAY_S]}))
    assert read == Reading(float(100 * (120 - 110) / 110), 120, 110, 2)


def test_uplift_looks_at_the_days_it_is_given() -> None:
    hours: dict[int, Totals] = {
        -25: {"mentions": 1_000},
        -24: {"mentions": 10},
        23: {"mentions": 15},
        24: {"mentions": 999},
    }
    read = Uplift(total("mentions"), None, "training", days=1).read(around(hours, {"training": [0]}))
    assert read == Reading(50.0, 15, 10, 1)


def test_uplift_in_points_is_defined_where_nothing_can_be_a_percentage() -> None:
    hours = {-24: texts(1, 3), 24: texts(3, 1)}
    in_points = Uplift(NET, TEXTS, "training", points=True).read(around(hours, {"training": [0]}))
    assert in_points == Reading(100.0, 50.0, -50.0, 1)
    assert Uplift(NET, TEXTS, "training").read(around(hours, {"training": [0]})).reason is Reason.NOTHING_BEFORE


def test_what_was_undone_is_not_in_the_days_around_a_marker_either() -> None:
    hours: dict[int, Totals] = {ZERO - HOUR_S: {"mentions": 10}, ZERO + HOUR_S: {"mentions": 30}}
    undone = [Undone(ZERO + HOUR_S, {"mentions": -10, "clicks": -1}), Undone(ZERO + day(7), {"mentions": -1})]
    moments = Moments(timeline(hours), {"training": [ZERO]}, (), undone)
    assert MENTIONS.read(facts(moments=moments, span=FOUR_WEEKS)) == Reading(100.0, 20, 10, 1)


REACH = Recovered(total("reach"), "platform_change")


def reach(*daily: int) -> dict[int, Totals]:
    """10 a day in the week before, and then so much a day."""
    return {
        **{-24 * n: {"reach": 10} for n in range(1, 8)},
        **{24 * n: {"reach": amount} for n, amount in enumerate(daily)},
    }


@pytest.mark.parametrize(
    ("daily", "is_recovered"),
    [
        ((10, 10, 10, 10, 10, 10, 10), True),
        ((12, 11, 5, 6, 7, 8, 10), True),
        ((12, 11, 5, 6, 7, 8, 9), False),
        ((30, 1, 2, 3, 4, 5, 6), False),
        ((0, 0, 0, 0, 0, 0, 0), False),
        ((9, 9, 9, 10, 9, 9, 9), True),
    ],
)
def test_only_what_follows_the_weakest_day_is_a_recovery(daily: tuple[int, ...], is_recovered: bool) -> None:
    read = REACH.read(around(reach(*daily), {"platform_change": [0]}))
    assert read == Reading(100.0 if is_recovered else 0.0, int(is_recovered), 1, 1)


def test_a_marker_without_anything_before_is_no_case_of_recovery() -> None:
    hours = {**reach(10, 10, 10, 10, 10, 10, 10)}
    both = around(hours, {"platform_change": [-day(8), 0]}, span=Span(ZERO - day(2), ZERO + day(10), 0, 0))
    assert REACH.read(both) == Reading(100.0, 1, 1, 1)


def test_a_crisis_takes_whole_hours_as_far_as_they_are_in_the_window_and_each_once() -> None:
    span = Span(ZERO + 1800, ZERO + 10 * HOUR_S + 600, 0, 0)
    crises = [
        Interval(ZERO - day(3), ZERO - day(2)),
        Interval(ZERO + 600, ZERO + 2 * HOUR_S + 1),
        Interval(ZERO + 2 * HOUR_S, ZERO + 3 * HOUR_S),
        Interval(ZERO + 5 * HOUR_S + 1, ZERO + 5 * HOUR_S + 2),
        Interval(ZERO + 10 * HOUR_S + 60, None),
        Interval(ZERO + 11 * HOUR_S, None),
    ]
    assert in_crisis(crises, span, UTC) == [
        Stretch(ZERO + 1800, ZERO + 3 * HOUR_S),
        Stretch(ZERO + 5 * HOUR_S, ZERO + 6 * HOUR_S),
        Stretch(ZERO + 10 * HOUR_S, ZERO + 10 * HOUR_S + 600),
    ]


def test_a_crisis_that_outlasts_another_one_keeps_its_own_end() -> None:
    crises = [Interval(ZERO, ZERO + 9 * HOUR_S), Interval(ZERO + HOUR_S, ZERO + 2 * HOUR_S)]
    assert in_crisis(crises, FOUR_WEEKS, UTC) == [Stretch(ZERO, ZERO + 9 * HOUR_S)]


def test_sentiment_in_crises_counts_each_text_once() -> None:
    hours = {0: texts(9, 0), 1: texts(1, 4), 2: texts(2, 3), 3: texts(8, 0)}
    crises = [Interval(HOUR_S, 2 * HOUR_S + 5), Interval(HOUR_S, 3 * HOUR_S)]
    read = DuringCrises(NET, TEXTS).read(around(hours, crises=crises))
    assert read == Reading(-40.0, -4, 10, 10)
    assert DuringCrises(NET, TEXTS).read(around({}, crises=crises)) == Reading(None, 0, 0, 0, Reason.NO_DATA)
    assert DuringCrises(NET, TEXTS).read(facts()).reason is Reason.NO_DATA


def test_the_course_of_a_crisis_is_a_day_before_its_hours_and_a_day_after() -> None:
    course = course_of(Interval(at("2026-03-28 22:30"), at("2026-03-29 04:10")), BERLIN)
    assert course is not None
    assert course.before == Stretch(at("2026-03-27 22:00"), at("2026-03-28 22:00"))
    assert course.during == Stretch(at("2026-03-28 22:00"), at("2026-03-29 05:00"))
    assert course.after == Stretch(at("2026-03-29 05:00"), at("2026-03-30 05:00"))
    assert course_of(Interval(0, None), BERLIN) is None


def test_what_is_regained_is_the_rise_over_the_drop() -> None:
    # Net sentiment 40 before, −20 while open, 25 after.
    hours = {0: texts(14, 6), 24: texts(2, 3), 30: texts(15, 9)}
    read = Regained(NET, TEXTS).read(around(hours, crises=[Interval(day(1), day(1) + 2 * HOUR_S)]))
    assert read == Reading(75.0, 45.0, 60.0, 1)


def test_crises_are_pooled_and_one_whose_day_after_is_not_over_does_not_count() -> None:
    hours = {0: texts(9, 1), 24: texts(0, 5), 30: texts(4, 1), 240: texts(1, 9), 264: texts(0, 15), 270: texts(5, 0)}
    crises = [
        Interval(day(1), day(1) + HOUR_S),
        Interval(day(11), day(11) + HOUR_S),
        Interval(day(27), day(27) + HOUR_S),
    ]
    read = Regained(NET, TEXTS).read(around(hours, crises=crises))
    # (9+1−1−9)/20 = 0 before, (−5−15)/20 = −1 while open, (3+5)/10 = 0.8 after
    assert read == Reading(180.0, 180.0, 100.0, 2)


def test_without_a_drop_there_is_nothing_to_regain() -> None:
    hours = {0: texts(1, 1), 24: texts(2, 2), 30: texts(4, 1)}
    read = Regained(NET, TEXTS).read(around(hours, crises=[Interval(day(1), day(1) + HOUR_S)]))
    assert read == Reading(None, n=1, reason=Reason.NO_DATA)


def test_recovery_takes_until_the_end_of_the_first_hour_at_the_baseline() -> None:
    hours = {0: texts(3, 1), 24: texts(0, 5), 26: texts(1, 1), 28: texts(3, 1), 29: texts(0, 9)}
    crises = [Interval(day(1), day(1) + HOUR_S + 1200)]
    assert RecoveryTime(NET, TEXTS).read(around(hours, crises=crises)) == Reading(5 * HOUR_S - HOUR_S - 1200, 1, 1, 1)


def test_a_crisis_that_was_never_recovered_from_counts_as_one_that_still_takes() -> None:
    hours = {0: texts(3, 1), 26: texts(3, 1), 240: texts(3, 1), 266: texts(1, 3), 480: texts(3, 1), 506: texts(1, 3)}
    crises = [Interval(day(d), day(d) + HOUR_S) for d in (1, 11, 21)]
    two = RecoveryTime(NET, TEXTS).read(around(hours, crises=crises[:2]))
    assert two == Reading(2 * HOUR_S, 1, 2, 2)
    assert RecoveryTime(NET, TEXTS).read(around(hours, crises=crises)) == Reading(None, 1, 3, 3, Reason.NOT_REACHED)
