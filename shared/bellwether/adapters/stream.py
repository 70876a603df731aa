"""Ties a topic to its offsets in Postgres, once, by an explicit command.

Compute never creates offsets by itself: one that is missing stops it.
"""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bellwether.adapters.kafka.reachability import cluster_id
from bellwether.adapters.postgres.pool import Pool
from bellwether.domain.errors import Unavailable

_WAIT_S = 30.0
_GUARD = """
    INSERT INTO stream_guard (stream, cluster_id, partitions) VALUES ($1, $2, $3)
    ON CONFLICT (stream) DO NOTHING
"""
_OFFSETS = """
    INSERT INTO stream_offset (stream, part, next_offset)
    SELECT $1, * FROM unnest($2::int[], $3::bigint[]) ON CONFLICT (stream, part) DO NOTHING
"""


async def initialise(pool: Pool, kafka_bootstrap: str, topic: str) -> int:
    """Give every partition of an existing topic its first offset; what is there stays.

    Returns the number of partitions. Raises Unavailable if Kafka does not answer within
    30 s, LookupError if the topic does not exist.
    """
    cluster = await cluster_id(kafka_bootstrap, _WAIT_S)
    if cluster is None:
        raise Unavailable(f"Kafka does not answer at {kafka_bootstrap}.")
    try:
        async with asyncio.timeout(_WAIT_S):
            begins = await _beginnings(kafka_bootstrap, topic)
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka does not answer at {kafka_bootstrap}.") from error
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(_GUARD, topic, cluster, len(begins))
        await connection.execute(_OFFSETS, topic, list(begins), list(begins.values()))
    return len(begins)


async def _beginnings(kafka_bootstrap: str, topic: str) -> dict[int, int]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka_bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = consumer.partitions_for_topic(topic)
        if not parts:
            raise LookupError(f"there is no topic {topic}")
        found = await consumer.beginning_offsets([TopicPartition(topic, part) for part in parts])
        return {tp.partition: offset for tp, offset in sorted(found.items())}
    finally:
        await consumer.stop()
