"""Totals add up in any order and any grouping, and nothing that was added is shared or changed."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.totals import Distinct, Totals, add_histogram, add_totals, bin_of, merged


class Exactly:
    """A distinct count that remembers every value: what a sketch approximates."""

    def __init__(self, *values: str) -> None:
        self.values = set(values)

    def add(self, value: str) -> None:
        self.values.add(value)

    def merge(self, other: Exactly) -> None:
        self.values |= other.values

    def copy(self) -> Exactly:
        return Exactly(*self.values)

    def estimate(self) -> int:
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exactly) and self.values == other.values

    def __hash__(self) -> int:
        return hash(frozenset(self.values))


COUNTS = st.integers(-(2**70), 2**70)
HISTOGRAMS = st.dictionaries(st.integers(0, 9), st.integers(-3, 3).filter(bool), min_size=1, max_size=4)
SKETCHES = st.builds(lambda values: Exactly(*values), st.lists(st.sampled_from("abcd"), max_size=4))
TOTALS: st.SearchStrategy[Totals] = st.fixed_dictionaries(
    {}, optional={"count": COUNTS, "sum": COUNTS, "times": HISTOGRAMS, "people": SKETCHES}
)
PARTS = st.lists(TOTALS, max_size=5)


def shown(totals: Totals) -> Totals:
    """Totals without what is nothing: an absent measure is zero."""
    return {key: value for key, value in totals.items() if value not in (0, {}, Exactly())}


def test_numbers_histograms_and_distinct_values_add_up() -> None:
    first: Totals = {"count": 3, "times": {10: 2, 20: 1}, "people": Exactly("ann", "bob")}
    second: Totals = {"count": -1, "times": {20: 4}, "people": Exactly("bob", "eve"), "sum": 7}
    assert merged([first, second]) == {
        "count": 2,
        "times": {10: 2, 20: 5},
        "people": Exactly("ann", "bob", "eve"),
        "sum": 7,
    }


def test_a_bin_that_is_taken_back_whole_is_gone() -> None:
    target = {10: 2, 20: 1}
    add_histogram(target, {10: -2, 30: 0})
    assert target == {20: 1}


def test_one_measure_of_two_kinds_is_refused() -> None:
    for first, second in ((1, {1: 1}), ({1: 1}, 1), (1, Exactly("a")), (Exactly("a"), 1), ({1: 1}, Exactly("a"))):
        with pytest.raises(TypeError, match="'m' is of two kinds"):
            merged([{"m": first}, {"m": second}])


@given(st.data(), PARTS)
def test_the_order_of_parts_does_not_matter(data: st.DataObject, parts: list[Totals]) -> None:
    assert shown(merged(data.draw(st.permutations(parts)))) == shown(merged(parts))


@given(TOTALS, TOTALS, TOTALS)
def test_the_grouping_of_parts_does_not_matter(a: Totals, b: Totals, c: Totals) -> None:
    assert shown(merged([merged([a, b]), c])) == shown(merged([a, merged([b, c])]))


@given(PARTS)
def test_nothing_added_to_nothing_stays_as_it_is(parts: list[Totals]) -> None:
    total = merged(parts)
    assert merged([total]) == merged([{}, total]) == merged([total, {}]) == total


@given(st.lists(HISTOGRAMS, max_size=6))
def test_histograms_are_the_sum_of_their_counts(parts: list[dict[int, int]]) -> None:
    expected: Counter[int] = Counter()
    for part in parts:
        for bin_, count in part.items():
            expected[bin_] += count
    total = merged({"times": part} for part in parts).get("times", {})
    assert total == {bin_: count for bin_, count in expected.items() if count}


@given(st.lists(TOTALS, min_size=1, max_size=4))
def test_adding_changes_no_part_and_shares_nothing_with_it(parts: Sequence[Totals]) -> None:
    before = copy.deepcopy(parts)
    total = merged(parts)
    add_totals(total, {"times": {5: 1}} if "times" in total else {})
    people = total.get("people")
    if isinstance(people, Distinct):
        people.add("somebody new")
    assert parts == before


@given(st.integers(0, 2**60))
def test_a_bin_is_never_above_its_value_and_less_than_a_1024th_below(value: int) -> None:
    found = bin_of(value)
    assert found <= value
    assert (value - found) * 1024 < max(value, 1)


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_bins_keep_the_order_of_values(first: int, second: int) -> None:
    assert (bin_of(first) <= bin_of(second)) is True or first > second


@given(st.integers(0, 2**60))
def test_the_name_of_a_bin_is_in_that_bin(value: int) -> None:
    assert bin_of(bin_of(value)) == bin_of(value)


def test_bins_of_single_values_by_hand() -> None:
    assert [bin_of(v) for v in (0, 1, 2047, 2048, 2049, 2050, 86_400)] == [0, 1, 2047, 2048, 2048, 2050, 86_400]
    assert bin_of(86_401) == 86_400
    assert bin_of(86_464) == 86_464
