"""Streams for the tests of the crisis detector, and what it tells about them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection import DEFAULTS, Change, Counts, Detector, DetectorSettings, History, Interval, Live

MONDAY = 1_767_571_200
"""2026-01-05T00:00:00Z."""

CRISIS_AT = MONDAY + 3 * DAY_S + 12 * HOUR_S

Event = tuple[int, bool | None, int]


def regular(days: float, per_hour: int, *, negative_every: int = 4, start: int = MONDAY) -> list[Event]:
    """So many events an hour at even distances, of which every fourth is negative."""
    step = HOUR_S // per_hour
    return [
        (at, number % negative_every == 0, 1) for number, at in enumerate(range(start, start + int(days * DAY_S), step))
    ]


def burst(at: int, events: int, *, seconds: int = 600, negative: bool | None = True) -> list[Event]:
    """So many events at even distances."""
    return [(at + seconds * number // events, negative, 1) for number in range(events)]


def merged(*streams: Iterable[Event]) -> list[Event]:
    return sorted((event for stream in streams for event in stream), key=lambda event: event[0])


def told(
    events: Iterable[Event],
    settings: DetectorSettings = DEFAULTS,
    time_zone: str = "UTC",
    campaigns: tuple[Interval, ...] = (),
) -> list[Change]:
    detector = Detector(Live(), History({}), settings, time_zone, campaigns)
    return [change for event in events for change in detector.observe(*event)]


class Shelf:
    """What a caller keeps: the live row as bytes, the rows of hours, and nothing else."""

    def __init__(self) -> None:
        self.live = msgspec.msgpack.encode(Live())
        self.hours: dict[int, Counts] = {}

    def batch(self, events: list[Event]) -> list[Change]:
        """Restore, observe, store; the history is loaded only where the batch needs it."""
        live = msgspec.msgpack.decode(self.live, type=Live)
        needed = max((event[0] for event in events), default=0) >= live.renews_at
        history = History(self.hours if needed else None)
        detector = Detector(live, history)
        changes = [change for event in events for change in detector.observe(*event)]
        self.live = msgspec.msgpack.encode(detector.save())
        for hour, counts in history.take_added().items():
            stored = self.hours.setdefault(hour, [0] * len(counts))
            self.hours[hour] = [old + new for old, new in zip(stored, counts, strict=True)]
        return changes
