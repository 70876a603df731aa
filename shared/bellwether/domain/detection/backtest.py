"""What a detector would have told about the past, before its settings are armed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from bellwether.domain.clock import DAY_S
from bellwether.domain.detection.baseline import Interval, local_hour
from bellwether.domain.detection.detector import Detector
from bellwether.domain.detection.history import Counts, History, per_bin
from bellwether.domain.detection.settings import DEFAULTS, DetectorSettings
from bellwether.domain.detection.state import Change, ChangeKind, Live, Signal

_WEEK_S = 7 * DAY_S

Event = tuple[int, bool | None, int]
"""UTC seconds, whether it is negative (None: not scored), and how many events it stands for."""


class Fired(msgspec.Struct, frozen=True):
    """An incident that would have opened.

    opened_at, onset, closed_at: UTC seconds; closed_at is None while it would still be open
    severity: the highest, 0 to 10; None of a rule that has none
    caught: the places, in `known`, of the incidents that it overlaps
    """

    opened_at: int
    onset: int
    closed_at: int | None
    signal: Signal
    severity: float | None
    told: int
    caught: tuple[int, ...]


class Backtest(msgspec.Struct, frozen=True):
    """What came out.

    weeks: how much was judged, without the warm-up; 0 where it never ended
    per_week: incidents per judged week; None without any
    judged_from: the first moment that was judged, UTC seconds; None where the warm-up never ended
    by_hour: how many opened in each local hour of the day, 0 to 23
    by_weekday: how many opened on each local day of the week, from Monday on
    missed: the places, in `known`, of the incidents that none overlaps
    false_alarms_per_week: incidents that overlap none of `known`, per judged week; None without any week
    """

    fired: tuple[Fired, ...]
    weeks: float
    per_week: float | None
    judged_from: int | None
    by_hour: tuple[int, ...]
    by_weekday: tuple[int, ...]
    missed: tuple[int, ...]
    false_alarms_per_week: float | None


def backtest(
    past: Iterable[Event] | Mapping[int, Counts],
    settings: DetectorSettings = DEFAULTS,
    time_zone: str = "UTC",
    *,
    known: Sequence[Interval] = (),
    campaigns: Sequence[Interval] = (),
    since: int = 0,
    until: int = 0,
) -> Backtest:
    """Feed the past to a detector that knows nothing yet, and tell what it would have done.

    past: events in the order in which they came, or the stored hours of one (brand, cut): these
        are taken as if all events of a bin had come at its start, what is negative last
    known: the incidents that it ought to have caught
    since: only what opens from here on is told, UTC seconds; what was before makes what is usual
    until: nothing more was heard up to here, UTC seconds; the last event where that is later
    """
    history = History({})
    detector = Detector(Live(), history, settings, time_zone, campaigns)
    changes, judged_from, last = list[Change](), None, until
    for at, negative, count in _events(past) if isinstance(past, Mapping) else past:
        changes += detector.observe(at, negative, count)
        last = max(last, at)
        if judged_from is None and detector.is_judging:
            judged_from = max(at, since)
    changes += detector.advance(last)
    fired = [one for one in _fired(changes, last, known) if one.opened_at >= since]
    return summed_up(fired, judged_from, last, known, time_zone)


def _events(rows: Mapping[int, Counts]) -> Iterator[Event]:
    """The stored hours as events, one for each kind that is there in each bin.

    What is negative comes last: before the others it would be a share that nobody ever saw.
    """
    for at, volume, scored, negative in per_bin(rows):
        for is_negative, count in ((None, volume - scored), (False, scored - negative), (True, negative)):
            if count:
                yield at, is_negative, count


def _fired(changes: Sequence[Change], last: int, known: Sequence[Interval]) -> list[Fired]:
    """One entry for each incident, in the order of their opening."""
    found = []
    for opening in (one for one in changes if one.kind is ChangeKind.OPENED):
        course = [one for one in changes if one.opened_at == opening.opened_at]
        closed_at = next((one.at for one in course if one.kind is ChangeKind.CLOSED), None)
        until = last if closed_at is None else closed_at
        caught = tuple(n for n, (start, end) in enumerate(known) if start <= until and end > opening.onset)
        told = sum(one.kind is not ChangeKind.CLOSED for one in course)
        severity = max(one.severity for one in course)
        signal = opening.reading.signal
        found.append(Fired(opening.opened_at, opening.onset, closed_at, signal, severity, told, caught))
    return found


def summed_up(
    fired: list[Fired], judged_from: int | None, last: int, known: Sequence[Interval], time_zone: str
) -> Backtest:
    """What came out, of what was told; `judged_from` and `last`, UTC seconds, are the stretch that was judged."""
    zone = ZoneInfo(time_zone)
    weeks = 0.0 if judged_from is None else max(0, last - judged_from) / _WEEK_S
    hours = Counter(local_hour(one.opened_at, zone) for one in fired)
    days = Counter(datetime.fromtimestamp(one.opened_at, zone).weekday() for one in fired)
    caught = {place for one in fired for place in one.caught}
    return Backtest(
        tuple(fired),
        round(weeks, 3),
        len(fired) / weeks if weeks else None,
        judged_from,
        tuple(hours[hour] for hour in range(24)),
        tuple(days[day] for day in range(7)),
        tuple(place for place in range(len(known)) if place not in caught),
        sum(not one.caught for one in fired) / weeks if weeks else None,
    )
