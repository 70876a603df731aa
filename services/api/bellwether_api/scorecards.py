"""The card of a role over a calendar period, each KPI beside what it was in the period before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool
from bellwether.adapters.postgres.readings import read_sources
from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.evaluate import Sources, Value, facts_of, value_of
from bellwether.catalogue.kpi import Area, Direction, Line, Scorecard
from bellwether.catalogue.scorecards import SCORECARDS
from bellwether.domain.clock import LocalClock, ceil_minute
from bellwether.domain.errors import Fault, Invalid, UnknownScorecard
from bellwether.domain.windows import Span, Window
from bellwether_api.cuts import shown, stored_cuts
from bellwether_api.database import reading
from bellwether_api.moments import moment_at
from bellwether_api.periods import Period, before_of, period_of, span_of, starts
from bellwether_api.queries import ScorecardQuery
from bellwether_api.shapes import ScorecardArea, ScorecardCut, ScorecardLine, ScorecardOut, Trend
from bellwether_api.values import clock_of
from bellwether_api.viewpoint import Viewpoint, viewpoint

_Values = dict[str, Value]


def scorecard_of(role: str) -> Scorecard:
    """The scorecard of a role. Raises UnknownScorecard, which names the roles."""
    found = SCORECARDS.get(role)
    if found is None:
        raise UnknownScorecard(f"There are scorecards for: {', '.join(SCORECARDS)}.")
    return found


class _Frame(NamedTuple):
    """What a card is read over: a period, its span, and the span before it."""

    period: Period
    span: Span
    before: Span


class _CutSources(NamedTuple):
    """What the card of one cut is evaluated from."""

    cut: str
    now: Sources
    before: Sources


class ScorecardReader:
    """Reads scorecards. `now` gives the present moment in seconds since 1970."""

    def __init__(self, pool: Pool, now: Callable[[], float] = time.time) -> None:
        self._pool = pool
        self._now = now

    async def read(self, brand: Brand, card: Scorecard, query: ScorecardQuery) -> ScorecardOut:
        """The card over a period, in the cuts asked for.

        Raises Invalid for moments that cannot be and a period that has not begun, Unavailable.
        """
        now, clock = int(self._now()), clock_of(brand.time_zone)
        view = viewpoint(query.as_of, query.known_at, clock, now)
        frame = _frame(query.period, view.as_of, clock, now)
        async with reading(self._pool) as connection:
            sources = [
                await _sources(connection, brand, cut, frame, view)
                for cut in await stored_cuts(connection, brand.brand_id, query.cut)
            ]
        # In a thread: a long period takes tens of milliseconds, and others are waiting.
        cuts = await asyncio.to_thread(lambda: [_card(card, of_cut, frame) for of_cut in sources])
        return ScorecardOut(
            brand=brand.slug,
            time_zone=brand.time_zone,
            role=card.role,
            title=card.title,
            period=frame.period.name,
            start=moment_at(frame.span.start),
            end=moment_at(frame.span.end),
            partial=frame.span.partial,
            as_of=moment_at(view.as_of),
            cuts=cuts,
        )


def _frame(asked: Period | None, as_of: int, clock: LocalClock, now: int) -> _Frame:
    end = ceil_minute(as_of)
    # At its last moment a period is shown whole, not the empty one that starts there.
    period = asked or period_of(Window.MONTH, end - 1, clock)
    if starts(period, clock) >= end:
        raise Invalid("Some values are not valid.", faults=(Fault("/period", "must have begun by as_of"),))
    span = span_of(period, clock, as_of, now)
    return _Frame(period, span, before_of(period, span, clock, now))


async def _sources(connection: Connection, brand: Brand, cut: str, frame: _Frame, view: Viewpoint) -> _CutSources:
    clock = clock_of(brand.time_zone)
    # Apart: each is read as it stood at its own end.
    now, before = [
        await read_sources(connection, brand, cut, [span], clock, view.known_on, view.known_before)
        for span in (frame.span, frame.before)
    ]
    return _CutSources(cut, now, before)


def _card(card: Scorecard, sources: _CutSources, frame: _Frame) -> ScorecardCut:
    values = _values(card, sources.now, frame.span)
    before = _values(card, sources.before, frame.before)
    return ScorecardCut(shown(sources.cut), [_area(area, values, before) for area in card.areas])


def _values(card: Scorecard, sources: Sources, span: Span) -> _Values:
    facts = facts_of(sources, span)
    return {key: value_of(CATALOGUE[key], facts) for key in card.kpis()}


def _area(area: Area, values: _Values, before: _Values) -> ScorecardArea:
    return ScorecardArea(area.title, [_line(line, values[line.kpi], before[line.kpi]) for line in area.lines])


def _line(line: Line, value: Value, before: Value) -> ScorecardLine:
    kpi = CATALOGUE[line.kpi]
    return ScorecardLine(
        kpi=kpi.key,
        title=kpi.title,
        unit=kpi.unit,
        better=kpi.better,
        weight=line.weight,
        value=value.value,
        partial=value.partial,
        numerator=value.numerator,
        denominator=value.denominator,
        n=value.n,
        reason=value.reason,
        parts=value.parts,
        trend=trend(value, before, kpi.better),
    )


def trend(value: Value, before: Value, better: Direction) -> Trend:
    """A value against the one before it; whatever cannot be told is None."""
    start, end = moment_at(before.start), moment_at(before.end)
    if value.value is None or before.value is None:
        return Trend(start, end, before.value, None, None, None)
    change = value.value - before.value
    percent = 100 * change / abs(before.value) if before.value else None
    improved = None if change == 0 else (change > 0) == (better is Direction.UP)
    return Trend(start, end, before.value, change, percent, improved)
