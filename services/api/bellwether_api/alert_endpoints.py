"""Endpoints of alerts in Postgres: made, changed, proved. Their addresses and secrets are sealed."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from bellwether.adapters.alerting import alertmanager, services
from bellwether.adapters.alerting.addresses import Forbidden, Network, destination, judged
from bellwether.adapters.alerting.messages import Address, Secret
from bellwether.adapters.alerting.webhooks import new_secret
from bellwether.adapters.postgres.alert_watch import write_to_endpoint
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.adapters.sealing import Sealer
from bellwether.domain.alerts import Alert, Kind, alert_id
from bellwether.domain.errors import Conflict, Fault, Invalid, Refused, UnknownEndpoint
from bellwether.domain.keys import Caller
from bellwether_api.alert_requests import EndpointChanges, NewEndpoint, Rotation
from bellwether_api.alert_shapes import EndpointList, EndpointMade, EndpointOut, Written
from bellwether_api.conditional import require_match
from bellwether_api.database import changing, reading
from bellwether_api.idempotency import Kept, claim, keep

_COLUMNS = (
    "endpoint_id AS id, name, type, shown, at_once, per_minute, disabled_at IS NOT NULL AS disabled, disabled_why, "
    "delivered_at, failed_at, version, created_at, updated_at"
)
_ALL = f"SELECT {_COLUMNS} FROM alert_endpoint WHERE tenant_id = $1 ORDER BY created_at, endpoint_id"
_ONE = f"SELECT {_COLUMNS}, sealed FROM alert_endpoint WHERE tenant_id = $1 AND endpoint_id = $2"
_LOCKED = f"{_ONE} FOR UPDATE"
_COUNT = "SELECT count(*) FROM alert_endpoint WHERE tenant_id = $1"
_INSERT = f"""
    INSERT INTO alert_endpoint (tenant_id, endpoint_id, name, type, shown, sealed, at_once, per_minute)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}
"""
_UPDATE = f"""
    UPDATE alert_endpoint SET name = $3, shown = $4, sealed = $5, at_once = $6, per_minute = $7,
        disabled_at = CASE WHEN $8 THEN coalesce(disabled_at, now()) END,
        disabled_why = CASE WHEN $8 THEN coalesce(disabled_why, 'somebody disabled it') END,
        not_before = NULL, version = version + 1, updated_at = now()
    WHERE tenant_id = $1 AND endpoint_id = $2 RETURNING {_COLUMNS}
"""
_DELETE = "DELETE FROM alert_endpoint WHERE tenant_id = $1 AND endpoint_id = $2 RETURNING true"
_NOT_SENT = "UPDATE alert_message SET state = 'unneeded' WHERE endpoint_id = $1 AND state = 'waiting'"
_NAMED = "SELECT name FROM alert_route WHERE tenant_id = $1 AND document LIKE '%' || $2 || '%' LIMIT 1"
_MOST = 100
_CREATED = 201
_ALPHABET = string.digits + string.ascii_letters


class Made(NamedTuple):
    """An endpoint that was made, now or by the first of several equal requests."""

    made: EndpointMade
    replayed: bool


class Endpoints:
    """The endpoints of all tenants; each call is for one caller, whose key is for all brands."""

    def __init__(
        self, pool: Pool, sealer: Sealer, allowed: Sequence[Network], idempotency_s: float, now: Callable[[], float]
    ) -> None:
        self._pool = pool
        self._sealer = sealer
        self._allowed = allowed
        self._idempotency_s = idempotency_s
        self._now = now

    async def all(self, who: Caller) -> EndpointList:
        """All endpoints, the oldest first."""
        tenant_id = whole_tenant(who)
        async with reading(self._pool) as connection:
            return EndpointList([_out(row) for row in await connection.fetch(_ALL, tenant_id)])

    async def read(self, who: Caller, endpoint: str) -> EndpointOut:
        """One endpoint. Raises UnknownEndpoint."""
        async with reading(self._pool) as connection:
            return _out(await existing(connection, _ONE, whole_tenant(who), endpoint))

    async def create(self, who: Caller, new: NewEndpoint, key: str | None) -> Made:
        """Make an endpoint, once for each Idempotency-Key; the secret is told the first time only.

        Raises Invalid for an address that nothing is sent to, Conflict where there are 100, Unavailable.
        """
        tenant_id, url = whole_tenant(who), new.url.get_secret_value()
        shown = await self._check(new.type, url)
        async with changing(self._pool) as connection:
            if key is not None:
                told = new.model_dump_json(exclude={"url"}).encode() + url.encode()
                fingerprint = sha256(b"POST /v1/webhook-endpoints " + told).digest()
                kept = await claim(connection, tenant_id, key, fingerprint, self._idempotency_s)
                if kept is not None:
                    return Made(msgspec.json.decode(kept.body, type=EndpointMade), replayed=True)
            made = await self._insert(connection, tenant_id, new, shown)
            if key is not None:
                without = msgspec.json.encode(EndpointMade(made.endpoint, None))  # no table holds a secret
                await keep(connection, tenant_id, key, Kept(_CREATED, without))
        return Made(made, replayed=False)

    async def _insert(self, connection: Connection, tenant_id: int, new: NewEndpoint, shown: str) -> EndpointMade:
        if await connection.fetchval(_COUNT, tenant_id) >= _MOST:
            raise Conflict(f"There are {_MOST} endpoints, which is the most.")
        name = new_id("whe")
        secret = new_secret() if new.type == "webhook" else None
        address = Address(new.url.get_secret_value(), (Secret(secret),) if secret else ())
        limits = new.at_once, new.per_minute
        sealed = self._seal(name, address)
        row = await connection.fetchrow(_INSERT, tenant_id, name, new.name, new.type, shown, sealed, *limits)
        assert row is not None  # noqa: S101 - an insert that returns
        return EndpointMade(_out(row), secret)

    async def change(self, who: Caller, endpoint: str, changes: EndpointChanges, if_match: str | None) -> EndpointOut:
        """Change what is given. Raises UnknownEndpoint, StaleVersion, Invalid, Unavailable."""
        tenant_id, given = whole_tenant(who), changes.model_dump(exclude_unset=True)
        url = given.pop("url", None)
        async with reading(self._pool) as connection:
            known = await existing(connection, _ONE, tenant_id, endpoint)
        shown = await self._check(known["type"], url.get_secret_value()) if url else None
        async with changing(self._pool) as connection:
            row = await existing(connection, _LOCKED, tenant_id, endpoint)
            require_match(if_match, row["version"])
            sealed = row["sealed"]
            if url:
                opened = self._open(endpoint, sealed)
                sealed = self._seal(endpoint, Address(url.get_secret_value(), opened.secrets))
            return await _update(
                connection, tenant_id, row, {**given, "sealed": sealed, "shown": shown or row["shown"]}
            )

    async def rotate(self, who: Caller, endpoint: str, rotation: Rotation) -> EndpointMade:
        """A new secret; the one before it signs, too, for as long as is asked. Raises UnknownEndpoint, Conflict."""
        tenant_id = whole_tenant(who)
        async with changing(self._pool) as connection:
            row = await existing(connection, _LOCKED, tenant_id, endpoint)
            if row["type"] != "webhook":
                raise Conflict("Only webhooks have a secret of ours.")
            address, until = self._open(endpoint, row["sealed"]), int(self._now()) + rotation.keep_old_s
            old = [Secret(one.text, until) for one in address.secrets[:1]] if rotation.keep_old_s else []
            fresh = new_secret()
            sealed = self._seal(endpoint, Address(address.url, (Secret(fresh), *old)))
            return EndpointMade(await _update(connection, tenant_id, row, {"sealed": sealed}), fresh)

    async def delete(self, who: Caller, endpoint: str) -> None:
        """Delete an endpoint and drop what waits for it. Raises UnknownEndpoint, Conflict where a route names it."""
        tenant_id = whole_tenant(who)
        async with changing(self._pool) as connection:
            await existing(connection, _LOCKED, tenant_id, endpoint)
            if await connection.fetchval(_NAMED, tenant_id, endpoint):
                raise Conflict("A route sends alerts to it.")
            await connection.fetchval(_DELETE, tenant_id, endpoint)
            await connection.execute(_NOT_SENT, endpoint)

    async def test(self, who: Caller, endpoint: str) -> Written:
        """Write an alert for this endpoint alone, whatever routes say. Raises UnknownEndpoint."""
        tenant_id, now = whole_tenant(who), int(self._now())
        alert = Alert(
            id=alert_id(0, "", Kind.TEST, now, new_id(endpoint)),
            tenant_id=tenant_id,
            brand_id=0,
            incident="",
            kind=Kind.TEST,
            severity=0.0,
            at=now,
            title="A test: alerts arrive here",
        )
        async with changing(self._pool) as connection:
            await existing(connection, _ONE, tenant_id, endpoint)
            await write_to_endpoint(connection, alert, endpoint)
        return Written(alert.id)

    async def _check(self, kind: str, url: str) -> str:
        """What may be shown of an address. Raises Invalid for one that nothing is sent to."""
        try:
            if kind == "apprise":
                await services.judge(url, self._allowed)
                return f"{services.scheme(url)}://"
            place = destination(alertmanager.url(url) if kind == "alertmanager" else url)
            await judged(place, self._allowed)
        except Forbidden as error:
            raise Invalid("Some values are not valid.", faults=(Fault("/url", str(error)),)) from None
        except OSError:
            raise Invalid("Some values are not valid.", faults=(Fault("/url", "does not resolve"),)) from None
        return f"{place.scheme}://{place.authority}"

    def _seal(self, endpoint: str, address: Address) -> bytes:
        return self._sealer.seal(msgspec.json.encode(address), endpoint)

    def _open(self, endpoint: str, sealed: bytes) -> Address:
        return msgspec.json.decode(self._sealer.open(sealed, endpoint), type=Address)


def whole_tenant(who: Caller) -> int:
    """The caller's tenant. Raises Refused for a key that is limited to brands: alerts of others go there, too."""
    if who.brands is not None:
        raise Refused("This API key is limited to certain brands.")
    return who.tenant_id


def new_id(prefix: str) -> str:
    """A fresh id that nobody can guess."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(16))}"


async def existing(connection: Connection, query: str, tenant_id: int, endpoint: str) -> Row:
    """The endpoint's row. Raises UnknownEndpoint."""
    row = await connection.fetchrow(query, tenant_id, endpoint)
    if row is None:
        raise UnknownEndpoint
    return row


async def _update(connection: Connection, tenant_id: int, row: Row, given: dict[str, Any]) -> EndpointOut:
    wanted = {**dict(row), **given}
    names = "name", "shown", "sealed", "at_once", "per_minute", "disabled"
    changed = await connection.fetchrow(_UPDATE, tenant_id, row["id"], *(wanted[name] for name in names))
    assert changed is not None  # noqa: S101 - it is locked
    return _out(changed)


def _out(row: Row) -> EndpointOut:
    return msgspec.convert({name: value for name, value in row.items() if name != "sealed"}, EndpointOut)
