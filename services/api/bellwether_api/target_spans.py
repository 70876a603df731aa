"""Which spans of time a target is read over: its stretch, where it began, and the days it is projected from."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from bellwether.catalogue.courses import Course, Kind, course_of
from bellwether.catalogue.kpi import Kpi
from bellwether.domain.clock import DAY_S, LocalClock, date_of, day_of
from bellwether.domain.targets import DAYS_SEEN, Band, By, Frame, Level, Maximum, Target, frame_at
from bellwether.domain.windows import MINUTES_KEPT_S, PERIOD_START, ROLLING_S, Span, Window, span_at
from bellwether_api.periods import Period, previous_first, span_of

_ROLLING = {
    Window.DAY: Window.DAY_24H,
    Window.WEEK: Window.DAYS_7,
    Window.MONTH: Window.DAYS_28,
    Window.QUARTER: Window.DAYS_90,
    Window.YEAR: Window.DAYS_90,
}
"""The rolling window for a KPI whose home is a calendar period: a date may fall on any day of one."""


class Day(NamedTuple):
    """A whole local day: what moved on it is the value over `to_end` less that over `to_start`.

    to_start is None where the value starts anew with the day, from the origin of its course.
    middle: days from the moment to the middle of the day, negative
    """

    middle: float
    to_end: Span
    to_start: Span | None


class Plan(NamedTuple):
    """What is read to tell how a target stands.

    builds_up: whether the value grows through the stretch; moves: whether it is on its way to a date
    window_s: the length of the rolling window that it is read over, None for the stretch itself
    """

    target: Target
    kpi: Kpi
    course: Course
    frame: Frame
    builds_up: bool
    moves: bool
    window_s: int | None
    current: Span
    baseline: Span | None
    days: tuple[Day, ...]

    def spans(self) -> set[Span]:
        """All of them."""
        edges = {span for day in self.days for span in (day.to_end, day.to_start) if span is not None}
        return edges | {self.current} | ({self.baseline} if self.baseline else set())

    @property
    def days_left(self) -> float:
        """Days from the moment to the deadline."""
        return (self.frame.end - self.frame.moment) / DAY_S


def counts_since_start(target: Target, course: Course) -> bool:
    """Whether a target by a date is told from all that came about since its start."""
    is_level = isinstance(target.aim, Level | Maximum | Band)
    return is_level and target.window is None and course.builds_up


def rolling_window(target: Target, kpi: Kpi) -> Window:
    """The window over which a target by a date is read."""
    wanted = target.window or kpi.home
    return _ROLLING.get(wanted, wanted)


def plan_of(target: Target, kpi: Kpi, as_of: int, clock: LocalClock, now: int) -> Plan | None:
    """What to read of a target at a moment; None before it begins.

    now: the present moment; minutes older than `MINUTES_KEPT_S` before it are gone
    """
    frame = frame_at(target.time, as_of, clock)
    if frame is None:
        return None
    kpi = kpi.on(date_of(clock.day(frame.moment - 1)))
    course = course_of(kpi.formula)
    windowed = isinstance(target.time, By) and not counts_since_start(target, course)
    window = rolling_window(target, kpi) if windowed else None
    current, baseline = _windowed(window, frame, clock, now) if window else _stretch(frame, clock, now)
    frame = msgspec.structs.replace(frame, moment=current.end)
    if frame.moment <= frame.start:
        return None
    return Plan(
        target=target,
        kpi=kpi,
        course=course,
        frame=frame,
        builds_up=course.builds_up and not windowed,
        moves=windowed,
        window_s=ROLLING_S[window] if window else None,
        current=current,
        baseline=baseline,
        days=tuple(_days(frame, course, clock)) if frame.moment < frame.end else (),
    )


def _windowed(window: Window, frame: Frame, clock: LocalClock, now: int) -> tuple[Span, Span]:
    kept_from = now - MINUTES_KEPT_S
    return span_at(window, frame.moment, clock, kept_from), span_at(window, frame.start, clock, kept_from)


def _stretch(frame: Frame, clock: LocalClock, now: int) -> tuple[Span, Span | None]:
    if frame.period is None or frame.first is None:
        return _since_start(frame, clock, now), None
    period = Period(frame.period, frame.first)
    before = Period(period.window, previous_first(period))
    return span_of(period, clock, frame.moment, now), span_of(before, clock, frame.start, now)


def _since_start(frame: Frame, clock: LocalClock, now: int) -> Span:
    end = frame.moment if frame.moment >= now - MINUTES_KEPT_S else clock.hour(frame.moment)
    before = clock.hour(frame.start - (end - frame.start))
    return Span(frame.start, end, before, frame.start, partial=end < frame.end)


def _days(frame: Frame, course: Course, clock: LocalClock) -> list[Day]:
    """The last whole days before the moment, oldest first."""
    if not course.is_told_by_days:
        return []
    today = clock.day(frame.moment)
    return [_day(day, frame, course, clock) for day in range(today - DAYS_SEEN, today)]


def _day(day: int, frame: Frame, course: Course, clock: LocalClock) -> Day:
    start, end = clock.day_start(day), clock.day_start(day + 1)
    middle = ((start + end) / 2 - frame.moment) / DAY_S
    since = _anew(day, frame, clock) if course.kind is Kind.GROWING else start
    if course.kind is Kind.STOCK:
        before = clock.day_start(day - 1)
        return Day(middle, _plain(start, end), _plain(before, start))
    return Day(middle, _plain(since, end), _plain(since, start) if since < start else None)


def _anew(day: int, frame: Frame, clock: LocalClock) -> int:
    """Where what grows over the stretch that holds a day started."""
    if frame.period is not None:
        return clock.day_start(day_of(PERIOD_START[frame.period](date_of(day))))
    start = clock.day_start(day)
    return min(frame.start, start)


def _plain(start: int, end: int) -> Span:
    """A span beside nothing: only what compares spans reads more, and that has no days."""
    return Span(start, end, start, start)
