"""What the totals have to be: a plain model of the rules, which shares no code with what it judges.

It takes the records of the log in order, repeats and all, remembers every event, and works everything out once at
the end, from the set of events: no batches, no caches, no state that is carried on. Integers only, so that equality
is exact. Slow on purpose, and readable.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.support.oracle_content import Content
from tests.support.oracle_conversations import Receipt, receipts

GRAINS = ("minute", "hour", "day")
MINUTES_KEPT_S = 15 * 86_400
SIMPLE = frozenset(
    {
        *("mentions", "competitor_mentions", "content_published", "ugc_submissions", "messages_received"),
        *("queries_received", "positive_n", "neutral_n", "negative_n", "sentiment_n", "sentiment_sum"),
    }
)
"""Measures that one event adds to alone: the day on which they became known is known exactly, too."""
GROWING = SIMPLE - {"sentiment_sum"} | {"messages_answered"}
"""Measures that never fall: no reader may ever see more of them than there is at the end."""


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


class Fact(NamedTuple):
    """So much of a measure at a moment on a channel; `recorded` in seconds, None where several events made it."""

    channel: str
    moment: int
    measure: str
    amount: int
    recorded: int | None = None


Totals = dict[Bucket, Counter[str]]


@dataclass
class Expected:
    """Everything that has to be in Postgres at the end. Totals that are 0 are left out.

    outcomes: by partition and outcome; quarantine: reason, key and value by partition and offset
    known: as `rollups` of the simple measures, split by the local day on which they became known, 0 for on time
    receipts, levels, items, points: by brand, channel and what they are about
    """

    outcomes: Counter[tuple[int, str]] = field(default_factory=Counter)
    quarantine: dict[tuple[int, int], tuple[str, bytes | None, bytes | None]] = field(default_factory=dict)
    rollups: dict[str, Totals] = field(default_factory=dict)
    known: dict[str, dict[tuple[Bucket, int], Counter[str]]] = field(default_factory=dict)
    receipts: dict[tuple[str, str, str, str], Receipt] = field(default_factory=dict)
    levels: dict[tuple[str, str, str, str, int], int] = field(default_factory=dict)
    items: dict[tuple[str, str, str], tuple[int | None, int | None]] = field(default_factory=dict)
    points: dict[tuple[str, str, str, int], Counter[str]] = field(default_factory=dict)

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


class _Event(NamedTuple):
    kind: str
    source: str
    channel: str
    moment: int
    recorded: int
    data: dict[str, Any]


class Oracle:
    """Takes the records of the log, partition by partition in the order of their offsets.

    zones: the time zone of every brand that exists, by the key of its records
    spoiled: why a record has to be in quarantine, by key and value, of those that were written to be refused
    """

    def __init__(self, zones: Mapping[str, str], spoiled: Mapping[tuple[bytes | None, bytes | None], str]) -> None:
        self._zones = {brand: ZoneInfo(zone) for brand, zone in zones.items()}
        self._spoiled = spoiled
        self._bodies: dict[tuple[str, str, str], bytes] = {}
        self._events: dict[str, list[_Event]] = defaultdict(list)
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
        self._events[brand].append(_read(event, record.timestamp))
        return "applied"

    def expected(self) -> Expected:
        """All that has to come out of what was taken."""
        found = self._expected
        found.rollups = {grain: defaultdict(Counter) for grain in GRAINS}
        found.known = {grain: defaultdict(Counter) for grain in GRAINS}
        for brand, events in self._events.items():
            model = _Brand(brand, events, found)
            newest = max(event.recorded for event in events)
            for fact in model.facts():
                self._add(brand, fact, newest)
        found.rollups = {grain: _without_zeros(totals) for grain, totals in found.rollups.items()}
        found.known = {grain: _without_zeros(totals) for grain, totals in found.known.items()}
        return found

    def _add(self, brand: str, fact: Fact, newest: int) -> None:
        zone, minute = self._zones[brand], fact.moment - fact.moment % 60
        recorded = newest if fact.recorded is None else fact.recorded
        places = {"minute": minute, "hour": _hour(minute, zone), "day": _day(minute, zone)}
        if recorded - minute >= MINUTES_KEPT_S:
            del places["minute"]
        known = _day(recorded, zone)
        known_on = known if known > places["day"] else 0
        for grain, start in places.items():
            for cut in ("", f"channel={fact.channel}"):
                bucket = Bucket(brand, cut, start)
                self._expected.rollups[grain][bucket][fact.measure] += fact.amount
                if fact.measure in SIMPLE:
                    self._expected.known[grain][bucket, known_on][fact.measure] += fact.amount


def _without_zeros(totals: Mapping[Any, Counter[str]]) -> dict[Any, Counter[str]]:
    found = {place: Counter({m: n for m, n in counts.items() if n}) for place, counts in totals.items()}
    return {place: counts for place, counts in found.items() if counts}


def _hour(moment: int, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(moment, zone)
    return moment - local.minute * 60 - local.second


def _day(moment: int, zone: ZoneInfo) -> int:
    return (datetime.fromtimestamp(moment, zone).date() - date(1970, 1, 1)).days


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(microsecond=0).timestamp())


def _read(event: dict[str, Any], timestamp_ms: int) -> _Event:
    recorded = timestamp_ms // 1000
    moment = _moment(event["time"]) if event.get("time") else recorded
    data = event["data"]
    return _Event(event["type"], event["source"], data["channel"], moment, recorded, data)


def _sentiment(event: _Event) -> Iterator[tuple[str, int]]:
    """A score counts under its label: from 0.05 positive, to −0.05 negative, else neutral."""
    score = event.data.get("sentiment")
    if score is None:
        return
    points = int(Decimal(score) * 10_000)
    label = "positive" if points >= 500 else "negative" if points <= -500 else "neutral"
    yield from ((f"{label}_n", 1), ("sentiment_n", 1), ("sentiment_sum", points))


class _Brand:
    """All events of one brand at once."""

    def __init__(self, slug: str, events: list[_Event], found: Expected) -> None:
        self._slug = slug
        self._events = events
        self._found = found

    def facts(self) -> Iterator[Fact]:
        """Everything that adds to the totals of the brand; fills in what is expected besides totals."""
        for event in self._events:
            for measure, amount in self._alone(event):
                yield Fact(event.channel, event.moment, measure, amount, event.recorded)
        self._take_levels()
        yield from self._of_content()
        yield from self._of_conversations()

    def _alone(self, event: _Event) -> Iterator[tuple[str, int]]:
        """What one event says by itself."""
        data = event.data
        match event.kind:
            case "social.mention.v1" if data["of"] != data["brand"]:
                yield "competitor_mentions", 1
            case "social.mention.v1":
                yield "mentions", 1
                yield from _sentiment(event)
            case "social.content.published.v1":
                yield ("ugc_submissions" if data.get("ugc") else "content_published"), 1
            case "social.message.received.v1":
                yield "messages_received", 1
                if data.get("kind") == "query":
                    yield "queries_received", 1
                yield from _sentiment(event)
            case "social.interaction.v1" if data["kind"] == "comment" and data.get("op", "add") == "add":
                yield from _sentiment(event)

    def _take_levels(self) -> None:
        """Snapshots of an account's audience: the last stands, of two at one moment the larger."""
        for event in self._events:
            if event.kind == "social.audience.snapshot.v1":
                observed = event.data.get("observed_at")
                moment = _moment(observed) if observed else event.moment
                key = (self._slug, event.channel, event.data["audience"], event.source, moment)
                self._found.levels[key] = max(event.data["count"], self._found.levels.get(key, 0))

    def _followers(self, channel: str, before: int) -> int | None:
        """Followers and subscribers of all accounts of a channel just before a moment."""
        last: dict[tuple[str, str], tuple[int, int]] = {}
        for (brand, at_channel, audience, account, moment), count in self._found.levels.items():
            if (brand, at_channel) == (self._slug, channel) and audience != "members" and moment < before:
                last[audience, account] = max(last.get((audience, account), (0, 0)), (moment, count))
        return sum(count for _, count in last.values()) if last else None

    def _of_content(self) -> Iterator[Fact]:
        contents: dict[tuple[str, str], Content] = defaultdict(Content)
        loose: dict[str, Content] = defaultdict(Content)
        for event in self._events:
            content_id = event.data.get("content_id")
            content = contents[event.channel, content_id] if content_id else loose[event.channel]
            content.take(event.kind, event.moment, event.data, _moment)
        for channel, content in loose.items():
            yield from (Fact(channel, *gain[:2], gain.counted) for gain in content.gains())
        for (channel, content_id), content in contents.items():
            if content.is_item:
                yield from self._of_item(channel, content_id, content)

    def _of_item(self, channel: str, content_id: str, content: Content) -> Iterator[Fact]:
        published = content.published_at
        followers = None if published is None else self._followers(channel, published)
        self._found.items[self._slug, channel, content_id] = (published, followers)
        for gain in content.gains():
            yield Fact(channel, gain.moment, gain.measure, gain.counted)
            if gain.earned and gain.measure != "interactions":
                key = (self._slug, channel, content_id, gain.moment - gain.moment % 60)
                self._found.points.setdefault(key, Counter())[gain.measure] += gain.earned
        if published is not None:
            yield from (Fact(channel, published, measure, n) for measure, n in content.cohort(followers))

    def _of_conversations(self) -> Iterator[Fact]:
        talks: dict[tuple[str, str], list[tuple[str, int, dict[str, Any]]]] = defaultdict(list)
        for event in self._events:
            if event.kind in ("social.message.received.v1", "social.message.sent.v1"):
                direction = event.kind.split(".")[2]
                talks[event.channel, event.data["conversation_id"]].append((direction, event.moment, event.data))
        for (channel, conversation), messages in talks.items():
            for message, receipt in receipts(messages).items():
                self._found.receipts[self._slug, channel, conversation, message] = receipt
                yield from (Fact(channel, receipt.received_at, m, n) for m, n in receipt.totals())
