"""Snapshots of an audience: the last one counts, whatever order they came in."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bellwether.catalogue.evaluate import LevelHistory

SNAPSHOTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 99)), max_size=8)


def history(*snapshots: tuple[int, int]) -> LevelHistory:
    found = LevelHistory([], [])
    for moment, count in snapshots:
        found.put(moment, count)
    return found


def test_a_level_is_the_last_count_observed_before_a_moment() -> None:
    levels = history((100, 5), (200, 7))
    assert [levels.at(moment) for moment in (100, 101, 200, 201, 999)] == [None, 5, 5, 7, 7]


def test_a_level_before_the_first_snapshot_is_unknown_not_zero() -> None:
    assert history().at(100) is None


def test_of_two_snapshots_of_one_moment_the_larger_stands_in_any_order() -> None:
    for order in permutations([(100, 5), (100, 9), (100, 7)]):
        levels = history(*order)
        assert (levels.moments, levels.counts) == ([100], [9])


def test_the_next_snapshot_is_the_first_one_strictly_later() -> None:
    levels = history((100, 5), (200, 7))
    assert [levels.next_after(moment) for moment in (0, 100, 199, 200)] == [100, 200, 200, None]


@given(st.data(), SNAPSHOTS, st.integers(-1, 22))
def test_levels_do_not_depend_on_the_order_of_arrival(
    data: st.DataObject, snapshots: list[tuple[int, int]], moment: int
) -> None:
    levels = history(*data.draw(st.permutations(snapshots)))
    before = [(at, count) for at, count in snapshots if at < moment]
    assert levels == history(*snapshots)
    assert levels.at(moment) == (max(before)[1] if before else None)
