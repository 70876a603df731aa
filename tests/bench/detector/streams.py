"""Made streams of events: the same with every run, and no two hours alike."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from bellwether.domain.clock import DAY_S, HOUR_S

START = int(datetime.fromisoformat("2026-03-02T00:00:00+00:00").timestamp())
"""A Monday, four weeks before the clocks of Europe change."""

BIN_S = 300
_SHAPE = 16.0
"""Of the gamma distribution that every hour's rate is multiplied by: an hour swings by a quarter."""

Event = tuple[int, bool | None, int]
Rate = Callable[[int], float]


def steady(per_hour: float) -> Rate:
    """The same at every hour."""
    return lambda _: per_hour


def daily(per_hour: float, time_zone: str = "UTC", night: float = 0.15) -> Rate:
    """By local time: most at 16 o'clock, at 4 in the night that share of it; the mean over the day is `per_hour`."""
    zone = ZoneInfo(time_zone)
    middle, swing = (1 + night) / 2, (1 - night) / 2

    def rate(at: int) -> float:
        local = datetime.fromtimestamp(at, zone)
        hour = local.hour + local.minute / 60
        return per_hour * (middle - swing * math.cos(2 * math.pi * (hour - 4) / 24)) / middle

    return rate


def talk(rate: Rate, days: float, seed: int, *, start: int = START, negative: float = 0.25) -> list[Event]:
    """Events at a rate per hour that itself swings from hour to hour; that share of them is negative."""
    chance, events = random.Random(seed), list[Event]()
    end = start + int(days * DAY_S)
    for hour in range(start, end, HOUR_S):
        luck = chance.gammavariate(_SHAPE, 1 / _SHAPE)
        for at in range(hour, min(hour + HOUR_S, end), BIN_S):
            events += _burst(chance, rate(at) * luck * BIN_S / HOUR_S, at, BIN_S, negative)
    return sorted(events)


def storm(start: int, minutes: float, events: float, seed: int, *, negative: float = 0.8) -> list[Event]:
    """So many events within so many minutes."""
    return sorted(_burst(random.Random(seed), events, start, int(minutes * 60), negative))


def without(events: Iterable[Event], start: int, end: int) -> list[Event]:
    """What is left if nothing is collected in [start, end)."""
    return [event for event in events if not start <= event[0] < end]


def together(*streams: Iterable[Event]) -> list[Event]:
    """All of them, in the order of time."""
    return sorted(chain(*streams), key=lambda event: event[0])


def _burst(chance: random.Random, mean: float, start: int, length_s: int, negative: float) -> list[Event]:
    times = (start + chance.randrange(length_s) for _ in range(_poisson(chance, mean)))
    return [(at, chance.random() < negative, 1) for at in times]


def _poisson(chance: random.Random, mean: float) -> int:
    """Counted by the waiting times between events."""
    count, waited = 0, chance.expovariate(1.0)
    while waited < mean:
        count, waited = count + 1, waited + chance.expovariate(1.0)
    return count
