"""Keeps current values current: of what moved, and of what slides out of a window.

The total of a brand is refreshed some three times a second at most, each of its cuts once, what has waited longest
first; where there is more to do than time, the cadence stretches and the freshness metric says so.
"""

from __future__ import annotations

import heapq
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from bellwether.catalogue.cuts import TOTAL
from bellwether.catalogue.evaluate import Sources, current_spans
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.reach import chunks_around
from bellwether.catalogue.reevaluate import Evaluation, reevaluate
from bellwether.domain.clock import MINUTE_S, LocalClock, ceil_minute
from bellwether.domain.timeline import Chunk, chunks_in
from bellwether.domain.windows import Span, Window
from bellwether.wire.strict import MAX_AHEAD
from bellwether_compute.sliding import next_change
from bellwether_compute.state import BrandState
from bellwether_compute.store import CurrentRow
from bellwether_compute.verdicts import taken_back

TOTAL_PAUSE_S = 0.3
CUT_PAUSE_S = 1.0
"""Least time between two refreshes of a brand's total, and of one of its cuts."""
REFRESH_S = 0.1
"""For how long a cycle evaluates, by what the last rows took: what flows in meanwhile waits."""

OwnKpis = Callable[[BrandState], Collection[Kpi] | None]
"""What is evaluated for a brand; None for the built-in catalogue alone."""
_SLIDING_PART = 4
_FIRST_ROW_S = 0.005
_LEARNING = 0.3
_MOST_KEPT = 384
"""Evaluations in memory, of some 300 kB each."""
_HEAD_START_MS = 5_000
_MAX_AHEAD_S = int(MAX_AHEAD.total_seconds())
_ENCODER = msgspec.json.Encoder()


class Due(NamedTuple):
    """A brand and cut to refresh. `moved_ms`: when the intake took the oldest event that
    moved it since the last time, None if only time has passed.
    """

    brand: BrandState
    cut: str
    moved_ms: int | None


class Refresher:
    """Knows which current values are stale. All moments are the worker's clock, in seconds."""

    def __init__(self) -> None:
        self._moved: dict[tuple[BrandState, str], int] = {}
        self._last: dict[tuple[BrandState, str], float] = {}
        self._sliding: list[tuple[float, int, tuple[BrandState, str]]] = []
        self._slides_at: dict[tuple[BrandState, str], float] = {}
        self._ticket = 0

    def note(self, moved: Mapping[tuple[BrandState, str], int]) -> None:
        """Brands and cuts moved; the values are when the intake took the oldest event, in ms."""
        for line, taken_ms in moved.items():
            self._moved[line] = min(taken_ms, self._moved.get(line, taken_ms))

    def slide_at(self, brand: BrandState, cut: str, moment: float) -> None:
        """Refresh a brand and cut at a moment, instead of one set before, even if nothing moves."""
        if self._slides_at.get((brand, cut)) == moment:
            return
        self._slides_at[brand, cut] = moment
        self._ticket += 1
        heapq.heappush(self._sliding, (moment, self._ticket, (brand, cut)))

    def forget(self, brands: Iterable[BrandState]) -> None:
        """Brands are no longer ours."""
        gone = set(brands)
        self._moved = {line: ms for line, ms in self._moved.items() if line[0] not in gone}
        self._slides_at = {line: at for line, at in self._slides_at.items() if line[0] not in gone}
        self._last = {line: at for line, at in self._last.items() if line[0] not in gone}

    def due(self, now: float, most: int) -> list[Due]:
        """At most so many brands and cuts to refresh now: of what moved the stalest first, totals with a head start.

        What slides gets the rows that are left, and a quarter of them in any case; totals get half of the others.
        """
        slid = list(self._slid(now, most // _SLIDING_PART))
        ready = [Due(*line, ms) for line, ms in self._moved.items() if self._is_rested(line, now)]
        totals = -(-(most - len(slid)) // 2)
        found = heapq.nsmallest(totals, (one for one in ready if one.cut == TOTAL), key=_urgency)
        chosen = set(found)
        others = (one for one in ready if one not in chosen)
        found += heapq.nsmallest(most - len(slid) - len(found), others, key=_urgency)
        return [*sorted(found, key=_urgency), *slid, *self._slid(now, most - len(found) - len(slid))]

    def _is_rested(self, line: tuple[BrandState, str], now: float) -> bool:
        return now - self._last.get(line, 0.0) >= (TOTAL_PAUSE_S if line[1] == TOTAL else CUT_PAUSE_S)

    def _slid(self, now: float, most: int) -> Iterator[Due]:
        while self._sliding and self._sliding[0][0] <= now and most > 0:
            moment, _, line = heapq.heappop(self._sliding)
            if self._slides_at.get(line) != moment:
                continue
            del self._slides_at[line]  # a moment that was set before may be in the heap once more
            if line not in self._moved:
                most -= 1
                yield Due(*line, None)

    def done(self, due: Iterable[Due], now: float) -> None:
        """These were refreshed and written."""
        self._last = {line: at for line, at in self._last.items() if now - at < CUT_PAUSE_S}
        for brand, cut, _ in due:
            self._moved.pop((brand, cut), None)
            self._last[brand, cut] = now

    def stalest_s(self, now: float) -> float:
        """For how long the stalest of what moved has waited, 0 if nothing has."""
        return max(0.0, now - min(self._moved.values()) / 1000) if self._moved else 0.0


def _urgency(due: Due) -> int:
    """When it became stale, in ms, as if a total had been so for longer: most people look at totals."""
    return (due.moved_ms or 0) - (_HEAD_START_MS if due.cut == TOTAL else 0)


def as_of_now(brand: BrandState, now: float) -> int:
    """The moment that values made now hold for: the end of this second, or of the one in which
    the intake took the last event, where its clock is ahead of ours.

    Whatever is counted happened before, so that whoever evaluates at this moment later on
    finds the same values. A clock that is more than ten minutes ahead is not followed.
    """
    return max(int(now), min(brand.fresh_to, int(now) + _MAX_AHEAD_S)) + 1


@lru_cache(maxsize=128)
def _reach(clock: LocalClock, end: int) -> tuple[dict[Window, Span], frozenset[Chunk]]:
    """The spans of all windows that end at a minute, and the chunks that they read; one of all brands of a clock."""
    spans = current_spans(end, clock, end)
    return spans, chunks_in(spans.values(), clock)


def spans_now(brand: BrandState, as_of: int) -> Mapping[Window, Span]:
    """The spans of all windows of a brand at a moment; the same all through a minute."""
    return _reach(brand.clock, ceil_minute(as_of))[0]


def chunks_now(brand: BrandState, cut: str, as_of: int, kpis: Collection[Kpi] | None = None) -> frozenset[Chunk]:
    """The chunks of rollups that values (default: all built-in ones) of a cut are evaluated from at a moment."""
    spans, within = _reach(brand.clock, ceil_minute(as_of))
    markers, crises = brand.affairs.markers.of_cut(cut), brand.affairs.crises(cut)
    if not (markers or crises):
        return within
    return within | chunks_around(spans.values(), markers, crises, brand.clock, kpis)


class _Kept(NamedTuple):
    """An evaluation, and the values of each KPI as JSON."""

    evaluation: Evaluation
    encoded: Mapping[str, msgspec.Raw]


def _again(sources: Sources, spans: Mapping[Window, Span], kpis: Collection[Kpi] | None, last: _Kept | None) -> _Kept:
    """What was taken over from the last evaluation is not encoded again."""
    found = reevaluate(sources, spans, kpis, last and last.evaluation)
    then, encoded = (last.evaluation.values, last.encoded) if last else ({}, {})
    return _Kept(
        found,
        {
            key: encoded[key] if then.get(key) is values else msgspec.Raw(_ENCODER.encode(values))
            for key, values in found.values.items()
        },
    )


class Evaluations:
    """The evaluations of the running minute, as long as windows stand still: what has not moved since is taken over."""

    def __init__(self) -> None:
        self._end = 0
        self._kept: OrderedDict[tuple[BrandState, str], _Kept] = OrderedDict()
        self._again: set[tuple[BrandState, str]] = set()
        self._row_s = _FIRST_ROW_S

    @property
    def most(self) -> int:
        """How many rows there is time for, by what the last ones took; never so few that nothing slides."""
        return max(_SLIDING_PART, int(REFRESH_S / self._row_s))

    def refresh_all(self, due: Sequence[Due], as_of: Mapping[BrandState, int], own: OwnKpis) -> list[CurrentRow]:
        """The rows of brands and cuts at the moments of their brands; the chunks of all of them must be loaded."""
        started = time.perf_counter()
        rows = [self.refresh(brand, cut, as_of[brand], own(brand)) for brand, cut, _ in due]
        if rows:
            took_s = (time.perf_counter() - started) / len(rows)
            self._row_s += _LEARNING * (took_s - self._row_s)
        return rows

    def refresh(self, brand: BrandState, cut: str, as_of: int, kpis: Collection[Kpi] | None = None) -> CurrentRow:
        """Evaluate all KPIs (default: the built-in ones) of a cut in all windows in which they are not idle.

        The chunks of the cut must be loaded.
        """
        if (end := ceil_minute(as_of)) > self._end:
            self._kept.clear()
            self._again.clear()
            self._end = end
        last, spans = self._kept.pop((brand, cut), None), spans_now(brand, as_of)
        if last is not None and last.evaluation.spans is spans:
            self._again.add((brand, cut))
        found = self._kept[brand, cut] = _again(sources_of(brand, cut), spans, kpis, last)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return CurrentRow(brand.brand.brand_id, cut, as_of, brand.fresh_to, _ENCODER.encode(found.encoded))

    def slides_next(self, brand: BrandState, cut: str, as_of: int, kpis: Collection[Kpi] | None = None) -> float:
        """The moment at which to refresh again where nothing moves, as `slides_next`.

        What moves again and again is refreshed in the next minute in any case, and asked then.
        """
        return ceil_minute(as_of) if (brand, cut) in self._again else slides_next(brand, cut, as_of, kpis)


def sources_of(brand: BrandState, cut: str) -> Sources:
    """All from which the KPIs of a brand and cut are evaluated."""
    return Sources(
        timeline=brand.timeline(cut),
        audiences=brand.audiences(cut),
        waiting=brand.waiting(cut),
        undone=taken_back(brand, cut),
        markers=brand.affairs.markers.of_cut(cut),
        crises=brand.affairs.crises(cut),
        hours=brand.brand.hours,
    )


def slides_next(brand: BrandState, cut: str, as_of: int, kpis: Collection[Kpi] | None = None) -> float:
    """The moment at which to refresh again where nothing moves: no later than a value (default: of all built-in ones)
    changes.
    """
    later = next_change(sources_of(brand, cut), spans_now(brand, as_of), brand.clock, ceil_minute(as_of), kpis)
    return later - MINUTE_S  # from then on, `as_of_now` lies in the minute that ends there
