"""The sketch of distinct values: one number for one set, however it was put together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.adapters.sketches import HyperLogLog
from bellwether.domain.totals import Distinct, merged

# Around the sizes at which the sketch changes how it keeps its values, and well beyond.
SIZES = st.sampled_from([0, 1, 7, 8, 9, 200, 383, 384, 385, 600, 3_000])


def sketch(values: list[str]) -> HyperLogLog:
    found = HyperLogLog()
    for value in values:
        found.add(value)
    return found


def people(count: int, start: int = 0) -> list[str]:
    return [f"person-{n}" for n in range(start, start + count)]


def test_a_value_counts_once_however_often_it_comes() -> None:
    assert sketch(["ann", "bob", "ann", "ann"]).estimate() == 2
    assert HyperLogLog().estimate() == 0


@pytest.mark.parametrize("count", [1, 10, 100, 300])
def test_small_counts_are_exact(count: int) -> None:
    assert sketch(people(count)).estimate() == count


@pytest.mark.parametrize("count", [1_000, 10_000, 50_000])
def test_large_counts_are_within_five_standard_errors(count: int) -> None:
    assert abs(sketch(people(count)).estimate() - count) < 5 * 0.0163 * count


@settings(max_examples=30)
@given(SIZES, st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_number_depends_on_the_set_alone_not_on_order_or_grouping(count: int, random: object, parts: int) -> None:
    values = people(count)
    shuffled = sorted(values, key=lambda _: random.random())  # type: ignore[attr-defined]
    grouped = merged({"people": sketch(shuffled[n::parts])} for n in range(parts))["people"]
    assert isinstance(grouped, Distinct)
    stored = HyperLogLog.load(sketch(shuffled).dump())
    numbers = {sketch(values).estimate(), sketch(shuffled).estimate(), grouped.estimate(), stored.estimate()}
    assert len(numbers) == 1


@settings(max_examples=30)
@given(SIZES, SIZES)
def test_merging_counts_shared_values_once(first: int, second: int) -> None:
    one, other = sketch(people(first)), sketch(people(second, start=first // 2))
    both = sketch(people(max(first, first // 2 + second)))
    one.merge(other)
    assert one.estimate() == both.estimate()
    assert other.estimate() == sketch(people(second, start=first // 2)).estimate()


@settings(max_examples=20)
@given(SIZES)
def test_a_copy_grows_on_its_own(count: int) -> None:
    first = sketch(people(count))
    before = first.estimate()
    copy = first.copy()
    for value in people(500, start=10_000):
        copy.add(value)
    assert first.estimate() == before
    assert copy.estimate() > before


@settings(max_examples=30)
@given(SIZES, SIZES)
def test_what_is_stored_merges_like_what_is_not(first: int, second: int) -> None:
    one, other = sketch(people(first)), sketch(people(second, start=100))
    loaded = HyperLogLog.load(one.dump())
    loaded.merge(HyperLogLog.load(other.dump()))
    one.merge(other)
    assert loaded.estimate() == one.estimate()
    assert HyperLogLog.load(loaded.dump()).estimate() == loaded.estimate()


def test_a_sketch_is_at_most_four_kibibytes_and_some_header() -> None:
    assert len(sketch(people(20_000)).dump()) <= 4_096 + 64
    assert len(sketch(people(3)).dump()) <= 32


def test_other_bytes_are_refused() -> None:
    with pytest.raises((RuntimeError, ValueError, MemoryError)):
        HyperLogLog.load(b"not a sketch")
