"""Campaigns that a brand has declared: times when more is said about it than usual, and welcome."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bellwether.adapters.postgres.pool import Connection
from bellwether.domain.detection import Interval
from bellwether.domain.errors import Invalid, NotFound, UnknownBrand

_DECLARE = """
    INSERT INTO declared_campaign (brand_id, name, starts_at, ends_at)
    SELECT b.brand_id, $3, $4, $5 FROM brand b JOIN tenant t USING (tenant_id) WHERE t.slug = $1 AND b.slug = $2
    ON CONFLICT (brand_id, name) DO UPDATE
    SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, declared_at = now()
"""
_WITHDRAW = """
    DELETE FROM declared_campaign d USING brand b, tenant t
    WHERE d.brand_id = b.brand_id AND b.tenant_id = t.tenant_id AND t.slug = $1 AND b.slug = $2 AND d.name = $3
"""
_LIST = """
    SELECT d.name, to_timestamp(d.starts_at) AT TIME ZONE 'UTC', to_timestamp(d.ends_at) AT TIME ZONE 'UTC'
    FROM declared_campaign d JOIN brand b USING (brand_id) JOIN tenant t USING (tenant_id)
    WHERE t.slug = $1 AND b.slug = $2 ORDER BY d.starts_at, d.name
"""

_OF_BRAND = "SELECT starts_at, ends_at FROM declared_campaign WHERE brand_id = $1 ORDER BY 1, 2"


class Campaign(NamedTuple):
    """From when until when; moments in UTC, without a zone."""

    name: str
    starts: datetime
    ends: datetime


async def declare_campaign(
    connection: Connection, tenant: str, brand: str, name: str, starts: datetime, ends: datetime
) -> None:
    """Declare a campaign, or move the one of that name. Raises UnknownBrand, Invalid where it ends before it starts."""
    if ends <= starts:
        raise Invalid("a campaign ends after it starts")
    moments = int(starts.timestamp()), int(ends.timestamp())
    if await connection.execute(_DECLARE, tenant, brand, name, *moments) != "INSERT 0 1":
        raise UnknownBrand(f"There is no brand {brand} of {tenant}.")


async def withdraw_campaign(connection: Connection, tenant: str, brand: str, name: str) -> None:
    """Forget a campaign. Raises NotFound."""
    if await connection.execute(_WITHDRAW, tenant, brand, name) != "DELETE 1":
        raise NotFound(f"There is no campaign {name} of {brand}.")


async def list_campaigns(connection: Connection, tenant: str, brand: str) -> list[Campaign]:
    """The campaigns of a brand, the earliest first."""
    return [Campaign(*row) for row in await connection.fetch(_LIST, tenant, brand)]


async def campaigns_of(connection: Connection, brand_id: int) -> list[Interval]:
    """When a brand expects more talk than usual, ascending; UTC seconds."""
    return [(row[0], row[1]) for row in await connection.fetch(_OF_BRAND, brand_id)]
