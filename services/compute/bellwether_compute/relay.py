"""Copies what compute put into quarantine to the quarantine topic, at least once.

The row in Postgres was written with the offset, in one transaction; the copy follows it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

import structlog

from bellwether.adapters.kafka.producer import Producer
from bellwether.adapters.postgres.pool import Pool, is_transient
from bellwether.wire.topics import QuarantineHeader

log = structlog.get_logger(__name__)

_EVERY_S = 1.0
_UNSENT = """
    SELECT q.part, q.log_offset, q.reason, q.detail, q.record_key, q.record_value, t.slug
    FROM quarantine q LEFT JOIN tenant t USING (tenant_id)
    WHERE q.stream = $1 AND q.part = ANY($2::int[]) AND q.announced_at IS NULL
    ORDER BY q.part, q.log_offset LIMIT 100
"""
_SENT = "UPDATE quarantine SET announced_at = now() WHERE stream = $1 AND part = $2 AND log_offset = $3"


async def relay_quarantine(
    pool: Pool, producer: Producer, stream: str, topic: str, claimed: Callable[[], Collection[int]]
) -> None:
    """Send rows that were not sent yet, of the partitions that are claimed, for ever."""
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            await _send_unsent(pool, producer, stream, topic, list(claimed()))
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("quarantine waits to be announced", error=str(error))


async def _send_unsent(pool: Pool, producer: Producer, stream: str, topic: str, parts: list[int]) -> None:
    for part, offset, reason, detail, key, value, tenant in await pool.fetch(_UNSENT, stream, parts):
        headers = [
            (QuarantineHeader.REASON.value, reason.encode()),
            (QuarantineHeader.DETAIL.value, detail.encode()),
            (QuarantineHeader.TENANT.value, (tenant or "").encode()),
            (QuarantineHeader.ORIGIN.value, f"{stream}-{part}-{offset}".encode()),
        ]
        await producer.produce(topic, {key or b"": [value or b""]}, int(time.time() * 1000), headers)
        await pool.execute(_SENT, stream, part, offset)
