"""The rollups of one brand and cut, in memory, and the sum over any span of them.

A span is covered by minutes at its ragged ends, then hours, then local days, so that a
year is a few hundred additions at most. What a sum is made of stays remembered until a
bucket in it moves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from enum import IntEnum
from typing import NamedTuple

from bellwether.domain.clock import HOUR_S, MINUTE_S, LocalClock, date_of
from bellwether.domain.totals import Totals, add_totals
from bellwether.domain.windows import Span

ON_TIME = 0
"""`known_on` of what was recorded on the local day on which it happened."""

_REMEMBERED_SUMS = 256
_NEVER = 1 << 62
_SURPLUS_CHUNKS = 64


class Grain(IntEnum):
    """The grains of a rollup, finest first."""

    MINUTE = 0
    HOUR = 1
    DAY = 2


_STEP = {Grain.MINUTE: MINUTE_S, Grain.HOUR: HOUR_S, Grain.DAY: 1}


class Segment(NamedTuple):
    """The buckets [start, stop) of a grain: UTC seconds, or day numbers for days."""

    grain: Grain
    start: int
    stop: int


class Chunk(NamedTuple):
    """The unit in which rollups are loaded: the minutes of a local hour, the hours of a
    local day, the days of a calendar year.

    `name` is the start of the hour in UTC seconds, the day number, or the year.
    """

    grain: Grain
    name: int


def cover(start: int, end: int, clock: LocalClock) -> Iterator[Segment]:
    """The fewest buckets that make up [start, end), in order.

    Both bounds are whole minutes, in UTC seconds.
    """
    at = start
    if at < end and clock.hour(at) != at:
        stop = min(clock.next_hour(at), end)
        yield Segment(Grain.MINUTE, at, stop)
        at = stop
    last_hour = clock.hour(end)
    if at < last_hour:
        yield from _cover_hours(at, last_hour, clock)
        at = last_hour
    if at < end:
        yield Segment(Grain.MINUTE, at, end)


def _cover_hours(at: int, last_hour: int, clock: LocalClock) -> Iterator[Segment]:
    first_day, last_day = clock.day(at), clock.day(last_hour)
    if clock.day_start(first_day) < at:
        first_day += 1
    if first_day >= last_day:
        if first_day == last_day and at < clock.day_start(first_day) < last_hour:
            yield Segment(Grain.HOUR, at, clock.day_start(first_day))
            at = clock.day_start(first_day)
        yield Segment(Grain.HOUR, at, last_hour)
        return
    if at < clock.day_start(first_day):
        yield Segment(Grain.HOUR, at, clock.day_start(first_day))
    yield Segment(Grain.DAY, first_day, last_day)
    if clock.day_start(last_day) < last_hour:
        yield Segment(Grain.HOUR, clock.day_start(last_day), last_hour)


def chunks_of(segment: Segment, clock: LocalClock) -> Iterator[Chunk]:
    """The chunks that hold the buckets of a segment."""
    grain, start, stop = segment
    if grain is Grain.MINUTE:
        hour = clock.hour(start)
        while hour < stop:
            yield Chunk(grain, hour)
            hour = clock.next_hour(hour)
    elif grain is Grain.HOUR:
        yield from (Chunk(grain, d) for d in range(clock.day(start), clock.day(stop - 1) + 1))
    else:
        first, last = date_of(start).year, date_of(stop - 1).year
        yield from (Chunk(grain, year) for year in range(first, last + 1))


def chunk_of(grain: Grain, bucket: int, clock: LocalClock) -> Chunk:
    """The chunk that holds one bucket."""
    if grain is Grain.MINUTE:
        return Chunk(grain, clock.hour(bucket))
    return Chunk(grain, clock.day(bucket) if grain is Grain.HOUR else date_of(bucket).year)


def chunks_in(spans: Iterable[Span], clock: LocalClock) -> frozenset[Chunk]:
    """All chunks that sums over these spans and over what they are compared with read."""
    found: set[Chunk] = set()
    for span in spans:
        for start, end in ((span.start, span.end), (span.before_start, span.before_end)):
            for segment in cover(start, end, clock):
                found.update(chunks_of(segment, clock))
    return frozenset(found)


class Touched(NamedTuple):
    """What was added to: nothing before a moment (UTC seconds), and nothing but these measures."""

    since: int
    measures: Set[str]


class Timeline:
    """Rollups of one brand and cut by grain, bucket and the day on which they were known."""

    def __init__(self, clock: LocalClock) -> None:
        self.clock = clock
        self.loaded: set[Chunk] = set()
        self._buckets: tuple[dict[int, dict[int, Totals]], ...] = ({}, {}, {})
        self._sums: dict[Segment, Totals] = {}
        self._touched_from = _NEVER
        self._touched: set[str] = set()

    def take_touched(self) -> Touched:
        """What was added to since the last time that this was asked."""
        touched = Touched(self._touched_from, self._touched)
        self._touched_from, self._touched = _NEVER, set()
        return touched

    def put(self, grain: Grain, bucket: int, known_on: int, totals: Totals) -> None:
        """Take a stored rollup, in place of what was there."""
        self._buckets[grain].setdefault(bucket, {})[known_on] = totals

    def add(self, grain: Grain, bucket: int, known_on: int, delta: Totals) -> Totals:
        """Add to a rollup whose chunk is loaded, and return the whole of it.

        Raises KeyError if its chunk is not loaded: the sum would lack what is stored.
        """
        chunk = chunk_of(grain, bucket, self.clock)
        if chunk not in self.loaded:
            raise KeyError(f"{chunk} is not loaded")
        if grain is Grain.HOUR:  # whatever is added is added to an hour, too
            self._touched_from = min(self._touched_from, bucket)
            self._touched |= delta.keys()
        for segment, sums in self._sums.items():
            if segment.grain == grain and segment.start <= bucket < segment.stop:
                add_totals(sums, delta)
        totals = self._buckets[grain].setdefault(bucket, {}).setdefault(known_on, {})
        add_totals(totals, delta)
        return totals

    def total(self, start: int, end: int, measures: Collection[str] | None = None) -> Totals:
        """The sum of measures (default: all) over [start, end), whole minutes in UTC seconds."""
        total: Totals = {}
        for segment in cover(start, end, self.clock):
            found = self._sum(segment)
            wanted = found if measures is None else {key: found[key] for key in measures if key in found}
            add_totals(total, wanted)
        return total

    def total_of(self, measures: Collection[str], start: int, end: int) -> Totals:
        """The sum of some measures alone, as `total`, where it is not worth while to remember sums of all others."""
        total: Totals = {}
        for segment in cover(start, end, self.clock):
            for by_day in self._within(segment):
                for totals in by_day.values():
                    add_totals(total, {key: totals[key] for key in measures if key in totals})
        return total

    def _sum(self, segment: Segment) -> Totals:
        found = self._sums.get(segment)
        if found is None:
            if len(self._sums) >= _REMEMBERED_SUMS:
                self._sums.clear()
            found = self._sums[segment] = {}
            for by_day in self._within(segment):
                for totals in by_day.values():
                    add_totals(found, totals)
        return found

    def _within(self, segment: Segment) -> Iterator[dict[int, Totals]]:
        """The buckets of a segment, by the shorter of two walks."""
        grain, start, stop = segment
        buckets = self._buckets[grain]
        step = _STEP[grain]
        # Where the clocks change by part of an hour, hours do not follow each other in steps.
        if (stop - start) // step > len(buckets) or (stop - start) % step:
            yield from (b for at, b in buckets.items() if start <= at < stop)
            return
        for at in range(start, stop, step):
            if (found := buckets.get(at)) is not None:
                yield found

    def next_filled(self, start: int, end: int) -> int | None:
        """The start of the first bucket in [start, end) that has anything in it, in UTC
        seconds; at most the start of a coarser one, where nothing finer is loaded.

        Returns None if there is none.
        """
        firsts = map(self._first_filled, cover(start, end, self.clock))
        return next((first for first in firsts if first is not None), None)

    def _first_filled(self, segment: Segment) -> int | None:
        grain, start, stop = segment
        if all(chunk in self.loaded for chunk in chunks_of(segment, self.clock)):
            first = min((b for b in self._buckets[grain] if start <= b < stop), default=None)
            return self.clock.day_start(first) if first is not None and grain is Grain.DAY else first
        if grain is Grain.DAY:
            return self.clock.day_start(start)
        first = self._first_filled(self._coarser(segment))
        return None if first is None else max(first, start)

    def _coarser(self, segment: Segment) -> Segment:
        grain, start, stop = segment
        if grain is Grain.MINUTE:
            return Segment(Grain.HOUR, self.clock.hour(start), self.clock.next_hour(stop - MINUTE_S))
        return Segment(Grain.DAY, self.clock.day(start), self.clock.day(stop - 1) + 1)

    def forget_but(self, chunks: frozenset[Chunk]) -> None:
        """Forget all but these chunks, if much more than them is loaded."""
        if len(self.loaded) <= len(chunks) + _SURPLUS_CHUNKS:
            return
        for grain in Grain:
            buckets = self._buckets[grain]
            kept = {c for c in chunks if c.grain == grain}
            for bucket in [b for b in buckets if chunk_of(grain, b, self.clock) not in kept]:
                del buckets[bucket]
        self.loaded &= chunks
        self._sums.clear()
