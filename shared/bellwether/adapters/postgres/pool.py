"""Connections to Postgres of which every wait ends.

asyncpg alone can wait for ever: on a half-open socket a cancelled query, the return of its connection to the
pool and even the pool's close hang, because the cancel request travels over a socket without a deadline. So each
use of a connection has an outer deadline, and past it the connection is cut, not returned.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from bellwether.domain.errors import Unavailable

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Row: TypeAlias = asyncpg.Record
    RawPool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection
    Row = asyncpg.Record
    RawPool = asyncpg.Pool

_CONNECT_S = 3.0
_RELEASE_S = 1.0
_CLOSE_S = 3.0
_TRANSIENT_SQLSTATES = ("08", "40", "53", "57", "58", "25P03")
_TRANSIENT_TYPES = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError, Unavailable)


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later on a new connection: one outage shows as any of five types."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_TRANSIENT_SQLSTATES)
    return isinstance(error, _TRANSIENT_TYPES)


def refuses_data(error: BaseException) -> bool:
    """Whether Postgres refuses what it was given, and would again: bad data, a broken constraint, a limit."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(("22", "23", "54"))


class Pool:
    """A pool whose connections are had for a limited time only. Open one with `open_pool`."""

    def __init__(self, raw: RawPool, deadline_s: float) -> None:
        self._raw = raw
        self._deadline_s = deadline_s

    @asynccontextmanager
    async def connection(self, deadline_s: float | None = None) -> AsyncIterator[Connection]:
        """Lend a connection for at most `deadline_s` seconds (default: the pool's), the wait for it included.

        Raises TimeoutError past it; the connection is then cut and the pool opens another when one is asked for.
        Any other error while the connection is lent goes through unchanged.
        """
        async with asyncio.timeout(deadline_s or self._deadline_s):
            lent = await self._raw.acquire()
            try:
                yield lent
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError) or is_transient(error):
                    _cut(lent)
                raise
            finally:
                await self._give_back(lent)

    @asynccontextmanager
    async def transaction(
        self, deadline_s: float | None = None, *, isolation: str | None = None, readonly: bool = False
    ) -> AsyncIterator[Connection]:
        """Lend a connection inside one transaction: committed at the end, rolled back on any error."""
        async with self.connection(deadline_s) as lent, _transaction(lent, isolation, readonly):
            yield lent

    async def fetch(self, query: str, *args: object, deadline_s: float | None = None) -> list[Row]:
        """All rows of one statement."""
        async with self.connection(deadline_s) as lent:
            return await lent.fetch(query, *args)

    async def fetchrow(self, query: str, *args: object, deadline_s: float | None = None) -> Row | None:
        """The first row of one statement, None if there is none."""
        async with self.connection(deadline_s) as lent:
            return await lent.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: object, deadline_s: float | None = None) -> Any:
        """The first column of the first row, None if there is none."""
        async with self.connection(deadline_s) as lent:
            return await lent.fetchval(query, *args)

    async def execute(self, query: str, *args: object, deadline_s: float | None = None) -> str:
        """Run one statement; gives Postgres' command tag."""
        async with self.connection(deadline_s) as lent:
            return await lent.execute(query, *args)

    @property
    def in_use(self) -> int:
        """How many connections are lent at this moment."""
        return self._raw.get_size() - self._raw.get_idle_size()

    async def close(self) -> None:
        """Close all connections, by force what does not close within a few seconds."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._raw.close()
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._raw.terminate()

    async def _give_back(self, lent: asyncpg.pool.PoolConnectionProxy[asyncpg.Record]) -> None:
        # Shielded and bounded on its own: the deadline may have passed already, and a leak would be for ever.
        giving = asyncio.ensure_future(self._raw.release(lent, timeout=_RELEASE_S))
        try:
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes as the wait ends.
            async with asyncio.timeout(_RELEASE_S):
                await asyncio.shield(giving)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            _cut(lent)


@asynccontextmanager
async def open_pool(
    dsn: str,
    *,
    application: str = "bellwether",
    max_size: int = 8,
    deadline_s: float = 5.0,
    statement_s: float = 4.0,
    idle_in_transaction_s: float = 5.0,
) -> AsyncIterator[Pool]:
    """Open a pool that works whether or not Postgres is there yet: connections are made when they are asked for.

    `deadline_s` bounds each use of a connection, `statement_s` each statement on the server's side, and
    `idle_in_transaction_s` frees the locks of a client that was stopped inside a transaction.
    """
    raw = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=max_size,
        timeout=_CONNECT_S,
        command_timeout=deadline_s,
        reset=_keep_session,
        server_settings={
            "application_name": application,
            "statement_timeout": f"{statement_s * 1000:.0f}",
            "idle_in_transaction_session_timeout": f"{idle_in_transaction_s * 1000:.0f}",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
            "timezone": "UTC",
        },
    )
    pool = Pool(raw, deadline_s)
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def _transaction(lent: Connection, isolation: str | None, readonly: bool) -> AsyncIterator[None]:
    options: dict[str, Any] = {"readonly": readonly}
    if isolation is not None:
        options["isolation"] = isolation
    async with lent.transaction(**options):
        yield


async def _keep_session(_: Connection) -> None:
    """Save the round trip that resets a session at its return: nothing is ever set for one.

    What a transaction set, locked or opened ends with it, and the pool ends transactions that were left open.
    """


def _cut(lent: asyncpg.pool.PoolConnectionProxy[asyncpg.Record]) -> None:
    # A connection that is closed or returned already has nothing left to cut.
    with contextlib.suppress(asyncpg.InterfaceError):
        lent.terminate()
