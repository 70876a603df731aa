"""Business hours: which seconds count where people are expected to answer.

A moment is open if the clock on the wall then shows a date and time within the hours, so that changes of the clocks
need no rule of their own: an hour that is shown twice is open twice, one that is skipped is not open at all.

Moments are whole seconds since 1970-01-01T00:00Z, stretches are half-open, [start, end).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

import msgspec

from bellwether.domain.clock import DAY_S, MINUTE_S, date_of, day_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK_S = 7 * DAY_S
_DAY_MINUTES = 1440
_MOMENTS_KEPT = 100_000
_ANCHOR = 2610  # the week of 2020-01-09, from which open seconds are summed up both ways
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.ASCII)


class Hours(msgspec.Struct, frozen=True, order=True):
    """Open from `start` to `end`, in minutes since the local midnight; past 1440 it is the next day.

    0 ≤ start < 1440, start < end < start + 1440, or 0 to 1440
    """

    start: int
    end: int


class Holiday(msgspec.Struct, frozen=True):
    """A local date that has hours of its own instead of those of its weekday, or none.

    It begins at midnight: what was open the evening before closes then.
    """

    date: date
    hours: tuple[Hours, ...] = ()


class Schedule(msgspec.Struct, frozen=True):
    """Hours by weekday, Monday first (None: around the clock), and the dates that differ."""

    week: tuple[tuple[Hours, ...], ...] | None = None
    holidays: tuple[Holiday, ...] = ()


ALWAYS_OPEN = Schedule()


class HolidayText(msgspec.Struct, frozen=True):
    """A holiday as people write it."""

    date: date
    hours: tuple[str, ...] = ()


class ClosedAnswer(StrEnum):
    """What the business clock shows for a message received and answered in the same closed period."""

    ZERO = "zero"
    """Answered in no time."""
    WALL = "wall"
    """The time on the wall, as if it had been open."""
    LEAVE_OUT = "leave_out"
    """Nothing: the answer is in no distribution of business time."""


class Kind(StrEnum):
    """Why a stretch of time counts or does not."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


class Stretch(NamedTuple):
    """A stretch of time, of one kind."""

    start: int
    end: int
    kind: Kind


def parse_hours(text: str) -> Hours:
    """Hours as `09:00-17:00`; `22:00-06:00` pass midnight, `00:00-24:00` is the whole day. Raises ValueError."""
    found = _HOURS.fullmatch(text)
    if found is None:
        raise ValueError("must be hours as in 09:00-17:00")
    hour, minute, to_hour, to_minute = (int(number) for number in found.groups())
    start, end = 60 * hour + minute, 60 * to_hour + to_minute
    if end > _DAY_MINUTES:
        raise ValueError("must end at 24:00 at the latest")
    if start == end:
        raise ValueError("must not end when it starts; the whole day is 00:00-24:00")
    return Hours(start, end if end > start else end + _DAY_MINUTES)


def hours_text(hours: Hours) -> str:
    """Hours as `parse_hours` reads them."""
    end = hours.end if hours.end <= _DAY_MINUTES else hours.end - _DAY_MINUTES
    return f"{hours.start // 60:02}:{hours.start % 60:02}-{end // 60:02}:{end % 60:02}"


def schedule_of(week: Mapping[str, Iterable[str]] | None, holidays: Iterable[HolidayText]) -> Schedule:
    """A schedule from hours as text, by the names of WEEKDAYS; a day that is not named is closed.

    Raises ValueError for hours that cannot be.
    """
    days = None if week is None else tuple(_several(week.get(weekday, ())) for weekday in WEEKDAYS)
    return Schedule(days, tuple(Holiday(holiday.date, _several(holiday.hours)) for holiday in holidays))


def _several(texts: Iterable[str]) -> tuple[Hours, ...]:
    return tuple(sorted(parse_hours(text) for text in texts))


class _Week:
    """A week of UTC, Thursday to Thursday, as stretches that touch and cover all of it; seconds since its start."""

    __slots__ = ("_opened", "_starts", "stretches", "total")

    def __init__(self, stretches: list[Stretch]) -> None:
        self.stretches = stretches
        self._starts = [stretch.start for stretch in stretches]
        self._opened = [0]
        for start, end, kind in stretches:
            self._opened.append(self._opened[-1] + (end - start if kind is Kind.OPEN else 0))
        self.total = self._opened[-1]

    def at(self, second: int) -> int:
        """The index of the stretch that holds a second of the week."""
        return bisect_right(self._starts, second) - 1

    def opened(self, second: int) -> int:
        """Open seconds from the start of the week to a second of it."""
        at = self.at(second)
        start, _, kind = self.stretches[at]
        return self._opened[at] + (second - start if kind is Kind.OPEN else 0)

    def passed(self, opened: int) -> int:
        """The second by which so many seconds of the week were open, 0 < opened ≤ total."""
        at = bisect_left(self._opened, opened) - 1
        return self.stretches[at].start + opened - self._opened[at]


class BusinessHours:
    """Open seconds in a time zone. Weeks are worked out once and kept, most of them alike, so that any span is two
    look-ups.

    Raises zoneinfo.ZoneInfoNotFoundError for a name that the tz database does not have.
    """

    def __init__(self, time_zone: str, schedule: Schedule) -> None:
        self._zone = ZoneInfo(time_zone)
        self._week = schedule.week or (((Hours(0, _DAY_MINUTES),),) * 7 if schedule.week is None else ((),) * 7)
        self._holidays = {day_of(holiday.date): holiday.hours for holiday in schedule.holidays}
        self._irregular = {second // WEEK_S for day in self._holidays for second in _around(day)}
        self._weeks: dict[int, _Week] = {}
        self._alike: dict[int, _Week] = {}
        self._opened: dict[int, int] = {}
        self._before = {_ANCHOR: 0}
        self._first = self._last = _ANCHOR
        opens_again = any(self._week)
        self._over = None if opens_again else (max(self._holidays, default=0) + 3) * DAY_S // WEEK_S + 1

    def seconds_between(self, start: int, end: int) -> int:
        """Open seconds in [start, end); negative where the end is before the start."""
        return self.opened(end) - self.opened(start)

    def opened(self, moment: int) -> int:
        """Open seconds up to a moment, since some fixed one: of two, the difference is what matters."""
        found = self._opened.get(moment)
        if found is None:
            number, second = divmod(moment, WEEK_S)
            if len(self._opened) >= _MOMENTS_KEPT:
                self._opened.clear()
            found = self._opened[moment] = self._opened_before(number) + self._of_week(number).opened(second)
        return found

    def is_open(self, moment: int) -> bool:
        """Whether a moment is within the hours."""
        return self._kind_at(moment) is Kind.OPEN

    def moment_after(self, start: int, seconds: int) -> int | None:
        """The first moment at which so many open seconds (≥ 0) passed since `start`; None if they never do."""
        if seconds == 0:
            return start
        wanted, number = self.opened(start) + seconds, start // WEEK_S
        while self._opened_before(number + 1) < wanted:
            number += 1
            if self._over is not None and number > self._over:
                return None
        return number * WEEK_S + self._of_week(number).passed(wanted - self._opened_before(number))

    def opens_next(self, moment: int) -> int | None:
        """The first open moment from this one on; None if there is none any more."""
        passed = self.moment_after(moment, 1)
        return None if passed is None else passed - 1

    def intervals(self, start: int, end: int) -> list[Stretch]:
        """The stretches of [start, end): what counts, what does not and why; neighbours are of different kinds."""
        weeks = range(start // WEEK_S, -(-end // WEEK_S))
        parts = ((number * WEEK_S, stretch) for number in weeks for stretch in self._of_week(number).stretches)
        clipped = (Stretch(max(start, week + s), min(end, week + e), kind) for week, (s, e, kind) in parts)
        return _joined(stretch for stretch in clipped if stretch.start < stretch.end)

    def are_in_one_closed_period(self, first: int, last: int) -> bool:
        """Whether both moments, and all between them, are closed."""
        return not (self.is_open(first) or self.is_open(last) or self.seconds_between(first, last))

    def _kind_at(self, moment: int) -> Kind:
        number, second = divmod(moment, WEEK_S)
        week = self._of_week(number)
        return week.stretches[week.at(second)].kind

    def _opened_before(self, number: int) -> int:
        while self._last < number:
            self._before[self._last + 1] = self._before[self._last] + self._of_week(self._last).total
            self._last += 1
        while self._first > number:
            self._first -= 1
            self._before[self._first] = self._before[self._first + 1] - self._of_week(self._first).total
        return self._before[number]

    def _of_week(self, number: int) -> _Week:
        found = self._weeks.get(number)
        if found is None:
            found = self._weeks[number] = self._find_week(number)
        return found

    def _find_week(self, number: int) -> _Week:
        start = number * WEEK_S
        changes = list(self._changes(start))
        if changes or number in self._irregular:
            return _Week(_joined(self._stretches(start, changes)))
        offset = self._offset(start)
        if offset not in self._alike:
            self._alike[offset] = _Week(_joined(self._stretches(start, changes)))
        return self._alike[offset]

    def _stretches(self, start: int, changes: Sequence[int]) -> Iterator[Stretch]:
        """A week, cut where local dates change and where clocks do."""
        for low, high in pairwise((start, *changes, start + WEEK_S)):
            offset = self._offset(low)
            for day in range((low + offset) // DAY_S, (high + offset - 1) // DAY_S + 1):
                midnight = day * DAY_S - offset
                for opens, closes, kind in self._of_date(day):
                    opened, closed = max(low, midnight + opens), min(high, midnight + closes)
                    if opened < closed:
                        yield Stretch(opened - start, closed - start, kind)

    def _changes(self, start: int) -> Iterator[int]:
        """Where clocks change in a week."""
        days = range(start, start + WEEK_S + 1, DAY_S)
        for (low, before), (high, after) in pairwise((day, self._offset(day)) for day in days):
            if before != after:
                yield self._change_of_clocks(low, high)

    def _change_of_clocks(self, low: int, high: int) -> int:
        offset = self._offset(low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
        return high

    def _offset(self, moment: int) -> int:
        offset = cast(timedelta, datetime.fromtimestamp(moment, self._zone).utcoffset())
        return int(offset.total_seconds())

    def _of_date(self, day: int) -> Iterator[Stretch]:
        """A local date that has 24 hours, in seconds since its midnight."""
        closed, passed = Kind.HOLIDAY if day in self._holidays else Kind.CLOSED, 0
        for opens, closes in sorted(self._open_on(day)):
            if passed < opens * MINUTE_S:
                yield Stretch(passed, opens * MINUTE_S, closed)
            if passed < closes * MINUTE_S:
                yield Stretch(max(passed, opens * MINUTE_S), closes * MINUTE_S, Kind.OPEN)
                passed = closes * MINUTE_S
        if passed < DAY_S:
            yield Stretch(passed, DAY_S, closed)

    def _open_on(self, day: int) -> Iterator[tuple[int, int]]:
        if day not in self._holidays:
            for hours in self._starting_on(day - 1):
                if hours.end > _DAY_MINUTES:
                    yield 0, hours.end - _DAY_MINUTES
        for hours in self._starting_on(day):
            yield hours.start, min(hours.end, _DAY_MINUTES)

    def _starting_on(self, day: int) -> tuple[Hours, ...]:
        own = self._holidays.get(day)
        return self._week[date_of(day).weekday()] if own is None else own


def _around(day: int) -> range:
    """Moments in every week of UTC in which a local date may shape the hours, wherever it is."""
    return range((day - 1) * DAY_S, (day + 3) * DAY_S + 1, DAY_S)


def _joined(stretches: Iterator[Stretch]) -> list[Stretch]:
    """Neighbours of one kind as one."""
    found: list[Stretch] = []
    for stretch in stretches:
        if found and found[-1].kind is stretch.kind:
            found[-1] = found[-1]._replace(end=stretch.end)
        else:
            found.append(stretch)
    return found


@lru_cache(maxsize=4096)
def business_hours(time_zone: str, schedule: Schedule) -> BusinessHours | None:
    """The hours of a brand, shared by all who read them; None where it is always open."""
    return None if schedule == ALWAYS_OPEN else BusinessHours(time_zone, schedule)
