"""The values that compute keeps are those that an evaluation of the same moment finds, and the past stays what it was.

A generated stream of three brands in three time zones goes through a real compute process, in a shuffled order and
with repeats. Nothing here counts for itself: two ways to one number are compared, to the last digit.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from bellwether.adapters.postgres.directory import Brand
from bellwether.catalogue.evaluate import Values
from bellwether.domain.clock import LocalClock, ceil_minute
from bellwether.domain.windows import Window
from bellwether_cli.demo.story import BRANDS
from bellwether_cli.demo.stream import stream
from tests.support.backends import Servers
from tests.support.clock import WallClock
from tests.support.computing import computing
from tests.support.databases import Topics, database_from, fresh_topics
from tests.support.kept import Line, Stored, differences, differing, unshown
from tests.support.log import applied, initialise_stream, write_events
from tests.support.tenancy import TENANT, make_brands

SEED = 7
INTENSITY = 0.25
DAYS = 3
ZONES = {brand.slug: brand.time_zone for brand in BRANDS}
END = datetime.now(UTC).replace(microsecond=0)
START = END - timedelta(days=DAYS)
_TURNS_AFTER_S = 20
Event = dict[str, Any]
Logged = tuple[int, Event]
"""When the intake took an event, in UTC seconds, and the event."""


def generated() -> list[Event]:
    """The whole stream, in the order of time."""
    return [dict(event) for event in stream(SEED, START, END, intensity=INTENSITY)]


def shuffled(events: Iterable[Event]) -> list[Event]:
    """Any order, with one event in twenty a second time."""
    rng, found = random.Random(SEED), list(events)
    found += rng.sample(found, len(found) // 20)
    rng.shuffle(found)
    return found


async def prepare(database: str, stack: Servers, topics: Topics) -> Stored:
    """The brands of the stream, each in its own time zone."""
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    brands = {}
    for slug, zone in ZONES.items():
        brand_id = (await make_brands(database, slug, time_zone=zone))[slug]
        brands[slug] = Brand(brand_id, 1, TENANT, slug, slug, zone, "USD", ())
    return Stored(database, brands)


async def apply(
    stored: Stored, stack: Servers, topics: Topics, events: list[Event], path: Path, **settings: str
) -> None:
    """Have a compute process take events, until all current values hold them."""
    await apply_recorded(stored, stack, topics, [(int(time.time()), event) for event in events], path, **settings)


async def apply_recorded(
    stored: Stored, stack: Servers, topics: Topics, log: list[Logged], path: Path, **settings: str
) -> None:
    """The same for events of which each was recorded at a moment of its own."""
    already = await stored.applied(topics)
    async with computing(stack, stored.dsn, topics, path, **settings):
        async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, acks="all", linger_ms=5) as producer:
            for recorded, event in log:
                key, value = f"{TENANT}/{event['data']['brand']}".encode(), msgspec.json.encode(event)
                await producer.send(topics.events, value, key=key, timestamp_ms=recorded * 1000)
        await applied(stored.dsn, topics.events, already + len(log), deadline_s=120)
        async with asyncio.timeout(120):  # what moved last is refreshed last
            while await unshown(stored) or await differing(stored):
                await asyncio.sleep(0.5)


@pytest.fixture
async def stored(stack: Servers, database: str, topics: Topics) -> Stored:
    return await prepare(database, stack, topics)


async def test_current_values_equal_an_evaluation_of_their_moment_to_the_last_digit(
    stack: Servers, stored: Stored, topics: Topics, tmp_path: Path
) -> None:
    await apply(stored, stack, topics, shuffled(generated()), tmp_path)
    rows = await stored.lines()
    assert {slug for slug, _ in rows} == set(ZONES)
    assert len(rows) >= 3 * 5
    assert await differing(stored) == []
    found = await stored.evaluated({line: row["as_of"] for line, row in rows.items()})
    for line, row in rows.items():
        assert row["body"] == msgspec.json.encode(found[line]), line
    known = [v for kpis in found.values() for by_window in kpis.values() for v in by_window.values() if v.value]
    assert len(known) > len(rows) * 50


async def test_values_do_not_depend_on_what_compute_held_in_memory(
    stack: Servers, template_database: str, topics: Topics, stored: Stored, tmp_path: Path
) -> None:
    events, now = shuffled(generated()), int(time.time())
    await apply(stored, stack, topics, events, tmp_path / "at once")
    async with (
        database_from(stack.postgres_dsn, template_database) as dsn,
        fresh_topics(stack.kafka_bootstrap) as other_topics,
    ):
        forgetful = await prepare(dsn, stack, other_topics)
        fresh_to: dict[Line, int] = {}
        for number in range(3):  # each time a new process, which knows nothing but what is stored
            part = [event for event in events if hash_of(event) % 3 == number]
            path = tmp_path / f"part {number}"
            await apply(forgetful, stack, other_topics, part, path, max_events="90", max_cached="100")
            rows = await forgetful.lines()
            assert all(row["fresh_to"] >= fresh_to.get(line, 1) for line, row in rows.items())
            fresh_to = {line: row["fresh_to"] for line, row in rows.items()}
        lines = dict.fromkeys(rows, now)
        expected = await forgetful.evaluated(lines, recorded=now)
    found = await stored.evaluated(lines, recorded=now)
    wrong = [words for line in lines for words in differences(line, expected[line], found[line])]
    assert not wrong, "\n".join(wrong[:20])


async def test_what_leaves_a_window_is_gone_from_the_kept_values_without_an_event(
    stack: Servers, stored: Stored, topics: Topics, tmp_path: Path
) -> None:
    slug, clock = next(iter(ZONES)), WallClock(tmp_path)
    turn = (int(time.time()) + _TURNS_AFTER_S) // 60 * 60 + 60
    clock.jump(turn - _TURNS_AFTER_S - time.time())  # so that nobody waits for most of a minute
    async with computing(stack, stored.dsn, topics, tmp_path, clock):
        leaving = turn - 3_600
        for number in range(3):  # several refreshes within the minute
            await write_events(stack.kafka_bootstrap, topics.events, [mention_of(slug, number, leaving + number)])
            await kept_mentions(stored, (slug, ""), number + 1)
        await kept_mentions(stored, (slug, ""), 0)
        assert await differing(stored) == []


def mention_of(slug: str, number: int, moment: int) -> Event:
    """A mention of a brand."""
    when = datetime.fromtimestamp(moment, UTC).isoformat()
    data = {"brand": slug, "channel": "x", "of": slug}
    envelope = {"specversion": "1.0", "id": f"m{number}", "source": "/test", "type": "social.mention.v1"}
    return {**envelope, "time": when, "data": data}


async def kept_mentions(stored: Stored, line: Line, count: int) -> None:
    """Wait until the kept values show so many mentions in the last hour."""
    async with asyncio.timeout(140):
        while True:
            row = (await stored.lines()).get(line)
            if row and msgspec.json.decode(row["body"], type=Values)["brand_mentions"][Window.HOUR].value == count:
                return
            await asyncio.sleep(0.2)


def hash_of(event: Event) -> int:
    """A number that is the same for all repeats of an event."""
    return crc32(str(event["id"]).encode())


def happened(event: Event) -> int:
    """The second of an event; what a report of ads tells happened by the last second of its period."""
    if event["type"] == "ads.delivery.v1":
        return int(datetime.fromisoformat(event["data"]["to"]).timestamp()) - 1
    return int(datetime.fromisoformat(event["time"]).timestamp())


def before(events: Iterable[Event], moment: int) -> list[Event]:
    """Those that happened before a moment."""
    return [event for event in events if happened(event) < moment]


async def test_the_past_is_what_it_was_when_nothing_later_had_come(
    stack: Servers, template_database: str, topics: Topics, stored: Stored, tmp_path: Path
) -> None:
    events, now = generated(), int(time.time())
    moment = ceil_minute(int((START + timedelta(days=2, hours=5, minutes=17)).timestamp()))  # values end at a minute
    await apply(stored, stack, topics, shuffled(events), tmp_path / "all")
    async with (
        database_from(stack.postgres_dsn, template_database) as dsn,
        fresh_topics(stack.kafka_bootstrap) as other_topics,
    ):
        only_earlier = await prepare(dsn, stack, other_topics)
        await apply(only_earlier, stack, other_topics, before(events, moment), tmp_path / "earlier")
        lines = dict.fromkeys(await only_earlier.lines(), moment)
        expected = await only_earlier.evaluated(lines, recorded=now)
    found = await stored.evaluated(lines, recorded=now)
    wrong = [words for line in lines for words in differences(line, expected[line], found[line])]
    assert not wrong, "\n".join(wrong[:20])


def recorded_late(events: list[Event]) -> list[Logged]:
    """Most are recorded within seconds, one in five up to two days later, in the order of recording.

    Of several replies in a conversation none is late: an answer that was overtaken by an earlier one is kept nowhere.
    """
    rng = random.Random(SEED)
    replies = Counter(e["data"]["conversation_id"] for e in events if e["type"] == "social.message.sent.v1")
    log = []
    for event in events:
        is_late = rng.random() < 0.2 and replies[event["data"].get("conversation_id")] <= 1
        log.append((happened(event) + rng.randrange(2 * 86_400 if is_late else 20), event))
    return sorted(log, key=lambda logged: logged[0])


@pytest.mark.parametrize("hours", [0, 7])
async def test_what_was_known_on_a_day_is_what_had_been_recorded_by_its_end(
    hours: int, stack: Servers, template_database: str, topics: Topics, stored: Stored, tmp_path: Path
) -> None:
    log, now = recorded_late(generated()), int(time.time())
    clocks = {slug: LocalClock(zone) for slug, zone in ZONES.items()}
    known_at = {slug: clock.day(int(START.timestamp()) + 86_400) for slug, clock in clocks.items()}
    ends = {slug: clocks[slug].day_start(day + 1) for slug, day in known_at.items()}
    moments = {slug: end - hours * 3_600 for slug, end in ends.items()}
    await apply_recorded(stored, stack, topics, [each for each in log if each[0] < now], tmp_path / "all")
    async with (
        database_from(stack.postgres_dsn, template_database) as dsn,
        fresh_topics(stack.kafka_bootstrap) as other_topics,
    ):
        known = [
            (recorded, event)
            for recorded, event in log
            if recorded < ends[slug := event["data"]["brand"]] and happened(event) < moments[slug]
        ]
        only_known = await prepare(dsn, stack, other_topics)
        await apply_recorded(only_known, stack, other_topics, known, tmp_path / "known")
        lines = {line: moments[line[0]] for line in await only_known.lines()}
        expected = await only_known.evaluated(lines, recorded=now)
    found = await stored.evaluated(lines, recorded=now, known_at=known_at)
    wrong = [words for line in lines for words in differences(line, expected[line], found[line])]
    assert not wrong, "\n".join(wrong[:20])
