"""The buckets of a series: whole local hours, days, weeks or months, each beside the one before it."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import islice

from bellwether.domain.clock import DAY_S, LocalClock, ceil_minute
from bellwether.domain.windows import Span, Window, next_period
from bellwether_api.periods import Period, period_of, span_of

MOST_POINTS = 2_000


class SeriesGrain(StrEnum):
    """The length of a bucket."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


DEFAULT_LENGTH_S = {
    SeriesGrain.HOUR: 2 * DAY_S,
    SeriesGrain.DAY: 28 * DAY_S,
    SeriesGrain.WEEK: 84 * DAY_S,
    SeriesGrain.MONTH: 365 * DAY_S,
}
"""How far back a series goes that does not say so, in seconds."""

_WINDOW = {
    SeriesGrain.DAY: Window.DAY,
    SeriesGrain.WEEK: Window.WEEK,
    SeriesGrain.MONTH: Window.MONTH,
}


def buckets(grain: SeriesGrain, start: int, end: int, clock: LocalClock, now: int) -> list[Span]:
    """The buckets that overlap [start, end), whole, but no later than `now`.

    A bucket that is still running at `now` is partial and compared with the one before it up
    to the same point. At most MOST_POINTS + 1 are given: more than MOST_POINTS is too many.
    """
    end = min(end, ceil_minute(now))
    found = _hours(start, end, clock, now) if grain is SeriesGrain.HOUR else _periods(grain, start, end, clock, now)
    return list(islice(found, MOST_POINTS + 1))


def _hours(start: int, end: int, clock: LocalClock, now: int) -> Iterator[Span]:
    at = clock.hour(start)
    before = clock.hour(at - 1)
    while at < end:
        following = clock.next_hour(at)
        stop = min(following, ceil_minute(now))
        partial = stop < following
        before_end = min(before + stop - at, at) if partial else at
        yield Span(at, stop, before, before_end, partial)
        before, at = at, following


def _periods(grain: SeriesGrain, start: int, end: int, clock: LocalClock, now: int) -> Iterator[Span]:
    period = period_of(_WINDOW[grain], start, clock)
    while (span := span_of(period, clock, now, now)).start < end:
        yield span
        period = Period(period.window, next_period(period.window, period.first))
