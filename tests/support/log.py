"""Writes events straight into the log, as the intake would, and waits until they are applied."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer

from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.stream import initialise
from tests.support.patience import PATIENCE_S
from tests.support.tenancy import TENANT

_POLL_S = 0.05
_AWAY = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError, OSError)


async def initialise_stream(dsn: str, bootstrap: str, topic: str) -> None:
    """Give the topic its first offsets."""
    async with open_pool(dsn) as pool:
        await initialise(pool, bootstrap, topic)


async def write_events(
    bootstrap: str,
    topic: str,
    events: Iterable[dict[str, Any]],
    tenant: str = TENANT,
    timestamp_ms: int | None = None,
) -> int:
    """Write CloudEvents under their brands' keys, recorded now or at a moment; gives how many."""
    return await write_records(
        bootstrap,
        topic,
        ((f"{tenant}/{e['data']['brand']}".encode(), msgspec.json.encode(e)) for e in events),
        timestamp_ms,
    )


async def write_records(
    bootstrap: str, topic: str, records: Iterable[tuple[bytes | None, bytes | None]], timestamp_ms: int | None = None
) -> int:
    """Write raw records; gives how many."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5) as producer:
        stamp = timestamp_ms or int(time.time() * 1000)
        sent = [await producer.send(topic, value, key=key, timestamp_ms=stamp) for key, value in records]
        await asyncio.gather(*sent)
    return len(sent)


async def applied(dsn: str, topic: str, records: int, deadline_s: float = PATIENCE_S) -> None:
    """Wait until so many records of the topic are applied, over restarts of PostgreSQL. Raises TimeoutError."""
    async with asyncio.timeout(deadline_s):
        while True:
            # A server that has lost one session ends all, and takes nobody until it has recovered.
            with contextlib.suppress(*_AWAY):
                return await _reaches(dsn, topic, records)
            await asyncio.sleep(_POLL_S)


async def _reaches(dsn: str, topic: str, records: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        while await _count(connection, topic) < records:
            await asyncio.sleep(_POLL_S)
    finally:
        await connection.close()


async def _count(connection: asyncpg.Connection[asyncpg.Record], topic: str) -> int:
    found = await connection.fetchval("SELECT sum(next_offset) FROM stream_offset WHERE stream = $1", topic)
    return int(found or 0)
