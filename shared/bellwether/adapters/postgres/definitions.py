"""What every tenant defines itself, as services know it: a snapshot in memory that follows Postgres within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import msgspec
import structlog

from bellwether.adapters.postgres.pool import Pool, is_transient
from bellwether.catalogue.own import BUILT_IN, Edition, TenantCatalogue, tenant_catalogue
from bellwether.domain.errors import Unavailable

REFRESH_S = 1.0

_VERSION = "SELECT version FROM own_definitions_version"
_CURRENT = "SELECT tenant_id, max(version) AS version FROM own_definitions GROUP BY tenant_id"
_EDITIONS = """
    SELECT tenant_id, version, edition FROM own_definitions
    JOIN unnest($1::int[], $2::int[]) AS wanted(tenant_id, version) USING (tenant_id, version)
"""
_decode = msgspec.json.Decoder(Edition).decode
_log = structlog.get_logger(__name__)


def encode_edition(edition: Edition) -> bytes:
    """An edition as it is stored."""
    return msgspec.json.encode(edition)


def decode_edition(stored: bytes) -> Edition:
    """The edition that `encode_edition` wrote. Raises msgspec.DecodeError for other bytes."""
    return _decode(stored)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    version: int = -1
    by_tenant: Mapping[int, TenantCatalogue] = field(default_factory=dict)


class Definitions:
    """The catalogues of all tenants. Open one with `Definitions.open`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._snapshot = _Snapshot()
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, pool: Pool, refresh_s: float = REFRESH_S) -> AsyncIterator[Self]:
        """Load a first snapshot and keep it fresh until the block ends. Starts with Postgres away, too."""
        definitions = cls(pool)
        await definitions._try()
        keeper = asyncio.create_task(definitions._keep_fresh(refresh_s), name="definitions")
        try:
            yield definitions
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    @property
    def version(self) -> int:
        """The version of the snapshot, -1 before the first."""
        return self._snapshot.version

    def by_tenant(self) -> Mapping[int, TenantCatalogue]:
        """The catalogues of the tenants that define something; a snapshot that never changes."""
        return self._snapshot.by_tenant

    def of(self, tenant_id: int) -> TenantCatalogue:
        """The catalogue of a tenant; the built-in one as far as it defines nothing."""
        return self._snapshot.by_tenant.get(tenant_id, BUILT_IN)

    async def refresh(self) -> None:
        """Load what changed. Raises Unavailable while Postgres is away."""
        async with self._one_at_a_time:
            try:
                await self._load_if_moved()
            except Exception as error:
                if is_transient(error):
                    raise Unavailable("Postgres does not answer.") from error
                raise

    async def _load_if_moved(self) -> None:
        if await self._pool.fetchval(_VERSION) == self._snapshot.version:
            return
        async with self._pool.transaction(isolation="repeatable_read", readonly=True) as connection:
            version = await connection.fetchval(_VERSION)
            current = {row["tenant_id"]: row["version"] for row in await connection.fetch(_CURRENT)}
            known = self._snapshot.by_tenant
            moved = {t: v for t, v in current.items() if t not in known or known[t].version != v}
            rows = await connection.fetch(_EDITIONS, list(moved), list(moved.values()))
        made = {row["tenant_id"]: _catalogue(row["edition"], row["version"]) for row in rows}
        kept = {tenant_id: known[tenant_id] for tenant_id in current.keys() - made.keys()}
        self._snapshot = _Snapshot(version, {**kept, **made})

    async def _keep_fresh(self, refresh_s: float) -> None:
        while True:
            await asyncio.sleep(refresh_s)
            await self._try()

    async def _try(self) -> None:
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001 - the keeper must outlive whatever the database answers
            _log.warning("own definitions are stale", reason=str(error) or type(error).__name__)


def _catalogue(stored: bytes, version: int) -> TenantCatalogue:
    catalogue = tenant_catalogue(decode_edition(stored), version)
    if catalogue.left_out:
        _log.error("own KPIs cannot be read any more", keys=catalogue.left_out)
    return catalogue
