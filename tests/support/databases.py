"""Fresh databases and topics for single tests."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from bellwether.adapters.kafka.topics import Topic, create_topics
from bellwether.adapters.postgres.migrations import migrate
from tests.support.patience import PATIENCE_S

PARTITIONS = 4
_KEPT = {"retention.ms": "-1"}  # tests record in the past, which Kafka would delete whenever it looks for it


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics of one test's own, each with four partitions."""

    events: str
    quarantine: str
    updates: str


@asynccontextmanager
async def migrated_template(dsn: str) -> AsyncIterator[str]:
    """A database with the whole schema, to be copied; gives its name."""
    async with _database(dsn, template=None) as template:
        await asyncio.to_thread(migrate, _other_database(dsn, template))
        yield template


@asynccontextmanager
async def database_from(dsn: str, template: str) -> AsyncIterator[str]:
    """A copy of the template, dropped at the end with whoever is still connected; gives its DSN."""
    async with _database(dsn, template) as name:
        yield _other_database(dsn, name)


@asynccontextmanager
async def fresh_topics(bootstrap: str) -> AsyncIterator[Topics]:
    """Topics under names that nobody had before, with leaders; deleted at the end."""
    suffix = secrets.token_hex(4)
    topics = Topics(f"events.{suffix}", f"quarantine.{suffix}", f"updates.{suffix}")
    names = [topics.events, topics.quarantine, topics.updates]
    await create_topics(bootstrap, [Topic(name, PARTITIONS, configs=_KEPT) for name in names])
    try:
        yield topics
    finally:
        async with _admin(bootstrap) as admin:
            await admin.delete_topics(names)


@asynccontextmanager
async def _database(dsn: str, template: str | None) -> AsyncIterator[str]:
    name = f"test_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    finally:
        await connection.close()
    try:
        yield name
    finally:
        # A connection of its own: the test may have killed the server in between.
        connection = await asyncpg.connect(dsn)
        try:
            await _drop(connection, name)
        finally:
            await connection.close()


async def _drop(connection: asyncpg.Connection[asyncpg.Record], name: str) -> None:
    """Drop a database with whoever is in it, but wait for the server's own vacuum, which only a superuser may end."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            except asyncpg.InsufficientPrivilegeError:
                await asyncio.sleep(0.1)
            else:
                return


def _other_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
