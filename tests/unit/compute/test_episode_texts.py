"""Which records are read of a long log: bounded, each once, and by the offsets alone."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bellwether_compute.episode_texts import Limits, stretches


@given(st.integers(0, 10**9), st.integers(0, 50_000), st.integers(1, 5_000), st.integers(1, 30), st.integers(1, 500))
def test_what_is_read_lies_within_overlaps_nowhere_and_is_bounded(
    start: int, length: int, latest: int, samples: int, sample: int
) -> None:
    stop = start + length
    found = sorted(stretches(start, stop, Limits(latest, samples, sample)))
    assert all(begin < end for begin, end in found)
    assert all(before.stop <= after.start for before, after in pairwise(found))
    assert all(start <= begin and end <= stop for begin, end in found)
    read = sum(end - begin for begin, end in found)
    assert read <= latest + samples * sample
    assert read >= min(length, latest)
    assert {begin for begin, _ in found} >= ({start} if length else set())


def test_a_short_log_is_read_whole_and_the_latest_records_come_first() -> None:
    found = list(stretches(100, 5_100))
    assert found[0] == (3_100, 5_100)
    assert sum(end - begin for begin, end in found) == 5_000
    assert list(stretches(7, 7)) == []
