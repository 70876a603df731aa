"""The rows behind KPIs that are made of sums and of levels: the buckets of a window, and snapshots at its edges."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.readings_receipts import Place
from bellwether.catalogue.evaluate import LevelHistory, Sources
from bellwether.catalogue.formula import (
    Blend,
    Formula,
    Latest,
    LevelGrowth,
    NetChange,
    PerLevel,
    Retention,
    TrendCoverage,
)
from bellwether.catalogue.formula.moments import Stretch
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import Audience, Fold, measure_of
from bellwether.domain.clock import LocalClock
from bellwether.domain.windows import MINUTE_EDGES, Span, Window
from bellwether_api.moments import moment_at
from bellwether_api.receipt_shapes import LevelReceipt, SnapshotOut, SumReceipt


class Placed(NamedTuple):
    """A row, and where it stands in the list."""

    place: Place
    row: SumReceipt | LevelReceipt


def bucket_spans(window: Window, span: Span, clock: LocalClock) -> list[Span]:
    """The buckets of a window, oldest first, compared with nothing.

    Local hours where a window may begin between two of them (those up to a week), else local
    days; what the edges of the window leave of the first and the last one.
    """
    found, at = [], span.start
    while at < span.end:
        following = clock.next_hour(at) if window in MINUTE_EDGES else clock.day_start(clock.day(at) + 1)
        stop = min(following, span.end)
        found.append(Span(at, stop, at, at))
        at = stop
    return found


def rows_behind(kpi: Kpi, sources: Sources, spans: Sequence[Span]) -> list[Placed]:
    """All rows behind a KPI over a window of so many buckets, the latest first.

    A bucket stands at its start, an account at its last snapshot. Pure; a year takes tens of
    milliseconds.
    """
    found = [*_sums(kpi, sources, spans), *_levels(kpi, sources, spans[0].start, spans[-1].end)]
    return sorted(found, key=lambda placed: msgspec.structs.astuple(placed.place), reverse=True)


def measures_behind(kpi: Kpi) -> tuple[str, ...]:
    """The measures that rows tell: those shown beside the value; where there are none, all that are read."""
    if isinstance(kpi.formula, TrendCoverage):
        return tuple(dict.fromkeys(measure for group in kpi.formula.groups for measure in group))
    return kpi.shown()


def distinct_behind(kpi: Kpi) -> list[str]:
    """Those of the measures that count distinct values, and so do not add up."""
    return [key for key in measures_behind(kpi) if _fold(kpi, key) is Fold.DISTINCT]


def _fold(kpi: Kpi, key: str) -> Fold | None:
    measure = next((own for own in kpi.own if own.key == key), None) or measure_of(key)
    return measure.fold if measure else None


def audiences_behind(formula: Formula) -> tuple[Audience, ...]:
    """The audiences whose size a formula reads, each once."""
    if isinstance(formula, Blend):
        return tuple(dict.fromkeys(audience for part in formula.parts for audience in audiences_behind(part)))
    if isinstance(formula, Retention):
        return (formula.audience,)
    if isinstance(formula, Latest | NetChange | LevelGrowth | PerLevel | TrendCoverage):
        return formula.audiences
    return ()


def _sums(kpi: Kpi, sources: Sources, spans: Sequence[Span]) -> Iterator[Placed]:
    moments, measures = sources.moments(), measures_behind(kpi)
    for span in spans if measures else ():
        amounts = moments.amounts(Stretch(span.start, span.end), measures)
        parts = {measure: amounts.get(measure, 0) for measure in measures}
        if any(parts.values()):
            yield Placed(Place(span.start), SumReceipt(moment_at(span.start), moment_at(span.end), parts))


def _levels(kpi: Kpi, sources: Sources, start: int, end: int) -> Iterator[Placed]:
    for audience in audiences_behind(kpi.formula):
        for name, history in sources.audiences.get(audience, {}).items():
            channel, _, account = name.partition(" ")
            last = _snapshot(history, end)
            if last is not None:
                place = Place(int(last.observed_at.timestamp()), channel, audience, account)
                yield Placed(place, LevelReceipt(audience, channel, account, _snapshot(history, start), last))


def _snapshot(history: LevelHistory, moment: int) -> SnapshotOut | None:
    """The last snapshot before a moment."""
    found = bisect_left(history.moments, moment)
    return SnapshotOut(moment_at(history.moments[found - 1]), history.counts[found - 1]) if found else None
