"""What the fixtures promise to every other test."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.support.backends import Servers
from tests.support.databases import PARTITIONS, Topics


async def test_what_is_sent_to_a_fresh_topic_comes_back(stack: Servers, topics: Topics) -> None:
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait(topics.events, b"one", partition=PARTITIONS - 1)
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka_bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topics.events, number) for number in range(PARTITIONS)])
        record = await consumer.getone()
    assert (record.value, record.partition, record.offset) == (b"one", PARTITIONS - 1, 0)


async def test_a_fresh_database_has_the_schema_and_no_rows(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        assert await connection.fetchval("SELECT count(*) FROM brand") == 0
        await connection.execute("INSERT INTO tenant (slug, name) VALUES ('acme', 'Acme')")
    finally:
        await connection.close()


async def test_the_next_database_knows_nothing_of_the_one_before(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        assert await connection.fetchval("SELECT count(*) FROM tenant") == 0
    finally:
        await connection.close()


async def test_the_owner_of_the_database_is_no_superuser(stack: Servers, database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    finally:
        await connection.close()
    if stack.embedded is not None:
        assert superuser is False
