"""Records and requests that nobody can use, of every class: each is put aside once, and nobody waits for it."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.conftest import Report
from tests.faults.counts import times
from tests.faults.front import Front, open_front
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.ledger import TENANT, ZONES, Entry, Ledger, make_ledger

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

_MOVES_ON_WITHIN_S = 20
"""So generous that only a partition that stands still breaks it; how long it takes is told."""
_KEY = f"{TENANT}/aurora".encode()
_LARGE = 600_000

Event = dict[str, Any]


def _told(event: Event) -> bytes:
    return json.dumps(event).encode()


def _with(**data: Any) -> Callable[[Event], bytes]:
    return lambda event: _told({**event, "data": {**event["data"], **data}})


def _raw(written: bytes, **data: Any) -> Callable[[Event], bytes]:
    """A value that a JSON library would not write in the place of the text @here@."""
    return lambda event: _with(**data)(event).replace(b'"@here@"', written)


def _reaction(count: bytes) -> Callable[[Event], bytes]:
    def spoil(event: Event) -> bytes:
        data = {"brand": "aurora", "channel": "x", "kind": "reaction", "author": {"id": "a"}, "count": "@here@"}
        return _told({**event, "type": "social.interaction.v1", "data": data}).replace(b'"@here@"', count)

    return spoil


@dataclass(frozen=True, slots=True)
class Class:
    """A class of poison: how it is spoiled, and why it is put aside when it lies in the log.

    answer: how an intake refuses it, None where it cannot be said in a request
    """

    name: str
    spoil: Callable[[Event], bytes | None]
    reason: str
    answer: int | None
    key: bytes | None = _KEY
    encoding: str | None = None


CLASSES = (
    Class("NUL in text", _raw(b'"a\\u0000b"', text="@here@"), "malformed", 422),
    Class("NUL in a map", _raw(b'{"a": "\\u0000"}', labels="@here@"), "malformed", 422),
    Class("half a surrogate pair", _raw(b'"\\ud83d"', text="@here@"), "malformed", 422),
    Class("integer of 64 bits", _reaction(str(2**63).encode()), "invalid", 422),
    Class("identifier too long for an index", _with(author={"id": "a" * 10_000}), "invalid", 422),
    Class("NaN", _raw(b"NaN", sentiment="@here@"), "malformed", 400),
    Class("infinite number", _raw(b"1e999", sentiment="@here@"), "invalid", 422),
    Class("fraction for a count", _reaction(b"1.9"), "invalid", 422),
    Class("time without a zone", lambda e: _told({**e, "time": "2026-01-02T03:04:05"}), "invalid", 422),
    Class("year 1", lambda e: _told({**e, "time": "0001-01-01T00:00:00Z"}), "wrong_time", 422),
    Class("not JSON", lambda e: f"not json, {e['id']}".encode(), "malformed", 400),
    Class("unknown version", lambda e: _told({**e, "type": "social.mention.v9"}), "invalid", 422),
    Class("no value", lambda _: None, "empty", None),
    Class("no key", _told, "unknown_brand", None, key=None),
    Class("too large", _with(text="x" * _LARGE), "invalid", 413),
    Class("compressed", lambda e: gzip.compress(_told(e), mtime=0), "malformed", 415, encoding="br"),
    Class("unknown tenant", _told, "unknown_brand", None, key=b"nobody/aurora"),
)


def poisoned(kind: Class, number: int, recorded_ms: int) -> Entry:
    """A record of a class that is like no other."""
    event = {
        "specversion": "1.0",
        "id": f"{kind.name}-{number}",
        "source": "/poison",
        "type": "social.mention.v1",
        "time": "2026-01-02T03:04:05Z",
        "data": {"brand": "aurora", "channel": "x", "of": "aurora"},
    }
    return Entry(recorded_ms, kind.key, kind.spoil(event), kind.reason)


@pytest.fixture
async def front(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path
) -> AsyncIterator[Front]:
    now = int(time.time())
    sound = [e for e in make_ledger(profile.seed + 90, 2_000, now).entries if e.spoiled is None and e.key == _KEY]
    rounds = times(profile, 1, 20)
    poison = [poisoned(kind, n, now * 1000) for n in range(rounds) for kind in CLASSES]
    pairs = zip(poison, [sound[n % len(sound)] for n in range(len(poison))], strict=True)
    ledger = Ledger(profile.seed, [entry for pair in pairs for entry in pair])
    async with open_front(stack, database, topics, tmp_path, ledger) as opened:
        await opened.arena.process(opened.arena.direct).start()
        yield opened


def test_there_are_as_many_classes_as_were_promised_and_all_brands_are_known() -> None:
    assert len({kind.name for kind in CLASSES}) == 17
    assert _KEY.decode().partition("/")[2] in ZONES


async def test_every_class_of_poison_in_the_log_is_put_aside_once_and_its_partition_moves_on(
    front: Front, report: Report
) -> None:
    arena, took = front.arena, []
    await arena.write(2)
    await arena.caught_up()
    while (before := arena.writer.written) < len(arena.ledger.entries):
        await arena.write(2)
        written_at = time.monotonic()
        await arena.caught_up(_MOVES_ON_WITHIN_S)
        took.append(time.monotonic() - written_at)
        assert arena.writer.written > before
    assert not await arena.differences()
    again = await arena.fetchval("SELECT count(*) - count(DISTINCT (part, log_offset)) FROM quarantine")
    assert again == 0
    report(
        "Poison in the log", [("records", len(took) + 1), ("longest until the next is counted", f"{max(took):.1f} s")]
    )


async def test_every_class_of_poison_is_refused_at_the_door_and_its_neighbours_are_taken(front: Front) -> None:
    kind = {"Content-Type": "application/cloudevents+json", **front.headers}
    sound = next(entry for entry in front.arena.ledger.entries if entry.spoiled is None)
    answers: dict[str, int] = {}
    async with httpx2.AsyncClient(base_url=front.intakes[0].url, headers=kind, timeout=30) as client:
        for each in CLASSES:
            if each.answer is not None:
                encoding = {"Content-Encoding": each.encoding} if each.encoding else {}
                body = poisoned(each, 0, 0).value or b""
                answers[each.name] = (await client.post("/v1/events", content=body, headers=encoding)).status_code
                assert (await client.post("/v1/events", content=sound.value or b"")).status_code == 202
    assert answers == {each.name: each.answer for each in CLASSES if each.answer is not None}
    await front.caught_up()
    assert await front.arena.fetchval("SELECT count(*) FROM quarantine") == 0
