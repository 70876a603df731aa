"""API keys in Postgres. The key itself is shown once, by `create_key`, and is in no table, log or backup."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.domain.errors import Fault, Invalid, UnknownBrand, UnknownKey
from bellwether.domain.keys import Scope, digest, key_id_of, new_key, pepper_id

_COLUMNS = "key_id, name, scopes, brands, created_at, expires_at, revoked_at"
_INSERT = """
    insert into api_key (key_id, tenant_id, name, key_hash, pepper_id, scopes, brands, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_LIST = f"select {_COLUMNS} from api_key where tenant_id = $1 order by created_at, key_id"
_ONE = f"select {_COLUMNS} from api_key where tenant_id = $1 and key_id = $2 for update"
_REVOKE = "update api_key set revoked_at = now() where tenant_id = $1 and key_id = $2 and revoked_at is null"
_EXPIRE = """
    update api_key set expires_at = least(coalesce(expires_at, 'infinity'), now() + $3 * interval '1 second')
    where tenant_id = $1 and key_id = $2
"""
_BRANDS = "select slug from brand where tenant_id = $1 and slug = any($2)"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What may be shown of a key. `brands` is None where it may act for all; times are UTC."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    brands: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


async def create_key(
    conn: Connection,
    tenant_id: int,
    name: str,
    scopes: Sequence[str],
    brands: Sequence[str] | None,
    expires_at: datetime | None,
    pepper: str,
) -> str:
    """Make a key and give it: the only moment at which it can be read.

    Raises Invalid for an unknown or empty list of scopes and UnknownBrand for a brand that is not the tenant's.
    """
    _check_scopes(scopes)
    await _check_brands(conn, tenant_id, brands)
    key = new_key()
    stored_brands = None if brands is None else sorted(set(brands))
    stored = digest(pepper, key), pepper_id(pepper), sorted(set(scopes)), stored_brands, expires_at
    await conn.execute(_INSERT, key_id_of(key), tenant_id, name, *stored)
    return key


async def list_keys(conn: Connection, tenant_id: int) -> list[KeyRecord]:
    """All keys of a tenant, revoked and expired ones too, oldest first."""
    return [_record(row) for row in await conn.fetch(_LIST, tenant_id)]


async def revoke_key(conn: Connection, tenant_id: int, key_id: str) -> None:
    """End a key for good; running services notice within seconds. Repeating it changes nothing.

    Raises UnknownKey where the tenant has no such key.
    """
    await _existing(conn, tenant_id, key_id)
    await conn.execute(_REVOKE, tenant_id, key_id)


async def rotate_key(conn: Connection, tenant_id: int, key_id: str, pepper: str, *, overlap_s: float = 86_400.0) -> str:
    """Make a successor with the same name, scopes and brands; the old key works for `overlap_s` seconds more.

    Raises UnknownKey where the tenant has no such key or it is revoked.
    """
    async with conn.transaction():
        old = await _existing(conn, tenant_id, key_id)
        if old.revoked_at is not None:
            raise UnknownKey(f"The key {key_id} is revoked.")
        key = await create_key(conn, tenant_id, old.name, old.scopes, old.brands, old.expires_at, pepper)
        await conn.execute(_EXPIRE, tenant_id, key_id, overlap_s)
    return key


def _check_scopes(scopes: Sequence[str]) -> None:
    known = {str(scope) for scope in Scope}
    wrong = [scope for scope in scopes if scope not in known]
    if wrong or not scopes:
        choice = ", ".join(sorted(known))
        raise Invalid(f"Scopes are one or more of {choice}.", faults=(Fault("/scopes", "unknown or empty"),))


async def _check_brands(conn: Connection, tenant_id: int, brands: Sequence[str] | None) -> None:
    if brands is None:
        return
    found = {row["slug"] for row in await conn.fetch(_BRANDS, tenant_id, list(brands))}
    missing = sorted(set(brands) - found)
    if missing:
        raise UnknownBrand(f"No such brand: {', '.join(missing)}.")


async def _existing(conn: Connection, tenant_id: int, key_id: str) -> KeyRecord:
    row = await conn.fetchrow(_ONE, tenant_id, key_id)
    if row is None:
        raise UnknownKey(f"There is no key {key_id}.")
    return _record(row)


def _record(row: Row) -> KeyRecord:
    return KeyRecord(
        key_id=row["key_id"],
        name=row["name"],
        scopes=tuple(row["scopes"]),
        brands=None if row["brands"] is None else tuple(row["brands"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
