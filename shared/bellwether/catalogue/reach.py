"""How far back an evaluation reads: formulas look around markers and crises, beyond the windows themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.formula import AnyFormula, Blend, Formula, Markers, Recovered, Uplift
from bellwether.catalogue.formula.moments import (
    Course,
    Stretch,
    courses_over,
    day_edges,
    days_after,
    days_before,
    hours_of,
    in_crisis,
    markers_over,
)
from bellwether.catalogue.kpi import Kpi
from bellwether.domain.clock import LocalClock
from bellwether.domain.incidents import Interval
from bellwether.domain.timeline import Chunk, chunks_of, cover
from bellwether.domain.windows import Span


class Need(NamedTuple):
    """What a formula reads around markers of a name: so many days, each day by itself or all of them together."""

    marker: str
    days: int
    daily: bool


def needs_of(kpis: Iterable[Kpi] | None = None) -> frozenset[Need]:
    """What KPIs, by default those of the built-in catalogue, read around markers, in all their versions."""
    if kpis is None:
        return _BUILTIN
    return frozenset(need for kpi in kpis for formula in _formulas(kpi) for need in _needs(formula))


def _formulas(kpi: Kpi) -> Iterator[AnyFormula]:
    for version in kpi.versions():
        yield version.formula
        if version.screened:
            yield version.screened


def _needs(formula: Formula) -> Iterator[Need]:
    if isinstance(formula, Uplift):
        yield Need(formula.marker, formula.days, daily=False)
    elif isinstance(formula, Recovered):
        yield Need(formula.marker, formula.days, daily=True)
    elif isinstance(formula, Blend):
        for part in formula.parts:
            yield from _needs(part)


_BUILTIN = needs_of(CATALOGUE.values())


def chunks_around(
    spans: Collection[Span],
    markers: Markers,
    crises: Sequence[Interval],
    clock: LocalClock,
    kpis: Iterable[Kpi] | None = None,
) -> frozenset[Chunk]:
    """The chunks of rollups that an evaluation of these spans reads around markers and crises, beyond `chunks_in`.

    kpis: what is evaluated, by default the built-in catalogue
    """
    segments = {
        segment
        for start, end in _stretches(spans, markers, crises, clock, kpis)
        for segment in cover(start, end, clock)
    }
    return frozenset(chunk for segment in segments for chunk in chunks_of(segment, clock))


def earliest_read(
    spans: Collection[Span],
    markers: Markers,
    crises: Sequence[Interval],
    clock: LocalClock,
    kpis: Iterable[Kpi] | None = None,
) -> int:
    """The first moment that an evaluation of these spans reads, in UTC seconds; `kpis` as in `chunks_around`."""
    around = (stretch.start for stretch in _stretches(spans, markers, crises, clock, kpis))
    return min((*(min(span.start, span.before_start) for span in spans), *around))


def _stretches(
    spans: Collection[Span],
    markers: Markers,
    crises: Sequence[Interval],
    clock: LocalClock,
    kpis: Iterable[Kpi] | None,
) -> set[Stretch]:
    found: set[Stretch] = set()
    for need in needs_of(kpis) if markers else ():
        moments = markers.get(need.marker, ())
        for marker in {one for span in spans for one in markers_over(moments, need.days, span, clock)}:
            found.update(_around(marker, need, clock))
    if crises:
        for span in spans:
            found.update(in_crisis(crises, span, clock))
        for course in {one for span in spans for one in courses_over(crises, span, clock)}:
            found.update(_along(course, clock))
    return found


def _around(marker: int, need: Need, clock: LocalClock) -> Iterator[Stretch]:
    yield days_before(marker, need.days, clock)
    yield days_after(marker, need.days, clock)
    if need.daily:
        yield from (Stretch(*edges) for edges in pairwise(day_edges(marker, need.days, clock)))


def _along(course: Course, clock: LocalClock) -> Iterator[Stretch]:
    yield from (course.before, course.during, course.after)
    yield from hours_of(course.after, clock)
