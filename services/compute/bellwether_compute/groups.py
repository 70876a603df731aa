"""What a batch adds, gathered by where it belongs before it is added to the rollups.

Events far outnumber the places they count in: one look-up an event, and the expansion to
grains and cuts once a batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from bellwether.adapters.sketches import HyperLogLog
from bellwether.domain.clock import floor_minute
from bellwether.domain.timeline import ON_TIME, Chunk, Grain, chunk_of
from bellwether.domain.totals import Totals, add_histogram
from bellwether.domain.windows import MINUTES_KEPT_S
from bellwether_compute.state import BrandState


class RollupRow(NamedTuple):
    """The primary key of a rollup, with its grain."""

    grain: Grain
    brand_id: int
    cut: str
    bucket: int
    known_on: int


class Group:
    """What is added at one minute, known on one day, of one brand in the same cuts."""

    __slots__ = ("histograms", "people", "sums")

    def __init__(self) -> None:
        self.sums: defaultdict[str, int] = defaultdict(int)
        self.people: defaultdict[str, set[str]] = defaultdict(set)
        self.histograms: defaultdict[str, dict[int, int]] = defaultdict(dict)

    def add(self, totals: Totals) -> None:
        """Add integers and histograms."""
        for key, value in totals.items():
            if isinstance(value, int):
                self.sums[key] += value
            elif isinstance(value, dict):
                add_histogram(self.histograms[key], value)

    def totals(self) -> Totals:
        """All of it as totals; what cancelled out is not in them."""
        found: Totals = {key: value for key, value in self.sums.items() if value}
        found.update({key: value for key, value in self.histograms.items() if value})
        for key, people in self.people.items():
            sketch = HyperLogLog()
            for person in people:
                sketch.add(person)
            found[key] = sketch
        return found


class Place(NamedTuple):
    """Where a group belongs. `fine` is false for a minute so old that minutes are not kept."""

    brand: BrandState
    cuts: tuple[str, ...]
    minute: int
    known_on: int
    fine: bool


def place_of(brand: BrandState, cuts: tuple[str, ...], moment: int, recorded: int) -> Place:
    """Where something that happened at a moment and was recorded at another belongs."""
    minute = floor_minute(moment)
    day, known = brand.clock.day(minute), brand.clock.day(recorded)
    known_on = known if known > day else ON_TIME
    return Place(brand, cuts, minute, known_on, recorded - minute < MINUTES_KEPT_S)


def _buckets(place: Place) -> Iterator[tuple[Grain, int]]:
    hour, day = place.brand.clock.place(place.minute)
    if place.fine:
        yield Grain.MINUTE, place.minute
    yield Grain.HOUR, hour
    yield Grain.DAY, day


class Groups:
    """The groups of a batch."""

    def __init__(self) -> None:
        self._groups: defaultdict[Place, Group] = defaultdict(Group)

    def at(self, place: Place) -> Group:
        """The group that belongs there."""
        return self._groups[place]

    def chunks(self) -> dict[tuple[BrandState, str], set[Chunk]]:
        """The chunks of rollups that the groups add to, by brand and cut."""
        found: defaultdict[tuple[BrandState, str], set[Chunk]] = defaultdict(set)
        for place in self._groups:
            chunks = {chunk_of(grain, bucket, place.brand.clock) for grain, bucket in _buckets(place)}
            for cut in place.cuts:
                found[place.brand, cut] |= chunks
        return found

    def roll_up(self) -> dict[RollupRow, Totals]:
        """Add everything to the timelines; the rollups that moved, whole."""
        moved: dict[RollupRow, Totals] = {}
        for place, group in self._groups.items():
            totals = group.totals()
            if not totals:
                continue
            for cut in place.cuts:
                timeline = place.brand.timeline(cut)
                for grain, bucket in _buckets(place):
                    row = RollupRow(grain, place.brand.brand.brand_id, cut, bucket, place.known_on)
                    moved[row] = timeline.add(grain, bucket, place.known_on, totals)
        return moved
