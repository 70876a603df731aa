"""When values change though nothing happens: what leaves a window, what the period before had done by now, who
waits longer.

Windows end at whole minutes, so values are the same all through a minute. Every function here gives later ends of
windows at which a value may differ; one that does not change after all costs a refresh, one missed would be a
wrong number.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping

from bellwether.catalogue.evaluate import Sources
from bellwether.domain.clock import HOUR_S, MINUTE_S, LocalClock, ceil_minute, floor_minute
from bellwether.domain.timeline import Timeline
from bellwether.domain.windows import MINUTE_EDGES, PERIOD_START, ROLLING_S, Span, Window

Spans = Mapping[Window, Span]


def next_change(sources: Sources, spans: Spans, clock: LocalClock, end: int) -> int:
    """The first later end of windows at which a value may not be what it is at this one.

    end: where the spans end, as the result whole minutes in UTC seconds
    """
    ends = [
        _day_turns(clock, end),
        *_leave(sources.timeline, spans),
        *_enter_comparison(sources.timeline, spans, clock, end),
        *_start_from_another_level(sources, spans, clock),
        *_wait_longer(sources, spans, end),
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
    waiting = sources.waiting["messages"]
    if not waiting:
        return
    times = sources.timeline.total(min(span.start for span in spans.values()), end).get("response_time")
    for seconds in times if isinstance(times, dict) else ():
        longest = bisect_right(waiting, end - seconds)
        if longest < len(waiting):
            yield ceil_minute(waiting[longest] + seconds)
