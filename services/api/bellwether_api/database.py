"""Reads and changes of Postgres, each bounded in time; while it is away, or too slow, the answer is Unavailable."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from bellwether.adapters.postgres.pool import Connection, Pool, is_transient
from bellwether.domain.errors import Unavailable


@asynccontextmanager
async def reading(pool: Pool) -> AsyncIterator[Connection]:
    """One consistent view for all statements inside. Raises Unavailable."""
    with _away_as_unavailable():
        async with pool.transaction(isolation="repeatable_read", readonly=True) as connection:
            yield connection


@asynccontextmanager
async def asking(pool: Pool) -> AsyncIterator[Connection]:
    """A view for one statement, which needs no transaction around it. Raises Unavailable."""
    with _away_as_unavailable():
        async with pool.connection() as connection:
            yield connection


@asynccontextmanager
async def changing(pool: Pool) -> AsyncIterator[Connection]:
    """One transaction, committed at the end. Raises Unavailable; whether it was committed is then open."""
    with _away_as_unavailable():
        async with pool.transaction() as connection:
            yield connection


@contextmanager
def _away_as_unavailable() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_transient(error):
            raise Unavailable("The database does not answer.") from error
        raise
