"""Where values will stand: by hand, and as properties of streams."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.targets import Bounds, Finding, History, Method, achievable, by_drift, by_trend, ended
from bellwether.domain.targets.projection import student_t
from bellwether.domain.windows import Window

rates = st.floats(-1e4, 1e4)
days_seen = st.integers(7, 28)
days_ahead = st.floats(0.01, 400)


@given(rates, days_seen, days_ahead, rates)
def test_what_moves_alike_every_day_goes_on_so(daily: float, seen: int, left: float, value: float) -> None:
    found = by_drift(value, [daily] * seen, left)
    assert found is not None
    assert found.value == pytest.approx(value + left * daily, abs=1e-6)
    assert found.low == pytest.approx(found.high, abs=1e-3)


@given(rates, days_seen, days_ahead, st.floats(1, 400))
def test_a_rate_that_stays_stays(rate: float, seen: int, left: float, whole: float) -> None:
    found = by_trend(rate, [(-day - 0.5, rate) for day in range(seen)], left, whole)
    assert found is not None
    assert found.value == pytest.approx(rate, abs=1e-6)
    assert found.low == pytest.approx(found.high, abs=1e-3)


@given(st.lists(st.floats(0, 100), min_size=7, max_size=28), st.floats(0.5, 100), st.floats(0.5, 100))
def test_the_interval_holds_the_estimate_and_widens_with_the_days_ahead(
    movements: list[float], one: float, other: float
) -> None:
    near, far = (by_drift(0.0, movements, left) for left in sorted((one, other)))
    assert near is not None
    assert far is not None
    assert near.low <= near.value <= near.high
    assert near.high - near.low <= far.high - far.low + 1e-9


def test_drift_by_hand() -> None:
    found = by_drift(100.0, [8, 12, 8, 12, 8, 12, 10], 4.0)
    assert found is not None
    assert found.value == 140.0
    deviation = sqrt((3 * 4 + 3 * 4) / 6)
    error = deviation * sqrt(4 * (1 + 4 / 7))
    assert found.high - found.value == pytest.approx(1.440 * error, rel=2e-3)
    assert (found.method, found.days) == (Method.DRIFT, 7)


def test_a_trend_goes_on_for_the_days_ahead_only() -> None:
    """A rate that rises by 0.1 a day up to 5 at the moment; 10 of 40 days are ahead: their mean is 5.5."""
    found = by_trend(4.0, [(-day - 0.5, 5.0 - 0.1 * (day + 0.5)) for day in range(28)], 10.0, 40.0)
    assert found is not None
    assert found.value == pytest.approx(0.75 * 4.0 + 0.25 * 5.5)


def test_a_window_that_ends_far_ahead_holds_none_of_the_days_seen() -> None:
    """In 100 days a window of 28 covers days 72 to 100: the line stands at 5 + 0.1 × 86."""
    found = by_trend(4.0, [(-day - 0.5, 5.0 - 0.1 * (day + 0.5)) for day in range(28)], 100.0, 28.0)
    assert found is not None
    assert found.value == pytest.approx(13.6)


def test_few_days_project_nothing() -> None:
    assert by_drift(1.0, [1.0] * 6, 3.0) is None
    assert by_trend(1.0, [(-1.0 * day, 1.0) for day in range(6)], 3.0, 30.0) is None


def test_after_the_end_the_projection_is_the_value() -> None:
    assert (ended(3.0).value, ended(3.0).low, ended(3.0).high) == (3.0, 3.0, 3.0)


@pytest.mark.parametrize(("freedom", "quantile"), [(5, 1.476), (6, 1.440), (10, 1.372), (27, 1.314), (1_000, 1.282)])
def test_the_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student_t(freedom) == pytest.approx(quantile, abs=3e-3)


def test_what_history_supports_is_said_in_numbers() -> None:
    seen = [300, 420, 640, 510, 480, 600]
    beyond = achievable(History(Bounds(at_least=1_000), seen, Window.MONTH, "count"))
    assert beyond.finding is Finding.WARNING
    assert beyond.words == "The best of the last 6 months was 640; 1,000 asks for 1.6 times that; none of them met it."
    within = achievable(History(Bounds(at_least=500), seen, Window.MONTH, "count"))
    assert within.finding is Finding.MET
    assert within.words.endswith("3 of 6 met it.")


def test_a_maximum_is_told_against_the_lowest() -> None:
    found = achievable(History(Bounds(at_most=3), [4.0, 3.5, 5.0], Window.MONTH, "percent"))
    assert found.finding is Finding.WARNING
    assert found.words.startswith("The lowest of the last 3 months was 3.5 %; at most 3 % asks for 0.86 times that")


def test_a_pace_is_told_for_what_it_is_needed() -> None:
    history = History(Bounds(at_least=520), [310, 200, 150], Window.MONTH, "count", "at least 35,000 by 2027-06-30")
    assert achievable(history).words == (
        "The best of the last 3 months was 310; at least 35,000 by 2027-06-30 asks for 520 a month, 1.7 times that; "
        "none of them met it."
    )


def test_a_short_history_says_nothing() -> None:
    found = achievable(History(Bounds(at_least=1), [None, None, 5.0, 6.0], Window.WEEK, "count"))
    assert found.finding is Finding.UNKNOWN
    assert "2 of the last 4 weeks" in found.words
