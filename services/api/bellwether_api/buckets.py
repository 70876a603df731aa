"""The buckets of a series: whole local hours, days, weeks or months, each beside the one before it."""

from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from itertools import islice

from bellwether.domain.clock import DAY_S, LocalClock, ceil_minute
from bellwether.domain.windows import MINUTES_KEPT_S, Span, Window, next_period
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


def buckets(
    grain: SeriesGrain, start: int, end: int, clock: LocalClock, as_of: int, now: int | None = None
) -> list[Span]:
    """The buckets that overlap [start, end), whole, but no later than `as_of`.

    A bucket that is still running at `as_of` is partial and compared with the one before it up
    to the same point. At `now`, by default the same moment, minutes of long ago are gone: there
    it ends at the whole hour before `as_of`, and is left out where that leaves nothing of it. At
    most MOST_POINTS + 1 are given: more than MOST_POINTS is too many.
    """
    now, end = as_of if now is None else now, min(end, ceil_minute(as_of))
    spans = _hours if grain is SeriesGrain.HOUR else partial(_periods, grain)
    return list(islice(spans(start, end, clock, as_of, now), MOST_POINTS + 1))


def _hours(start: int, end: int, clock: LocalClock, as_of: int, now: int) -> Iterator[Span]:
    at = clock.hour(start)
    before = clock.hour(at - 1)
    while at < end:
        following = clock.next_hour(at)
        stop = min(following, ceil_minute(as_of))
        runs = stop < following
        before_end = min(before + stop - at, at) if runs else at
        if not runs or before_end >= now - MINUTES_KEPT_S:
            yield Span(at, stop, before, before_end, runs)
        before, at = at, following


def _periods(grain: SeriesGrain, start: int, end: int, clock: LocalClock, as_of: int, now: int) -> Iterator[Span]:
    period = period_of(_WINDOW[grain], start, clock)
    while (span := span_of(period, clock, as_of, now)).start < end:
        if span.start < span.end:
            yield span
        period = Period(period.window, next_period(period.window, period.first))
