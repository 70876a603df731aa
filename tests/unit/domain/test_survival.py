"""Waiting times against a Kaplan-Meier written out the slow way, in exact fractions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.survival import quantile_of, waiting_time

# Textbook quantiles: as fractions, so that the oracle has no rounding of its own.
QUANTILES = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(9, 10), Fraction(1, 10)])
TIMES = st.lists(st.integers(0, 12), max_size=12)


def kaplan_meier(quantile: Fraction, ended: list[int], waiting: list[int]) -> int | None:
    """The first time at which at most 1 − quantile of all survive, from single waits."""
    surviving = Fraction(1)
    for time in sorted(set(ended)):
        at_risk = sum(1 for wait in (*ended, *waiting) if wait >= time)
        surviving *= 1 - Fraction(ended.count(time), at_risk)
        if surviving <= 1 - quantile:
            return time
    return None


@given(QUANTILES, TIMES, TIMES)
def test_waiting_times_agree_with_the_estimate_done_wait_by_wait(
    quantile: Fraction, ended: list[int], waiting: list[int]
) -> None:
    found = waiting_time(float(quantile), Counter(ended), sorted(waiting))
    assert found == kaplan_meier(quantile, ended, waiting)


@given(QUANTILES, TIMES)
def test_with_nobody_waiting_it_is_the_plain_quantile(quantile: Fraction, ended: list[int]) -> None:
    assert waiting_time(float(quantile), Counter(ended), []) == quantile_of(float(quantile), Counter(ended))


@given(QUANTILES, TIMES)
def test_the_plain_quantile_is_the_smallest_value_that_a_share_does_not_exceed(
    quantile: Fraction, ended: list[int]
) -> None:
    values = sorted(ended)
    reached = [v for v in values if Fraction(sum(1 for w in values if w <= v), len(values)) >= quantile]
    assert quantile_of(float(quantile), Counter(ended)) == (reached[0] if reached else None)


def test_the_textbook_example_of_six_and_their_censored() -> None:
    # Survival: at 1 × 9/10 = .9, at 3 × 7/8 = .79, at 4 × 6/7 = .68, at 6 × 4/5 = .54, at 8 × 2/3 = .36.
    ended, waiting = [1, 3, 4, 6, 8], [2, 5, 7, 9, 10]
    assert waiting_time(0.25, Counter(ended), waiting) == 4
    assert waiting_time(0.5, Counter(ended), waiting) == 8
    assert waiting_time(0.75, Counter(ended), waiting) is None


def test_who_waits_longer_than_all_answers_keeps_a_quantile_from_being_reached() -> None:
    assert waiting_time(0.5, {60: 1}, [100, 200]) is None
    assert waiting_time(0.5, {60: 2}, [100, 200]) == 60


def test_who_began_to_wait_just_now_changes_nothing() -> None:
    assert waiting_time(0.5, {60: 1, 120: 1, 600: 1}, [0, 1, 59]) == 120


def test_somebody_who_has_waited_as_long_as_an_answer_took_was_still_waiting_then() -> None:
    # At 60 s there are two at risk, so half of them is gone.
    assert waiting_time(0.5, {60: 1}, [60]) == 60
    assert waiting_time(0.6, {60: 1}, [60]) is None


def test_the_example_of_the_percentile_operator() -> None:
    assert waiting_time(0.5, {60: 1, 120: 1, 600: 1}, [300]) == 120


@pytest.mark.parametrize("waiting", [[], [1], [1, 2, 3]])
def test_without_any_answer_there_is_no_quantile(waiting: list[int]) -> None:
    assert waiting_time(0.5, {}, waiting) is None
    assert quantile_of(0.5, {}) is None


@given(QUANTILES, TIMES, TIMES)
def test_bins_without_a_count_mean_nothing(quantile: Fraction, ended: list[int], waiting: list[int]) -> None:
    padded = {time: 0 for time in range(-1, 14) if time >= 0} | Counter(ended)
    assert waiting_time(float(quantile), padded, sorted(waiting)) == kaplan_meier(quantile, ended, waiting)


@given(QUANTILES, TIMES.filter(bool))
def test_a_quantile_grows_with_its_share(quantile: Fraction, ended: list[int]) -> None:
    lower = quantile_of(float(quantile) / 2, Counter(ended))
    upper = quantile_of(float(quantile), Counter(ended))
    assert lower is not None
    assert upper is not None
    assert lower <= upper
