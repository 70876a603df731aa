"""The load of the benchmarks: a seeded mix of events, about 380 bytes each.

20 brands on 5 channels, one event in three with a text, 1 % repeats, up to 4 s out of order. An item is of one campaign
and of one kind of publisher, and a conversation of one brand and channel; three messages in five are answered.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

BRANDS = tuple(f"brand-{n:02}" for n in range(20))
_CHANNELS = ("facebook", "instagram", "x", "youtube", "reddit")
_TALK = (
    "love the new update but delivery was slow again and support never answered my question about "
    "the refund which is really bad great team though best coffee in town not happy at all"
)
_WORDS = _TALK.split()


def events(
    count: int, seed: int = 1, start: float | None = None, per_s: float = 500.0, brands: Sequence[str] = BRANDS
) -> Iterator[dict[str, Any]]:
    """CloudEvents, `per_s` to a second of event time up to `start` + count / per_s (default: now)."""
    rng = random.Random(seed)
    begin = start if start is not None else time.time() - count / per_s
    earlier: list[dict[str, Any]] = []
    for number in range(count):
        if earlier and rng.random() < 0.01:
            yield rng.choice(earlier)
            continue
        moment = begin + number / per_s - rng.random() * 4
        made = _event(rng, number, moment, brands)
        earlier = [*earlier[-50:], made] if number % 20 == 0 else earlier
        yield made


def _event(rng: random.Random, number: int, moment: float, brands: Sequence[str]) -> dict[str, Any]:
    kind, data = _KINDS[rng.choices(range(len(_KINDS)), _WEIGHTS)[0]]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03}Z"
    brand, channel = _place(rng, _THREAD_OF[data](number) if data in _THREAD_OF else None, brands)
    told = data(rng, number, stamp, brand)
    common = {
        "brand": brand,
        "channel": channel,
        "campaign": f"autumn-{_number_of(told['content_id']) % 5 if 'content_id' in told else rng.randrange(5)}",
        "author": {"id": f"u{rng.randrange(20_000)}", "name": f"Person {rng.randrange(900)}"},
    }
    return {
        "specversion": "1.0",
        "id": f"{number:012}",
        "source": f"/bench/{brand}",
        "type": kind,
        "time": stamp,
        "datacontenttype": "application/json",
        "data": {**common, **told},
    }


def _place(rng: random.Random, thread: int | None, brands: Sequence[str]) -> tuple[str, str]:
    """A brand and a channel: those of a conversation, if it is about one."""
    if thread is None:
        return rng.choice(brands), rng.choice(_CHANNELS)
    return brands[thread % len(brands)], _CHANNELS[thread // len(brands) % len(_CHANNELS)]


def _number_of(content_id: str) -> int:
    return int(content_id.lstrip("sc"))


def _text(rng: random.Random) -> str:
    return " ".join(rng.choices(_WORDS, k=16))


def _content(rng: random.Random) -> str:
    """One of 40 items of a channel, the newer the likelier."""
    return f"c{int(rng.random() ** 2 * 40)}"


def _interaction(rng: random.Random, number: int, _: str, __: str) -> dict[str, Any]:
    kind = rng.choice(("reaction", "reaction", "share", "save", "click", "view"))
    return {"content_id": _content(rng), "interaction_id": f"i{number}", "kind": kind}


def _comment(rng: random.Random, number: int, _: str, __: str) -> dict[str, Any]:
    return {
        "content_id": _content(rng),
        "interaction_id": f"i{number}",
        "kind": "comment",
        "text": _text(rng),
    }


def _mention(rng: random.Random, _: int, __: str, brand: str) -> dict[str, Any]:
    return {"of": brand if rng.random() < 0.8 else "rival", "text": _text(rng), "reach": rng.randrange(5_000)}


def _asked_in(number: int) -> int:
    return number // 40


def _answered_in(number: int) -> int:
    return max(0, number - 30) // 40


def _received(rng: random.Random, number: int, _: str, __: str) -> dict[str, Any]:
    return {"conversation_id": f"t{_asked_in(number)}", "message_id": f"m{number}", "kind": "query", "text": _text(rng)}


def _sent(_: random.Random, number: int, __: str, ___: str) -> dict[str, Any]:
    return {"conversation_id": f"t{_answered_in(number)}", "message_id": f"m{number}", "kind": "query"}


def _metrics(rng: random.Random, number: int, stamp: str, _: str) -> dict[str, Any]:
    counts = {"impressions": number * 3, "reach": number * 2, "likes": number // 5, "clicks": number // 50}
    return {"content_id": f"s{_content(rng)}", "observed_at": stamp, "cumulative": counts}


def _published(_: random.Random, number: int, __: str, ___: str) -> dict[str, Any]:
    return {"content_id": f"c{number % 40}", "kind": "post", "ugc": number % 40 % 3 == 0}


_KINDS = (
    ("social.interaction.v1", _interaction),
    ("social.interaction.v1", _comment),
    ("social.mention.v1", _mention),
    ("social.message.received.v1", _received),
    ("social.message.sent.v1", _sent),
    ("social.content.metrics.v1", _metrics),
    ("social.content.published.v1", _published),
)
_THREAD_OF = {_received: _asked_in, _sent: _answered_in}
_WEIGHTS = (50, 13, 14, 6, 5, 10, 2)


def encoded(count: int, seed: int = 1) -> list[tuple[str, bytes]]:
    """Brand and JSON bytes of each event."""
    return [(event["data"]["brand"], msgspec.json.encode(event)) for event in islice(events(count, seed), count)]
