"""The counts of the past, as rows of one hour each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bellwether.domain.clock import HOUR_S
from bellwether.domain.detection.settings import BIN_S, BINS_PER_HOUR

COLUMNS = 3
"""Per bin: how much was heard, how many of it were scored, how many were negative."""

Counts = list[int]
"""The counts of an hour: of each column its twelve bins, in the order of time, one column after the other."""

_EMPTY = [0] * BINS_PER_HOUR


class HistoryNotLoaded(LookupError):
    """What is usual was to be computed from a history that nobody loaded."""


class Past(NamedTuple):
    """A stretch of bins, one number of each column per bin.

    begin: the number of the first bin
    heard_hours: in how many hours of it something was heard
    """

    begin: int
    heard_hours: int
    volume: list[int]
    scored: list[int]
    negative: list[int]


class History:
    """The hours of one (brand, cut), and what was added to them since they were last taken.

    rows: the counts by the UTC second at which an hour begins; hours in which nothing was heard
        have no row. None where only additions are wanted: `bins` then raises HistoryNotLoaded.
    """

    def __init__(self, rows: Mapping[int, Counts] | None = None) -> None:
        self._rows = None if rows is None else {hour: list(counts) for hour, counts in rows.items()}
        self._added: dict[int, Counts] = {}

    def add(self, bin_number: int, counts: Sequence[int]) -> None:
        """Add to a bin; its number is UTC seconds // 300."""
        hour, place = bin_number // BINS_PER_HOUR * HOUR_S, bin_number % BINS_PER_HOUR
        kept = [self._added] if self._rows is None else [self._added, self._rows]
        for rows in kept:
            row = rows.setdefault(hour, _EMPTY * COLUMNS)
            for column, amount in enumerate(counts):
                row[column * BINS_PER_HOUR + place] += amount

    def take_added(self) -> dict[int, Counts]:
        """What was added since the last call, by hour: to be added, element by element, to what is stored."""
        added, self._added = self._added, {}
        return added

    def forget(self, before: int) -> None:
        """Drop the loaded rows of hours that begin before a moment."""
        if self._rows is not None:
            self._rows = {hour: counts for hour, counts in self._rows.items() if hour >= before}

    def bins(self, start: int, end: int) -> Past:
        """The bins from number `start`, or from the first one of the first hour heard since, up to `end`."""
        if self._rows is None:
            raise HistoryNotLoaded
        first, after = start // BINS_PER_HOUR, -(-end // BINS_PER_HOUR)
        heard = sorted(hour for hour in self._rows if first <= hour // HOUR_S < after)
        if not heard:
            return Past(end, 0, [], [], [])
        first = heard[0] // HOUR_S
        begin = max(start, first * BINS_PER_HOUR)
        rows = [self._rows.get(hour * HOUR_S) for hour in range(first, after)]
        wanted = slice(begin - first * BINS_PER_HOUR, end - first * BINS_PER_HOUR)
        return Past(begin, len(heard), *(_column(rows, place)[wanted] for place in range(COLUMNS)))


def _column(rows: Iterable[Counts | None], place: int) -> list[int]:
    """The bins of one column, hour after hour."""
    part, found = slice(place * BINS_PER_HOUR, (place + 1) * BINS_PER_HOUR), list[int]()
    for row in rows:
        found += _EMPTY if row is None else row[part]
    return found


def per_bin(rows: Mapping[int, Counts]) -> Iterator[tuple[int, int, int, int]]:
    """The UTC second at which a bin begins, and its columns; ascending, without empty bins."""
    for hour in sorted(rows):
        columns = (rows[hour][n * BINS_PER_HOUR : (n + 1) * BINS_PER_HOUR] for n in range(COLUMNS))
        for place, (volume, scored, negative) in enumerate(zip(*columns, strict=True)):
            if volume:
                yield hour + place * BIN_S, volume, scored, negative
