"""Records that nobody can use, of every class, and the reason that each has to be put aside for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

Spoil = Callable[[dict[str, Any]], bytes]


def _changed(**attributes: Any) -> Spoil:
    return lambda event: json.dumps({**event, **attributes}).encode()


def _with_data(**fields: Any) -> Spoil:
    return lambda event: json.dumps({**event, "data": {**event["data"], **fields}}).encode()


def _without(*fields: str) -> Spoil:
    def spoil(event: dict[str, Any]) -> bytes:
        return json.dumps({name: value for name, value in event.items() if name not in fields}).encode()

    return spoil


def _with_text(escaped: bytes) -> Spoil:
    """Bytes that a JSON library would not write, in place of a text."""
    return lambda event: _with_data(text="@here@")(event).replace(b"@here@", escaped)


def _plain(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


_SPOILS: tuple[tuple[str, Spoil], ...] = (
    ("malformed", lambda event: f"not json, number {event['id']}".encode()),
    ("malformed", lambda event: _plain(event)[:-2]),
    ("malformed", lambda event: _plain(event) + b"{}"),
    ("malformed", lambda event: b"\xef\xbb\xbf" + _plain(event)),
    ("malformed", _with_text(b"\\u0000")),
    ("malformed", _with_text(b"\\ud83d")),
    ("malformed", _with_text(b"\xff\xfe")),
    ("malformed", lambda event: _plain(event)[:-1] + b', "deep": ' + b"[" * 40 + b"]" * 40 + b"}"),
    ("malformed", lambda event: _with_data(sentiment="@")(event).replace(b'"@"', b"NaN")),
    ("invalid", _changed(type="social.mention.v9")),
    ("invalid", _changed(specversion="0.3")),
    ("invalid", _without("data")),
    ("invalid", _without("id")),
    ("invalid", _with_data(sentiment=2)),
    ("invalid", _with_data(sentiment="good")),
    ("invalid", _with_data(channel="nowhere")),
    ("invalid", _changed(time="2026-01-02T03:04:05")),
    ("invalid", lambda event: _changed(type="social.interaction.v1")(event)[:-2] + b', "kind": "like"}}'),
    ("wrong_time", _changed(time="1969-12-31T23:59:59Z")),
    ("wrong_time", _changed(time="0001-01-01T00:00:00Z")),
    ("empty", lambda _: b""),
)


@dataclass(frozen=True, slots=True)
class Poison:
    """One way to spoil a record under a key."""

    key: bytes | None
    slug: str
    reason: str
    spoil: Spoil | None

    def at(self, number: int, moment: int) -> tuple[bytes | None, bytes | None, str]:
        """Key, value and reason of a spoiled record that is like no other."""
        event = {
            "specversion": "1.0",
            "id": f"poison-{number}",
            "source": "/poison",
            "type": "social.mention.v1",
            "time": datetime.fromtimestamp(moment, UTC).isoformat(),
            "data": {"brand": self.slug, "channel": "x", "of": self.slug},
        }
        return self.key, self.spoil(event) if self.spoil else None, self.reason


def poisons(random: Random, tenant: str, slugs: list[str]) -> Iterator[Poison]:
    """Every class of poison in turn, for ever."""
    for turn in count():
        slug, other = random.sample(slugs, k=2)
        key = f"{tenant}/{slug}".encode()
        yield from (Poison(key, slug, reason, spoil) for reason, spoil in _SPOILS)
        yield Poison(key, slug, "empty", None)
        yield Poison(key, other, "wrong_key", _plain)
        yield Poison(None, slug, "unknown_brand", _plain)
        yield Poison(f"{tenant}/nobody-{turn}".encode(), slug, "unknown_brand", _plain)
        yield Poison(f"nobody/{slug}".encode(), slug, "unknown_brand", _plain)
        yield Poison(b"\xff\xfe/no key", slug, "unknown_brand", _plain)
