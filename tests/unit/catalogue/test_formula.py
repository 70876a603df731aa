"""Every operator by hand, with the cases in which it has no value."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.sketches import HyperLogLog
from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.formula import (
    Average,
    Growth,
    Latest,
    LevelGrowth,
    Levels,
    NetChange,
    Percentile,
    Ratio,
    Reading,
    Reason,
    Sum,
    Term,
    less,
    total,
)
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import BY_KEY, Audience, Fold
from bellwether.domain.totals import Totals
from tests.unit.catalogue.facts import facts

Sizes = dict[Audience, Levels]

CTR = Ratio(total("clicks"), total("impressions"))
MEDIAN = Percentile("response_time", 0.5, waiting="messages")


def people(*names: str) -> HyperLogLog:
    sketch = HyperLogLog()
    for name in names:
        sketch.add(name)
    return sketch


def test_a_sum_adds_its_measures_and_nothing_happened_is_zero() -> None:
    formula = Sum(total("reactions", "comments"))
    assert formula.read(facts({"reactions": 3, "comments": 2, "shares": 9})) == Reading(5, 5, None, 5)
    assert formula.read(facts()) == Reading(0, 0, None, 0)


def test_a_sum_takes_off_what_weighs_negative() -> None:
    assert Sum(less("queries_received", "queries_answered")).read(
        facts({"queries_received": 7, "queries_answered": 3})
    ) == Reading(4, 4, None, 4)
    assert Sum((Term("comments", 3),)).read(facts({"comments": 2})).value == 6


def test_a_sum_of_distinct_people_counts_each_once() -> None:
    assert Sum(total("mention_authors")).read(facts({"mention_authors": people("ann", "bob", "ann")})).value == 2


def test_a_sum_over_a_distribution_counts_what_is_in_it() -> None:
    assert Sum(total("response_time")).read(facts({"response_time": {60: 2, 120: 1}})).value == 3


def test_a_ratio_is_of_sums_in_its_scale() -> None:
    assert CTR.read(facts({"clicks": 30, "impressions": 1500})) == Reading(2.0, 30, 1500, 1500)


def test_a_ratio_over_nothing_is_unknown_not_zero() -> None:
    assert CTR.read(facts({"clicks": 30})) == Reading(None, 30, 0, 0, Reason.NO_DATA)
    assert CTR.read(facts()) == Reading(None, 0, 0, 0, Reason.NO_DATA)


def test_a_ratio_with_nothing_above_is_zero() -> None:
    assert CTR.read(facts({"impressions": 10})) == Reading(0.0, 0, 10, 10)


def test_a_ratio_of_terms_that_cancel_out_below_is_unknown() -> None:
    formula = Ratio(total("a"), less("b", "c"))
    assert formula.read(facts({"a": 1, "b": 2, "c": 2})).reason is Reason.NO_DATA


def test_an_average_is_a_sum_over_a_count_in_its_unit() -> None:
    formula = Average("query_response_seconds", "queries_answered")
    assert formula.read(facts({"query_response_seconds": 90, "queries_answered": 3})) == Reading(30.0, 90.0, 3, 3)
    assert formula.read(facts({"query_response_seconds": 0})) == Reading(None, 0, 0, 0, Reason.NO_DATA)
    sentiment = Average("sentiment_sum", "sentiment_n", unit=10_000)
    assert sentiment.read(facts({"sentiment_sum": -5_000, "sentiment_n": 2})) == Reading(-0.25, -0.5, 2, 2)


def test_a_percentile_counts_who_still_waits() -> None:
    read = MEDIAN.read(facts({"response_time": {60: 1, 120: 1, 600: 1}}, waiting={"messages": [300]}))
    assert read == Reading(120, 3, 4, 4)


def test_a_percentile_without_a_queue_looks_at_the_ended_alone() -> None:
    answered = Percentile("response_time", 0.5)
    waiting = {"messages": [1_000, 1_000, 1_000]}
    assert answered.read(facts({"response_time": {60: 1, 120: 1}}, waiting=waiting)) == Reading(60, 2, 2, 2)


def test_a_percentile_that_too_many_still_wait_for_is_not_reached() -> None:
    read = MEDIAN.read(facts({"response_time": {60: 1}}, waiting={"messages": [100, 200]}))
    assert read == Reading(None, 1, 3, 3, Reason.NOT_REACHED)
    assert MEDIAN.read(facts(waiting={"messages": [5]})) == Reading(None, 0, 1, 1, Reason.NOT_REACHED)


def test_a_percentile_of_nobody_is_unknown() -> None:
    assert MEDIAN.read(facts(waiting={"queries": [9]})) == Reading(None, 0, 0, 0, Reason.NO_DATA)


def test_growth_is_the_difference_over_the_window_before() -> None:
    formula = Growth(total("interactions"))
    assert formula.read(facts({"interactions": 125}, {"interactions": 100})) == Reading(25.0, 25, 100, 125)
    assert formula.read(facts({}, {"interactions": 100})) == Reading(-100.0, -100, 100, 0)
    assert formula.read(facts({"interactions": 5}, {})) == Reading(None, 5, 0, 5, Reason.NOTHING_BEFORE)
    assert formula.read(facts()).reason is Reason.NOTHING_BEFORE


def test_the_latest_size_is_the_sum_of_the_last_snapshots() -> None:
    levels: Sizes = {"followers": Levels({}, {"page": 900, "group": 50}), "members": Levels({}, {"forum": 7})}
    assert Latest(("followers",)).read(facts(levels=levels)) == Reading(950, 950, None, 2)
    assert Latest(("subscribers",)).read(facts(levels=levels)).reason is Reason.NO_DATA


def test_net_change_is_over_the_accounts_known_at_both_ends() -> None:
    grown: Sizes = {"subscribers": Levels({"old": 1_000, "gone": 10}, {"old": 1_030, "new": 500})}
    assert NetChange(("subscribers",)).read(facts(levels=grown)) == Reading(30, 30, 1_000, 1)
    assert LevelGrowth(("subscribers",)).read(facts(levels=grown)) == Reading(3.0, 30, 1_000, 1)


def test_net_change_without_a_size_at_the_start_is_unknown_not_all_of_it() -> None:
    new: Sizes = {"subscribers": Levels({}, {"new": 500})}
    nothing = Reading(None, None, None, 0, Reason.NOTHING_BEFORE)
    assert NetChange(("subscribers",)).read(facts(levels=new)) == nothing
    assert NetChange(("subscribers",)).read(facts()) == nothing
    assert LevelGrowth(("subscribers",)).read(facts(levels=new)).reason is Reason.NOTHING_BEFORE


def test_growth_from_no_follower_at_all_is_unknown_but_its_change_is_not() -> None:
    first: Sizes = {"followers": Levels({"page": 0}, {"page": 5})}
    assert LevelGrowth(("followers",)).read(facts(levels=first)) == Reading(None, 5, 0, 1, Reason.NOTHING_BEFORE)
    assert NetChange(("followers",)).read(facts(levels=first)) == Reading(5, 5, 0, 1)


def test_audiences_are_summed_over_kinds() -> None:
    levels: Sizes = {"followers": Levels({"a": 100}, {"a": 110}), "subscribers": Levels({"b": 100}, {"b": 90})}
    both = LevelGrowth(("followers", "subscribers"))
    assert both.read(facts(levels=levels)) == Reading(0.0, 0, 200, 2)


@pytest.mark.parametrize("kpi", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_kpi_of_nothing_is_zero_or_unknown_with_a_reason(kpi: Kpi) -> None:
    reading = kpi.formula.read(facts())
    assert (reading.value == 0) == (reading.reason is None)
    assert (reading.value is None) == (reading.reason is not None)


@pytest.mark.parametrize("kpi", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_kpi_names_measures_that_it_reads(kpi: Kpi) -> None:
    assert set(kpi.shown()) >= set(kpi.formula.measures())
    assert set(kpi.shown()) <= BY_KEY.keys()


_SIZES = st.integers(0, 10**12)


@given(st.dictionaries(st.sampled_from([k for k, m in BY_KEY.items() if m.fold is not Fold.HISTOGRAM]), _SIZES))
def test_no_kpi_is_ever_nan_or_infinite(totals: dict[str, int]) -> None:
    read: Totals = dict(totals)
    for kpi in CATALOGUE.values():
        value = kpi.formula.read(facts(read, read)).value
        assert value is None or math.isfinite(value)
