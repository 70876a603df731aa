"""Markers and crises, and the sums around them.

A marker is a moment at which something began that may change numbers: a campaign, a training.
What is read around one goes by whole local hours, since older minutes are not kept: the hour
that holds the moment is the first one after it. A crisis takes all hours that it touches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from bellwether.catalogue.formula.terms import Amounts, amounts_of
from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock
from bellwether.domain.incidents import Interval
from bellwether.domain.timeline import Timeline
from bellwether.domain.totals import Totals, add_totals
from bellwether.domain.windows import Span

MARKER_DAYS = 7
"""How many days before and after a marker are compared."""
MOST_MARKERS = 50
"""How many markers of a name, and how many crises, are read in a span: the latest."""
CALM_S = DAY_S
"""How long before and after a crisis is compared with it."""


class Stretch(NamedTuple):
    """A stretch of time [start, end), in UTC seconds."""

    start: int
    end: int


class Undone(msgspec.Struct, frozen=True):
    """What came about at or after the end of a past span and must not count in it.

    cohort: the moment of the message or publication it is counted under, UTC seconds
    totals: what to take back there
    """

    cohort: int
    totals: Totals


Markers = Mapping[str, Sequence[int]]
"""Moments by the name of the marker, ascending, in UTC seconds."""


def days_before(marker: int, days: int, clock: LocalClock) -> Stretch:
    """The days before a marker."""
    return Stretch(clock.hour(clock.hour(marker) - days * DAY_S), clock.hour(marker))


def days_after(marker: int, days: int, clock: LocalClock) -> Stretch:
    """The days from a marker on."""
    return Stretch(clock.hour(marker), clock.hour(clock.hour(marker) + days * DAY_S))


def day_edges(marker: int, days: int, clock: LocalClock) -> list[int]:
    """Where each of the days after a marker begins, and the last one ends; whole local hours."""
    start = clock.hour(marker)
    return [clock.hour(start + day * DAY_S) for day in range(days + 1)]


def markers_over(moments: Sequence[int], days: int, span: Span, clock: LocalClock) -> Sequence[int]:
    """The latest markers whose days after are over within a span: their end is in (start, end].

    At most MOST_MARKERS.
    """
    # Whole hours: the days after end up to an hour, and a change of the clocks, before moment + days.
    first = bisect_left(moments, span.start - days * DAY_S)
    last = bisect_right(moments, span.end - days * DAY_S + 2 * HOUR_S)
    over = [m for m in moments[first:last] if span.start < days_after(m, days, clock).end <= span.end]
    return over[-MOST_MARKERS:]


class Course(NamedTuple):
    """A crisis that is over: the 24 hours before, the hours that it touched, the 24 hours after."""

    resolved: int
    before: Stretch
    during: Stretch
    after: Stretch


def course_of(crisis: Interval, clock: LocalClock) -> Course | None:
    """The course of a crisis; None while it is open."""
    if crisis.resolved is None:
        return None
    opened, over = clock.hour(crisis.opened), ceil_hour(crisis.resolved, clock)
    before, after = Stretch(clock.hour(opened - CALM_S), opened), Stretch(over, clock.hour(over + CALM_S))
    return Course(crisis.resolved, before, Stretch(opened, over), after)


def courses_over(crises: Sequence[Interval], span: Span, clock: LocalClock) -> list[Course]:
    """The latest crises whose 24 hours after are over within a span: their end is in (start, end].

    At most MOST_MARKERS.
    """
    courses = (course_of(crisis, clock) for crisis in crises if crisis.opened < span.end)
    over = [course for course in courses if course is not None and span.start < course.after.end <= span.end]
    return over[-MOST_MARKERS:]


def ceil_hour(moment: int, clock: LocalClock) -> int:
    """The first start of a local hour at or after a moment."""
    return moment if clock.hour(moment) == moment else clock.next_hour(moment)


def hours_of(stretch: Stretch, clock: LocalClock) -> Iterator[Stretch]:
    """The local hours of a stretch that begins and ends with one."""
    at = stretch.start
    while at < stretch.end:
        following = clock.next_hour(at)
        yield Stretch(at, following)
        at = following


def in_crisis(crises: Sequence[Interval], span: Span, clock: LocalClock) -> list[Stretch]:
    """The stretches of a span in which a crisis was open, by whole hours, each hour once."""
    found: list[Stretch] = []
    for crisis in crises:
        if crisis.opened >= span.end:
            break
        resolved = span.end if crisis.resolved is None else min(ceil_hour(crisis.resolved, clock), span.end)
        start = max(clock.hour(crisis.opened), span.start)
        if found and start <= found[-1].end:
            found[-1] = Stretch(found[-1].start, max(found[-1].end, resolved))
        elif start < resolved:
            found.append(Stretch(start, resolved))
    return found


class Moments:
    """The markers and crises of a brand and cut, with the sums around them.

    Sums are made when a formula asks for them, and once for all windows that end together.
    """

    def __init__(
        self, timeline: Timeline, markers: Markers, crises: Sequence[Interval], undone: Sequence[Undone] = ()
    ) -> None:
        self._timeline = timeline
        self._undone = sorted(undone, key=lambda one: one.cohort)
        self._cohorts = [one.cohort for one in self._undone]
        self._amounts: dict[tuple[Stretch, tuple[str, ...]], Amounts] = {}
        self.markers = markers
        self.crises = crises

    def total(self, start: int, end: int, measures: Collection[str] | None = None) -> Totals:
        """The sum of measures (default: all) over [start, end), whole minutes in UTC seconds, less what was undone."""
        totals = self._timeline.total(start, end, measures)
        for undone in self._undone_in(start, end):
            add_totals(totals, undone.totals if measures is None else _only(measures, undone.totals))
        return totals

    def _undone_in(self, start: int, end: int) -> Sequence[Undone]:
        return self._undone[bisect_left(self._cohorts, start) : bisect_left(self._cohorts, end)]

    @property
    def clock(self) -> LocalClock:
        """The clock of the brand."""
        return self._timeline.clock

    def markers_over(self, name: str, days: int, span: Span) -> Sequence[int]:
        """The markers of a name whose days after are over within a span."""
        return markers_over(self.markers.get(name, ()), days, span, self.clock)

    def courses_over(self, span: Span) -> Sequence[Course]:
        """The crises whose 24 hours after are over within a span."""
        return courses_over(self.crises, span, self.clock) if self.crises else ()

    def amounts(self, stretch: Stretch, measures: tuple[str, ...]) -> Amounts:
        """Measures as numbers over a stretch."""
        found = self._amounts.get((stretch, measures))
        if found is None:
            found = self._amounts[stretch, measures] = amounts_of(self._totals([stretch], measures))
        return found

    def amounts_in(self, stretches: Collection[Stretch], measures: tuple[str, ...]) -> Amounts:
        """Measures as numbers over all of the stretches: whoever is in two of them counts once."""
        return amounts_of(self._totals(stretches, measures))

    def _totals(self, stretches: Collection[Stretch], measures: tuple[str, ...]) -> Totals:
        totals: Totals = {}
        for start, end in stretches:
            add_totals(totals, self._timeline.total_of(measures, start, end))
            for undone in self._undone_in(start, end):
                add_totals(totals, _only(measures, undone.totals))
        return totals


def _only(measures: Collection[str], totals: Totals) -> Totals:
    return {key: totals[key] for key in measures if key in totals}
