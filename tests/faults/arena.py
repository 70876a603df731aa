"""A database, topics, a ledger and whatever stands between them: what single faults are tried in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from aiokafka import AIOKafkaProducer

from tests.support.audit import audit
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment
from tests.support.databases import Topics
from tests.support.flow import LedgerWriter, expected_of_log, make_ledger_brands
from tests.support.ledger import Entry, Ledger
from tests.support.log import applied, initialise_stream
from tests.support.proxy import Proxy, proxy_to

_DEADLINE_S = 60.0


@dataclass
class Arena:
    """Events flow through a log of its own; `direct` and `proxied` are two ways to the same database."""

    stack: Servers
    topics: Topics
    direct: str
    proxied: str
    proxy: Proxy
    path: Path
    ledger: Ledger
    writer: LedgerWriter
    processes: list[ComputeProcess] = field(default_factory=list)
    _entries: Iterator[Entry] = field(init=False)

    def __post_init__(self) -> None:
        self._entries = iter(self.ledger.entries)

    def process(self, dsn: str, **settings: object) -> ComputeProcess:
        """A place for a compute process, ended with the arena."""
        environment = compute_environment(self.stack.kafka_bootstrap, dsn, self.topics, **settings)
        process = ComputeProcess(self.path, f"compute-{len(self.processes)}", environment)
        self.processes.append(process)
        return process

    async def write(self, count: int) -> None:
        """Write so many more entries of the ledger."""
        await self.writer.write(islice(self._entries, count))

    async def caught_up(self, within_s: float = _DEADLINE_S) -> None:
        """Wait until everything that was written is applied."""
        await applied(self.direct, self.topics.events, self.writer.written, within_s)

    async def fetchval(self, query: str, *arguments: object) -> object:
        """One value out of the database."""
        connection = await asyncpg.connect(self.direct)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    async def differences(self) -> list[str]:
        """What is not in Postgres as the oracle says of the log."""
        wanted, _ = await expected_of_log(self.ledger, self.stack.kafka_bootstrap, self.topics.events)
        return (await audit(self.direct, self.topics.events, wanted)).differences


@asynccontextmanager
async def open_arena(stack: Servers, database: str, topics: Topics, path: Path, ledger: Ledger) -> AsyncIterator[Arena]:
    """Everything but compute, which a test starts as it needs it."""
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    await make_ledger_brands(database, ledger.zones)
    address = urlsplit(database)
    assert address.hostname
    assert address.port
    async with (
        proxy_to(address.hostname, address.port) as proxy,
        AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, enable_idempotence=True, linger_ms=5) as producer,
    ):
        proxied = urlunsplit(address._replace(netloc=address.netloc.replace(f":{address.port}", f":{proxy.port}")))
        writer = LedgerWriter(producer, topics.events)
        arena = Arena(stack, topics, database, proxied, proxy, path, ledger, writer)
        try:
            yield arena
        finally:
            for process in arena.processes:
                await process.kill()
