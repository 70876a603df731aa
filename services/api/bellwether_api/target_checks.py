"""The SMART check of a target, from the catalogue and from what its KPI did before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from itertools import dropwhile, pairwise
from typing import NamedTuple

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection
from bellwether.adapters.postgres.readings import read_sources
from bellwether.catalogue.courses import Course, course_of
from bellwether.catalogue.cuts import TOTAL
from bellwether.catalogue.evaluate import Value
from bellwether.catalogue.kpi import Direction, Kpi, Unit
from bellwether.catalogue.own import TenantCatalogue
from bellwether.domain.clock import DAY_S, LocalClock, ceil_minute, date_of
from bellwether.domain.targets import (
    PERIODS_SEEN,
    Band,
    Bounds,
    By,
    Change,
    Check,
    Criterion,
    Every,
    Finding,
    History,
    Maximum,
    Target,
    achievable,
    bounds_of,
    deadline,
    in_words,
    period_word,
    spelled,
)
from bellwether.domain.windows import MINUTES_KEPT_S, PERIOD_START, Span, Window, span_at
from bellwether_api.cuts import parse_cut, stored_cuts
from bellwether_api.periods import Period, previous_first, span_of
from bellwether_api.target_progress import Evaluated
from bellwether_api.target_spans import counts_since_start, rolling_window
from bellwether_api.target_telling import unit_told
from bellwether_api.values import clock_of

_DAYS_A_MONTH = 365.25 / 12
_LONGEST_AHEAD_DAYS = 366
_BETTER = {
    Direction.UP: "more is better",
    Direction.DOWN: "less is better",
    Direction.BAND: "it is to stay within a band",
}


class _Look(NamedTuple):
    """What is read: the KPI at present, and over the last whole periods, oldest first.

    unit: in which values are told
    """

    unit: str
    present: Span
    period: Window
    before: tuple[Span, ...]


async def read_checks(
    connection: Connection, brand: Brand, target: Target, catalogue: TenantCatalogue, now: int
) -> list[Check]:
    """The five checks of a target as of now (UTC seconds)."""
    kpi, clock = catalogue.kpis[target.kpi], clock_of(brand.time_zone)
    look = _look(target, kpi, brand, now)
    sources = await read_sources(connection, brand, target.cut, [look.present, *look.before], clock, kpis=[kpi])
    seen_cuts = [TOTAL]
    if target.cut != TOTAL:
        seen_cuts += await stored_cuts(connection, brand.brand_id, parse_cut(target.cut.partition("=")[0]))
    present, before = await asyncio.to_thread(_values, Evaluated(sources), kpi, look)
    return [
        _specific(brand, target, kpi, is_seen=target.cut in seen_cuts),
        _measurable(kpi, look.unit, present),
        achievable(_history(target, kpi, look, present.value, before, _days_left(target, clock, now))),
        _relevant(target, catalogue),
        _time_bound(target, clock, now),
    ]


def _values(evaluated: Evaluated, kpi: Kpi, look: _Look) -> tuple[Value, list[float | None]]:
    spoken = list(dropwhile(lambda span: evaluated.is_silent(kpi, span), look.before))
    silent = len(look.before) - len(spoken)
    return evaluated.value(kpi, look.present), [None] * silent + [evaluated.number(kpi, span) for span in spoken]


def _look(target: Target, kpi: Kpi, brand: Brand, now: int) -> _Look:
    clock, unit = clock_of(brand.time_zone), unit_told(kpi, brand.currency)
    period = Window.MONTH if isinstance(target.time, By) else target.time.period
    today = date_of(clock.day(ceil_minute(now) - 1))
    firsts = _firsts_before(period, PERIOD_START[period](today))
    whole = tuple(span_of(Period(period, first), clock, now, now) for first in firsts)
    present = span_of(Period(period, PERIOD_START[period](today)), clock, now, now)
    if not isinstance(target.time, By) or counts_since_start(target, course_of(kpi.formula)):
        return _Look(unit, present, period, whole)
    window, kept_from = rolling_window(target, kpi), now - MINUTES_KEPT_S
    ends = tuple(span_at(window, span.end, clock, kept_from) for span in whole)
    return _Look(unit, span_at(window, now, clock, kept_from), period, ends)


def _firsts_before(period: Window, first: date) -> list[date]:
    """One more than is looked at, since what moved from one to the next takes both."""
    found = [first]
    for _ in range(PERIODS_SEEN + 1):
        found.append(previous_first(Period(period, found[-1])))
    return found[:0:-1]


def _history(
    target: Target, kpi: Kpi, look: _Look, present: float | None, before: Sequence[float | None], days_left: float
) -> History:
    course = course_of(kpi.formula)
    if not isinstance(target.time, By):
        return _of_periods(target, kpi, look, before)
    months = max(days_left, 1.0) / _DAYS_A_MONTH
    ahead = in_words(target, look.unit, kpi.better)
    if counts_since_start(target, course):
        goal = bounds_of(target.aim, kpi.better, None) or Bounds()
        return History(_a_month(goal, course, months), before[1:], look.period, look.unit, ahead)
    goal = bounds_of(target.aim, kpi.better, present) or Bounds()
    is_kept = isinstance(target.aim, Maximum | Band) or present is None or goal.hold(present)
    if is_kept or present is None:
        return History(goal, before[1:], look.period, look.unit)
    moved = [None if a is None or b is None else b - a for a, b in pairwise(before)]
    return History(_movement(goal, present, months), moved, look.period, look.unit, ahead)


def _of_periods(target: Target, kpi: Kpi, look: _Look, before: Sequence[float | None]) -> History:
    if isinstance(target.aim, Change):
        moved = [None if not a or b is None else 100 * (b - a) / abs(a) for a, b in pairwise(before)]
        percent = target.aim.percent
        needed = Bounds(at_least=percent) if percent > 0 else Bounds(at_most=percent)
        return History(needed, moved, look.period, Unit.PERCENT)
    return History(bounds_of(target.aim, kpi.better, None) or Bounds(), before[1:], look.period, look.unit)


def _a_month(goal: Bounds, course: Course, months: float) -> Bounds:
    low, high = (
        None if bound is None else course.origin + (bound - course.origin) / months
        for bound in (goal.at_least, goal.at_most)
    )
    return Bounds(low, high)


def _movement(goal: Bounds, present: float, months: float) -> Bounds:
    if goal.at_least is not None:
        return Bounds(at_least=(goal.at_least - present) / months)
    return Bounds(at_most=((goal.at_most or 0.0) - present) / months)


def _days_left(target: Target, clock: LocalClock, now: int) -> float:
    end = deadline(target.time, clock)
    return 0.0 if end is None else (end - now) / DAY_S


def _specific(brand: Brand, target: Target, kpi: Kpi, *, is_seen: bool) -> Check:
    where = f" in {target.cut}" if target.cut else ""
    words = f"{kpi.title} of {brand.slug}{where}: {in_words(target, unit_told(kpi, brand.currency), kpi.better)}."
    if is_seen:
        return Check(Criterion.SPECIFIC, Finding.MET, words)
    return Check(Criterion.SPECIFIC, Finding.WARNING, f"{words} Nothing was counted in this cut so far.")


def _measurable(kpi: Kpi, unit: str, present: Value) -> Check:
    words = f"In {unit.replace('_', ' ')}, where {_BETTER[kpi.better]}"
    if present.value is None:
        return Check(Criterion.MEASURABLE, Finding.WARNING, f"{words}; it has no value at present ({present.reason}).")
    return Check(Criterion.MEASURABLE, Finding.MET, f"{words}; at present {spelled(present.value, unit)}.")


def _relevant(target: Target, catalogue: TenantCatalogue) -> Check:
    cards = [
        card.title
        for card in catalogue.cards.values()
        for area in card.areas
        if area.title == target.kra and any(line.kpi == target.kpi for line in area.lines)
    ]
    if cards:
        words = f"It serves {target.kra}, on the scorecard of: {', '.join(dict.fromkeys(cards))}."
        return Check(Criterion.RELEVANT, Finding.MET, words)
    words = f"It serves {target.kra}, but no scorecard shows the KPI there."
    return Check(Criterion.RELEVANT, Finding.WARNING, words)


def _time_bound(target: Target, clock: LocalClock, now: int) -> Check:
    end = deadline(target.time, clock)
    if isinstance(target.time, Every):
        return Check(Criterion.TIME_BOUND, Finding.MET, f"At the end of every {period_word(target.time.period)}.")
    days = ((end or now) - now) / DAY_S
    words = f"Until the end of {date_of(clock.day((end or now) - 1))}, {days:.0f} days from now."
    if days <= _LONGEST_AHEAD_DAYS:
        return Check(Criterion.TIME_BOUND, Finding.MET, words)
    return Check(Criterion.TIME_BOUND, Finding.WARNING, f"{words} So far ahead, set targets for the way there, too.")
