"""A seeded ledger of events for the fault tests: several brands over a few days, with everything that goes wrong.

Of all records 5 % repeat an earlier one byte for byte, 0.2 % contradict one under its identity, 0.5 % are of no use
to anybody, a few lie in the future; a tenth arrives out of order by up to ten minutes, some hours or days late.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

from tests.support.ledger_poison import poisons
from tests.support.ledger_voice import Event, Voice

TENANT = "acme"
ZONES = {
    "aurora": "UTC",
    "borealis": "Europe/Berlin",
    "cascade": "America/New_York",
    "delta-foods": "Asia/Kolkata",
    "ember": "Asia/Tokyo",
    "fjell": "Europe/London",
}
"""The brands and their time zones."""

_WEIGHTS = (8, 5, 4, 3, 2, 1)
_HOUR_S, _DAY_S = 3600, 86_400
_MARGIN_S = 60


class Mix(NamedTuple):
    """What a ledger is made of: shares of its records, and over how many seconds they arrive.

    delayed, late: shares of the sound events that are on their way for up to ten minutes, and for hours or days
    days_late: the share of the late ones that are so by days
    future: the least number of events that lie in the future
    """

    span_s: int = 3 * 86_400
    duplicates: float = 0.05
    conflicts: float = 0.002
    poison: float = 0.005
    delayed: float = 0.10
    late: float = 0.02
    days_late: float = 0.25
    future: int = 10
    future_share: float = 0.0


USUAL = Mix()


class Entry(NamedTuple):
    """A record to write. `spoiled`: the reason for which it has to be in quarantine, None where it is sound."""

    recorded_ms: int
    key: bytes | None
    value: bytes | None
    spoiled: str | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Records in the order in which they are written."""

    seed: int
    entries: list[Entry]

    @property
    def spoiled(self) -> dict[tuple[bytes | None, bytes | None], str]:
        """Why a record has to be in quarantine, by key and value."""
        return {(entry.key, entry.value): entry.spoiled for entry in self.entries if entry.spoiled}

    @property
    def zones(self) -> dict[str, str]:
        """The time zone of each brand."""
        return ZONES


def make_ledger(seed: int, size: int, now: int, mix: Mix = USUAL) -> Ledger:
    """So many records that end just before `now`, UTC seconds. The same arguments give the same bytes."""
    random = Random(seed)
    spoiled, ahead = round(size * mix.poison), max(mix.future, round(size * mix.future_share))
    repeated, contradicted = round(size * mix.duplicates), round(size * mix.conflicts)
    sound = list(_sound(random, size - spoiled - ahead - repeated - contradicted, now, mix))
    entries = [
        *sound,
        *_repeats(random, sound, repeated, now),
        *_contradictions(random, sound, contradicted, now),
        *_poison(random, spoiled, now, mix.span_s),
        *_future(random, ahead, now, mix.span_s),
    ]
    return Ledger(seed, sorted(entries, key=lambda entry: entry.recorded_ms))


def _sound(random: Random, count: int, now: int, mix: Mix) -> Iterator[Entry]:
    voices = [Voice(random, slug, others=[o for o in ZONES if o != slug]) for slug in ZONES]
    for arrived in sorted(random.randrange(now - mix.span_s, now - _MARGIN_S) for _ in range(count)):
        voice = random.choices(voices, _WEIGHTS)[0]
        event = voice.speak(arrived - _lateness(random, mix))
        if random.random() < 0.01:
            del event["time"]
        yield _entry(random, arrived, voice.slug, event)


def _lateness(random: Random, mix: Mix) -> int:
    """How long an event was on its way, in seconds.

    What happened is at the end either less than 15 days ago, or more already when it was recorded: in between, whether
    its minute is kept would depend on which event of several is looked at.
    """
    drawn = random.random()
    if drawn < 1 - mix.late - mix.delayed:
        return random.randrange(20)
    if drawn < 1 - mix.late:
        return random.randrange(600)
    if drawn < 1 - mix.late * mix.days_late:
        return random.randrange(_HOUR_S, 20 * _HOUR_S)
    return random.randrange(_DAY_S, 11 * _DAY_S) + random.choice((0, 0, 0, 18 * _DAY_S))


def _entry(random: Random, arrived: int, slug: str, event: Event, spoiled: str | None = None) -> Entry:
    separators = random.choice(((",", ":"), (", ", ": ")))
    value = json.dumps(event, separators=separators, ensure_ascii=random.random() < 0.5).encode()
    return Entry(arrived * 1000 + random.randrange(1000), f"{TENANT}/{slug}".encode(), value, spoiled)


def _repeats(random: Random, sound: list[Entry], count: int, now: int) -> Iterator[Entry]:
    """The same bytes again: half of them at once, half much later."""
    for original in random.choices(sound, k=count):
        yield original._replace(recorded_ms=_later(random, original, now))


def _contradictions(random: Random, sound: list[Entry], count: int, now: int) -> Iterator[Entry]:
    for original in random.sample(sound, k=count):
        event = json.loads(original.value or b"")
        event["data"].setdefault("labels", {})["changed"] = str(random.randrange(10**6))
        changed = json.dumps(event).encode()
        yield original._replace(recorded_ms=_later(random, original, now), value=changed)


def _later(random: Random, original: Entry, now: int) -> int:
    latest = now * 1000 - 1
    if random.random() < 0.5:
        return min(latest, original.recorded_ms + random.randrange(1, 20_000))
    return random.randint(original.recorded_ms + 1, latest)


def _poison(random: Random, count: int, now: int, span_s: int) -> Iterator[Entry]:
    slugs = list(ZONES)
    for number, poison in zip(range(count), poisons(random, TENANT, slugs), strict=False):
        arrived = random.randrange(now - span_s, now - _MARGIN_S)
        key, value, reason = poison.at(number, arrived)
        yield Entry(arrived * 1000, key, value, reason)


def _future(random: Random, count: int, now: int, span_s: int) -> Iterator[Entry]:
    for number in range(count):
        slug = random.choice(list(ZONES))
        arrived = random.randrange(now - span_s, now - _MARGIN_S)
        event = Voice(random, slug, others=["rival"]).speak(arrived)
        ahead = arrived + 601 + random.randrange(_DAY_S)
        event |= {"id": f"future-{number}", "time": datetime.fromtimestamp(ahead, UTC).isoformat()}
        yield _entry(random, arrived, slug, event, "wrong_time")
