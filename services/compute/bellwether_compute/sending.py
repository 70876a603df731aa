"""Sends the statements of a transaction so that the rows of the next are made while Postgres works on the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

from bellwether.adapters.postgres.pool import Connection


class Sender:
    """Sends statements in order, each once the one before it is answered. Get one from `sending`.

    A method returns when its statement is on its way; what goes wrong with it is raised by the next one, or at the
    end of `sending`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sent: asyncio.Future[object] | None = None

    async def execute(self, query: str, *args: object) -> None:
        """Send a statement whose answer nobody reads."""
        await self._send(partial(self._connection.execute, query, *args))

    async def copy_records_to_table(
        self, table: str, *, records: Iterable[Sequence[Any]], columns: Sequence[str]
    ) -> None:
        """Send rows to a table."""
        await self._send(partial(self._connection.copy_records_to_table, table, records=records, columns=columns))

    async def _send(self, statement: Callable[[], Awaitable[object]]) -> None:
        await self.answered()
        self._sent = asyncio.ensure_future(statement())
        await asyncio.sleep(0)  # in which it is written to the socket

    async def answered(self) -> None:
        """Wait for the answer to what was sent last."""
        if self._sent is not None:
            await self._sent
            self._sent = None

    async def abandon(self) -> None:
        """Give up what was sent last."""
        if self._sent is not None:
            self._sent.cancel()
            await asyncio.gather(self._sent, return_exceptions=True)


Writing: TypeAlias = Connection | Sender


@asynccontextmanager
async def sending(connection: Connection) -> AsyncIterator[Sender]:
    """Lend a sender within a transaction; all that it sent is answered at the end, or the first error is raised."""
    sender = Sender(connection)
    try:
        yield sender
        await sender.answered()
    except BaseException:
        await sender.abandon()
        raise
