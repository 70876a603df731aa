"""When values change though nothing happens: what leaves a window, what the period before had done by now, who
waits longer, and which days after a marker or a crisis are over.

Windows end at whole minutes, so values are the same all through a minute. Every function here gives later ends of
windows at which a value may differ; one that does not change after all costs a refresh, one missed would be a
wrong number.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bellwether.catalogue.evaluate import Sources
from bellwether.catalogue.formula.moments import course_of, days_after
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.reach import Need, needs_of
from bellwether.domain.business_hours import BusinessHours
from bellwether.domain.clock import DAY_S, HOUR_S, MINUTE_S, LocalClock, ceil_minute, floor_minute
from bellwether.domain.timeline import Timeline
from bellwether.domain.totals import Totals
from bellwether.domain.windows import MINUTE_EDGES, PERIOD_START, ROLLING_S, Span, Window

Spans = Mapping[Window, Span]

_RESPONSE_TIMES = ("response_time", "response_time_business")
"""Those of queries are among them."""


def next_change(sources: Sources, spans: Spans, clock: LocalClock, end: int, kpis: Iterable[Kpi] | None = None) -> int:
    """The first later end of windows at which a value may not be what it is at this one.

    end: where the spans end, as the result whole minutes in UTC seconds
    kpis: whose values, by default those of the built-in catalogue
    """
    ends = [
        _day_turns(clock, end),
        *_leave(sources.timeline, spans),
        *_enter_comparison(sources.timeline, spans, clock, end),
        *_start_from_another_level(sources, spans, clock),
        *_wait_longer(sources, spans, end),
        *_are_over(sources, spans, clock, end, needs_of(kpis)),
    ]
    return max(min(ends), end + MINUTE_S)


def _day_turns(clock: LocalClock, end: int) -> int:
    """At midnight a day is whole, a minute later a new one runs."""
    midnight = clock.day_start(clock.day(end - 1) + 1)
    return midnight if midnight > end else end + MINUTE_S


def _leave(timeline: Timeline, spans: Spans) -> Iterator[int]:
    """The oldest bucket leaves a rolling window, or the window before it."""
    for window, length in ROLLING_S.items():
        span = spans[window]
        for start, stop, reach in (
            (span.start, span.end, length),
            (span.before_start, span.before_end, 2 * length),
        ):
            first = timeline.next_filled(start, stop)
            if first is not None:
                yield first + reach + MINUTE_S


def _enter_comparison(timeline: Timeline, spans: Spans, clock: LocalClock, end: int) -> Iterator[int]:
    """A period that runs is compared with ever more of the one before it."""
    rest_of_day = clock.day_start(clock.day(end) + 1) - end
    for window in PERIOD_START:
        span = spans[window]
        if span.partial:
            first = timeline.next_filled(span.before_end, min(span.before_end + rest_of_day, span.start))
            if first is not None and window in MINUTE_EDGES:
                yield end + first - span.before_end + MINUTE_S
            elif first is not None:
                yield clock.next_hour(end) + (first - span.before_end) // HOUR_S * HOUR_S


def _start_from_another_level(sources: Sources, spans: Spans, clock: LocalClock) -> Iterator[int]:
    """The start of a rolling window passes the next snapshot of an audience."""
    for accounts in sources.audiences.values():
        for history in accounts.values():
            for window, length in ROLLING_S.items():
                observed = history.next_after(spans[window].start - 1)
                if observed is not None:
                    passed = floor_minute(observed) if window in MINUTE_EDGES else clock.hour(observed)
                    yield passed + length + MINUTE_S


def _wait_longer(sources: Sources, spans: Spans, end: int) -> Iterator[int]:
    """Somebody has now waited as long as an answer took: the estimate of quantiles counts from there on."""
    waiting = sources.waiting.get("messages")
    if not waiting:
        return
    times = sources.timeline.total_of(_RESPONSE_TIMES, min(span.start for span in spans.values()), end)
    wall = _first_to_pass(waiting, _bins(times, "response_time"), end)
    if wall is not None:
        yield ceil_minute(end + wall)
    yield from _pass_open_hours(waiting, _bins(times, "response_time_business"), end, sources.hours)


def _pass_open_hours(
    waiting: Sequence[int], times: Iterable[int], end: int, hours: BusinessHours | None
) -> Iterator[int]:
    if hours is None:
        return
    opened = [hours.opened(moment) for moment in waiting]
    left = _first_to_pass(opened, times, hours.opened(end))
    moment = None if left is None else hours.moment_after(end, left)
    if moment is not None:
        yield ceil_minute(moment)


def _first_to_pass(since: Sequence[int], times: Iterable[int], now: int) -> int | None:
    """In how many seconds the first of those who wait has waited as long as one of the times; None if none ever does.

    since: from when on each waits, ascending; in seconds of the clock that also shows `now`
    """
    left = (since[first] + time - now for time in times if (first := bisect_right(since, now - time)) < len(since))
    return min(left, default=None)


def _bins(totals: Totals, measure: str) -> Iterable[int]:
    found = totals.get(measure)
    return found if isinstance(found, dict) else ()


def _are_over(sources: Sources, spans: Spans, clock: LocalClock, end: int, needs: Iterable[Need]) -> Iterator[int]:
    """The days after a marker, or after a crisis, are over, or leave a rolling window."""
    for need in needs:
        recent = _recent(sources.markers.get(need.marker, ()), spans, need.days)
        yield from _enter_and_leave([days_after(m, need.days, clock).end for m in recent], spans, clock, end)
    courses = (course_of(crisis, clock) for crisis in sources.crises)
    yield from _enter_and_leave([course.after.end for course in courses if course], spans, clock, end)


def _recent(moments: Sequence[int], spans: Spans, days: int) -> Sequence[int]:
    first = min(spans[window].start for window in ROLLING_S) - days * DAY_S
    return moments[bisect_left(moments, first) :]


def _enter_and_leave(overs: Sequence[int], spans: Spans, clock: LocalClock, end: int) -> Iterator[int]:
    """overs: starts of local hours at which something is over."""
    yield from (over for over in overs if over > end)
    for window, length in ROLLING_S.items():
        first = min((over for over in overs if spans[window].start < over <= end), default=None)
        if first is not None:
            yield (first if window in MINUTE_EDGES else clock.hour(first - MINUTE_S) + MINUTE_S) + length
