"""Compute on real Kafka and PostgreSQL: what goes into the log comes out as KPIs, once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.postgres.readings import read_sources
from bellwether.catalogue.evaluate import Values, current_spans, evaluate
from bellwether.domain.clock import LocalClock
from bellwether.domain.windows import Window
from tests.support.backends import Servers
from tests.support.computing import computing
from tests.support.databases import Topics
from tests.support.log import applied, initialise_stream, write_events, write_records
from tests.support.patience import PATIENCE_S
from tests.support.tenancy import make_brands

NOW = int(time.time())


def at(seconds_ago: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - seconds_ago))


def event(kind: str, number: int, seconds_ago: float, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/test",
        "type": kind,
        "time": at(seconds_ago),
        "data": {"brand": "aurora", "channel": "instagram", **data},
    }


def mention(number: int, seconds_ago: float, **data: Any) -> dict[str, Any]:
    return event("social.mention.v1", number, seconds_ago, **{"of": "aurora", "sentiment": -1.0, **data})


async def values_of(dsn: str, brand_id: int, cut: str = "", as_of: int | None = None) -> Values:
    """All KPIs, evaluated from rollups as the API does it."""
    clock, now = LocalClock("UTC"), int(time.time())
    brand = Brand(brand_id, 1, "acme", "aurora", "Aurora", "UTC", "USD", ())
    spans = current_spans(as_of or now, clock, now)
    async with open_pool(dsn) as pool, pool.connection() as connection:
        return evaluate(await read_sources(connection, brand, cut, list(spans.values()), clock), spans)


@pytest.fixture
async def brand_id(stack: Servers, database: str, topics: Topics) -> int:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    return (await make_brands(database, "aurora"))["aurora"]


async def test_mentions_written_twice_count_once(
    stack: Servers, database: str, topics: Topics, brand_id: int, tmp_path: Path
) -> None:
    events = [mention(n, 60 * n, sentiment=[-1.0, 0.0, 1.0][n % 3]) for n in range(30)]
    async with computing(stack, database, topics, tmp_path):
        await write_events(stack.kafka_bootstrap, topics.events, [*events, *events])
        await applied(database, topics.events, 60)
    values = await values_of(database, brand_id)
    assert values["brand_mentions"][Window.DAY_24H].value == 30
    sentiment = values["community_sentiment"][Window.DAY_24H]
    assert sentiment.parts == {"positive_n": 10, "negative_n": 10, "sentiment_n": 30, "neutral_n": 10}
    by_channel = await values_of(database, brand_id, "channel=instagram")
    assert by_channel["brand_mentions"] == values["brand_mentions"]
    assert await ledger(database) == {"applied": 30, "duplicate": 30}


async def ledger(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT outcome, sum(events)::int FROM ledger GROUP BY outcome")
    finally:
        await connection.close()
    return {row[0]: row[1] for row in rows}


async def test_what_cannot_be_used_is_in_quarantine_with_its_reason_and_its_bytes(
    stack: Servers, database: str, topics: Topics, brand_id: int, tmp_path: Path
) -> None:
    key = b"acme/aurora"
    poison = [
        (key, b"not json"),
        (key, b""),
        (key, None),
        (None, b"{}"),
        (b"acme/nobody", b"{}"),
        (key, b'{"specversion":"1.0","id":"x","source":"/t","type":"social.mention.v9","data":{}}'),
    ]
    async with computing(stack, database, topics, tmp_path):
        await write_records(stack.kafka_bootstrap, topics.events, poison)
        await write_events(stack.kafka_bootstrap, topics.events, [mention(1, 60)])
        await applied(database, topics.events, len(poison) + 1)
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT reason, record_value FROM quarantine")
    finally:
        await connection.close()
    assert sorted((row["reason"], row["record_value"] or b"") for row in rows) == [
        ("empty", b""),
        ("empty", b""),
        ("invalid", poison[5][1]),
        ("malformed", b"not json"),
        ("unknown_brand", b"{}"),
        ("unknown_brand", b"{}"),
    ]
    assert await ledger(database) == {"applied": 1, "quarantined": 6}


async def test_refreshed_values_and_the_quarantine_are_announced_on_their_topics(
    stack: Servers, database: str, topics: Topics, brand_id: int, tmp_path: Path
) -> None:
    async with computing(stack, database, topics, tmp_path):
        await write_records(stack.kafka_bootstrap, topics.events, [(b"acme/aurora", b"not json")])
        await write_events(stack.kafka_bootstrap, topics.events, [mention(1, 60)])
        refused = await first_record(stack.kafka_bootstrap, topics.quarantine)
        update = await first_record(stack.kafka_bootstrap, topics.updates)
    headers = {name: value.decode() for name, value in refused.headers}
    assert (refused.value, refused.key) == (b"not json", b"acme/aurora")
    assert (headers["reason"], headers["tenant"]) == ("malformed", "acme")
    assert headers["origin"].startswith(f"{topics.events}-")
    assert update.key in {b"acme/aurora/total", b"acme/aurora/channel=instagram"}
    assert msgspec.json.decode(update.value)["kpis"]["brand_mentions"]["24h"]["value"] == 1


async def first_record(bootstrap: str, topic: str) -> ConsumerRecord[bytes | None, bytes | None]:
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        return await asyncio.wait_for(consumer.getone(), PATIENCE_S)
