"""What is usual for a brand, from the counts of its past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate, compress, repeat
from math import sqrt
from operator import not_
from statistics import fmean
from zoneinfo import ZoneInfo

import msgspec

from bellwether.domain.clock import HOUR_S
from bellwether.domain.detection.history import History, Past
from bellwether.domain.detection.settings import BIN_S, BINS_PER_DAY, BINS_PER_HOUR, DetectorSettings

Interval = tuple[int, int]
"""A stretch of time, [start, end) in UTC seconds."""

_HOURS = 24
_WIDEST = 3.0
"""Past incidents widen the spread of a volume by this at most: what was a crisis once is not usual."""
_HIGHEST = 0.98
"""Bins above this quantile count as if they were at it, where the profile of the day is made."""


class Usual(msgspec.Struct, frozen=True, array_like=True):
    """What is usual of a volume: sums over the span.

    level: the mean
    offset: what the median is above `level` times the profile of the hour; mostly below 0
    spread: how far above the median a sum is rare
    """

    level: float
    offset: float
    spread: float

    def expected(self, percent: int) -> float:
        """The median at an hour with this profile, not below 0."""
        return max(0.0, self.level * percent / 100 + self.offset)


class UsualShare(msgspec.Struct, frozen=True, array_like=True):
    """What is usual of the negative share.

    share: of the scored texts, 0 to 1
    median, spread: of the deviations from it, in binomial standard deviations
    """

    share: float
    median: float
    spread: float


class Baseline(msgspec.Struct, frozen=True, array_like=True):
    """What is usual, as of one moment.

    profile: events of each local hour of the day, in percent of the mean
    share: None where too few texts were scored
    """

    profile: tuple[int, ...]
    volume: Usual
    negative: Usual
    share: UsualShare | None


def local_hour(moment: int, zone: ZoneInfo) -> int:
    """The hour of the day on the brand's clock, 0 to 23."""
    return datetime.fromtimestamp(moment, zone).hour


def baseline(
    history: History,
    at: int,
    settings: DetectorSettings,
    zone: ZoneInfo,
    campaigns: Iterable[Interval] = (),
    incidents: Iterable[Interval] = (),
) -> Baseline | None:
    """What is usual at a moment, from the bins before it; None while too little is known.

    Bins in incidents, in gaps of collection and, for volumes, in campaigns are left out.
    """
    end = at // BIN_S
    begin = end - settings.history_days * BINS_PER_DAY
    past = history.bins(begin, end)
    if past.heard_hours < settings.warm_up_hours and past.begin > begin:
        return None
    hours = _local_hours(past, zone)
    silent = _gaps(past.volume, hours, settings.gap_events)
    not_volume = _marked(silent, past.begin, campaigns)
    calm, calm_volume = (_marked(marks, past.begin, incidents) for marks in (silent, not_volume))
    profile = _profile(past.volume, hours, calm_volume)
    by_bin = [profile[hour] / 100 for hour in hours]
    return Baseline(
        profile,
        _volume(past.volume, by_bin, not_volume, calm_volume, settings),
        _volume(past.negative, by_bin, silent, calm, settings),
        _share(past, calm, settings),
    )


def _local_hours(past: Past, zone: ZoneInfo) -> list[int]:
    """The local hour of the day of every bin."""
    first, length = past.begin // BINS_PER_HOUR, len(past.volume)
    starts = range(first * HOUR_S, (past.begin + length) * BIN_S, HOUR_S)
    hours = [hour for start in starts for hour in [local_hour(start, zone)] * BINS_PER_HOUR]
    offset = past.begin % BINS_PER_HOUR
    return hours[offset : offset + length]


def _means(counts: Sequence[int], hours: Sequence[int]) -> list[float]:
    """The mean of a bin by hour of the day; 0 where nothing is known of it."""
    sums, bins = [0] * _HOURS, [0] * _HOURS
    for count, hour in zip(counts, hours, strict=True):
        sums[hour] += count
        bins[hour] += 1
    return [total / n if n else 0.0 for total, n in zip(sums, bins, strict=True)]


def _gaps(volume: Sequence[int], hours: Sequence[int], gap_events: float) -> list[bool]:
    """Which bins belong to a silence in which at least so many events were to be expected."""
    means = _means(volume, hours)
    silent, expected, start = [False] * len(volume), 0.0, 0
    for place, count in enumerate([*volume, 1]):
        if not count:
            expected += means[hours[place]]
            continue
        if expected >= gap_events:
            silent[start:place] = [True] * (place - start)
        expected, start = 0.0, place + 1
    return silent


def _marked(marks: Sequence[bool], begin: int, intervals: Iterable[Interval]) -> Sequence[bool]:
    """The marks, and one for every bin that an interval touches; the same object if there is none."""
    found = marks
    for start, end in intervals:
        first, last = max(0, start // BIN_S - begin), min(len(marks), -(-end // BIN_S) - begin)
        if first < last:
            found = [*found[:first], *[True] * (last - first), *found[last:]]
    return found


def _profile(volume: Sequence[int], hours: Sequence[int], left_out: Sequence[bool]) -> tuple[int, ...]:
    """By hour of the day: the mean of the bins of that hour and its neighbours, in percent of the mean of all.

    An hour like the mean is added to every hour, so that a few bins make no profile, and one event per bin on
    both sides of the ratio, so that few events make none.
    """
    counts, at_hours = _kept(volume, left_out), _kept(hours, left_out)
    if not counts:
        return (100,) * _HOURS
    capped = _capped(counts)
    sums, bins = [0] * _HOURS, [0] * _HOURS
    for count, hour in zip(capped, at_hours, strict=True):
        sums[hour] += count
        bins[hour] += 1
    mean, percent = fmean(capped), list[int]()
    for hour in range(_HOURS):
        near = ((hour - 1) % _HOURS, hour, (hour + 1) % _HOURS)
        n = sum(bins[one] for one in near)
        here = (sum(sums[one] for one in near) + BINS_PER_HOUR * mean) / (n + BINS_PER_HOUR)
        percent.append(round(100 * (here + 1) / (mean + 1)))
    return tuple(percent)


def _kept(values: Sequence[int], left_out: Sequence[bool]) -> list[int]:
    return list(compress(values, map(not_, left_out)))


def _capped(counts: Sequence[int]) -> list[int]:
    """The counts, those above a high quantile as if they were at it."""
    highest = sorted(counts)[int(_HIGHEST * (len(counts) - 1))]
    return list(map(min, counts, repeat(highest)))


def rolling(counts: Sequence[int], bins: int) -> list[int]:
    """The sum of each bin and the ones before it, `bins` together; fewer at the start."""
    sums = list(accumulate(counts))
    return sums[:bins] + [total - before for total, before in zip(sums[bins:], sums, strict=False)]


def _quantiles(values: Iterable[float], rare: float) -> tuple[float, float]:
    """The median, and how far above it the rare quantile is."""
    ordered = sorted(values)
    if not ordered:
        return 0.0, 0.0
    median, top = (ordered[int(part * (len(ordered) - 1))] for part in (0.5, rare))
    return median, top - median


def _volume(
    counts: Sequence[int],
    profile: Sequence[float],
    left_out: Sequence[bool],
    calm: Sequence[bool],
    settings: DetectorSettings,
) -> Usual:
    """What is usual of the sums over the span; those that touch a bin left out do not count.

    profile: of every bin, as a factor
    calm: the bins that are left out because of incidents, too: the others make the level and the
        median, and the incidents can widen the spread by `_WIDEST` at most
    """
    calm_counts = _kept(counts, calm)
    if not any(calm_counts):
        return Usual(0.0, 0.0, settings.least_excess)
    span = settings.span_minutes * 60 // BIN_S
    level = span * fmean(_capped(calm_counts))
    above = [total - level * by for total, by in zip(rolling(counts, span), profile, strict=True)]
    offset, spread = _quantiles(_untouched(above, calm, span), settings.rare)
    spread = max(spread, settings.least_excess)
    if calm is not left_out:
        _, with_incidents = _quantiles(_untouched(above, left_out, span), settings.rare)
        spread = max(spread, min(with_incidents, _WIDEST * spread))
    young = 1 + BINS_PER_DAY / len(
        counts
    )  # of d days 1 + 1 / d: the fewer are known, the less is known of what is rare
    return Usual(round(level, 3), round(offset, 3), round(spread * young, 3))


def _untouched(sums: Iterable[float], left_out: Sequence[bool], span: int) -> Iterable[float]:
    """The sums over a span without a bin that is left out."""
    return compress(sums, map(not_, rolling(left_out, span))) if any(left_out) else sums


def deviation_of(scored: int, share: float) -> float:
    """The standard deviation of how many of the scored texts are negative, if each is with this chance.

    One is added to the variance, so that few texts are never sure of anything.
    """
    return sqrt(scored * share * (1 - share) + 1)


def deviations(negative: int, scored: int, share: float) -> float:
    """How many standard deviations more were negative than this share of the scored ones."""
    return (negative - scored * share) / deviation_of(scored, share)


def _share(past: Past, left_out: Sequence[bool], settings: DetectorSettings) -> UsualShare | None:
    """What is usual of the negative share, looked at every half hour; None where too few were scored."""
    if not any(past.scored):
        return None
    scored, negative = ([0 if out else n for n, out in zip(column, left_out, strict=True)] for column in past[3:])
    total = sum(scored)
    if total < settings.share_least:
        return None
    share = (sum(negative) + 1) / (total + 2)
    bins = settings.share_hours * BINS_PER_HOUR
    pairs = list(zip(rolling(negative, bins), rolling(scored, bins), strict=True))[5::6]
    values = [deviations(bad, n, share) for bad, n in pairs if n >= settings.share_least]
    median, spread = _quantiles(values, settings.rare)
    return UsualShare(round(share, 4), round(median, 3), round(max(spread, settings.least_deviations), 3))
