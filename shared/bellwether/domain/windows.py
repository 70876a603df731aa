"""The windows every KPI is kept in, and the span of time each one covers at a moment.

A rolling window ends at the minute that holds the moment; a calendar window runs from the
start of the brand's local period up to it. Beside each span stands the one it is compared
with: for a rolling window the same length before it, for a period still running the
previous period up to the same point, so that twelve days are compared with twelve days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from bellwether.domain.clock import (
    DAY_S,
    HOUR_S,
    LocalClock,
    ceil_minute,
    date_of,
    day_of,
)

MINUTES_KEPT_S = 15 * DAY_S
"""How long the minute grain is kept: a 7-day window and the one before it, and a day."""


class Window(StrEnum):
    """The rolling and the calendar windows."""

    HOUR = "1h"
    DAY_24H = "24h"
    DAYS_7 = "7d"
    DAYS_28 = "28d"
    DAYS_90 = "90d"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


ROLLING_S: dict[Window, int] = {
    Window.HOUR: HOUR_S,
    Window.DAY_24H: DAY_S,
    Window.DAYS_7: 7 * DAY_S,
    Window.DAYS_28: 28 * DAY_S,
    Window.DAYS_90: 90 * DAY_S,
}
MINUTE_EDGES = frozenset({Window.HOUR, Window.DAY_24H, Window.DAYS_7, Window.DAY, Window.WEEK})
"""The windows that begin and end between any two minutes; the others do between hours."""


class Span(msgspec.Struct, frozen=True):
    """A stretch of time [start, end) and the one it is compared with, in UTC seconds.

    `partial` is true while the period is still running at `end`.
    """

    start: int
    end: int
    before_start: int
    before_end: int
    partial: bool = False


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> date:
    return day.replace(day=1)


def _quarter(day: date) -> date:
    return day.replace(month=day.month - (day.month - 1) % 3, day=1)


def _year(day: date) -> date:
    return day.replace(month=1, day=1)


PERIOD_START: dict[Window, Callable[[date], date]] = {
    Window.DAY: lambda day: day,
    Window.WEEK: _week,
    Window.MONTH: _month,
    Window.QUARTER: _quarter,
    Window.YEAR: _year,
}
_LONGEST = {
    Window.DAY: 1,
    Window.WEEK: 7,
    Window.MONTH: 31,
    Window.QUARTER: 92,
    Window.YEAR: 366,
}


def next_period(window: Window, first: date) -> date:
    """The first day of the period after the one that starts on `first`."""
    return PERIOD_START[window](first + timedelta(days=_LONGEST[window]))


def period_span(window: Window, first: date, clock: LocalClock, as_of: int) -> Span:
    """The span of a calendar period, cut at `as_of` while it runs.

    The comparison is the previous period up to the same local day and time of day, to the
    hour for a month or longer, since older minutes are not kept.
    """
    start, full_end = (clock.day_start(day_of(d)) for d in (first, next_period(window, first)))
    end = min(max(as_of, start), full_end)
    previous_first = PERIOD_START[window](first - timedelta(days=1))
    before_start = clock.day_start(day_of(previous_first))
    if end == full_end:
        return Span(start, end, before_start, start)
    elapsed_days = clock.day(end) - day_of(first)
    into_day = end - clock.day_start(clock.day(end))
    before_end = clock.day_start(day_of(previous_first) + elapsed_days) + into_day
    if window not in MINUTE_EDGES:
        before_end = clock.hour(before_end)
    return Span(start, end, before_start, min(before_end, start), partial=True)


def _ceil_hour(moment: int, clock: LocalClock) -> int:
    return moment if clock.hour(moment) == moment else clock.next_hour(moment)


def _rolling_span(window: Window, end: int, clock: LocalClock) -> Span:
    length = ROLLING_S[window]
    start, before = end - length, end - 2 * length
    if window not in MINUTE_EDGES:
        start, before = _ceil_hour(start, clock), _ceil_hour(before, clock)
    return Span(start, end, before, start)


def _span(window: Window, end: int, clock: LocalClock) -> Span:
    if window in ROLLING_S:
        return _rolling_span(window, end, clock)
    # At its last moment a period is shown whole, not the empty one that starts there.
    first = PERIOD_START[window](date_of(clock.day(end - 1)))
    return period_span(window, first, clock, end)


def _on_hours(span: Span, clock: LocalClock) -> Span:
    """A change of the clocks by half an hour may leave an edge between two hours."""
    start, end = clock.hour(span.start), clock.hour(span.end)
    return Span(start, end, clock.hour(span.before_start), clock.hour(span.before_end), span.partial)


def span_at(window: Window, as_of: int, clock: LocalClock, minutes_from: int) -> Span:
    """What a window covers at a moment.

    `minutes_from` is the moment before which only hours are kept: a window with an edge
    between two hours further back than that ends at the last whole hour before `as_of`.
    """
    span = _span(window, ceil_minute(as_of), clock)
    edges = (span.start, span.end, span.before_start, span.before_end)
    if all(edge >= minutes_from or clock.hour(edge) == edge for edge in edges):
        return span
    return _on_hours(_span(window, clock.hour(as_of), clock), clock)
