"""Records of the log as compute reads them, held against those that aiokafka makes by itself."""

from __future__ import annotations

import asyncio
import gc
import time
from itertools import pairwise

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher

from bellwether.adapters.kafka.log_range import open_log
from bellwether.adapters.kafka.log_reader import LogReader, ReaderSettings, Record
from bellwether.adapters.kafka.log_records import LogRecord
from bellwether.domain.errors import Unavailable
from tests.support.backends import Servers
from tests.support.databases import PARTITIONS, Topics
from tests.support.patience import PATIENCE_S

RECORDS = 400
RECORDED_MS = int(time.time() * 1000) - RECORDS  # Kafka deletes what is old, and judges by this
HEADERS = [("content-type", b"application/json")]


async def fill(bootstrap: str, topic: str) -> None:
    """Batches in each form, with and without keys, values and headers, in partitions 0 and 1."""
    for compression in (None, "gzip", "lz4"):
        settings = {"compression_type": compression, "max_batch_size": 2_000}
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, **settings) as producer:
            for number in range(RECORDS):
                key = None if number % 3 else f"key {number}".encode()
                value = None if number % 21 == 0 else f"{compression} {number}".encode()
                headers = HEADERS if number % 2 else []
                await producer.send(
                    topic, value, key=key, partition=number % 2, timestamp_ms=RECORDED_MS + number, headers=headers
                )


async def fill_in_transactions(bootstrap: str, topic: str) -> int:
    """One that is committed and one that is not, each of which leaves a mark without an event; gives the records."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic) as producer:
        for number in range(2):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, f"transaction {number}".encode(), partition=0)
            await (producer.abort_transaction() if number else producer.commit_transaction())
        async with producer.transaction():
            await producer.send_and_wait(topic, b"after them", partition=0)
    return 3


async def as_aiokafka_reads(bootstrap: str, topic: str, count: int) -> dict[int, list[ConsumerRecord]]:
    parts = [TopicPartition(topic, part) for part in (0, 1)]
    found: dict[int, list[ConsumerRecord]] = {0: [], 1: []}
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign(parts)
        async with asyncio.timeout(PATIENCE_S):
            while sum(map(len, found.values())) < count:
                for part, records in (await consumer.getmany(timeout_ms=200)).items():
                    found[part.partition].extend(records)
    return found


def told(record: Record) -> tuple[int, int, int, bytes | None, bytes | None]:
    return record.partition, record.offset, record.timestamp, record.key, record.value


async def nothing() -> None:
    pass


async def test_records_of_a_group_and_of_a_stretch_are_those_of_aiokafka_from_wherever_reading_begins(
    stack: Servers, topics: Topics
) -> None:
    await fill(stack.kafka_bootstrap, topics.events)
    count = 3 * RECORDS + await fill_in_transactions(stack.kafka_bootstrap, topics.events)
    expected = await as_aiokafka_reads(stack.kafka_bootstrap, topics.events, count)
    settings = ReaderSettings(bootstrap=stack.kafka_bootstrap, topic=topics.events, group="records")
    async with LogReader.open(settings) as reader:
        reader.join(nothing, nothing)
        async with asyncio.timeout(PATIENCE_S):
            while len(reader.assigned()) < PARTITIONS:
                await asyncio.sleep(0.02)
            starts = {0: 0, 1: 137}  # amid a batch
            for part, start in starts.items():
                reader.seek(part, start)
            found: dict[int, list[Record]] = {0: [], 1: []}
            while sum(map(len, found.values())) < count - 137:
                for part, records in (await reader.poll((0, 1), 0.2, 33)).items():
                    found[part].extend(records)
        one = await reader.record_at(1, 7)
        _, end = await reader.bounds(0)  # after the mark of the last transaction
    assert one is not None
    assert told(one) == told(expected[1][7])
    for part, start in starts.items():
        assert list(map(told, found[part])) == list(map(told, expected[part][start:]))
        assert all(isinstance(record, LogRecord) and not gc.is_tracked(record) for record in found[part])
    async with open_log(stack.kafka_bootstrap, topics.events) as log:
        stretch = [record async for records in log.read(0, 11, 222) for record in records]
        async with asyncio.timeout(PATIENCE_S):
            rest = [record async for records in log.read(0, 222, end) for record in records]
    assert [record.offset for record in stretch + rest] == [record.offset for record in expected[0][11:]]
    assert list(map(told, stretch)) == list(map(told, expected[0][11:222]))
    assert all(later.offset == earlier.offset + 1 for earlier, later in pairwise(stretch))


async def test_a_batch_that_was_damaged_on_its_way_is_not_read(
    stack: Servers, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(stack.kafka_bootstrap, topics.events)

    def damaged(raw: bytes) -> object:
        changed = bytearray(raw)
        if changed:
            changed[-1] ^= 1
        return memory_records(bytes(changed))

    memory_records = fetcher.MemoryRecords
    monkeypatch.setattr(fetcher, "MemoryRecords", damaged)
    async with open_log(stack.kafka_bootstrap, topics.events) as log:
        with pytest.raises(Unavailable, match="CorruptRecordException"):
            await anext(log.read(0, 0, 100))
