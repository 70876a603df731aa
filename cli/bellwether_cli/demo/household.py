"""What the demo needs before its first event: a tenant, a key, brands."""

from collections.abc import Iterable
from dataclasses import dataclass

from bellwether.adapters.postgres.keys import create_key
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.postgres.tenants import create_tenant, tenant_id
from bellwether.domain.errors import AlreadyExists
from bellwether.domain.keys import Scope
from bellwether_cli.api import BrandSpec, create_brand, open_api
from bellwether_cli.stack.system import System

TENANT = "demo"


@dataclass(frozen=True, slots=True)
class Household:
    """The demo's tenant in a running system."""

    ingest: str
    api: str
    compute: str
    key: str


async def move_in(system: System, brands: Iterable[BrandSpec]) -> Household:
    """Make tenant, key and brands; what is there from an earlier demo in the same data directory stays."""
    key = await _key(system)
    services = system.services
    async with open_api(services.api.url, key) as client:
        for brand in brands:
            await create_brand(client, brand)
    return Household(services.ingest.url, services.api.url, services.compute.url, key)


async def _key(system: System) -> str:
    async with open_pool(system.stack.postgres_dsn) as pool, pool.connection() as conn:
        try:
            tenant = await create_tenant(conn, TENANT, "Demo")
        except AlreadyExists:
            tenant = await tenant_id(conn, TENANT)
        return await create_key(conn, tenant, "demo", [*Scope], None, None, system.stack.key_pepper)
