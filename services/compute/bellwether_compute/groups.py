"""What a batch adds, gathered by where it belongs before it is added to the rollups.

Events far outnumber the places they count in: one look-up an event, and the expansion to
grains and cuts once a batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from bellwether.adapters.sketches import HyperLogLog
from bellwether.domain.clock import MINUTE_S, LocalClock, floor_minute
from bellwether.domain.timeline import ON_TIME, Chunk, Grain, chunk_of
from bellwether.domain.totals import Totals, add_histogram, merged
from bellwether.domain.windows import MINUTES_KEPT_S
from bellwether_compute.state import BrandState

Key = TypeVar("Key", bound=Hashable)
_Bucket = tuple[BrandState, str, int, int]
"""Brand, cut, the day on which it was known, and the start of the bucket."""


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


class Groups:
    """The groups of a batch."""

    def __init__(self) -> None:
        self._groups: defaultdict[Place, Group] = defaultdict(Group)
        self._found: dict[tuple[BrandState, tuple[str, ...], int, int], Group] = {}

    def at(self, place: Place) -> Group:
        """The group that belongs there."""
        return self._groups[place]

    def of(self, brand: BrandState, cuts: tuple[str, ...], moment: int, recorded: int) -> Group:
        """The group of what happened at a moment and was recorded at another, as `at(place_of(…))`."""
        key = (brand, cuts, moment // MINUTE_S, recorded // MINUTE_S)
        group = self._found.get(key)
        if group is None:  # minutes tell all that `place_of` asks of a moment
            group = self._found[key] = self._groups[place_of(brand, cuts, moment, recorded)]
        return group

    def chunks(self) -> dict[tuple[BrandState, str], set[Chunk]]:
        """The chunks of rollups that the groups add to, by brand and cut."""
        touched: defaultdict[tuple[BrandState, int, bool], set[str]] = defaultdict(set)
        for brand, cuts, minute, _, fine in self._groups:
            touched[brand, minute, fine].update(cuts)
        found: defaultdict[tuple[BrandState, str], set[Chunk]] = defaultdict(set)
        for (brand, minute, fine), names in touched.items():
            chunks = set(_chunks(brand.clock, minute, fine=fine))
            for cut in names:
                found[brand, cut] |= chunks
        return found

    def roll_up(self) -> dict[RollupRow, Totals]:
        """Add everything to the timelines; the rollups that moved, whole."""
        minutes = _gathered(self._by_minute())
        hours = _gathered(
            ((brand, cut, known_on, *brand.clock.place(minute)), totals)
            for (brand, cut, known_on, minute, _), totals in minutes.items()
        )
        days = _gathered(
            ((brand, cut, known_on, day), totals) for (brand, cut, known_on, _, day), totals in hours.items()
        )
        moved: dict[RollupRow, Totals] = {}
        _add(Grain.MINUTE, ((key[:4], totals) for key, totals in minutes.items() if key[4]), moved)
        _add(Grain.HOUR, ((key[:4], totals) for key, totals in hours.items()), moved)
        _add(Grain.DAY, days.items(), moved)
        return moved

    def _by_minute(self) -> Iterator[tuple[tuple[BrandState, str, int, int, bool], Totals]]:
        for (brand, cuts, minute, known_on, fine), group in self._groups.items():
            if totals := group.totals():
                for cut in cuts:
                    yield (brand, cut, known_on, minute, fine), totals


def _gathered(parts: Iterable[tuple[Key, Totals]]) -> dict[Key, Totals]:
    """The sums of parts by key. A part that is alone is its sum: nothing may be added to one."""
    found: defaultdict[Key, list[Totals]] = defaultdict(list)
    for key, totals in parts:
        found[key].append(totals)
    return {key: alike[0] if len(alike) == 1 else merged(alike) for key, alike in found.items()}


def _add(grain: Grain, sums: Iterable[tuple[_Bucket, Totals]], moved: dict[RollupRow, Totals]) -> None:
    for (brand, cut, known_on, bucket), totals in sums:
        row = RollupRow(grain, brand.brand.brand_id, cut, bucket, known_on)
        moved[row] = brand.timeline(cut).add(grain, bucket, known_on, totals)


def _buckets(clock: LocalClock, minute: int, *, fine: bool) -> Iterator[tuple[Grain, int]]:
    hour, day = clock.place(minute)
    if fine:
        yield Grain.MINUTE, minute
    yield Grain.HOUR, hour
    yield Grain.DAY, day


def _chunks(clock: LocalClock, minute: int, *, fine: bool) -> Iterator[Chunk]:
    return (chunk_of(grain, bucket, clock) for grain, bucket in _buckets(clock, minute, fine=fine))
