"""Reads a stretch of a partition once, beside whoever reads the topic in a group."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bellwether.adapters.kafka.log_reader import Record
from bellwether.adapters.kafka.log_records import slim
from bellwether.domain.errors import Unavailable

_WAIT_S = 30.0
_STOP_S = 5.0
_POLL_MS = 500
_MOST_RECORDS = 2_000


class LogRange:
    """A topic to be read by offset. Open one with `open_log`."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic

    async def first_offset(self, part: int) -> int:
        """The first offset that is kept. Raises Unavailable."""
        partition = TopicPartition(self._topic, part)
        try:
            async with asyncio.timeout(_WAIT_S):
                found = await self._consumer.beginning_offsets([partition])
                return int(found[partition])
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"Kafka: {type(error).__name__} {error}") from error

    async def offset_at(self, part: int, moment_ms: int) -> int:
        """The first offset that was recorded at or after a moment, in ms; after the last one where none was.

        Raises Unavailable.
        """
        partition = TopicPartition(self._topic, part)
        try:
            async with asyncio.timeout(_WAIT_S):
                found = await self._consumer.offsets_for_times({partition: moment_ms})
                if (place := found[partition]) is not None:
                    return int(place.offset)
                return int((await self._consumer.end_offsets([partition]))[partition])
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"Kafka: {type(error).__name__} {error}") from error

    async def read(self, part: int, start: int, stop: int) -> AsyncGenerator[Sequence[Record]]:
        """The records of [start, stop), in order and in batches.

        Raises Unavailable where the brokers do not answer, or no longer keep them.
        """
        partition = TopicPartition(self._topic, part)
        self._consumer.assign([partition])
        self._consumer.seek(partition, start)
        try:
            while start < stop:
                async with asyncio.timeout(_WAIT_S):
                    polled = await self._consumer.getmany(partition, timeout_ms=_POLL_MS, max_records=_MOST_RECORDS)
                    # Not the last record's offset plus one: what follows it may never come to be read.
                    start = await self._consumer.position(partition)
                if records := [record for record in polled.get(partition, ()) if record.offset < stop]:
                    yield records
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"Kafka: {type(error).__name__} {error}") from error


@asynccontextmanager
async def open_log(bootstrap: str, topic: str, client_id: str = "bellwether-rebuild") -> AsyncIterator[LogRange]:
    """A topic to be read by offset, outside any group; client_id: how brokers see it. Raises Unavailable."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=4 * 1024**2,
    )
    try:
        async with asyncio.timeout(_WAIT_S):
            await consumer.start()
    except (KafkaError, OSError, TimeoutError) as error:
        await consumer.stop()
        raise Unavailable(f"Kafka: {type(error).__name__} {error}") from error
    slim(consumer)
    try:
        yield LogRange(consumer, topic)
    finally:
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await consumer.stop()
