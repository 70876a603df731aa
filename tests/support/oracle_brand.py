"""What the events of one brand come to, from the set of them: the oracle's model of a brand."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from tests.support.oracle_content import Content
from tests.support.oracle_conversations import Receipt, receipts

Place = tuple[str, int, str]
"""Channel, start of the minute in UTC seconds, measure."""


class Event(NamedTuple):
    """A sound event, counted once; moments in UTC seconds."""

    kind: str
    source: str
    channel: str
    moment: int
    recorded: int
    data: dict[str, Any]


def read_event(event: dict[str, Any], timestamp_ms: int) -> Event:
    """An event of the log. One that does not say when it happened did when it was recorded."""
    recorded = timestamp_ms // 1000
    moment = _moment(event["time"]) if event.get("time") else recorded
    data = event["data"]
    return Event(event["type"], event["source"], data["channel"], moment, recorded, data)


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(microsecond=0).timestamp())


@dataclass
class Come:
    """What it came to.

    receipts: by channel, conversation and message
    levels: by channel, audience, account and moment of observation
    items: publication and followers by channel and content
    points: what was earned of which counter, by channel, content and minute
    """

    totals: Counter[Place] = field(default_factory=Counter)
    receipts: dict[tuple[str, str, str], Receipt] = field(default_factory=dict)
    levels: dict[tuple[str, str, str, int], int] = field(default_factory=dict)
    items: dict[tuple[str, str], tuple[int | None, int | None]] = field(default_factory=dict)
    points: Counter[tuple[str, str, int, str]] = field(default_factory=Counter)


def come_to(events: Iterable[Event]) -> Come:
    """Work out everything about these events of one brand; their order does not matter."""
    model = _Model(list(events))
    model.run()
    return model.found


class _Model:
    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self._histories: dict[str, dict[tuple[str, str], list[tuple[int, int]]]] = {}
        self.found = Come()

    def run(self) -> None:
        for event in self._events:
            for measure, amount in _alone(event):
                self._add(event.channel, event.moment, measure, amount)
        self._take_levels()
        self._take_content()
        self._take_conversations()
        self._take_advocates()

    def _add(self, channel: str, moment: int, measure: str, amount: int) -> None:
        self.found.totals[channel, moment - moment % 60, measure] += amount

    def _take_levels(self) -> None:
        """Snapshots of an account's audience: the last stands, of two at one moment the larger."""
        levels = self.found.levels
        for event in self._events:
            if event.kind == "social.audience.snapshot.v1":
                observed = event.data.get("observed_at")
                moment = _moment(observed) if observed else event.moment
                key = (event.channel, event.data["audience"], event.source, moment)
                levels[key] = max(event.data["count"], levels.get(key, 0))
        for (channel, audience, account, moment), count in sorted(levels.items()):
            if audience != "members":
                accounts = self._histories.setdefault(channel, {})
                accounts.setdefault((audience, account), []).append((moment, count))

    def _followers(self, channel: str, before: int) -> int | None:
        """Followers and subscribers of all accounts of a channel just before a moment."""
        last = [
            history[at - 1][1]
            for history in self._histories.get(channel, {}).values()
            if (at := bisect_left(history, (before, 0)))
        ]
        return sum(last) if last else None

    def _take_content(self) -> None:
        contents: dict[tuple[str, str], Content] = defaultdict(Content)
        for event in self._events:
            # What belongs to no item is an item of nobody.
            content = contents[event.channel, event.data.get("content_id") or ""]
            content.take(event.kind, event.moment, event.data, _moment)
        for (channel, content_id), content in contents.items():
            for gain in content.gains():
                self._add(channel, gain.moment, gain.measure, gain.counted)
            if content_id and content.is_item:
                self._take_item(channel, content_id, content)

    def _take_item(self, channel: str, content_id: str, content: Content) -> None:
        published = content.published_at
        followers = None if published is None else self._followers(channel, published)
        self.found.items[channel, content_id] = (published, followers)
        for gain in content.gains():
            if gain.measure != "interactions":
                self.found.points[channel, content_id, gain.moment - gain.moment % 60, gain.measure] += gain.earned
        if published is not None:
            for measure, amount in content.cohort(followers):
                self._add(channel, published, measure, amount)

    def _take_conversations(self) -> None:
        talks: dict[tuple[str, str], list[tuple[str, int, dict[str, Any]]]] = defaultdict(list)
        for event in self._events:
            if event.kind in ("social.message.received.v1", "social.message.sent.v1"):
                direction = event.kind.split(".")[2]
                talks[event.channel, event.data["conversation_id"]].append((direction, event.moment, event.data))
        for (channel, conversation), messages in talks.items():
            for message, receipt in receipts(messages).items():
                self.found.receipts[channel, conversation, message] = receipt
                for measure, amount in receipt.totals():
                    self._add(channel, receipt.received_at, measure, amount)

    def _take_advocates(self) -> None:
        """From the third positive mention of an author on, all that the author does counts once more."""
        by_author: dict[str, list[Event]] = defaultdict(list)
        for event in self._events:
            if author := event.data.get("author"):
                by_author[author["id"]].append(event)
        for events in by_author.values():
            mentions = (event for event in events if event.kind == "social.mention.v1")
            praise = sorted(mention.moment for mention in mentions if "positive_n" in dict(_alone(mention)))
            for event in events:
                if len(praise) >= 3 and event.moment >= praise[2]:
                    for measure, amount in _as_advocate(event):
                        self._add(event.channel, event.moment, measure, amount)


def _as_advocate(event: Event) -> Iterator[tuple[str, int]]:
    """What an event counts if an advocate does it."""
    told = dict(_alone(event))
    yield from ((f"advocate_{m}", told[m]) for m in ("positive_n", "negative_n", "sentiment_n") if m in told)
    if event.kind == "social.interaction.v1" and event.data["kind"] != "view":
        sign = {"add": 1, "edit": 0, "remove": -1}[event.data.get("op", "add")]
        yield "advocate_interactions", sign * event.data.get("count", 1)


def _alone(event: Event) -> Iterator[tuple[str, int]]:
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
            if data.get("kind") == "feedback":
                yield "feedback_received", 1
                counted = ("positive_n", "negative_n", "sentiment_n")
                yield from ((f"feedback_{measure}", n) for measure, n in _sentiment(event) if measure in counted)
            yield from _sentiment(event)
        case "social.interaction.v1" if data["kind"] == "comment" and data.get("op", "add") == "add":
            yield "community_comments", data.get("count", 1)
            yield from _sentiment(event)
        case "social.community.visit.v1":
            yield "visits", 1


def _sentiment(event: Event) -> Iterator[tuple[str, int]]:
    """A score counts under its label: from 0.05 positive, to −0.05 negative, else neutral."""
    score = event.data.get("sentiment")
    if score is None:
        return
    points = int(Decimal(score) * 10_000)
    label = "positive" if points >= 500 else "negative" if points <= -500 else "neutral"
    yield from ((f"{label}_n", 1), ("sentiment_n", 1), ("sentiment_sum", points))
