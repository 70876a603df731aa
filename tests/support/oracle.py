"""What the totals have to be: a plain model of the rules, which shares no code with what it judges.

It takes the records of the log in order, repeats and all, remembers every event, and works everything out once at
the end, from the set of events: no batches, no caches, no state that is carried on. Integers only, so that equality
is exact. Slow on purpose, and readable.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.support.detected import Finding, Heard, findings
from tests.support.oracle_brand import Come, Event, Place, come_to, read_event
from tests.support.oracle_conversations import Receipt

GRAINS = ("minute", "hour", "day")
MINUTES_KEPT_S = 15 * 86_400
GROWING = frozenset(
    {
        *("mentions", "competitor_mentions", "content_published", "ugc_submissions", "messages_received"),
        *("queries_received", "positive_n", "neutral_n", "negative_n", "sentiment_n"),
    }
)
"""Measures that never fall: no reader may ever see more of them than there is at the end. Answered messages may: of two
under one id the earlier stands, which may be too early for its answer, or written by a machine.
"""


class Logged(NamedTuple):
    """A record as it lies in the log; `timestamp` in ms."""

    part: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Bucket(NamedTuple):
    """A place of a rollup. `start`: UTC seconds, for days the days since 1970."""

    brand: str
    cut: str
    start: int


class Known(NamedTuple):
    """The local days, since 1970, on which a message and its answer were recorded as they stand."""

    message_on: int
    answer_on: int | None


Totals = dict[Bucket, Counter[str]]


@dataclass
class Expected:
    """Everything that has to be in Postgres at the end. Totals that are 0 are left out.

    outcomes: by partition and outcome; quarantine: reason, key and value by partition and offset
    known: as `rollups`, split by the local day on which it became known, 0 for what was known on its own day
    receipts, receipts_known, levels, items: by brand, channel and what they are about
    points: likewise, and by minute and the local day on which they became known
    findings: what the crisis detectors tell, with the brand
    """

    outcomes: Counter[tuple[int, str]] = field(default_factory=Counter)
    quarantine: dict[tuple[int, int], tuple[str, bytes | None, bytes | None]] = field(default_factory=dict)
    rollups: dict[str, Totals] = field(default_factory=dict)
    known: dict[str, dict[tuple[Bucket, int], Counter[str]]] = field(default_factory=dict)
    receipts: dict[tuple[str, str, str, str], Receipt] = field(default_factory=dict)
    receipts_known: dict[tuple[str, str, str, str], Known] = field(default_factory=dict)
    levels: dict[tuple[str, str, str, str, int], int] = field(default_factory=dict)
    items: dict[tuple[str, str, str], tuple[int | None, int | None]] = field(default_factory=dict)
    points: dict[tuple[str, str, str, int, int], Counter[str]] = field(default_factory=dict)
    findings: dict[tuple[str, Finding], bool] = field(default_factory=dict)

    def outcome(self, name: str) -> int:
        """How many records had this outcome, in all partitions."""
        return sum(count for (_, outcome), count in self.outcomes.items() if outcome == name)

    def finals(self) -> Counter[tuple[str, str, str]]:
        """The final sums over all days of the measures that never fall, by brand, cut and measure."""
        found: Counter[tuple[str, str, str]] = Counter()
        for bucket, totals in self.rollups["day"].items():
            for measure in GROWING & totals.keys():
                found[bucket.brand, bucket.cut, measure] += totals[measure]
        return found

    def sums(self, brand: str) -> Counter[str]:
        """The final sums over all days of all measures of a brand."""
        found: Counter[str] = Counter()
        for bucket, totals in self.rollups["day"].items():
            if (bucket.brand, bucket.cut) == (brand, ""):
                found.update(totals)
        return found

    def response_seconds(self, brand: str) -> list[int]:
        """How long each answered message of a brand waited, ascending."""
        mine = (receipt for key, receipt in self.receipts.items() if key[0] == brand)
        return sorted(r.answered_at - r.received_at for r in mine if r.answered_at is not None)


class Oracle:
    """Takes the records of the log, partition by partition in the order of their offsets.

    zones: the time zone of every brand that exists, by its slug
    spoiled: why a record has to be in quarantine, by key and value, of those that were written to be refused
    """

    def __init__(self, zones: Mapping[str, str], spoiled: Mapping[tuple[bytes | None, bytes | None], str]) -> None:
        self._zones = {brand: ZoneInfo(zone) for brand, zone in zones.items()}
        self._spoiled = spoiled
        self._bodies: dict[tuple[str, str, str], bytes] = {}
        self._events: dict[str, list[Event]] = defaultdict(list)
        self._expected = Expected()

    def take(self, record: Logged) -> None:
        """Judge one record: it counts, repeats what has counted, contradicts it, or is of no use."""
        outcome = self._judge(record)
        self._expected.outcomes[record.part, outcome] += 1
        if outcome in ("quarantined", "conflicting"):
            reason = self._spoiled.get((record.key, record.value), outcome)
            self._expected.quarantine[record.part, record.offset] = (reason, record.key, record.value)

    def _judge(self, record: Logged) -> str:
        if (record.key, record.value) in self._spoiled or record.key is None or record.value is None:
            return "quarantined"
        brand = record.key.decode().partition("/")[2]
        event = json.loads(record.value, parse_float=Decimal)
        identity = (brand, event["source"], event["id"])
        if identity in self._bodies:
            return "duplicate" if self._bodies[identity] == record.value else "conflicting"
        self._bodies[identity] = record.value
        self._events[brand].append(read_event(event, record.timestamp))
        return "applied"

    def expected(self) -> Expected:
        """All that has to come out of what was taken."""
        found = self._expected
        found.rollups = {grain: defaultdict(Counter) for grain in GRAINS}
        found.known = {grain: defaultdict(Counter) for grain in GRAINS}
        for brand, events in self._events.items():
            self._take_days(brand, events)
            texts = [text for event in events if (text := _heard(brand, event))]
            found.findings |= {(brand, one): True for one in findings(texts, self._zones[brand].key)}
        found.rollups = {grain: _without_zeros(totals) for grain, totals in found.rollups.items()}
        found.known = {grain: _without_zeros(totals) for grain, totals in found.known.items()}
        found.points = _without_zeros(found.points)
        return found

    def _take_days(self, brand: str, events: list[Event]) -> None:
        """What became known on a day is all that was known at its end, less all that was known the day before."""
        zone = self._zones[brand]
        recorded = [(_day(event.recorded, zone), event) for event in events]
        before = Come()
        for day in sorted({day for day, _ in recorded}):
            so_far = [event for recorded_on, event in recorded if recorded_on <= day]
            now = come_to(so_far)
            for place in now.totals.keys() | before.totals.keys():
                gained = now.totals[place] - before.totals[place]
                self._add(brand, place, gained, day, so_far[-1].recorded)
            self._take_points(brand, now, before, day)
            self._take_receipts(brand, now, day)
            before = now
        self._expected.levels |= {(brand, *key): count for key, count in before.levels.items()}
        self._expected.items |= {(brand, *key): item for key, item in before.items.items()}

    def _add(self, brand: str, place: Place, amount: int, known: int, recorded: int) -> None:
        (channel, minute, measure), zone = place, self._zones[brand]
        starts = {"minute": minute, "hour": _hour(minute, zone), "day": _day(minute, zone)}
        if recorded - minute >= MINUTES_KEPT_S:
            del starts["minute"]
        known_on = known if known > starts["day"] else 0
        for grain, start in starts.items():
            for cut in ("", f"channel={channel}"):
                bucket = Bucket(brand, cut, start)
                self._expected.rollups[grain][bucket][measure] += amount
                self._expected.known[grain][bucket, known_on][measure] += amount

    def _take_points(self, brand: str, now: Come, before: Come, day: int) -> None:
        for channel, content_id, minute, counter in now.points.keys() | before.points.keys():
            point = (channel, content_id, minute, counter)
            earned = self._expected.points.setdefault((brand, channel, content_id, minute, day), Counter())
            earned[counter] += now.points[point] - before.points[point]

    def _take_receipts(self, brand: str, now: Come, day: int) -> None:
        """A message, and an answer, is known since the day on which it became what it is."""
        for key, receipt in now.receipts.items():
            place = (brand, *key)
            was, since = self._expected.receipts.get(place), self._expected.receipts_known.get(place)
            message_on, answer_on = day, (None if receipt.answered_at is None else day)
            if was and since and was[:2] == receipt[:2]:
                message_on = since.message_on
            if was and since and was[2:4] == receipt[2:4]:
                answer_on = since.answer_on
            self._expected.receipts[place] = receipt
            self._expected.receipts_known[place] = Known(message_on, answer_on)


def _heard(brand: str, event: Event) -> Heard | None:
    """What the detectors hear of an event: mentions of the brand, and messages to it."""
    if event.kind not in ("social.mention.v1", "social.message.received.v1") or event.data.get("of", brand) != brand:
        return None
    score = event.data.get("sentiment")
    is_negative = None if score is None else int(Decimal(score) * 10_000) <= -500
    return Heard(min(event.moment, event.recorded), event.recorded, event.channel, is_negative)


def _without_zeros(totals: Mapping[Any, Counter[str]]) -> dict[Any, Counter[str]]:
    found = {place: Counter({m: n for m, n in counts.items() if n}) for place, counts in totals.items()}
    return {place: counts for place, counts in found.items() if counts}


def _hour(moment: int, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(moment, zone)
    return moment - local.minute * 60 - local.second


def _day(moment: int, zone: ZoneInfo) -> int:
    return (datetime.fromtimestamp(moment, zone).date() - date(1970, 1, 1)).days
