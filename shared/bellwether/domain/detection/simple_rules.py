"""Rules that other products alert by, to be compared with the detector on the same past. They are never armed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Annotated

import msgspec
from msgspec import Meta

from bellwether.domain.clock import HOUR_S
from bellwether.domain.detection.backtest import Backtest, Fired, summed_up
from bellwether.domain.detection.baseline import Interval
from bellwether.domain.detection.history import Counts, per_bin
from bellwether.domain.detection.settings import BIN_S, BINS_PER_DAY, BINS_PER_HOUR
from bellwether.domain.detection.state import Signal

FORMS = "zscore, zscore:z=6,days=3,quiet_hours=24, volume>100/h or negative_volume>20/h"
_LEAST_VARIANCE = 1e-9
_Z_SCORE = re.compile(r"zscore(?::(.+))?")
_THRESHOLD = re.compile(r"(volume|negative_volume)>([0-9]{1,7})/h(?:,quiet_hours=([0-9]{1,3}))?")
_QuietHours = Annotated[int, Meta(ge=1, le=168)]


class ZScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="zscore"):
    """Alerts where five minutes are far above the mean of the days before them, hour of day and weekday regardless.

    z: how far, in standard deviations of those days
    days: judged only where so many days are known
    quiet_hours: so long after an alert no other one is told
    """

    z: Annotated[float, Meta(gt=0, le=100)] = 6.0
    days: Annotated[int, Meta(ge=1, le=28)] = 3
    quiet_hours: _QuietHours = 24


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="threshold"):
    """Alerts where an hour, looked at every five minutes, has more than a fixed number.

    signal: whose number, volume or negative_volume
    per_hour: the number; more than that alerts
    quiet_hours: so long after an alert no other one is told
    """

    signal: Signal
    per_hour: Annotated[int, Meta(ge=0)]
    quiet_hours: _QuietHours = 24


SimpleRule = ZScore | Threshold


def parse_rule(text: str) -> SimpleRule:
    """A rule as people write it; FORMS shows how. Raises ValueError, which does not repeat its input."""
    try:
        if found := _THRESHOLD.fullmatch(text):
            signal, per_hour, quiet = found.groups()
            given = {"kind": "threshold", "signal": signal, "per_hour": per_hour}
            return _converted(given if quiet is None else {**given, "quiet_hours": quiet})
        if found := _Z_SCORE.fullmatch(text):
            pairs = (pair.partition("=") for pair in (found[1] or "").split(",") if pair)
            return _converted({"kind": "zscore", **{name: value for name, _, value in pairs}})
    except msgspec.ValidationError as error:
        raise ValueError(f"is no such rule: {error}") from None
    raise ValueError(f"must be a rule, as {FORMS}")


def _converted(given: Mapping[str, str]) -> SimpleRule:
    rule: SimpleRule = msgspec.convert(given, ZScore | Threshold, strict=False)
    return rule


def far_above(counts: Sequence[int], z: float, bins: int) -> Iterator[bool]:
    """For each count, whether it is z standard deviations or more above the mean of so many bins before it."""
    total = squares = 0
    for place, count in enumerate(counts):
        if place < bins:
            yield False
        else:
            mean = total / bins
            deviation = sqrt(max(_LEAST_VARIANCE, squares / bins - mean * mean))
            yield count - mean >= z * deviation
            gone = counts[place - bins]
            total, squares = total - gone, squares - gone * gone
        total, squares = total + count, squares + count * count


def more_than(counts: Iterable[int], bound: int, bins: int) -> Iterator[bool]:
    """For each count, whether it and the ones before it, `bins` together, are more than a bound."""
    last = deque[int](maxlen=bins)
    for count in counts:
        last.append(count)
        yield sum(last) > bound


def alerts(hits: Iterable[bool], quiet: int) -> Iterator[int]:
    """The places of hits that are told: one, and then none for so many bins after it."""
    last = -quiet - 1
    for place, is_hit in enumerate(hits):
        if is_hit and place - last > quiet:
            last = place
            yield place


def backtest_simple(
    past: Mapping[int, Counts],
    rule: SimpleRule,
    time_zone: str = "UTC",
    *,
    known: Sequence[Interval] = (),
    since: int = 0,
    until: int = 0,
) -> Backtest:
    """What a simple rule would have told of the stored hours of one (brand, cut); arguments as of `backtest`.

    An alert stands until its quiet hours are over, and overlaps what is known then. It has no severity.
    """
    start, counts = _dense(past, _signal(rule), until)
    if not counts:
        return summed_up([], None, until, known, time_zone)
    last = start + len(counts) * BIN_S
    needed = rule.days * BINS_PER_DAY if isinstance(rule, ZScore) else BINS_PER_HOUR
    opened = (start + place * BIN_S for place in alerts(_hits(rule, counts), rule.quiet_hours * BINS_PER_HOUR))
    fired = [_fired(rule, at, last, known) for at in opened if at >= since]
    judged_from = max(since, start + needed * BIN_S) if len(counts) > needed else None
    return summed_up(fired, judged_from, last, known, time_zone)


def _signal(rule: SimpleRule) -> Signal:
    return rule.signal if isinstance(rule, Threshold) else Signal.VOLUME


def _hits(rule: SimpleRule, counts: Sequence[int]) -> Iterator[bool]:
    if isinstance(rule, ZScore):
        return far_above(counts, rule.z, rule.days * BINS_PER_DAY)
    return more_than(counts, rule.per_hour, BINS_PER_HOUR)


def _dense(past: Mapping[int, Counts], signal: Signal, until: int) -> tuple[int, list[int]]:
    """The first bin that is known, UTC seconds, and the counts of all bins from there on; silence counts 0."""
    if not past:
        return 0, []
    start, end = min(past), max(until, max(past) + HOUR_S)
    counts = [0] * ((end - start) // BIN_S)
    for at, volume, _, negative in per_bin(past):
        counts[(at - start) // BIN_S] = volume if signal is Signal.VOLUME else negative
    return start, counts


def _fired(rule: SimpleRule, at: int, last: int, known: Sequence[Interval]) -> Fired:
    over = at + rule.quiet_hours * HOUR_S
    caught = tuple(n for n, (start, end) in enumerate(known) if start <= min(over, last) and end > at)
    return Fired(at, at, over if over <= last else None, _signal(rule), None, 1, caught)
