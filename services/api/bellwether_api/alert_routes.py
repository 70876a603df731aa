"""Routes of alerts in Postgres: made, replaced, deleted, by version."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.domain.alerts import Route
from bellwether.domain.business_hours import WEEKDAYS
from bellwether.domain.errors import Conflict, Fault, Invalid, UnknownRoute
from bellwether.domain.keys import Caller
from bellwether_api.alert_endpoints import new_id, whole_tenant
from bellwether_api.alert_requests import AlertRouteIn
from bellwether_api.alert_shapes import AlertRouteList, AlertRouteOut, QuietOut
from bellwether_api.conditional import require_match
from bellwether_api.database import changing, reading
from bellwether_api.idempotency import Kept, claim, keep

_COLUMNS = (
    "route_id AS id, name, (SELECT slug FROM brand WHERE brand.brand_id = alert_route.brand_id) AS brand, document, "
    "version, created_at, updated_at"
)
_ALL = f"SELECT {_COLUMNS} FROM alert_route WHERE tenant_id = $1 ORDER BY created_at, route_id"
_ONE = f"SELECT {_COLUMNS} FROM alert_route WHERE tenant_id = $1 AND route_id = $2"
_LOCKED = f"{_ONE} FOR UPDATE"
_COUNT = "SELECT count(*) FROM alert_route WHERE tenant_id = $1"
_INSERT = f"""
    INSERT INTO alert_route (tenant_id, route_id, name, brand_id, document) VALUES ($1, $2, $3, $4, $5)
    RETURNING {_COLUMNS}
"""
_UPDATE = f"""
    UPDATE alert_route SET name = $3, brand_id = $4, document = $5, version = version + 1, updated_at = now()
    WHERE tenant_id = $1 AND route_id = $2 RETURNING {_COLUMNS}
"""
_DELETE = "DELETE FROM alert_route WHERE tenant_id = $1 AND route_id = $2 RETURNING true"
_BRAND = "SELECT brand_id FROM brand WHERE tenant_id = $1 AND slug = $2"
# Kept from being deleted until the route that names them is there.
_ENDPOINTS = "SELECT endpoint_id FROM alert_endpoint WHERE tenant_id = $1 AND endpoint_id = ANY($2) FOR SHARE"
_MOST = 200
_CREATED = 201


class MadeRoute(NamedTuple):
    """A route that was made, now or by the first of several equal requests."""

    route: AlertRouteOut
    body: bytes
    replayed: bool


class AlertRoutes:
    """The routes of all tenants; each call is for one caller, whose key is for all brands."""

    def __init__(self, pool: Pool, idempotency_s: float) -> None:
        self._pool = pool
        self._idempotency_s = idempotency_s

    async def all(self, who: Caller) -> AlertRouteList:
        """All routes, the oldest first."""
        tenant_id = whole_tenant(who)
        async with reading(self._pool) as connection:
            return AlertRouteList([_out(row) for row in await connection.fetch(_ALL, tenant_id)])

    async def read(self, who: Caller, route: str) -> AlertRouteOut:
        """One route. Raises UnknownRoute."""
        async with reading(self._pool) as connection:
            return _out(await _existing(connection, _ONE, whole_tenant(who), route))

    async def create(self, who: Caller, new: AlertRouteIn, key: str | None) -> MadeRoute:
        """Make a route, once for each Idempotency-Key. Raises Invalid, Conflict where there are 200, Unavailable."""
        tenant_id = whole_tenant(who)
        async with changing(self._pool) as connection:
            if key is not None:
                fingerprint = sha256(b"POST /v1/alert-routes " + new.model_dump_json().encode()).digest()
                kept = await claim(connection, tenant_id, key, fingerprint, self._idempotency_s)
                if kept is not None:
                    return MadeRoute(msgspec.json.decode(kept.body, type=AlertRouteOut), kept.body, replayed=True)
            if await connection.fetchval(_COUNT, tenant_id) >= _MOST:
                raise Conflict(f"There are {_MOST} routes, which is the most.")
            made = await _write(connection, _INSERT, tenant_id, new_id("art"), new)
            body = msgspec.json.encode(made)
            if key is not None:
                await keep(connection, tenant_id, key, Kept(_CREATED, body))
        return MadeRoute(made, body, replayed=False)

    async def replace(self, who: Caller, route: str, new: AlertRouteIn, if_match: str | None) -> AlertRouteOut:
        """Put another route in its place. Raises UnknownRoute, StaleVersion, Invalid, Unavailable."""
        tenant_id = whole_tenant(who)
        async with changing(self._pool) as connection:
            require_match(if_match, (await _existing(connection, _LOCKED, tenant_id, route))["version"])
            return await _write(connection, _UPDATE, tenant_id, route, new)

    async def delete(self, who: Caller, route: str) -> None:
        """Delete a route. Raises UnknownRoute."""
        async with changing(self._pool) as connection:
            if not await connection.fetchval(_DELETE, whole_tenant(who), route):
                raise UnknownRoute


async def _write(connection: Connection, query: str, tenant_id: int, route: str, new: AlertRouteIn) -> AlertRouteOut:
    brand_id = await _brand(connection, tenant_id, new.brand)
    known = {row[0] for row in await connection.fetch(_ENDPOINTS, tenant_id, [*new.endpoints, *new.escalate_to])}
    faults = [
        Fault(f"/{name}/{place}", "is no endpoint")
        for name in ("endpoints", "escalate_to")
        for place, endpoint in enumerate(getattr(new, name))
        if endpoint not in known
    ]
    if faults:
        raise Invalid("Some values are not valid.", faults=tuple(faults))
    document = msgspec.json.encode(new.document()).decode()
    row = await connection.fetchrow(query, tenant_id, route, new.name, brand_id, document)
    assert row is not None  # noqa: S101 - it is locked, or new
    return _out(row)


async def _brand(connection: Connection, tenant_id: int, slug: str | None) -> int | None:
    found: int | None = await connection.fetchval(_BRAND, tenant_id, slug) if slug else None
    if slug and found is None:
        raise Invalid("Some values are not valid.", faults=(Fault("/brand", "is no brand"),))
    return found


async def _existing(connection: Connection, query: str, tenant_id: int, route: str) -> Row:
    row = await connection.fetchrow(query, tenant_id, route)
    if row is None:
        raise UnknownRoute
    return row


def _out(row: Row) -> AlertRouteOut:
    told = dict(row)
    route = msgspec.convert({**msgspec.json.decode(told.pop("document")), "id": told["id"]}, Route)
    document = msgspec.to_builtins(route)
    document["quiet"] = [
        QuietOut(f"{one.start:%H:%M}", f"{one.end:%H:%M}", [WEEKDAYS[day] for day in one.days]) for one in route.quiet
    ]
    del document["brand_id"]
    return msgspec.convert({**document, **told}, AlertRouteOut)
