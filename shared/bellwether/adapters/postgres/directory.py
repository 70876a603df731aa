"""Tenants, brands and keys as every service knows them: a snapshot in memory, so that no request waits for Postgres.

It is loaded anew when `directory_version` moved (looked at every 2 s, by default) and at once, but at most once a
second, when somebody names a key or a brand that it does not know. While Postgres is away the last one serves on.
"""

import asyncio
import contextlib
import hmac
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Self

import msgspec
import structlog

from bellwether.adapters.postgres.pool import Connection, Pool, Row, is_transient
from bellwether.domain.business_hours import (
    ALWAYS_OPEN,
    BusinessHours,
    ClosedAnswer,
    HolidayText,
    Schedule,
    business_hours,
    schedule_of,
)
from bellwether.domain.errors import Unauthenticated, Unavailable
from bellwether.domain.keys import KEY_ID, Caller, digest, key_id_of, pepper_id
from bellwether.domain.response_times import RESPONSE_TARGET_S, THREAD_GAP_S, ResponseRules
from bellwether.observability import metrics

REFRESH_S = 2.0
AT_ONCE_S = 1.0

_VERSION = "select version from directory_version"
_BRANDS = """
    select brand_id, tenant_id, tenant.slug as tenant, brand.slug, brand.name, time_zone, currency, competitors,
        business_hours::text, holidays::text, closed_answer_policy, response_target_s, thread_gap_s
    from brand join tenant using (tenant_id)
"""
_KEYS = """
    select key_id, tenant_id, tenant.slug as tenant, key_hash, pepper_id, scopes, brands, expires_at
    from api_key join tenant using (tenant_id)
    where revoked_at is null and (expires_at is null or expires_at > now())
"""

_log = structlog.get_logger(__name__)
_week = msgspec.json.Decoder(dict[str, tuple[str, ...]]).decode
_holidays = msgspec.json.Decoder(tuple[HolidayText, ...]).decode


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand of a tenant. `competitors` are the slugs or names that its share of voice is told against.

    schedule, closed_answer, response_target_s, thread_gap_s: the rules of its response times
    """

    brand_id: int
    tenant_id: int
    tenant: str
    slug: str
    name: str
    time_zone: str
    currency: str
    competitors: tuple[str, ...]
    schedule: Schedule = ALWAYS_OPEN
    closed_answer: ClosedAnswer = ClosedAnswer.ZERO
    response_target_s: int = RESPONSE_TARGET_S
    thread_gap_s: int = THREAD_GAP_S

    @property
    def hours(self) -> BusinessHours | None:
        """Its business hours, None where it is always open."""
        return business_hours(self.time_zone, self.schedule)

    @property
    def response_rules(self) -> ResponseRules:
        """By which rules its response times are told."""
        return ResponseRules(self.hours, self.closed_answer, self.response_target_s, self.thread_gap_s)


@dataclass(frozen=True, slots=True)
class _Key:
    caller: Caller
    key_hash: bytes
    pepper_id: str
    expires_at: float  # seconds since 1970, infinity for never


@dataclass(frozen=True, slots=True)
class _Snapshot:
    version: int = -1
    brands: Mapping[tuple[str, str], Brand] = field(default_factory=dict)
    keys: Mapping[str, _Key] = field(default_factory=dict)
    proved: dict[bytes, _Key] = field(default_factory=dict)  # by fingerprint: what need not be proved again


class Directory:
    """Who may call, and for which brands. Open one with `Directory.open`."""

    def __init__(self, pool: Pool, *peppers: str) -> None:
        if not all(peppers):
            raise ValueError("no pepper may be empty")
        self._pool = pool
        self._peppers = {pepper_id(pepper): pepper for pepper in peppers}
        self._snapshot = _Snapshot()
        self._salt = secrets.token_bytes(32)
        self._refreshing: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._tried_at = float("-inf")
        self._answered_at = float("-inf")

    @classmethod
    @asynccontextmanager
    async def open(cls, pool: Pool, *peppers: str, refresh_s: float = REFRESH_S) -> AsyncIterator[Self]:
        """Load a first snapshot and keep it fresh until the block ends.

        Starts with Postgres away too: every caller is then refused with Unavailable until it answered once.
        `peppers`: the current one first, then any that older keys were made with.
        """
        directory = cls(pool, *peppers)
        with contextlib.suppress(Unavailable):
            await directory.refresh()
        keeper = asyncio.create_task(directory._keep_fresh(refresh_s), name="directory")
        try:
            yield directory
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    @property
    def version(self) -> int:
        """The version of the snapshot, -1 before the first."""
        return self._snapshot.version

    def reachable(self, within_s: float = 3 * REFRESH_S) -> bool:
        """Whether there is a snapshot and Postgres confirmed it during the last `within_s` seconds."""
        return self.version >= 0 and time.monotonic() - self._answered_at <= within_s

    def brand(self, tenant: str, slug: str) -> Brand | None:
        """The brand, as far as the snapshot knows; None for another tenant's as for one that never was."""
        return self._snapshot.brands.get((tenant, slug))

    def brands(self, tenant: str) -> list[Brand]:
        """All brands of a tenant, by slug."""
        mine = (brand for brand in self._snapshot.brands.values() if brand.tenant == tenant)
        return sorted(mine, key=lambda brand: brand.slug)

    def every_brand(self) -> list[Brand]:
        """All brands of all tenants, by id."""
        return sorted(self._snapshot.brands.values(), key=lambda brand: brand.brand_id)

    def caller(self, key_id: str) -> Caller | None:
        """Who holds a key that was proved before, as far as the snapshot knows; None where it no longer works."""
        known = self._snapshot.keys.get(key_id)
        return known.caller if known is not None and known.expires_at > time.time() else None

    def authenticate(self, header: str | None) -> Caller:
        """Who sends this Authorization header, by the snapshot alone.

        Raises Unauthenticated, with the same words whatever is wrong, and Unavailable before the first snapshot.
        """
        caller = self._caller(header)
        if caller is None:
            raise Unauthenticated
        return caller

    async def authenticate_fresh(self, header: str | None) -> Caller:
        """As `authenticate`, but a key that is not known is looked up in Postgres before it is refused."""
        caller = self._caller(header)
        if caller is not None:
            return caller
        await self.refresh_soon()
        return self.authenticate(header)

    def _caller(self, header: str | None) -> Caller | None:
        """The caller, None for a well-formed key that the snapshot does not know: a newer one may."""
        key = _key_in(header)
        fingerprint = blake2b(key.encode(), key=self._salt, digest_size=32).digest()
        known = self._snapshot.proved.get(fingerprint)
        if known is None:
            known = self._prove(key)
            if known is None:
                return None
            self._snapshot.proved[fingerprint] = known
        if known.expires_at <= time.time():
            raise Unauthenticated
        return known.caller

    def _prove(self, key: str) -> _Key | None:
        """The record behind a key, None where the snapshot has none. Raises Unauthenticated for a wrong secret."""
        # The id is looked up before the checksum is reckoned: a known one is proved by the digest anyway.
        known = self._snapshot.keys.get(key[KEY_ID])
        if known is None:
            self._check_stranger(key)
            return None
        pepper = self._peppers.get(known.pepper_id)
        if pepper is None or not hmac.compare_digest(digest(pepper, key), known.key_hash):
            raise Unauthenticated
        return known

    def _check_stranger(self, key: str) -> None:
        """Refuse what cannot be a key at all, offline; a newer snapshot may know the others."""
        if key_id_of(key) is None:
            raise Unauthenticated
        if self._snapshot.version < 0:
            raise Unavailable("The directory of keys is not loaded yet.")

    async def brand_fresh(self, tenant: str, slug: str) -> Brand | None:
        """As `brand`, but one that is not known is looked up in Postgres before None is said."""
        if (found := self.brand(tenant, slug)) is None:
            await self.refresh_soon()
            found = self.brand(tenant, slug)
        return found

    async def refresh_soon(self) -> None:
        """Wait for a look at Postgres that begins after this call, one per second at most for all callers together.

        Returns also when Postgres did not answer: the old snapshot then stands.
        """
        asked_at = time.monotonic()
        while self._tried_at < asked_at:
            if self._refreshing is None:
                self._refreshing = asyncio.create_task(self._refresh_at_once(), name="directory-at-once")
            await asyncio.shield(self._refreshing)

    async def refresh(self) -> None:
        """Look at the version and load what changed. Raises Unavailable while Postgres is away."""
        async with self._one_at_a_time:
            self._tried_at = time.monotonic()
            try:
                await self._load_if_moved()
            except Exception as error:
                metrics.DIRECTORY_REFRESH_FAILURES.inc()
                if is_transient(error):
                    raise Unavailable("Postgres does not answer.") from error
                raise
            self._answered_at = time.monotonic()

    async def _load_if_moved(self) -> None:
        if await self._pool.fetchval(_VERSION) != self._snapshot.version:
            async with self._pool.transaction(isolation="repeatable_read", readonly=True) as conn:
                self._snapshot = await _load(conn)

    async def _refresh_at_once(self) -> None:
        try:
            await asyncio.sleep(max(0.0, self._tried_at + AT_ONCE_S - time.monotonic()))
            await self.refresh()
        except Unavailable as error:
            _log.warning("directory is stale", reason=str(error))
        finally:
            self._refreshing = None

    async def _keep_fresh(self, refresh_s: float) -> None:
        while True:
            await asyncio.sleep(refresh_s)
            try:
                await self.refresh()
            except Exception as error:  # noqa: BLE001 - the keeper must outlive whatever the database answers
                _log.warning("directory is stale", reason=str(error) or type(error).__name__)
            metrics.DIRECTORY_AGE.set(time.monotonic() - self._answered_at)


async def _load(conn: Connection) -> _Snapshot:
    version = await conn.fetchval(_VERSION)
    brands = [_brand(row) for row in await conn.fetch(_BRANDS)]
    keys = await conn.fetch(_KEYS)
    return _Snapshot(
        version=version,
        brands={(brand.tenant, brand.slug): brand for brand in brands},
        keys={row["key_id"]: _key(row) for row in keys},
    )


def _brand(row: Row) -> Brand:
    told = dict(row)
    schedule = read_schedule(told.pop("business_hours"), told.pop("holidays"))
    closed_answer = ClosedAnswer(told.pop("closed_answer_policy"))
    return Brand(**{**told, "competitors": tuple(row["competitors"])}, schedule=schedule, closed_answer=closed_answer)


def read_schedule(business_hours: str | None, holidays: str) -> Schedule:
    """A schedule from the columns of the table `brand`, JSON both."""
    return schedule_of(_week(business_hours) if business_hours else None, _holidays(holidays))


def _key(row: Row) -> _Key:
    caller = Caller(
        tenant_id=row["tenant_id"],
        tenant=row["tenant"],
        key_id=row["key_id"],
        scopes=frozenset(row["scopes"]),
        brands=None if row["brands"] is None else frozenset(row["brands"]),
    )
    return _Key(caller, row["key_hash"], row["pepper_id"], _seconds(row["expires_at"]))


def _seconds(moment: datetime | None) -> float:
    return float("inf") if moment is None else moment.timestamp()


def _key_in(header: str | None) -> str:
    scheme, _, key = (header or "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return key.strip()
