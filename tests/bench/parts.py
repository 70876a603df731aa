"""The parts that every benchmark needs: servers, topics, brands, a process and what it used."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bellwether.adapters.kafka.partitions import Partitions
from bellwether.adapters.kafka.topics import Topic, create_topics
from bellwether.adapters.postgres.keys import create_key
from bellwether.domain.keys import Scope
from bellwether_cli.stack import Stack, embedded_stack
from tests.bench.load import BRANDS
from tests.support.databases import database_from, migrated_template
from tests.support.log import initialise_stream
from tests.support.tenancy import TENANT, make_brands

PARTITIONS = 12
PEPPER = "a pepper of the benchmarks"
_STOP_S = 20.0
_RUN_S = 300.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Ground:
    """Servers with a migrated database of brands, fresh for one benchmark."""

    stack: Stack
    dsn: str

    @property
    def kafka_bootstrap(self) -> str:
        """Where Kafka answers."""
        return self.stack.kafka_bootstrap


Fresh = Callable[[], AbstractAsyncContextManager[Ground]]
"""Gives an empty database, each time another one."""


@asynccontextmanager
async def grounds(brands: Sequence[str] = ()) -> AsyncIterator[Fresh]:
    """Start servers as a user's are, durable; every database has these brands."""
    async with embedded_stack() as stack, migrated_template(stack.postgres_dsn) as template:

        @asynccontextmanager
        async def fresh() -> AsyncIterator[Ground]:
            async with database_from(stack.postgres_dsn, template) as dsn:
                if brands:
                    await make_brands(dsn, *brands)
                yield Ground(stack, dsn)

        yield fresh


@asynccontextmanager
async def ground(brands: Sequence[str] = BRANDS) -> AsyncIterator[Ground]:
    """Start servers as a user's are, and make brands."""
    async with grounds(brands) as fresh, fresh() as place:
        yield place


@contextmanager
def cores_apart() -> Iterator[int]:
    """Keep this process and all that it starts off the last core, if there are two; gives the last core.

    Enter it before the servers are started: threads that run already stay where they are.
    """
    allowed = os.sched_getaffinity(0)
    last = max(allowed)
    os.sched_setaffinity(0, (allowed - {last}) or allowed)
    try:
        yield last
    finally:
        os.sched_setaffinity(0, allowed)


@asynccontextmanager
async def process_on(core: int, argv: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[int]:
    """A Python program on one core, asked to stop at the end; gives its process id."""
    process = await asyncio.create_subprocess_exec(
        *("taskset", "-c", str(core), sys.executable, *argv),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def printed_by(argv: Sequence[str], core: int | None = None) -> str:
    """What a Python program prints, run to its end. Raises RuntimeError when it fails."""
    where = () if core is None else ("taskset", "-c", str(core))
    return await output_of([*where, sys.executable, *argv])


async def output_of(argv: Sequence[str], deadline_s: float = _RUN_S) -> str:
    """What a program prints, run to its end. Raises RuntimeError when it fails, TimeoutError past the deadline."""
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    try:
        out, _ = await asyncio.wait_for(process.communicate(), deadline_s)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"{' '.join(argv)} failed with exit code {process.returncode}")
    return out.decode()


async def new_key(ground: Ground) -> str:
    """A key of the brands' tenant that may write events and read KPIs."""
    connection = await asyncpg.connect(ground.dsn)
    try:
        tenant_id = await connection.fetchval("SELECT tenant_id FROM tenant WHERE slug = $1", TENANT)
        scopes = (Scope.EVENTS_WRITE, Scope.KPIS_READ)
        return await create_key(connection, tenant_id, "benchmark", scopes, None, None, PEPPER)
    finally:
        await connection.close()


async def new_topic(ground: Ground, partitions: int = PARTITIONS) -> str:
    """A fresh topic with its offsets, and beside it `updates.…` and `quarantine.…`; gives its name."""
    name = f"bench.{secrets.token_hex(4)}"
    beside = [Topic(f"{kind}.{name}", 1) for kind in ("updates", "quarantine")]
    await create_topics(ground.kafka_bootstrap, [Topic(name, partitions), *beside])
    await initialise_stream(ground.dsn, ground.kafka_bootstrap, name)
    return name


async def fill(
    ground: Ground,
    topic: str,
    events: Sequence[tuple[str, bytes]],
    partitions: int = PARTITIONS,
    tenant_of: Callable[[str], str] = lambda _: TENANT,
) -> None:
    """Write events into the log as the intake would, in full batches."""
    spread = Partitions(partitions)
    queues: dict[int, list[tuple[bytes, bytes]]] = {}
    for brand, raw in events:
        key = f"{tenant_of(brand)}/{brand}".encode()
        queues.setdefault(spread.of(key), []).append((key, raw))
    async with AIOKafkaProducer(bootstrap_servers=ground.kafka_bootstrap, max_batch_size=512 * 1024) as producer:
        for part, queue in queues.items():
            await _send(producer, topic, part, queue)


async def _send(producer: AIOKafkaProducer, topic: str, part: int, queue: list[tuple[bytes, bytes]]) -> None:
    batch = producer.create_batch()
    now = int(time.time() * 1000)
    for key, raw in queue:
        if batch.append(key=key, value=raw, timestamp=now) is None:
            batch.close()
            await (await producer.send_batch(batch, topic, partition=part))
            batch = producer.create_batch()
            batch.append(key=key, value=raw, timestamp=now)
    batch.close()
    await (await producer.send_batch(batch, topic, partition=part))


async def written_records(ground: Ground, topic: str, partitions: int = PARTITIONS) -> int:
    """How many records a topic has ever taken."""
    consumer = AIOKafkaConsumer(bootstrap_servers=ground.kafka_bootstrap)
    await consumer.start()
    try:
        return sum((await consumer.end_offsets([TopicPartition(topic, part) for part in range(partitions)])).values())
    finally:
        await consumer.stop()


def cpu_s(pid: int) -> float:
    """Processor time that a process has used, user and system, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mib(pid: int) -> float:
    """Memory that a process holds, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


async def applied(ground: Ground, topic: str) -> int:
    """How many records of a topic are applied."""
    return await until_applied(ground, topic, 0)


async def until_applied(ground: Ground, topic: str, count: int, deadline_s: float = 300.0) -> int:
    """Wait until so many records are applied; gives how many are. Raises TimeoutError."""
    connection = await asyncpg.connect(ground.dsn)
    try:
        async with asyncio.timeout(deadline_s):
            while (found := await _applied(connection, topic)) < count:
                await asyncio.sleep(0.02)
    finally:
        await connection.close()
    return found


async def _applied(connection: asyncpg.Connection[asyncpg.Record], topic: str) -> int:
    found = await connection.fetchval("SELECT sum(next_offset) FROM stream_offset WHERE stream = $1", topic)
    return int(found or 0)
