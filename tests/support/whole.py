"""All of Bellwether on the test's servers: three services, a tenant and a key for everything."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import msgspec

from bellwether.adapters.postgres.keys import create_key
from bellwether.domain.keys import Scope
from bellwether_cli.stack.folder import open_folder
from bellwether_cli.stack.services import Services, Wiring, running_services
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.log import applied, initialise_stream
from tests.support.tenancy import TENANT

_BATCH = 1_000
PEPPER = "a pepper of the tests"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
"""Real data beside the checkout; tests that need it are skipped where it is absent."""


@dataclass(frozen=True, slots=True)
class Bellwether:
    """The running services, and how to reach them as a partner would."""

    services: Services
    key: str

    @property
    def dsn(self) -> str:
        """The database of this test."""
        return self.services.wiring.postgres_dsn

    async def get(self, path: str, **params: str) -> Any:
        """The JSON of an API path; fails for any status but 200."""
        async with httpx2.AsyncClient(timeout=30) as client:
            answer = await client.get(self.services.api.url + path, params=params, headers=self.headers)
        assert answer.status_code == httpx2.codes.OK, answer.text
        return answer.json()

    @property
    def headers(self) -> dict[str, str]:
        """What names the caller."""
        return {"Authorization": f"Bearer {self.key}"}

    async def replay(self, *arguments: str) -> str:
        """Run `bellwether replay` and wait until all that it sent is applied; gives what it printed."""
        before = await self._written()
        urls = {
            "BELLWETHER_KEY": self.key,
            "BELLWETHER_INGEST_URL": self.services.ingest.url,
            "BELLWETHER_API_URL": self.services.api.url,
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bellwether_cli", "replay", *arguments),
            env={**os.environ, **urls},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()
        accepted = int(out.decode().split(" accepted")[0].split()[-1].replace(",", ""))
        await applied(self.dsn, self.services.wiring.events_topic, before + accepted)
        return out.decode()

    async def create_brand(self, slug: str, **settings: object) -> None:
        """Create a brand over the API."""
        async with httpx2.AsyncClient(timeout=30, headers=self.headers) as client:
            body = {"slug": slug, "name": slug, **settings}
            answer = await client.post(f"{self.services.api.url}/v1/brands", json=body)
        assert answer.status_code == httpx2.codes.CREATED, answer.text

    async def send(self, events: Sequence[Mapping[str, object]]) -> None:
        """Send events to the intake, all of which it must accept, and wait until they are applied."""
        before = await self._written()
        kind = {"Content-Type": "application/cloudevents-batch+json"}
        async with httpx2.AsyncClient(timeout=30, headers={**self.headers, **kind}) as client:
            for start in range(0, len(events), _BATCH):
                batch = events[start : start + _BATCH]
                url = f"{self.services.ingest.url}/v1/events"
                answer = await client.post(url, content=msgspec.json.encode(batch))
                assert answer.status_code == httpx2.codes.ACCEPTED, answer.text
                assert answer.json()["accepted"] == len(batch), answer.text
        await applied(self.dsn, self.services.wiring.events_topic, before + len(events))

    async def _written(self) -> int:
        connection = await asyncpg.connect(self.dsn)
        try:
            found = await connection.fetchval("SELECT coalesce(sum(next_offset), 0)::bigint FROM stream_offset")
        finally:
            await connection.close()
        return int(found)


@asynccontextmanager
async def bellwether(
    stack: Servers, database: str, topics: Topics, path: Path, settings: Mapping[str, Mapping[str, str]] | None = None
) -> AsyncIterator[Bellwether]:
    """Start everything on the test's database and topics, and stop it at the end."""
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    key = await _key(database)
    names = (topics.events, topics.quarantine, topics.updates)
    wiring = Wiring(stack.kafka_bootstrap, database, PEPPER, *names)
    compute = {"group": f"compute-{topics.events}", "session_timeout_s": "6"}
    more = {**(settings or {}), "compute": {**compute, **(settings or {}).get("compute", {})}}
    with open_folder(path / "services") as folder:
        async with running_services(folder, wiring, settings=more) as services:
            yield Bellwether(services, key)


async def _key(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        tenant_id = await connection.fetchval(
            "INSERT INTO tenant (slug, name) VALUES ($1, $1) RETURNING tenant_id", TENANT
        )
        scopes = (Scope.ADMIN, Scope.EVENTS_WRITE, Scope.KPIS_READ, Scope.KPIS_WRITE)
        return await create_key(connection, tenant_id, "everything", scopes, None, None, PEPPER)
    finally:
        await connection.close()
