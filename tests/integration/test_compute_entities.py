"""Crises, conflicts, advertising and money through a real compute process: totals are what a hand counts.

The same events come in order, out of order and with repeats, and to a process that holds next to nothing in memory.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.knowledge import Knowledge
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.postgres.readings import read_sources
from bellwether.adapters.postgres.readings_incidents import read_crises, read_markers
from bellwether.adapters.postgres.rollups import EVER, Line, load
from bellwether.catalogue.evaluate import current_spans, evaluate
from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock
from bellwether.domain.timeline import Timeline, chunks_in
from bellwether.domain.totals import bin_of
from bellwether.domain.windows import Span
from tests.support.backends import Servers
from tests.support.computing import computing
from tests.support.databases import Topics
from tests.support.log import applied, initialise_stream
from tests.support.tenancy import TENANT, make_brands

NOW = int(time.time())
START = NOW - NOW % DAY_S - 5 * DAY_S
"""A midnight some days ago."""
HOUR, DAY = HOUR_S, DAY_S
Event = dict[str, Any]
Logged = tuple[int, Event]
"""When the intake took an event, in UTC seconds, and the event."""


def event(kind: str, name: str, after: int, /, **data: Any) -> Event:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "/test",
        "type": kind,
        "time": at(after),
        "data": {"brand": "aurora", "channel": "instagram", **data},
    }


def at(after: int) -> str:
    return datetime.fromtimestamp(START + after, UTC).isoformat()


def sale(name: str, after: int, value: str, currency: str, **data: Any) -> Event:
    told = {"conversion_id": name, "kind": "sale", "attribution": "organic", "value": value, "currency": currency}
    return event("sales.conversion.v1", name, after, **told, **data)


def rate(name: str, after: int, base: str, quote: str, value: str) -> Event:
    return event("finance.rate.v1", name, 0, base=base, quote=quote, rate=value, valid_from=at(after))


def delivery(name: str, end: int, **data: Any) -> Event:
    told = {"campaign": "autumn", "channel": "facebook", "cumulative": True, "currency": "USD"}
    return event("ads.delivery.v1", name, end + 60, **{**told, "from": at(0), "to": at(end), **data})


def incident(name: str, after: int, phase: str, **data: Any) -> Event:
    told = {"incident_id": "fire", "phase": phase, "severity": "critical", "by": "ann"}
    return event("crisis.incident.v1", name, after, **told, **data)


def conflict(name: str, after: int, conflict_id: str, phase: str) -> Event:
    return event("community.conflict.v1", name, after, conflict_id=conflict_id, phase=phase)


def case(name: str, after: int, case_id: str, phase: str) -> Event:
    return event("community.moderation.v1", name, after, case_id=case_id, phase=phase)


def reply(name: str, after: int, *, public: bool) -> Event:
    return event(
        "social.message.sent.v1", name, after, conversation_id="c", message_id=name, public=public, channel="x"
    )


EVENTS: tuple[Event, ...] = (
    # Money: dollars need no rate; euros have one from the second day on, told the other way round; yen never.
    sale("s1", 2 * HOUR, "100.10", "USD", campaign="autumn"),
    sale("s2", 3 * HOUR, "10", "EUR"),
    sale("s3", DAY + HOUR, "10", "EUR"),
    sale("s4", 2 * DAY + HOUR, "-4", "EUR", campaign="autumn"),
    sale("s5", DAY + HOUR, "5000", "JPY"),
    rate("r1", DAY, "USD", "EUR", "0.8"),
    rate("r2", 2 * DAY, "EUR", "USD", "1.5"),
    event("finance.cost.v1", "k1", DAY, amount="20", currency="USD", reason="tools"),
    event(
        "social.collaboration.v1",
        "k2",
        2 * DAY,
        collaboration_id="lena",
        influencer="lena",
        phase="started",
        cost="30",
        currency="EUR",
    ),
    # Advertising: three looks at one day of a campaign, the second one with a correction; and a delta of another.
    delivery("a1", 2 * HOUR, impressions=1_000, clicks=10, spend="2", revenue="0"),
    delivery("a2", 4 * HOUR, impressions=900, clicks=15, spend="3"),
    delivery("a3", 6 * HOUR, impressions=2_000, clicks=40, spend="8.5", revenue="12", conversions=1.5),
    event(
        "ads.delivery.v1",
        "a4",
        8 * HOUR,
        **{
            "campaign": "spring",
            "from": at(6 * HOUR),
            "to": at(7 * HOUR),
            "spend": "1",
            "currency": "USD",
            "clicks": 2,
        },
    ),
    # A crisis with a private message, a public one, a resolution, a reopening and a resolution.
    incident("i1", HOUR, "opened", campaign="autumn"),
    reply("m1", HOUR + 60, public=False),
    reply("m2", HOUR + 600, public=True),
    reply("m3", HOUR - 60, public=True),
    incident("i2", HOUR + 1_800, "acknowledged"),
    incident("i3", 3 * HOUR, "resolved"),
    incident("i4", 5 * HOUR, "reopened"),
    incident("i5", 9 * HOUR, "resolved"),
    # Conflicts and cases.
    conflict("c1", 0, "row", "opened"),
    conflict("c2", 1_000, "row", "resolved"),
    conflict("c3", 2_000, "row", "escalated"),
    conflict("c4", 0, "quarrel", "opened"),
    conflict("c5", 500, "quarrel", "escalated"),
    conflict("c6", 700, "quarrel", "resolved"),
    case("v1", 100, "spam", "violation"),
    case("v2", 200, "spam", "violation"),
    case("v3", 300, "spam", "addressed"),
    case("v4", 400, "abuse", "violation"),
    # Markers.
    event("social.content.published.v1", "p1", DAY, content_id="p1", campaign="autumn"),
    event("social.content.published.v1", "p2", HOUR, content_id="p2", campaign="autumn", channel="x"),
    event("social.content.published.v1", "p3", 60, content_id="p3", campaign="autumn", ugc=True),
    event("activity.recorded.v1", "t1", 2 * DAY, activity="training", title="a course"),
)

MILLION = 1_000_000
CRISIS = {"crises_opened": 1, "crises_responded": 1, "crises_resolved": 1}
WHOLE: dict[str, object] = {
    # 100.10 + 10 / 0.8 − 4 × 1.5
    "conversion_value": 106_600_000,
    "sale_value": 106_600_000,
    "conversion_value.unconverted": 2,
    "sale_value.unconverted": 2,
    # 20 + 30 × 1.5 + 9.5 of advertising
    "cost": 74_500_000,
    "influencer_cost": 45 * MILLION,
    "ad_impressions": 2_000,
    "ad_clicks": 42,
    "ad_spend": 9_500_000,
    "ad_revenue": 12 * MILLION,
    "ad_conversions": 1_500_000,
    **CRISIS,
    "crisis_response_time": {600: 1},
    "crisis_resolution_time": {bin_of(8 * HOUR): 1},
    "conflicts_opened": 2,
    "conflicts_resolved": 2,
    "conflicts_escalated": 2,
    "conflicts_resolved_unescalated": 1,
    "conflict_resolution_seconds": 1_700,
    "violations": 2,
    "violations_addressed": 1,
}
AUTUMN: dict[str, object] = {
    "conversion_value": 94_100_000,
    "sale_value": 94_100_000,
    "cost": 8_500_000,
    "ad_impressions": 2_000,
    "ad_clicks": 40,
    "ad_spend": 8_500_000,
    "ad_revenue": 12 * MILLION,
    "ad_conversions": 1_500_000,
    **CRISIS,
    "crisis_response_time": {600: 1},
    "crisis_resolution_time": {bin_of(8 * HOUR): 1},
}
FIRST_FOUR_HOURS: dict[str, object] = {
    **{key: WHOLE[key] for key in WHOLE if key.startswith(("conflict", "violation"))},
    "conversion_value": 100_100_000,
    "sale_value": 100_100_000,
    "conversion_value.unconverted": 1,
    "sale_value.unconverted": 1,
    "cost": 3 * MILLION,
    "ad_impressions": 900,
    "ad_clicks": 15,
    "ad_spend": 3 * MILLION,
    **CRISIS,
    "crisis_response_time": {600: 1},
    "crisis_resolution_time": {bin_of(2 * HOUR): 1},
}
SIX_HOURS_CRISIS = {"crises_opened": 1, "crises_responded": 1, "crisis_response_time": {600: 1}}


async def totals(dsn: str, brand_id: int, cut: str = "", end: int = 5 * DAY, known_on: int = EVER) -> dict[str, object]:
    """All measures named in this file, from the start until `end`, without those that are nothing."""
    clock = LocalClock("UTC")
    timeline, line = Timeline(clock), Line(brand_id, cut)
    span = Span(START, START + end, START - DAY, START)
    async with open_pool(dsn) as pool, pool.connection() as connection:
        await load(connection, {line: timeline}, {line: chunks_in([span], clock)}, known_on)
    found = timeline.total(span.start, span.end)
    return {key: found[key] for key in WHOLE if found.get(key)}


async def affairs(dsn: str, brand_id: int, cut: str, end: int, known_on: int = EVER) -> tuple[object, object]:
    """Markers and crises of a cut as they stood at a moment, in seconds from the start."""
    known = Knowledge(LocalClock("UTC"), known_on)
    async with open_pool(dsn) as pool, pool.connection() as connection:
        markers = await read_markers(connection, brand_id, cut, START + end, known)
        crises = await read_crises(connection, brand_id, cut, START + end, known)
    return (
        {name: [moment - START for moment in moments] for name, moments in markers.items()},
        [(opened - START, None if resolved is None else resolved - START) for opened, resolved in crises],
    )


async def send(bootstrap: str, topic: str, log: Sequence[Logged]) -> None:
    """Write events as the intake would have at the moments at which it took them."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5) as producer:
        for recorded, each in log:
            value = msgspec.json.encode(each)
            await producer.send(topic, value, key=f"{TENANT}/aurora".encode(), timestamp_ms=recorded * 1000)


@pytest.fixture
async def brand_id(stack: Servers, database: str, topics: Topics) -> int:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    return (await make_brands(database, "aurora"))["aurora"]


def parted(log: Iterable[Logged], parts: int) -> list[list[Logged]]:
    """The log in parts of about the same length."""
    found = list(log)
    return [found[number::parts] for number in range(parts)]


async def check(dsn: str, brand_id: int) -> None:
    """Everything is what a hand counts, now and in the past."""
    assert await totals(dsn, brand_id) == WHOLE
    assert await totals(dsn, brand_id, "campaign=autumn") == AUTUMN
    assert await totals(dsn, brand_id, end=4 * HOUR) == FIRST_FOUR_HOURS
    past = await totals(dsn, brand_id, end=6 * HOUR)
    assert {key: value for key, value in past.items() if key.startswith("cris")} == SIX_HOURS_CRISIS
    started = {"campaign_started": [HOUR], "collaboration_started": [2 * DAY], "training": [2 * DAY]}
    crisis = [(HOUR, 3 * HOUR), (5 * HOUR, 9 * HOUR)]
    assert await affairs(dsn, brand_id, "", 5 * DAY) == (started, crisis)
    assert await affairs(dsn, brand_id, "campaign=autumn", 5 * DAY) == ({"campaign_started": [HOUR]}, crisis)
    assert await affairs(dsn, brand_id, "", 6 * HOUR) == ({"campaign_started": [HOUR]}, [*crisis[:1], (5 * HOUR, None)])
    assert await affairs(dsn, brand_id, "", 3 * HOUR) == ({"campaign_started": [HOUR]}, [(HOUR, None)])
    assert await affairs(dsn, brand_id, "channel=x", HOUR) == ({}, [])


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_the_order_batches_and_repeats_totals_are_what_a_hand_counts(
    seed: int, stack: Servers, database: str, topics: Topics, brand_id: int, tmp_path: Path
) -> None:
    rng, log = random.Random(seed), [(NOW, each) for each in EVENTS]
    rng.shuffle(log)
    log += rng.sample(log, 10)
    written = 0
    for number, part in enumerate(parted(log, 3)):  # each to a new process, which knows nothing but what is stored
        async with computing(stack, database, topics, tmp_path / str(number), max_events="7", max_cached="100"):
            await send(stack.kafka_bootstrap, topics.events, part)
            written += len(part)
            await applied(database, topics.events, written)
    await check(database, brand_id)
    assert await ledger(database) == {"applied": len(EVENTS), "duplicate": 10}


async def ledger(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT outcome, sum(events)::int FROM ledger GROUP BY outcome")
    finally:
        await connection.close()
    return {row[0]: row[1] for row in rows}


async def test_what_was_known_on_a_day_is_what_had_been_recorded_by_its_end(
    stack: Servers, database: str, topics: Topics, brand_id: int, tmp_path: Path
) -> None:
    late = {"r1", "i3", "p2", "m2"}
    log = [(START + 3 * DAY + HOUR if each["id"] in late else happened(each), each) for each in EVENTS]
    log.sort(key=lambda logged: logged[0])
    async with computing(stack, database, topics, tmp_path):
        await send(stack.kafka_bootstrap, topics.events, log)
        await applied(database, topics.events, len(log))
        await kept_values_are_those_of_an_evaluation(database, brand_id)
    await check(database, brand_id)
    known_on = LocalClock("UTC").day(START + 2 * DAY + HOUR)
    known = await totals(database, brand_id, known_on=known_on)
    assert known["conversion_value.unconverted"] == 3
    assert known["conversion_value"] == 94_100_000
    assert known["crisis_response_time"] == {1_800: 1}
    markers, crises = await affairs(database, brand_id, "", 5 * DAY, known_on)
    assert crises == [(HOUR, 9 * HOUR)]
    assert markers == {"campaign_started": [DAY], "collaboration_started": [2 * DAY], "training": [2 * DAY]}


async def kept_values_are_those_of_an_evaluation(dsn: str, brand_id: int) -> None:
    """Wait until compute has refreshed everything. Raises TimeoutError if some value stays another."""
    brand, clock = Brand(brand_id, 1, TENANT, "aurora", "Aurora", "UTC", "USD", ()), LocalClock("UTC")
    cuts = {"", "channel=x", "channel=facebook", "channel=instagram", "campaign=autumn", "campaign=spring"}
    async with open_pool(dsn) as pool, pool.connection() as connection, asyncio.timeout(120):
        while True:
            rows = await connection.fetch("SELECT cut, as_of, body FROM kpi_current")
            differ = {*cuts} - {row["cut"] for row in rows}
            for cut, as_of, body in rows:
                spans = current_spans(as_of, clock, as_of)
                sources = await read_sources(connection, brand, cut, list(spans.values()), clock)
                values = evaluate(sources, spans, sparse=True)
                differ |= {cut} if msgspec.json.encode(values) != body else set()
            if not differ:
                return
            await asyncio.sleep(0.5)


def happened(each: Event) -> int:
    """The second of an event; that of its rate for one."""
    moment = each["data"].get("valid_from", each["time"])
    return int(datetime.fromisoformat(moment).timestamp())
