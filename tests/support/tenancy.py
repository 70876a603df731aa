"""Tenants and brands to test with."""

from __future__ import annotations

import asyncpg

TENANT = "acme"


async def make_brands(dsn: str, *slugs: str, time_zone: str = "UTC", tenant: str = TENANT) -> dict[str, int]:
    """Create a tenant, unless it is there, and brands of it; gives their ids by slug."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "INSERT INTO tenant (slug, name) VALUES ($1, $1) ON CONFLICT (slug) DO NOTHING", tenant
        )
        rows = await connection.fetch(
            """
            INSERT INTO brand (tenant_id, slug, name, time_zone)
            SELECT tenant_id, s, s, $3 FROM tenant, unnest($2::text[]) AS s WHERE slug = $1
            RETURNING slug, brand_id
            """,
            tenant,
            list(slugs),
            time_zone,
        )
    finally:
        await connection.close()
    return {row["slug"]: row["brand_id"] for row in rows}
