"""Alerts to test with: endpoints and routes in the tables, alerts in the outbox, a sender beside the test."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg
import msgspec
from pydantic import SecretStr

from bellwether.adapters.alerting.messages import Address, Secret
from bellwether.adapters.postgres.alerts import write_alerts
from bellwether.adapters.sealing import Sealer
from bellwether.domain.alerts import Alert, Kind, alert_id
from bellwether_compute.alerting import deliver_alerts
from bellwether_compute.settings import Settings
from tests.support.patience import PATIENCE_S
from tests.support.tenancy import make_brands

KEY = "what seals endpoints in tests"
SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl"
LOOPBACK = ("127.0.0.0/8",)
_ENDPOINT = """
    INSERT INTO alert_endpoint (endpoint_id, tenant_id, name, type, shown, sealed, at_once, per_minute)
    VALUES ($1, $2, $1, $3, '', $4, $5, $6)
"""
_ROUTE = "INSERT INTO alert_route (route_id, tenant_id, brand_id, name, document) VALUES ($1, $2, NULL, $1, $3)"


class Desk(NamedTuple):
    """A tenant with a brand, whose alerts are to be delivered."""

    connection: asyncpg.Connection[asyncpg.Record]
    dsn: str
    tenant_id: int
    brand_id: int

    async def endpoint(
        self,
        url: str,
        *,
        kind: str = "webhook",
        at_once: int = 4,
        per_minute: int = 6_000,
    ) -> str:
        """An endpoint; gives its id."""
        name = f"whe_{secrets.token_hex(4)}"
        sealed = Sealer(KEY).seal(msgspec.json.encode(Address(url, (Secret(SECRET),))), name)
        await self.connection.execute(_ENDPOINT, name, self.tenant_id, kind, sealed, at_once, per_minute)
        return name

    async def route(self, *endpoints: str, **document: Any) -> str:
        """A route for all brands; gives its id."""
        name = f"art_{secrets.token_hex(4)}"
        told = msgspec.json.encode({"endpoints": endpoints, **document}).decode()
        await self.connection.execute(_ROUTE, name, self.tenant_id, told)
        return name

    def alert(self, incident: str, kind: Kind = Kind.OPENED, at: int = 1_700_000_000, **fields: Any) -> Alert:
        """An alert of the brand."""
        told: dict[str, Any] = {"severity": 7.0, "title": f"{incident} {kind.value}", **fields}
        name = alert_id(self.brand_id, incident, kind, at)
        told |= {"tenant_id": self.tenant_id, "brand_id": self.brand_id}
        return Alert(id=name, incident=incident, kind=kind, at=at, **told)

    async def write(self, *alerts: Alert) -> None:
        """Alerts into the outbox, in a transaction of their own."""
        async with self.connection.transaction():
            await write_alerts(self.connection, alerts)

    async def messages(self, endpoint: str) -> list[tuple[str, str, str | None]]:
        """State, id and error of the endpoint's messages, in order."""
        rows = await self.connection.fetch(
            "SELECT state, message_id, error FROM alert_message WHERE endpoint_id = $1 ORDER BY seq", endpoint
        )
        return [(row[0], row[1], row[2]) for row in rows]

    async def until(self, condition: str, *args: object) -> None:
        """Wait until an SQL expression is true. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.connection.fetchval(f"SELECT {condition}", *args):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def desk(dsn: str) -> AsyncIterator[Desk]:
    """A desk in an empty database."""
    brands = await make_brands(dsn, "roast", time_zone="Europe/Berlin")
    connection = await asyncpg.connect(dsn)
    try:
        tenant_id = await connection.fetchval("SELECT tenant_id FROM tenant")
        yield Desk(connection, dsn, tenant_id, brands["roast"])
    finally:
        await connection.close()


@asynccontextmanager
async def delivering(dsn: str, **settings: Any) -> AsyncIterator[asyncio.Task[None]]:
    """All that compute runs for alerts, until the block ends; loopback may be reached unless settings say otherwise."""
    own = Settings(postgres_dsn=dsn, alert_key=SecretStr(KEY), **{"alert_networks": LOOPBACK, **settings})
    task = asyncio.create_task(deliver_alerts(own, f"test-{secrets.token_hex(4)}"))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
