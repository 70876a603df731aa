"""When a target is to be met: in every period, in one, or by a date."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from bellwether.domain.clock import LocalClock, ceil_minute, date_of, day_of
from bellwether.domain.windows import PERIOD_START, Window, next_period


class Every(msgspec.Struct, frozen=True, tag_field="kind", tag="every"):
    """Anew in every calendar period, from the one that holds `since` to the one that holds `until`."""

    period: Window
    since: date
    until: date | None = None


class During(msgspec.Struct, frozen=True, tag_field="kind", tag="in"):
    """Over one calendar period, which is named by its first day."""

    period: Window
    first: date


class By(msgspec.Struct, frozen=True, tag_field="kind", tag="by"):
    """At the end of a local day, on the way since the start of another one; start <= day."""

    day: date
    start: date


Timeframe = Every | During | By


class Frame(msgspec.Struct, frozen=True):
    """The stretch in which a target is pursued at a moment; all in UTC seconds.

    start, end: of the whole stretch, half-open; `end` is the deadline
    moment: where it is read, start < moment <= end
    period, first: the calendar period, None for a deadline
    """

    start: int
    end: int
    moment: int
    period: Window | None = None
    first: date | None = None

    @property
    def elapsed(self) -> float:
        """The share of the stretch that is over, above 0 and at most 1."""
        return (self.moment - self.start) / (self.end - self.start)


def frame_at(time: Timeframe, as_of: int, clock: LocalClock) -> Frame | None:
    """The stretch at a moment; None before the first. After the last it is read at its end."""
    moment = ceil_minute(as_of)
    if isinstance(time, By):
        return _frame(clock, time.start, time.day + timedelta(days=1), moment)
    # At its last moment a period is shown whole, not the empty one that starts there.
    today = date_of(clock.day(moment - 1))
    first = PERIOD_START[time.period](today if isinstance(time, Every) else time.first)
    if isinstance(time, Every):
        if today < PERIOD_START[time.period](time.since):
            return None
        first = min(first, PERIOD_START[time.period](time.until)) if time.until else first
    return _frame(clock, first, next_period(time.period, first), moment, time.period)


def _frame(clock: LocalClock, first: date, after: date, moment: int, period: Window | None = None) -> Frame | None:
    start, end = clock.day_start(day_of(first)), clock.day_start(day_of(after))
    if moment <= start:
        return None
    return Frame(start, end, min(moment, end), period, first if period else None)


def deadline(time: Timeframe, clock: LocalClock) -> int | None:
    """The moment at which a target is over for good, in UTC seconds; None for one that recurs for ever."""
    match time:
        case By(day):
            return clock.day_start(day_of(day) + 1)
        case During(period, first):
            return clock.day_start(day_of(next_period(period, first)))
        case Every(period, _, until):
            return None if until is None else clock.day_start(day_of(next_period(period, PERIOD_START[period](until))))
