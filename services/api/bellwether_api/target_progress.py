"""How targets stand at a moment: read, told against their expected pace, and projected to their deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from itertools import dropwhile

import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection
from bellwether.adapters.postgres.readings import read_sources
from bellwether.catalogue.courses import Kind
from bellwether.catalogue.evaluate import Sources, Value, facts_of, value_of
from bellwether.catalogue.formula import Facts
from bellwether.catalogue.kpi import Kpi
from bellwether.domain.clock import DAY_S
from bellwether.domain.targets import (
    Attainment,
    Frame,
    Lack,
    Projection,
    Standing,
    Status,
    Target,
    attain,
    by_drift,
    by_trend,
    ended,
)
from bellwether.domain.windows import Span
from bellwether_api.target_spans import Day, Plan, plan_of
from bellwether_api.values import clock_of
from bellwether_api.viewpoint import Viewpoint


class TargetProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How a target stands.

    frame: the stretch in which it is pursued, None before it begins
    value: the KPI over the stretch so far, or over the window that ends at the moment
    baseline: the KPI over the period before; for a date, where the way began
    lack: why there is no projection
    """

    target: Target
    kpi: Kpi
    frame: Frame | None
    value: Value | None
    baseline: float | None
    attainment: Attainment
    projection: Projection | None
    lack: Lack | None


class Evaluated:
    """The values of KPIs over spans of one brand and cut; what was evaluated stays at hand."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._moments = sources.moments()
        self._facts: dict[Span, Facts] = {}

    def facts(self, span: Span) -> Facts:
        """All that is known of a span."""
        found = self._facts.get(span)
        if found is None:
            found = self._facts[span] = facts_of(self._sources, span, self._moments)
        return found

    def value(self, kpi: Kpi, span: Span) -> Value:
        """A KPI over a span."""
        return value_of(kpi, self.facts(span))

    def number(self, kpi: Kpi, span: Span) -> float | int | None:
        """The same without what it was made from."""
        return kpi.formula.read(self.facts(span)).value

    def is_silent(self, kpi: Kpi, span: Span) -> bool:
        """Whether a span may lie before anything was sent: its zero is no observation."""
        return not self.facts(span).totals and not self.number(kpi, span)


async def read_progress(
    connection: Connection,
    brand: Brand,
    targets: Sequence[Target],
    kpis: Mapping[str, Kpi],
    view: Viewpoint,
    now: int,
) -> list[TargetProgress]:
    """How targets of a brand stand, in their order.

    kpis: those of the targets, at least; now: the present moment in seconds since 1970
    """
    clock = clock_of(brand.time_zone)
    plans = [plan_of(target, kpis[target.kpi], view.as_of, clock, now) for target in targets]
    sources = await read_evaluated(connection, brand, [plan for plan in plans if plan], view)
    # In a thread: some targets take tens of milliseconds, and others are waiting.
    return await asyncio.to_thread(
        lambda: [
            progress_of(plan, sources[_group(plan)]) if plan else _not_begun(target, kpis[target.kpi])
            for target, plan in zip(targets, plans, strict=True)
        ]
    )


_Group = tuple[str, int]


def _group(plan: Plan) -> _Group:
    """Alike in cut and moment: a reading takes back what came after its end."""
    return plan.target.cut, plan.frame.moment


async def read_evaluated(
    connection: Connection, brand: Brand, plans: Collection[Plan], view: Viewpoint
) -> Mapping[_Group, Evaluated]:
    """What plans are evaluated from, by cut and moment."""
    spans: dict[_Group, set[Span]] = {}
    kpis = [plan.kpi for plan in plans]
    for plan in plans:
        spans.setdefault(_group(plan), set()).update(plan.spans())
    clock = clock_of(brand.time_zone)
    found = {}
    for group, alike in spans.items():
        sources = await read_sources(connection, brand, group[0], alike, clock, view.known_on, view.known_before, kpis)
        found[group] = Evaluated(sources)
    return found


def progress_of(plan: Plan, evaluated: Evaluated) -> TargetProgress:
    """How a target stands, from what was read."""
    value = evaluated.value(plan.kpi, plan.current)
    baseline = evaluated.number(plan.kpi, plan.baseline) if plan.baseline else None
    standing = Standing(
        value=value.value,
        baseline=baseline,
        elapsed=plan.frame.elapsed,
        builds_up=plan.builds_up,
        origin=plan.course.origin,
        moves=plan.moves,
    )
    attainment = attain(plan.target.aim, plan.kpi.better, standing)
    projection = None if value.value is None else _projection(plan, value.value, evaluated)
    return TargetProgress(
        target=plan.target,
        kpi=plan.kpi,
        frame=plan.frame,
        value=value,
        baseline=baseline,
        attainment=attainment,
        projection=projection,
        lack=_lack(plan, value, projection),
    )


def _not_begun(target: Target, kpi: Kpi) -> TargetProgress:
    return TargetProgress(
        target=target,
        kpi=kpi,
        frame=None,
        value=None,
        baseline=None,
        attainment=Attainment(attainment=None, status=Status.NO_DATA, reason=Lack.NOT_BEGUN),
        projection=None,
        lack=Lack.NOT_BEGUN,
    )


def _lack(plan: Plan, value: Value, projection: Projection | None) -> Lack | None:
    if projection is not None:
        return None
    if value.value is None:
        return Lack.NO_VALUE
    return Lack.SHORT_HISTORY if _is_projected(plan) else Lack.NOT_PROJECTED


def _is_projected(plan: Plan) -> bool:
    """What is distinct, or relative to a start, cannot be told over a rolling window from its days."""
    grows_in_window = plan.course.kind is Kind.GROWING and plan.window_s is not None
    return plan.course.is_told_by_days and not grows_in_window


def _projection(plan: Plan, value: float, evaluated: Evaluated) -> Projection | None:
    if plan.frame.moment == plan.frame.end:
        return ended(value)
    if not _is_projected(plan):
        return None
    days = list(dropwhile(lambda day: evaluated.is_silent(plan.kpi, day.to_end), plan.days)) or plan.days
    if plan.builds_up or plan.course.kind is Kind.STOCK:
        return by_drift(value, _movements(plan, days, evaluated), plan.days_left)
    length_s = plan.window_s or plan.frame.end - plan.frame.start
    days_in_all = length_s / DAY_S
    scale = days_in_all if plan.course.kind is Kind.SUMMED else 1.0
    seen = [(day.middle, scale * y) for day in days if (y := evaluated.number(plan.kpi, day.to_end)) is not None]
    return by_trend(value, seen, plan.days_left, days_in_all)


def _movements(plan: Plan, days: Sequence[Day], evaluated: Evaluated) -> list[float]:
    found = []
    for day in days:
        end = evaluated.number(plan.kpi, day.to_end)
        start = evaluated.number(plan.kpi, day.to_start) if day.to_start else plan.course.origin
        if end is not None and start is not None:
            found.append(end - start)
    return found
