"""The first filled bucket of a stretch of time, also where only some of the rollups are in memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock
from bellwether.domain.timeline import Grain, Timeline, chunk_of, chunks_of, cover

CLOCKS = {zone: LocalClock(zone) for zone in ("UTC", "Asia/Kolkata", "Europe/Berlin")}
ZONES = st.sampled_from(list(CLOCKS))
START = 1_742_900_000 // HOUR_S * HOUR_S  # four days before the clocks of Berlin change
OFFSETS = st.integers(0, 6 * 24 * 60).map(lambda minutes: minutes * 60)


def filled(zone: str, moments: list[int]) -> Timeline:
    """A timeline with one event at each moment, all of it loaded."""
    clock = CLOCKS[zone]
    found = Timeline(clock)
    for segment in cover(START - 60, START + 8 * DAY_S + 60, clock):
        found.loaded.update(chunks_of(segment, clock))
    for moment in moments:
        for grain, bucket in zip(Grain, (moment, *clock.place(moment)), strict=True):
            found.loaded.add(chunk_of(grain, bucket, clock))
            found.add(grain, bucket, 0, {"n": 1})
    return found


@given(ZONES, st.lists(OFFSETS, max_size=6), OFFSETS, OFFSETS)
def test_nothing_is_overlooked_and_nothing_found_that_is_not_there(
    zone: str, offsets: list[int], first: int, length: int
) -> None:
    moments = [START + offset for offset in offsets]
    start, end = START + first, START + first + length
    timeline, clock = filled(zone, moments), CLOCKS[zone]
    for segment in cover(start, end, clock):
        timeline.loaded.update(chunks_of(segment, clock))
    inside = [moment for moment in moments if start <= moment < end]
    found = timeline.next_filled(start, end)
    assert (found is None) == (not inside)
    if found is not None:
        assert start <= found <= min(inside) < clock.day_start(clock.day(found) + 1)


@given(ZONES, st.lists(OFFSETS, min_size=1, max_size=6), OFFSETS, OFFSETS, st.data())
def test_where_less_is_loaded_it_may_be_found_too_early_and_never_too_late(
    zone: str, offsets: list[int], first: int, length: int, data: st.DataObject
) -> None:
    moments = [START + offset for offset in offsets]
    start, end = START + first, START + first + length
    timeline = filled(zone, moments)
    forgotten = data.draw(st.sets(st.sampled_from(sorted(timeline.loaded))))
    for grain in Grain:
        buckets = timeline._buckets[grain]
        for bucket in [b for b in buckets if chunk_of(grain, b, CLOCKS[zone]) in forgotten]:
            del buckets[bucket]
    timeline.loaded -= forgotten
    inside = [moment for moment in moments if start <= moment < end]
    found = timeline.next_filled(start, end)
    assert found is None or start <= found
    assert not inside or (found is not None and found <= min(inside))


def test_an_empty_stretch_has_nothing_in_it() -> None:
    assert Timeline(CLOCKS["UTC"]).next_filled(START, START) is None
