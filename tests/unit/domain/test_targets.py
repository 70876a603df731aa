"""Targets: attainment and status of every form, by hand and by property."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.clock import LocalClock
from bellwether.domain.targets import (
    Attainment,
    Band,
    Bounds,
    By,
    Change,
    During,
    Every,
    FromTo,
    Lack,
    Level,
    Maximum,
    Standing,
    Status,
    Target,
    against,
    attain,
    deadline,
    frame_at,
    in_words,
    spelled,
    status_of,
)
from bellwether.domain.targets.aims import Aim
from bellwether.domain.windows import Window

BERLIN = LocalClock("Europe/Berlin")
values = st.floats(-1e6, 1e6, allow_nan=False)
positive = st.floats(0.01, 1e6)
shares = st.floats(0.01, 1.0)
aims: st.SearchStrategy[Aim] = st.one_of(
    st.builds(Level, values),
    st.builds(Change, st.floats(1, 200)),
    st.tuples(values, st.floats(0.1, 1e5)).map(lambda way: FromTo(way[0], way[0] + way[1])),
)


def seconds(text: str) -> int:
    """UTC seconds of an RFC 3339 moment."""
    return int(datetime.fromisoformat(text).timestamp())


def stands(
    aim: Aim,
    value: float | None,
    elapsed: float,
    *,
    better: str = "up",
    baseline: float | None = None,
    builds_up: bool = False,
    origin: float = 0.0,
    moves: bool = False,
) -> Attainment:
    standing = Standing(
        value=value, baseline=baseline, elapsed=elapsed, builds_up=builds_up, origin=origin, moves=moves
    )
    return attain(aim, better, standing)


@pytest.mark.parametrize(
    ("value", "elapsed", "attainment", "behind", "status"),
    [
        (95, 0.1, 9.5, 0.5, Status.ON_TRACK),  # 100 are expected, 4.5 % of 1,000 may lack
        (400, 0.5, 40.0, 10.0, Status.AT_RISK),  # 500 are expected, 2.5 % and 10 % may lack
        (399, 0.5, 39.9, 10.1, Status.OFF_TRACK),
        (999, 1.0, 99.9, 0.1, Status.OFF_TRACK),
        (1_000, 1.0, 100.0, 0.0, Status.ON_TRACK),
        (1_250, 1.0, 125.0, -25.0, Status.ON_TRACK),
    ],
)
def test_a_thousand_new_subscribers_every_month_are_expected_day_by_day(
    value: float, elapsed: float, attainment: float, behind: float, status: Status
) -> None:
    found = stands(Level(1_000), value, elapsed, builds_up=True)
    assert found.attainment == pytest.approx(attainment)
    assert found.behind == pytest.approx(behind)
    assert found.status is status
    assert found.expected == Bounds(at_least=1_000 * elapsed)


@pytest.mark.parametrize(
    ("value", "elapsed", "attainment", "behind", "status"),
    [
        (5.25, 0.25, 25.0, 0.0, Status.ON_TRACK),
        (5.4, 0.5, 40.0, 10.0, Status.AT_RISK),  # 5.5 is expected, a tenth of the way lacks
        (5.7, 1.0, 70.0, 30.0, Status.OFF_TRACK),
        (4.9, 0.5, -10.0, 60.0, Status.OFF_TRACK),
    ],
)
def test_an_engagement_rate_from_5_to_6_percent_by_a_date_is_expected_on_a_line(
    value: float, elapsed: float, attainment: float, behind: float, status: Status
) -> None:
    found = stands(FromTo(5, 6), value, elapsed, moves=True, baseline=4.0)
    assert found.attainment == pytest.approx(attainment)
    assert found.behind == pytest.approx(behind)
    assert found.status is status


@pytest.mark.parametrize(
    ("value", "elapsed", "attainment", "status"),
    [
        (570, 0.5, 100 * 570 / 1_150, Status.ON_TRACK),  # 575 are expected, 28.75 may lack
        (500, 0.5, 100 * 500 / 1_150, Status.AT_RISK),
        (1_149, 1.0, 100 * 1_149 / 1_150, Status.OFF_TRACK),
    ],
)
def test_traffic_15_percent_above_the_month_before_is_told_against_the_whole_of_it(
    value: float, elapsed: float, attainment: float, status: Status
) -> None:
    found = stands(Change(15), value, elapsed, baseline=1_000, builds_up=True)
    assert found.goal is not None
    assert found.goal.at_least == pytest.approx(1_150)
    assert found.attainment == pytest.approx(attainment)
    assert found.status is status


@pytest.mark.parametrize(
    ("value", "elapsed", "attainment", "status"),
    [
        (34_250, 0.25, 100 * 34_250 / 35_000, Status.ON_TRACK),
        (34_400, 0.5, 100 * 34_400 / 35_000, Status.AT_RISK),  # 34,500 are expected on the way from 34,000
        (34_399, 0.5, 100 * 34_399 / 35_000, Status.OFF_TRACK),
        (35_000, 1.0, 100.0, Status.ON_TRACK),
    ],
)
def test_35000_by_a_date_are_expected_on_a_line_from_where_the_way_began(
    value: float, elapsed: float, attainment: float, status: Status
) -> None:
    found = stands(Level(35_000), value, elapsed, baseline=34_000, moves=True)
    assert found.attainment == pytest.approx(attainment)
    assert found.status is status


@pytest.mark.parametrize(
    ("value", "elapsed", "attainment", "status"),
    [
        (1.5, 0.5, 100.0, Status.ON_TRACK),
        (2.0, 0.5, 100.0, Status.OFF_TRACK),  # within the maximum as yet, but 1.5 is due at half time
        (1.7, 0.5, 100.0, Status.AT_RISK),
        (3.0, 1.0, 100.0, Status.ON_TRACK),
        (4.0, 1.0, 75.0, Status.OFF_TRACK),
    ],
)
def test_a_maximum_churn_is_used_up_day_by_day(value: float, elapsed: float, attainment: float, status: Status) -> None:
    found = stands(Maximum(3), value, elapsed, better="down", builds_up=True)
    assert found.attainment == pytest.approx(attainment)
    assert found.status is status


def test_a_rate_over_a_period_is_to_be_at_its_goal_all_along() -> None:
    assert stands(Level(6), 6.1, 0.1).status is Status.ON_TRACK
    assert stands(Level(6), 5.4, 0.5).status is Status.AT_RISK
    assert stands(Level(1_800), 2_000, 0.5, better="down").attainment == pytest.approx(90.0)


def test_a_retention_falls_from_100_on() -> None:
    half = stands(Level(96), 97.9, 0.5, builds_up=True, origin=100)
    assert half.expected == Bounds(at_least=98.0)
    assert half.behind == pytest.approx(2.5)
    assert half.status is Status.ON_TRACK


@pytest.mark.parametrize(
    ("value", "attainment"), [(12, 100.0), (14, 100.0), (16, 100.0), (6, 50.0), (32, 50.0), (0, 0.0)]
)
def test_within_a_band_all_is_attained_and_outside_by_distance(value: float, attainment: float) -> None:
    assert stands(Band(12, 16), value, 1.0, better="band").attainment == pytest.approx(attainment)


def test_who_reached_the_goal_before_the_way_began_is_to_stay_there() -> None:
    found = stands(Level(100), 104, 0.5, baseline=110, moves=True)
    assert found.expected == Bounds(at_least=100)
    assert found.status is Status.ON_TRACK


def test_levels_that_are_not_above_0_are_attained_by_distance() -> None:
    assert stands(Level(-10), -15, 1.0).attainment == pytest.approx(50.0)
    assert stands(Level(0), 0, 1.0).attainment == 100.0
    assert stands(Level(0), -1, 1.0).attainment == 0.0


def test_from_to_of_a_sum_is_told_at_the_same_point_of_the_period() -> None:
    found = stands(FromTo(100, 130), 60, 0.5, builds_up=True)
    assert found.attainment == pytest.approx(100 * (60 - 50) / 15)


def test_what_cannot_be_told_is_unknown_with_a_reason() -> None:
    assert stands(Level(1), None, 0.5).reason is Lack.NO_VALUE
    assert stands(Change(15), 5, 0.5).reason is Lack.NO_BASELINE
    assert stands(Change(15), 5, 0.5, baseline=0).reason is Lack.NO_BASELINE
    lost = stands(Level(100), 50, 0.5, moves=True)
    assert (lost.attainment, lost.status, lost.reason) == (50.0, Status.NO_DATA, Lack.NO_BASELINE)


@given(aims, values, values, shares, st.booleans(), positive)
def test_attainment_never_falls_as_the_value_rises(
    aim: Aim, one: float, other: float, elapsed: float, builds_up: bool, baseline: float
) -> None:
    less, more = (
        stands(aim, value, elapsed, baseline=baseline, builds_up=builds_up).attainment for value in sorted((one, other))
    )
    assert less is not None
    assert more is not None
    assert less <= more or less == pytest.approx(more)


@given(aims, values, values, shares, st.booleans(), st.booleans(), positive)
def test_status_never_gets_worse_as_the_value_rises(
    aim: Aim, one: float, other: float, elapsed: float, builds_up: bool, moves: bool, baseline: float
) -> None:
    order = [Status.OFF_TRACK, Status.AT_RISK, Status.ON_TRACK]
    less, more = (
        order.index(stands(aim, v, elapsed, baseline=baseline, builds_up=builds_up, moves=moves).status)
        for v in sorted((one, other))
    )
    assert less <= more


@given(positive, positive, values)
def test_a_band_is_whole_inside_and_less_outside(low: float, width: float, value: float) -> None:
    band = Band(low, low + width)
    attainment = stands(band, value, 1.0, better="band").attainment
    assert attainment is not None
    assert (attainment == 100.0) == (band.low <= value <= band.high)


@given(aims, positive, st.booleans())
def test_on_the_deadline_the_goal_alone_counts(aim: Aim, value: float, builds_up: bool) -> None:
    found = stands(aim, value, 1.0, baseline=value / 2, builds_up=builds_up)
    assert found.goal is not None
    at_least = found.goal.at_least
    assert at_least is not None
    if value >= at_least:
        assert found.status is Status.ON_TRACK
    elif value < at_least - 1e-6 * abs(at_least):
        assert found.status is Status.OFF_TRACK


@pytest.mark.parametrize(
    ("behind", "elapsed", "status"),
    [
        (5.0, 0.0, Status.ON_TRACK),
        (20.0, 0.0, Status.AT_RISK),
        (20.1, 0.0, Status.OFF_TRACK),
        (2.5, 0.5, Status.ON_TRACK),
        (2.6, 0.5, Status.AT_RISK),
        (10.1, 0.5, Status.OFF_TRACK),
    ],
)
def test_the_tolerance_shrinks_with_the_time_that_is_left(behind: float, elapsed: float, status: Status) -> None:
    assert status_of(behind, elapsed) is status


@pytest.mark.parametrize(
    ("aim", "better", "expected"),
    [
        (Maximum(3), "up", True),
        (Maximum(3), "down", False),
        (Change(-5), "up", True),
        (Change(5), "down", True),
        (FromTo(6, 5), "up", True),
        (FromTo(6, 5), "down", False),
        (Change(5), "band", False),
        (Level(5), "down", False),
    ],
)
def test_what_asks_for_worse_is_known(aim: Aim, better: str, expected: bool) -> None:
    assert against(aim, better) is expected


def test_every_month_is_a_stretch_of_its_own_in_local_time() -> None:
    every = Every(Window.MONTH, date(2026, 10, 15))
    assert frame_at(every, seconds("2026-09-30T21:59:00+00:00"), BERLIN) is None
    october = frame_at(every, seconds("2026-10-16T10:00:00+00:00"), BERLIN)
    assert october is not None
    assert (october.start, october.end) == (seconds("2026-09-30T22:00+00:00"), seconds("2026-10-31T23:00+00:00"))
    last = frame_at(every, october.end, BERLIN)
    assert last is not None
    assert (last.start, last.elapsed) == (october.start, 1.0)
    following = frame_at(every, october.end + 60, BERLIN)
    assert following is not None
    assert following.start == october.end


def test_after_its_end_a_target_is_read_at_its_end() -> None:
    by = By(date(2026, 12, 31), date(2026, 10, 1))
    found = frame_at(by, seconds("2027-03-01T00:00+00:00"), BERLIN)
    assert found is not None
    assert found.moment == found.end == deadline(by, BERLIN) == seconds("2026-12-31T23:00+00:00")
    during = During(Window.QUARTER, date(2026, 10, 1))
    found = frame_at(during, seconds("2027-03-01T00:00+00:00"), BERLIN)
    assert found is not None
    assert found.moment == found.end == deadline(during, BERLIN) == seconds("2026-12-31T23:00+00:00")
    until = Every(Window.MONTH, date(2026, 1, 1), date(2026, 3, 10))
    found = frame_at(until, seconds("2026-06-01T00:00+00:00"), BERLIN)
    assert found is not None
    assert found.end == deadline(until, BERLIN) == seconds("2026-03-31T22:00+00:00")


@pytest.mark.parametrize(
    ("aim", "time", "unit", "better", "words"),
    [
        (Level(1_000), Every(Window.MONTH, date(2026, 1, 1)), "count", "up", "at least 1,000 every month"),
        (Maximum(3), Every(Window.MONTH, date(2026, 1, 1)), "percent", "down", "at most 3 % every month"),
        (FromTo(5, 6), By(date(2026, 12, 31), date(2026, 10, 1)), "percent", "up", "from 5 % to 6 % by 2026-12-31"),
        (
            Change(15),
            During(Window.QUARTER, date(2026, 10, 1)),
            "count",
            "up",
            "+15 % against the period before in the quarter from 2026-10-01",
        ),
        (Band(12, 16), Every(Window.WEEK, date(2026, 1, 1)), "count", "band", "12 to 16 every week"),
    ],
)
def test_a_target_is_said_in_words(aim: Aim, time: Every | By | During, unit: str, better: str, words: str) -> None:
    assert in_words(Target(kpi="a", aim=aim, time=time, kra="b"), unit, better) == words


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (5.25, "percent", "5.25 %"),
        (1_234_567.4, "count", "1,234,567"),
        (0.1 + 0.2, "ratio", "0.3"),
        (90.0, "seconds", "90 s"),
        (32.5, "EUR", "32.5 EUR"),
    ],
)
def test_values_are_spelled_for_people(value: float, unit: str, words: str) -> None:
    assert spelled(value, unit) == words
