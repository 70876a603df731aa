"""The intake as its users meet it: a process of its own, a tenant with keys, and a consumer that looks into Kafka."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from bellwether.adapters.postgres.keys import create_key
from bellwether.adapters.postgres.pool import open_pool
from tests.support.patience import PATIENCE_S

PEPPER = "a pepper of the tests' own"
TENANT = "north"
BRANDS = ("acme", "globex")
FOREIGN_BRAND = "initech"


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of one tenant; `foreign` is another tenant's."""

    writer: str
    reader: str
    only_acme: str
    expired: str
    revoked: str
    foreign: str


async def populate(dsn: str) -> Keys:
    """Two tenants, their brands and keys of every kind."""
    async with open_pool(dsn) as pool, pool.transaction() as conn:
        ours = await conn.fetchval("insert into tenant (slug, name) values ($1, 'North') returning tenant_id", TENANT)
        theirs = await conn.fetchval("insert into tenant (slug, name) values ('south', 'South') returning tenant_id")
        for tenant, slug in [*((ours, slug) for slug in BRANDS), (theirs, FOREIGN_BRAND)]:
            await conn.execute("insert into brand (tenant_id, slug, name) values ($1, $2, $2)", tenant, slug)

        async def key(tenant: int, *scopes: str, brands: list[str] | None = None) -> str:
            return await create_key(conn, tenant, "test", scopes, brands, None, PEPPER)

        keys = Keys(
            writer=await key(ours, "events:write"),
            reader=await key(ours, "kpis:read"),
            only_acme=await key(ours, "events:write", brands=["acme"]),
            expired=await key(ours, "events:write"),
            revoked=await key(ours, "events:write"),
            foreign=await key(theirs, "events:write"),
        )
        await conn.execute("update api_key set expires_at = now() where key_id = $1", keys.expired[3:15])
        await conn.execute("update api_key set revoked_at = now() where key_id = $1", keys.revoked[3:15])
    return keys


@dataclass(slots=True)
class Intake:
    """A running intake."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    client: httpx2.AsyncClient = field(repr=False)

    async def send(self, body: Any, key: str | None, **kwargs: Any) -> httpx2.Response:
        """Post to /v1/events: bytes as they are, anything else as JSON, a list as a batch."""
        batch = isinstance(body, list)
        kind = "application/cloudevents-batch+json" if batch else "application/cloudevents+json"
        headers = {"Content-Type": kind, **kwargs.pop("headers", {})}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post("/v1/events", content=content, headers=headers, **kwargs)

    async def ready(self, *, is_so: bool = True, within_s: float = PATIENCE_S) -> None:
        """Wait until /readyz says so."""
        async with asyncio.timeout(within_s):
            while True:
                try:
                    if ((await self.client.get("/readyz")).status_code == 200) is is_so:
                        return
                except httpx2.TransportError:
                    assert self.process.poll() is None, self.log.read_text()
                await asyncio.sleep(0.05)


@asynccontextmanager
async def intake_process(
    directory: Path, *, kafka: str, dsn: str, events_topic: str, wait: bool = True, **settings: object
) -> AsyncIterator[Intake]:
    """Start `python -m bellwether_ingest` on a free port; ended with SIGTERM, or by force if that takes too long."""
    port, log = free_port(), directory / f"ingest-{time.monotonic_ns()}.log"
    values = {"port": port, "kafka_bootstrap": kafka, "postgres_dsn": dsn, "events_topic": events_topic, **settings}
    environment = {f"BELLWETHER_INGEST_{name.upper()}": str(value) for name, value in values.items()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bellwether_ingest"],
            env={**os.environ, "BELLWETHER_INGEST_KEY_PEPPER": PEPPER, **environment},
            stdout=output,
            stderr=output,
        )
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            intake = Intake(process, port, log, client)
            if wait:
                await intake.ready()
            yield intake
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def written(bootstrap: str, topic: str, within_s: float = PATIENCE_S) -> list[ConsumerRecord]:
    """Every record of the topic, partition by partition, up to its end at this moment. Raises TimeoutError."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        count = 0
        async with asyncio.timeout(PATIENCE_S):
            while not count:
                count = len(await consumer._client._wait_on_metadata(topic))
        partitions = [TopicPartition(topic, number) for number in range(count)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        async with asyncio.timeout(within_s):
            while any([await consumer.position(one) < ends[one] for one in partitions]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records.extend(batch)
        return records
    finally:
        await consumer.stop()


def mention(event_id: str = "m-1", brand: str = "acme", **changes: Any) -> dict[str, Any]:
    """A small valid event; `changes` replace attributes, `data` is merged."""
    data = {"brand": brand, "channel": "x", "of": brand, "text": "hello", **changes.pop("data", {})}
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/x/accounts/acme",
        "type": "social.mention.v1",
        "time": "2026-01-02T03:04:05Z",
        "data": data,
    }
    return {**event, **changes}


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
