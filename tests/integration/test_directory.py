"""Tenants, brands and keys between Postgres and the memory of a service, and connections of which every wait ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from bellwether.adapters.http.auth import authorize, visible_brand
from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.keys import create_key, list_keys, revoke_key, rotate_key
from bellwether.adapters.postgres.pool import Pool, is_transient, open_pool
from bellwether.domain.errors import Invalid, MissingScope, Unauthenticated, Unavailable, UnknownBrand, UnknownKey
from bellwether.domain.keys import Scope, new_key
from tests.support.backends import Servers
from tests.support.intake import FOREIGN_BRAND, PEPPER, TENANT, Keys, free_port, populate
from tests.support.patience import PATIENCE_S
from tests.support.proxy import Proxy, proxy_to


@pytest.fixture
async def keys(database: str) -> Keys:
    return await populate(database)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with open_pool(database) as opened:
        yield opened


@pytest.fixture
async def directory(pool: Pool, keys: Keys) -> AsyncIterator[Directory]:
    async with Directory.open(pool, PEPPER, refresh_s=0.1) as opened:
        yield opened


def bearer(key: str) -> str:
    return f"Bearer {key}"


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def tenant_id(pool: Pool) -> int:
    return int(await pool.fetchval("select tenant_id from tenant where slug = $1", TENANT))


async def test_a_key_names_its_caller(directory: Directory, keys: Keys) -> None:
    caller = directory.authenticate(f"bearer   {keys.only_acme} ")
    assert (caller.tenant, caller.scopes) == (TENANT, frozenset({"events:write"}))
    assert caller.brands == frozenset({"acme"})
    assert caller.key_id == keys.only_acme[3:15]


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic x", "Bearer bw_x", pytest.param(f"Bearer {new_key()}", id="unknown")],
)
async def test_no_other_header_does(directory: Directory, header: str | None) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await directory.authenticate_fresh(header)
    assert (type(refused.value), refused.value.detail) == (Unauthenticated, "")


async def test_expired_revoked_and_falsified_keys_are_nobodys(directory: Directory, keys: Keys) -> None:
    other_secret = new_key()
    forged = keys.writer[:16] + other_secret[16:]
    for key in (keys.expired, keys.revoked, forged):
        with pytest.raises(Unauthenticated):
            directory.authenticate(bearer(key))


async def test_a_key_that_expires_is_refused_at_its_moment(directory: Directory, pool: Pool) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=1.5)
    async with pool.connection() as conn:
        key = await create_key(conn, await tenant_id(pool), "short", ["kpis:read"], None, ends, PEPPER)
    assert (await directory.authenticate_fresh(bearer(key))).tenant == TENANT

    def is_refused() -> bool:
        try:
            directory.authenticate(bearer(key))
        except Unauthenticated:
            return True
        return False

    await until(is_refused)
    assert datetime.now(UTC) >= ends


async def test_a_brand_of_another_tenant_is_not_there(directory: Directory, keys: Keys) -> None:
    found = directory.brand(TENANT, "acme")
    assert found is not None
    assert (found.tenant, found.slug, found.time_zone, found.currency, found.competitors) == (
        TENANT,
        "acme",
        "UTC",
        "USD",
        (),
    )
    assert directory.brand(TENANT, FOREIGN_BRAND) is None
    assert [brand.slug for brand in directory.brands(TENANT)] == ["acme", "globex"]
    assert len(directory.every_brand()) == 3
    caller = directory.authenticate(bearer(keys.only_acme))
    assert (await visible_brand(directory, caller, "acme")).slug == "acme"
    for slug in ("globex", FOREIGN_BRAND, "nobody"):
        with pytest.raises(UnknownBrand):
            await visible_brand(directory, caller, slug)


async def test_a_scope_that_the_key_lacks_is_named(directory: Directory, keys: Keys) -> None:
    assert (await authorize(directory, bearer(keys.reader), Scope.KPIS_READ)).tenant == TENANT
    with pytest.raises(MissingScope) as refused:
        await authorize(directory, bearer(keys.reader), Scope.ADMIN)
    assert refused.value.scope == "admin"


async def test_what_changes_in_postgres_is_noticed(directory: Directory, pool: Pool, keys: Keys) -> None:
    before = directory.version
    await pool.execute("update brand set currency = 'EUR', competitors = '{globex}' where slug = 'acme'")
    async with pool.connection() as conn:
        await revoke_key(conn, await tenant_id(pool), keys.writer[3:15])
    await until(lambda: directory.version == before + 2)
    found = directory.brand(TENANT, "acme")
    assert found is not None
    assert (found.currency, found.competitors) == ("EUR", ("globex",))
    with pytest.raises(Unauthenticated):
        directory.authenticate(bearer(keys.writer))


async def test_an_unknown_key_or_brand_is_looked_up_at_once_but_not_more_than_once_a_second(
    pool: Pool, keys: Keys
) -> None:
    async with Directory.open(pool, PEPPER, refresh_s=60) as directory:
        async with pool.connection() as conn:
            key = await create_key(conn, await tenant_id(pool), "new", ["kpis:read"], None, None, PEPPER)
            await conn.execute(
                "insert into brand (tenant_id, slug, name) values ($1, 'new', 'N')", await tenant_id(pool)
            )
        found = await asyncio.gather(*(directory.authenticate_fresh(bearer(key)) for _ in range(50)))
        assert {caller.key_id for caller in found} == {key[3:15]}
        assert await directory.brand_fresh(TENANT, "new") is not None
        started = time.monotonic()
        assert await asyncio.gather(*(directory.brand_fresh(TENANT, f"no-{n}") for n in range(50))) == [None] * 50
        assert time.monotonic() - started < 5


async def test_keys_are_listed_and_rotated_with_an_overlap(directory: Directory, pool: Pool, keys: Keys) -> None:
    ours = await tenant_id(pool)
    async with pool.connection() as conn:
        successor = await rotate_key(conn, ours, keys.only_acme[3:15], PEPPER, overlap_s=0.3)
        listed = {record.key_id: record for record in await list_keys(conn, ours)}
        with pytest.raises(UnknownKey):
            await rotate_key(conn, ours, keys.revoked[3:15], PEPPER)
        with pytest.raises(UnknownKey):
            await revoke_key(conn, ours, keys.foreign[3:15])
    assert listed[successor[3:15]].brands == ("acme",)
    assert listed[successor[3:15]].scopes == ("events:write",)
    assert listed[keys.revoked[3:15]].revoked_at is not None
    assert listed[keys.only_acme[3:15]].expires_at is not None
    assert (await directory.authenticate_fresh(bearer(successor))).brands == frozenset({"acme"})


async def test_no_table_holds_a_key(pool: Pool, keys: Keys) -> None:
    rows = await pool.fetch("select * from api_key")
    text = " ".join(str(value) for row in rows for value in row.values())
    assert not any(secret[16:] in text for secret in (keys.writer, keys.foreign))
    assert PEPPER not in text


async def test_a_pepper_is_rotated_without_a_refused_request(pool: Pool, keys: Keys) -> None:
    async with pool.connection() as conn:
        new = await create_key(conn, await tenant_id(pool), "new", ["kpis:read"], None, None, "a newer pepper")
    async with Directory.open(pool, "a newer pepper", PEPPER) as both:
        assert both.authenticate(bearer(new)).tenant == both.authenticate(bearer(keys.writer)).tenant
    async with Directory.open(pool, "a newer pepper") as one:
        assert one.authenticate(bearer(new)).tenant == TENANT
        with pytest.raises(Unauthenticated):
            one.authenticate(bearer(keys.writer))


async def test_a_key_needs_known_scopes_and_brands_of_its_tenant(pool: Pool, keys: Keys) -> None:
    ours = await tenant_id(pool)
    async with pool.connection() as conn:
        for scopes in ([], ["events:delete"], ["kpis:read", ""]):
            with pytest.raises(Invalid):
                await create_key(conn, ours, "x", scopes, None, None, PEPPER)
        with pytest.raises(UnknownBrand):
            await create_key(conn, ours, "x", ["kpis:read"], [FOREIGN_BRAND], None, PEPPER)


async def test_a_directory_serves_on_while_postgres_is_away(stack: Servers, database: str, keys: Keys) -> None:
    async with (
        proxied(database) as (proxy, dsn),
        open_pool(dsn, deadline_s=1) as pool,
        Directory.open(pool, PEPPER, refresh_s=0.1) as directory,
    ):
        assert directory.reachable()
        proxy.silence()
        await until(lambda: not directory.reachable(within_s=2))
        assert directory.authenticate(bearer(keys.writer)).tenant == TENANT
        with pytest.raises(Unauthenticated):
            await directory.authenticate_fresh(bearer(new_key()))
        proxy.heal()
        await until(lambda: directory.reachable(within_s=0.5))


async def test_a_directory_without_postgres_is_unavailable_and_not_wrong(keys: Keys) -> None:
    dsn = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    async with open_pool(dsn) as pool, Directory.open(pool, PEPPER) as directory:
        assert not directory.reachable()
        with pytest.raises(Unavailable):
            await directory.authenticate_fresh(bearer(keys.writer))


def test_a_directory_without_a_pepper_does_not_start() -> None:
    with pytest.raises(ValueError, match="pepper"):
        Directory(Pool(None, 1.0), "")  # type: ignore[arg-type]


def proxied(dsn: str) -> ProxiedDsn:
    return ProxiedDsn(dsn)


class ProxiedDsn:
    """A silent-able way to the same database."""

    def __init__(self, dsn: str) -> None:
        self._parts = urlsplit(dsn)
        assert self._parts.hostname is not None
        assert self._parts.port is not None
        self._proxy = proxy_to(self._parts.hostname, self._parts.port)

    async def __aenter__(self) -> tuple[Proxy, str]:
        proxy = await self._proxy.__aenter__()
        login = self._parts.netloc.rpartition("@")[0]
        return proxy, urlunsplit(self._parts._replace(netloc=f"{login}@127.0.0.1:{proxy.port}"))

    async def __aexit__(self, *error: object) -> None:
        await self._proxy.__aexit__(None, None, None)


async def test_a_silent_server_ends_every_call_and_costs_no_connection(stack: Servers, database: str) -> None:
    async with proxied(database) as (proxy, dsn), open_pool(dsn, deadline_s=1, max_size=3) as pool:
        assert await pool.fetchval("select 1") == 1
        proxy.silence()
        started = time.monotonic()
        results = await asyncio.gather(*(pool.fetchval("select 2") for _ in range(6)), return_exceptions=True)
        assert all(isinstance(one, Exception) and is_transient(one) for one in results)
        assert time.monotonic() - started < 5.5
        proxy.heal()
        async with asyncio.timeout(PATIENCE_S):
            while not await answers(pool):
                pass
        assert pool.in_use == 0
        assert await asyncio.gather(*(pool.fetchval("select 3") for _ in range(6))) == [3] * 6


async def answers(pool: Pool) -> bool:
    try:
        return bool(await pool.fetchval("select 1") == 1)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


async def test_a_cancelled_use_costs_no_connection(pool: Pool) -> None:
    for _ in range(30):
        sleeping = asyncio.create_task(pool.execute("select pg_sleep(60)"))
        await until(lambda: pool.in_use == 1)
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping
    await until(lambda: pool.in_use == 0)
    assert await pool.fetchval("select 1") == 1


async def test_a_transaction_is_all_or_nothing(pool: Pool) -> None:
    async def half() -> None:
        async with pool.transaction() as conn:
            await conn.execute("insert into tenant (slug, name) values ('t', 'T')")
            await conn.execute("select 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await half()
    assert await pool.fetchval("select count(*) from tenant") == 0


async def test_an_error_of_the_statement_is_not_transient_and_keeps_the_connection(pool: Pool) -> None:
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await pool.execute("insert into directory_version default values")
    assert not is_transient(refused.value)
    assert is_transient(asyncpg.DeadlockDetectedError("x"))
    assert is_transient(ConnectionRefusedError())
    assert pool.in_use == 0


async def test_a_statement_that_runs_too_long_is_ended_by_the_server(database: str) -> None:
    async with open_pool(database, statement_s=0.2) as pool:
        with pytest.raises(asyncpg.QueryCanceledError):
            await pool.execute("select pg_sleep(60)")


async def test_a_directory_ends_at_whatever_moment_of_its_refresh(pool: Pool, keys: Keys) -> None:
    async with asyncio.timeout(PATIENCE_S):
        for step in range(100):
            async with Directory.open(pool, PEPPER, refresh_s=0):
                await asyncio.sleep(step % 40 * 0.0005)  # a cancellation may come at any of its awaits
