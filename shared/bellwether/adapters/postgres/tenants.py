"""Tenants in Postgres: who owns brands and keys."""

from dataclasses import dataclass
from datetime import datetime

from bellwether.adapters.postgres.pool import Connection
from bellwether.domain.errors import AlreadyExists, UnknownTenant

_INSERT = "insert into tenant (slug, name) values ($1, $2) on conflict (slug) do nothing returning tenant_id"
_ID = "select tenant_id from tenant where slug = $1"
_LIST = """
    select slug, name, created_at, (select count(*) from brand where brand.tenant_id = tenant.tenant_id) as brands
    from tenant order by slug
"""


@dataclass(frozen=True, slots=True)
class TenantRecord:
    """A tenant and how many brands it has."""

    slug: str
    name: str
    created_at: datetime
    brands: int


async def create_tenant(conn: Connection, slug: str, name: str) -> int:
    """Make a tenant and give its id. Raises AlreadyExists where there is one of that slug."""
    made: int | None = await conn.fetchval(_INSERT, slug, name)
    if made is None:
        raise AlreadyExists(f"There is a tenant {slug} already.")
    return made


async def tenant_id(conn: Connection, slug: str) -> int:
    """The id of the tenant. Raises UnknownTenant."""
    found: int | None = await conn.fetchval(_ID, slug)
    if found is None:
        raise UnknownTenant(f"There is no tenant {slug}.")
    return found


async def list_tenants(conn: Connection) -> list[TenantRecord]:
    """All tenants, by slug."""
    return [TenantRecord(**dict(row)) for row in await conn.fetch(_LIST)]
