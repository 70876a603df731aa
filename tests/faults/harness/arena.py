"""One run's own database and topics, and every process of Bellwether on them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from bellwether.adapters.kafka.topics import Topic, create_topics
from bellwether.adapters.postgres.pool import Connection
from bellwether_cli.stack.services import Wiring
from tests.faults.harness.places import Place
from tests.faults.harness.servers import ProxiedServers
from tests.support.databases import Topics, database_from
from tests.support.flow import make_ledger_brands
from tests.support.ledger import ZONES
from tests.support.log import initialise_stream
from tests.support.proxy import Trap

PARTITIONS = 12
SESSION_S = 6
"""Compute's session in the group: silence after which its partitions go to others."""
_SETTINGS = {
    "compute": {"session_timeout_s": str(SESSION_S), "max_events": "500"},
    "ingest": {},
    "api": {},
}
_COUNTS = {"ingest": 2, "compute": 3, "api": 1}


@dataclass
class Arena:
    """Everything of one run. `dsn` is the database without a proxy; `spare` is a compute that only visits.

    held: traps that hold a request
    locks: what lets go of the tables that are locked
    violations: what was seen on the way that must never be
    """

    servers: ProxiedServers
    dsn: str
    topics: Topics
    ingests: list[Place]
    computes: list[Place]
    api: Place
    spare: Place
    held: list[Trap] = field(default_factory=list)
    locks: AsyncExitStack = field(default_factory=AsyncExitStack)
    violations: list[str] = field(default_factory=list)

    @property
    def places(self) -> list[Place]:
        """All places in the order of the flow."""
        return [*self.ingests, *self.computes, self.spare, self.api]

    def processes(self) -> list[tuple[str, int | None]]:
        """The name of every place and the process that runs there, if one does."""
        stack = self.servers.stack
        return [
            *((place.title, place.pid) for place in self.places),
            *((p.name, p.pid) for p in (stack.kafka, stack.postgres)),
        ]

    @property
    def kafka(self) -> str:
        """`host:port` of Kafka without a proxy."""
        return self.servers.stack.kafka_bootstrap

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection to the run's database, past the proxy."""
        connection = await asyncpg.connect(self.dsn)
        try:
            yield connection
        finally:
            await connection.close(timeout=5)

    async def ends(self) -> dict[int, int]:
        """How many records each partition of the events holds."""
        parts = [TopicPartition(self.topics.events, part) for part in range(PARTITIONS)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        try:  # its own context manager leaves it open where it cannot start
            await consumer.start()
            return {tp.partition: end for tp, end in (await consumer.end_offsets(parts)).items()}
        finally:
            await consumer.stop()

    async def applied(self) -> dict[int, int]:
        """How far each partition of the events is applied."""
        query = "SELECT part, next_offset FROM stream_offset WHERE stream = $1"
        async with self.connection() as connection:
            return {row[0]: row[1] for row in await connection.fetch(query, self.topics.events)}

    async def start(self) -> None:
        """Start all processes but the spare one, and wait until they are ready."""
        regular = [place for place in self.places if place is not self.spare]
        await asyncio.gather(*(place.start() for place in regular))
        await asyncio.gather(*(place.ready() for place in regular))

    async def end(self) -> None:
        """Kill all processes."""
        for place in self.places:
            place.thaw()
        await asyncio.gather(*(place.kill() for place in self.places))


@asynccontextmanager
async def open_arena(
    servers: ProxiedServers, template: str, path: Path, environment: Mapping[str, str]
) -> AsyncIterator[Arena]:
    """A fresh database and fresh topics, and places for processes on them, none of which runs yet.

    environment: variables of every process besides its settings
    """
    stack = servers.stack
    async with database_from(stack.postgres_dsn, template) as dsn:
        topics = await _topics(stack.kafka_bootstrap)
        await initialise_stream(dsn, stack.kafka_bootstrap, topics.events)
        await make_ledger_brands(dsn, ZONES)
        names = (topics.events, topics.quarantine, topics.updates)
        wiring = Wiring(servers.kafka_for_services, servers.dsn_for_services(dsn), stack.key_pepper, *names)
        places = {name: list(_places(path, name, wiring, environment)) for name in _COUNTS}
        *computes, spare = places["compute"]
        arena = Arena(servers, dsn, topics, places["ingest"], computes, places["api"][0], spare)
        try:
            yield arena
        finally:
            await arena.end()


async def _topics(bootstrap: str) -> Topics:
    suffix = secrets.token_hex(4)
    topics = Topics(f"events.{suffix}", f"quarantine.{suffix}", f"updates.{suffix}")
    await create_topics(bootstrap, [Topic(name, PARTITIONS) for name in (topics.events, topics.quarantine)])
    await create_topics(bootstrap, [Topic(topics.updates, 1)])
    return topics


def _places(path: Path, service: str, wiring: Wiring, environment: Mapping[str, str]) -> Iterator[Place]:
    own = {"group": f"compute-{wiring.events_topic}"} if service == "compute" else {}
    settings = {f"BELLWETHER_{service}_{name}".upper(): value for name, value in (_SETTINGS[service] | own).items()}
    visitors = 1 if service == "compute" else 0
    for number in range(1, _COUNTS[service] + visitors + 1):
        yield Place(path, service, number, {**environment, **wiring.environment(service), **settings})
