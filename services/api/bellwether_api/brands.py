"""Brands in Postgres: made, read and changed. Every one belongs to the caller's tenant."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from bellwether.adapters.postgres.directory import Brand, Directory
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.domain.business_hours import WEEKDAYS
from bellwether.domain.errors import AlreadyExists, Conflict, Fault, Invalid, Refused, Unavailable, UnknownBrand
from bellwether.domain.keys import Caller
from bellwether_api.conditional import require_match
from bellwether_api.database import changing, reading
from bellwether_api.idempotency import Kept, claim, keep
from bellwether_api.requests import BrandChanges, NewBrand
from bellwether_api.shapes import BrandOut, BrandPage, HolidayOut

_SETTINGS = (
    "name, time_zone, currency, competitors, business_hours, holidays, closed_answer_policy, response_target_s, "
    "thread_gap_s"
)
_COLUMNS = f"slug, {_SETTINGS}, version, created_at, updated_at"
_PAGE = f"""
    SELECT {_COLUMNS} FROM brand
    WHERE tenant_id = $1 AND slug > $2 COLLATE "C" AND ($3::text[] IS NULL OR slug = any($3))
    ORDER BY slug COLLATE "C" LIMIT $4
"""
_ONE = f"SELECT {_COLUMNS} FROM brand WHERE brand_id = $1"
_LOCKED = f"{_ONE} FOR UPDATE"
_INSERT = f"""
    INSERT INTO brand (tenant_id, slug, {_SETTINGS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (tenant_id, slug) DO NOTHING RETURNING {_COLUMNS}
"""
_UPDATE = f"""
    UPDATE brand SET ({_SETTINGS}) = ($2, $3, $4, $5, $6, $7, $8, $9, $10), version = version + 1, updated_at = now()
    WHERE brand_id = $1 RETURNING {_COLUMNS}
"""
_FIXED = ("time_zone", "currency")
"""What can change only while nothing is counted."""
_HAS_ROLLUPS = """
    SELECT EXISTS (SELECT FROM rollup_minute WHERE brand_id = $1)
        OR EXISTS (SELECT FROM rollup_hour WHERE brand_id = $1)
        OR EXISTS (SELECT FROM rollup_day WHERE brand_id = $1)
"""
_JSON = ("business_hours", "holidays")
_CREATED = 201
_SLUG = re.compile("[a-z0-9][a-z0-9-]{0,62}")


class Made(NamedTuple):
    """A brand that was made, now or by the first of several equal requests."""

    brand: BrandOut
    body: bytes
    replayed: bool


class Brands:
    """The brands of all tenants; each call is for one caller."""

    def __init__(self, pool: Pool, directory: Directory, idempotency_s: float) -> None:
        self._pool = pool
        self._directory = directory
        self._idempotency_s = idempotency_s

    async def page(self, who: Caller, after: str, limit: int) -> BrandPage:
        """Brands whose slug comes after the given one, in order of bytes."""
        named = None if who.brands is None else sorted(who.brands)
        async with reading(self._pool) as connection:
            rows = await connection.fetch(_PAGE, who.tenant_id, after, named, limit + 1)
        items = [_brand(row) for row in rows[:limit]]
        return BrandPage(items, cursor(items[-1].slug) if len(rows) > limit else None)

    async def read(self, brand: Brand) -> BrandOut:
        """The brand as it stands in Postgres, which the directory follows within seconds."""
        async with reading(self._pool) as connection:
            return await _existing(connection, _ONE, brand)

    async def create(self, who: Caller, new: NewBrand, key: str | None) -> Made:
        """Make a brand, once for each Idempotency-Key.

        Raises AlreadyExists for a slug that is taken, Refused for one that the key may not see,
        Invalid for a key used for another request, Unavailable.
        """
        if not who.sees(new.slug):
            raise Refused("This API key is limited to certain brands.")
        async with changing(self._pool) as connection:
            made = await self._create(connection, who.tenant_id, new, key)
        await self._show()
        return made

    async def _create(self, connection: Connection, tenant_id: int, new: NewBrand, key: str | None) -> Made:
        if key is not None:
            fingerprint = sha256(b"POST /v1/brands " + new.model_dump_json().encode()).digest()
            kept = await claim(connection, tenant_id, key, fingerprint, self._idempotency_s)
            if kept is not None:
                return Made(msgspec.json.decode(kept.body, type=BrandOut), kept.body, replayed=True)
        brand = await _insert(connection, tenant_id, new)
        body = msgspec.json.encode(brand)
        if key is not None:
            await keep(connection, tenant_id, key, Kept(_CREATED, body))
        return Made(brand, body, replayed=False)

    async def change(self, brand: Brand, changes: BrandChanges, if_match: str | None) -> BrandOut:
        """Change what is given. Nothing new leaves the version as it is.

        Raises StaleVersion where If-Match names another version, Conflict for another time
        zone or currency once something is counted, Invalid, Unavailable.
        """
        async with changing(self._pool) as connection:
            now = await _existing(connection, _LOCKED, brand)
            require_match(if_match, now.version)
            wanted = msgspec.convert({**msgspec.to_builtins(now), **changes.changes()}, BrandOut)
            if wanted == now:
                return now
            await _check(connection, brand, now, wanted)
            changed = await _existing(connection, _UPDATE, brand, *_settings(msgspec.to_builtins(wanted)))
        await self._show()
        return changed

    async def _show(self) -> None:
        """Let this process see the change at once; the others look for themselves."""
        try:
            await self._directory.refresh()
        except Unavailable:
            return


async def _insert(connection: Connection, tenant_id: int, new: NewBrand) -> BrandOut:
    row = await connection.fetchrow(_INSERT, tenant_id, new.slug, *_settings(new.model_dump(mode="json")))
    if row is None:
        raise AlreadyExists("There is a brand with this slug.", faults=(Fault("/slug", "is taken"),))
    return _brand(row)


async def _existing(connection: Connection, query: str, brand: Brand, *written: object) -> BrandOut:
    row = await connection.fetchrow(query, brand.brand_id, *written)
    if row is None:
        raise UnknownBrand
    return _brand(row)


async def _check(connection: Connection, brand: Brand, now: BrandOut, wanted: BrandOut) -> None:
    if brand.slug in wanted.competitors:
        fault = Fault("/competitors", "a brand cannot be its own competitor")
        raise Invalid("Some values are not valid.", faults=(fault,))
    fixed = [name for name in _FIXED if getattr(wanted, name) != getattr(now, name)]
    if fixed and await connection.fetchval(_HAS_ROLLUPS, brand.brand_id):
        detail = "Days and money are already counted in the present time zone and currency; they can no longer change."
        raise Conflict(detail, faults=tuple(Fault(f"/{name}", "cannot change any more") for name in fixed))


def _settings(told: Mapping[str, Any]) -> list[Any]:
    """What can change of a brand, as its columns hold it."""
    return [_as_json(told[name]) if name in _JSON else told[name] for name in _SETTINGS.split(", ")]


def _as_json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _brand(row: Row) -> BrandOut:
    told = dict(row)
    week, holidays = (msgspec.json.decode(told.pop(name) or b"null") for name in _JSON)
    in_order = None if week is None else {weekday: week.get(weekday, []) for weekday in WEEKDAYS}
    return BrandOut(**told, business_hours=in_order, holidays=msgspec.convert(holidays, list[HolidayOut]))


def cursor(slug: str) -> str:
    """The cursor of a page that begins after a slug."""
    return base64.urlsafe_b64encode(slug.encode()).decode().rstrip("=")


def parse_cursor(text: str) -> str:
    """The slug of a cursor. Raises ValueError for what `cursor` did not make."""
    try:
        slug = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except ValueError:  # not base64, or not ASCII
        slug = ""
    if not _SLUG.fullmatch(slug) or cursor(slug) != text:
        raise ValueError("must be the `next` of a page")
    return slug
