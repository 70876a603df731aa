"""What happens around one brand of the ledger, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

Event = dict[str, Any]

_CHANNELS = ("instagram", "x", "facebook", "youtube", "other:forum")
_SCORES = (-1, -0.5, -0.05, -0.0499, -0.001, 0, 0.0, 0.0499, 0.05, 0.3, 0.8765, 1)
_KINDS = ("query", "complaint", "feedback", "comment", "direct")
_COUNTERS = ("impressions", "reach", "views", "video_views", "comments", "shares", "saves", "clicks")
_MOST_SNAPSHOTS = 24
_DAY_S = 86_400


@dataclass
class _Piece:
    """A piece of content as its platform sees it."""

    content_id: str
    channel: str
    counts: dict[str, int] = field(default_factory=dict)
    snapshots: int = 0


@dataclass
class _Talk:
    """A conversation: its messages to the brand so far."""

    conversation_id: str
    channel: str
    messages: list[str] = field(default_factory=list)


class Voice:
    """One brand: `speak` makes its next event. Moments are UTC seconds."""

    def __init__(self, random: Random, slug: str, others: list[str]) -> None:
        self.slug = slug
        self._random = random
        self._others = others
        self._channels = random.sample(_CHANNELS, k=random.randint(2, 4))
        self._pieces: list[_Piece] = []
        self._talks: list[_Talk] = []
        self._members = {channel: random.randrange(1_000, 100_000) for channel in self._channels}
        self._numbers = 0
        self._acts: dict[Callable[[int], Event], int] = {
            self._mention: 38,
            self._interaction: 22,
            self._publication: 4,
            self._metrics: 9,
            self._received: 12,
            self._sent: 9,
            self._audience: 4,
            self._visit: 2,
        }

    def speak(self, moment: int) -> Event:
        """Something that happened at a moment."""
        act = self._random.choices([*self._acts], [*self._acts.values()])[0]
        return act(moment)

    def _event(self, type_: str, moment: int, channel: str, **data: Any) -> Event:
        self._numbers += 1
        seconds = datetime.fromtimestamp(moment, UTC)
        return {
            "specversion": "1.0",
            "id": f"{self.slug}-{self._numbers}",
            "source": f"/{channel}/accounts/{self.slug}",
            "type": type_,
            "time": seconds.isoformat().replace("+00:00", self._random.choice(("Z", "+00:00", ".250Z"))),
            "data": {"brand": self.slug, "channel": channel, **data},
        }

    def _author(self) -> dict[str, str]:
        return {"id": f"person-{self._random.randrange(400)}"}

    def _scored(self) -> dict[str, float]:
        return {"sentiment": self._random.choice(_SCORES)} if self._random.random() < 0.9 else {}

    def _mention(self, moment: int) -> Event:
        of = self.slug if self._random.random() < 0.8 else self._random.choice(self._others)
        channel = self._random.choice(self._channels)
        return self._event("social.mention.v1", moment, channel, of=of, author=self._author(), **self._scored())

    def _piece(self) -> _Piece:
        """Mostly a recent one; now and then one whose publication nobody will ever tell."""
        if self._random.random() < 0.02 or not self._pieces:
            self._pieces.append(_Piece(f"unpublished-{self._numbers}", self._random.choice(self._channels)))
        return self._random.choice(self._pieces[-40:])

    def _interaction(self, moment: int) -> Event:
        kind = self._random.choice(("reaction", "comment", "share", "save", "click", "view", "vote"))
        data: dict[str, Any] = {"kind": kind, "author": self._author()}
        if self._random.random() < 0.3:
            data["op"] = self._random.choice(("add", "add", "edit", "remove"))
        if self._random.random() < 0.4:
            data["count"] = self._random.randint(1, 9)
        if kind == "comment":
            data |= self._scored()
        piece = self._piece() if self._random.random() < 0.7 else None
        if piece is None:
            return self._event("social.interaction.v1", moment, self._random.choice(self._channels), **data)
        return self._event("social.interaction.v1", moment, piece.channel, content_id=piece.content_id, **data)

    def _publication(self, moment: int) -> Event:
        channel, ugc = self._random.choice(self._channels), self._random.random() < 0.3
        content_id = f"{'ugc' if ugc else 'post'}-{self._numbers}"
        self._pieces.append(_Piece(content_id, channel))
        told = {"ugc": True, "author": self._author()} if ugc else {}
        return self._event("social.content.published.v1", moment, channel, content_id=content_id, **told)

    def _metrics(self, moment: int) -> Event:
        piece = self._piece()
        if piece.snapshots >= _MOST_SNAPSHOTS:
            return self._mention(moment)
        piece.snapshots += 1
        likes = self._random.choice(("likes", "reactions"))
        for counter in (*self._random.sample(_COUNTERS, k=4), likes):
            growth = self._random.randrange(300) if self._random.random() < 0.9 else -self._random.randrange(50)
            piece.counts[counter] = max(0, piece.counts.get(counter, 0) + growth)
        shown = {c: n for c, n in piece.counts.items() if self._random.random() < 0.8} or dict(piece.counts)
        observed = datetime.fromtimestamp(moment, UTC).isoformat()
        data = {"content_id": piece.content_id, "cumulative": shown, "observed_at": observed}
        return self._event("social.content.metrics.v1", moment, piece.channel, **data)

    def _received(self, moment: int) -> Event:
        if not self._talks or self._random.random() < 0.6:
            talk = _Talk(f"talk-{self._numbers}", self._random.choice(self._channels))
            self._talks.append(talk)
        talk = self._random.choice(self._talks[-12:])
        message_id = f"in-{self._numbers}"
        talk.messages.append(message_id)
        ids = {"conversation_id": talk.conversation_id, "message_id": message_id}
        kind = self._random.choice(_KINDS)
        author = {"author": self._author()} if self._random.random() < 0.3 else {}
        return self._event(
            "social.message.received.v1", moment, talk.channel, kind=kind, **ids, **author, **self._scored()
        )

    def _sent(self, moment: int) -> Event:
        if not self._talks:
            return self._received(moment)
        talk = self._random.choice(self._talks[-12:])
        message_id = f"out-{self._numbers}"
        ids = {"conversation_id": talk.conversation_id, "message_id": message_id}
        drawn = self._random.random()
        if drawn < 0.5 and talk.messages:
            ids["in_reply_to"] = self._random.choice(talk.messages)
        elif drawn < 0.6:
            ids["in_reply_to"] = f"out-{self._numbers - 1}"
        talk.messages += [message_id] if drawn > 0.97 else []
        ids |= self._random.choice(({}, {}, {}, {}, {"agent": "anna"}, {"agent": "bot:hello"}))
        return self._event("social.message.sent.v1", moment, talk.channel, **ids)

    def _audience(self, moment: int) -> Event:
        channel = self._random.choice(self._channels)
        self._members[channel] = max(0, self._members[channel] + self._random.randint(-30, 60))
        audience = self._random.choice(("followers", "followers", "subscribers", "members"))
        data: dict[str, Any] = {"audience": audience, "count": self._members[channel]}
        if self._random.random() < 0.5:
            data["observed_at"] = datetime.fromtimestamp(moment - self._random.randrange(600), UTC).isoformat()
        return self._event("social.audience.snapshot.v1", moment, channel, **data)

    def _visit(self, moment: int) -> Event:
        """A visit of somebody, member or not."""
        visitor = self._author()["id"]
        return self._event("social.community.visit.v1", moment, self._random.choice(self._channels), visitor_id=visitor)
