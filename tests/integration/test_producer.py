"""The producer while its connections break: what is acknowledged stands in the log once."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiokafka.conn import AIOKafkaConnection

from bellwether.adapters.kafka.producer import Producer, ProducerSettings
from bellwether.domain.errors import Unavailable
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.intake import written
from tests.support.patience import PATIENCE_S

KEYS = [f"north/brand-{number}".encode() for number in range(12)]


@pytest.fixture
async def producer(stack: Servers, topics: Topics) -> AsyncIterator[Producer]:
    settings = ProducerSettings(
        bootstrap=stack.kafka_bootstrap, topics=(topics.events,), batch_bytes=2_000, deadline_s=20
    )
    async with Producer.open(settings) as opened, asyncio.timeout(PATIENCE_S):
        while not opened.reachable:
            await asyncio.sleep(0.01)
        yield opened


async def _cut(producer: Producer, turns: int) -> None:
    """Break every connection to Kafka, as a network does, once a request has been on its way for so many turns."""
    while not any(connection._requests for connection in _connections(producer)):
        await asyncio.sleep(0)
    for _ in range(turns):
        await asyncio.sleep(0)
    for connection in _connections(producer):
        if connection._writer is not None:
            connection._writer.transport.abort()


def _connections(producer: Producer) -> list[AIOKafkaConnection]:
    session = producer._session  # the point at which a network would break is not to be had from outside
    return [*session._client._conns.values()] if session else []


async def _write(producer: Producer, topic: str, number: int, stored: Counter[bytes]) -> None:
    """Write a handful of records under several keys; those that are acknowledged are counted."""
    values = {KEYS[(number + at) % len(KEYS)]: [b"%d.%d.%d" % (number, at, n) for n in range(5)] for at in range(3)}
    with contextlib.suppress(Unavailable):
        await producer.produce(topic, values, int(time.time() * 1000))
        stored.update(value for each in values.values() for value in each)


async def test_what_is_acknowledged_stands_in_the_log_once_though_connections_break(
    producer: Producer, stack: Servers, topics: Topics
) -> None:
    stored, rng = Counter[bytes](), random.Random(4)
    for first in range(0, 800, 20):
        cutting = asyncio.create_task(_cut(producer, rng.randrange(8)))
        await asyncio.gather(*(_write(producer, topics.events, first + n, stored) for n in range(20)))
        await cutting
    log = Counter(record.value or b"" for record in await written(stack.kafka_bootstrap, topics.events))
    assert len(stored) > 2_000, "hardly anything was written"
    assert not {value for value in stored if log[value] != 1}


async def test_records_of_one_key_stand_in_the_log_in_their_order(
    producer: Producer, stack: Servers, topics: Topics
) -> None:
    async def write(number: int) -> None:
        values = {key: [b"%d" % (number * 100 + n) for n in range(30)] for key in KEYS}
        await producer.produce(topics.events, values, int(time.time() * 1000))

    await asyncio.gather(*map(write, range(40)))
    by_key: dict[bytes, list[int]] = {}
    for record in await written(stack.kafka_bootstrap, topics.events):
        by_key.setdefault(record.key or b"", []).append(int(record.value or b""))
    assert set(by_key) == set(KEYS)
    assert all(numbers == sorted(numbers) and len(numbers) == 1_200 for numbers in by_key.values())


async def test_whoever_had_no_company_lately_does_not_wait_for_any(stack: Servers, topics: Topics) -> None:
    settings = ProducerSettings(bootstrap=stack.kafka_bootstrap, topics=(topics.events,), deadline_s=20, linger_s=2)
    took = []
    async with Producer.open(settings) as producer, asyncio.timeout(PATIENCE_S):
        while not producer.reachable:
            await asyncio.sleep(0.01)
        for number in range(5):
            started = time.monotonic()
            await producer.produce(topics.events, {KEYS[0]: [b"%d" % number]}, 0)
            took.append(time.monotonic() - started)
    assert took[0] >= settings.linger_s
    assert min(took[1:]) < settings.linger_s / 2
    assert len(await written(stack.kafka_bootstrap, topics.events)) == 5


async def test_while_kafka_takes_nothing_every_wait_ends_within_the_deadline(stack: Servers, topics: Topics) -> None:
    settings = ProducerSettings(bootstrap=stack.kafka_bootstrap, topics=(topics.events,), deadline_s=0.5)
    async with Producer.open(settings) as producer, asyncio.timeout(PATIENCE_S):
        while not producer.reachable:
            await asyncio.sleep(0.01)
        session = producer._session
        assert session is not None
        session._client.cluster.leader_for_partition = lambda _: None  # as when no replica can lead
        started = time.monotonic()
        with pytest.raises(Unavailable):
            await producer.produce(topics.events, {KEYS[0]: [b"lost"]}, 0)
        assert 0.4 < time.monotonic() - started < 10
