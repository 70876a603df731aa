"""The local clock of one time zone: which hour and which day a UTC moment falls into.

Moments are whole seconds since 1970-01-01T00:00Z. A local day is a number, days since
1970-01-01. Local days are contiguous: a day ends where the next one starts, also where a
change of the clocks shows an hour twice or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_CACHED_MINUTES = 100_000


def floor_minute(moment: int) -> int:
    """The start of the UTC minute that holds the moment, in seconds."""
    return moment - moment % MINUTE_S


def ceil_minute(moment: int) -> int:
    """The first whole minute at or after the moment, in seconds."""
    return -(-moment // MINUTE_S) * MINUTE_S


def date_of(day: int) -> date:
    """The calendar date of a day number."""
    return date.fromordinal(day + _EPOCH)


def day_of(calendar_date: date) -> int:
    """The day number of a calendar date."""
    return calendar_date.toordinal() - _EPOCH


class _Places(dict[int, tuple[int, int]]):
    """Hour and day by the number of a minute; emptied when they are too many."""

    def __init__(self, find: Callable[[int], tuple[int, int]]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, minute: int) -> tuple[int, int]:
        if len(self) >= _CACHED_MINUTES:
            self.clear()
        found = self[minute] = self._find(minute * MINUTE_S)
        return found


class LocalClock:
    """Hours and days of a time zone.

    Raises zoneinfo.ZoneInfoNotFoundError for a name that the tz database does not have.
    """

    def __init__(self, time_zone: str) -> None:
        self.time_zone = time_zone
        self._zone = ZoneInfo(time_zone)
        self._places = _Places(self._find)
        self._day_starts: dict[int, int] = {}

    def place(self, moment: int) -> tuple[int, int]:
        """The start of the local hour (UTC seconds) and the local day number of a moment."""
        return self._places[moment // MINUTE_S]

    def hour(self, moment: int) -> int:
        """The start of the local hour that holds the moment, in UTC seconds."""
        return self._places[moment // MINUTE_S][0]

    def day(self, moment: int) -> int:
        """The number of the local day that holds the moment."""
        return self._places[moment // MINUTE_S][1]

    def day_start(self, day: int) -> int:
        """The first moment of a local day, in UTC seconds."""
        found = self._day_starts.get(day)
        if found is None:
            found = self._day_starts[day] = self._find_day_start(day)
        return found

    def next_hour(self, moment: int) -> int:
        """The start of the local hour after the one that holds the moment.

        A change of the clocks by part of an hour starts a new hour, too.
        """
        offset = self._offset(moment)
        following = moment - (moment + offset) % HOUR_S + HOUR_S
        if self._offset(following - MINUTE_S) == offset:
            return following
        return self._change_of_clocks(moment, following)

    def _offset(self, moment: int) -> int:
        offset = cast(timedelta, datetime.fromtimestamp(moment, self._zone).utcoffset())
        return int(offset.total_seconds())

    def _change_of_clocks(self, before: int, after: int) -> int:
        """The first minute in (before, after] that has another offset than `before`."""
        offset, low, high = self._offset(before), before // MINUTE_S, after // MINUTE_S
        while high - low > 1:
            middle = (low + high) // 2
            same = self._offset(middle * MINUTE_S) == offset
            low, high = (middle, high) if same else (low, middle)
        return high * MINUTE_S

    def _find(self, moment: int) -> tuple[int, int]:
        offset = self._offset(moment)
        local = moment + offset
        day = local // DAY_S
        if moment >= self.day_start(day + 1):  # midnight was shown twice
            day += 1
        hour = moment - local % HOUR_S
        if self._offset(hour) != offset:
            hour = self._change_of_clocks(hour, moment)
        return hour, day

    def _find_day_start(self, day: int) -> int:
        midnight = datetime.combine(date_of(day), datetime.min.time(), self._zone)
        return int(midnight.astimezone(UTC).timestamp())
