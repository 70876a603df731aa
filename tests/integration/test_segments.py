"""Segments of identities on real PostgreSQL: merged, they are fewer and hold the same."""

from __future__ import annotations

import asyncio
import os

from bellwether.adapters.postgres.pool import Pool, open_pool
from bellwether_compute.dedup import Verdict
from bellwether_compute.loading import open_days
from bellwether_compute.retention import merge_segments
from bellwether_compute.state import PartitionState

STREAM, DAY = "segments.test", 20_000
_SEGMENT = "INSERT INTO dedup_segment VALUES ($1, $2, $3, $4, $5, $6)"
_STORED = "SELECT part, event_day, epoch, first_offset, length(entries) AS bytes FROM dedup_segment ORDER BY 1, 2, 3, 4"


async def write(pool: Pool, count: int, entries_each: int, part: int = 0, day: int = DAY) -> list[bytes]:
    """Segments as commits leave them; the identities in them."""
    written = [os.urandom(20 * entries_each) for _ in range(count)]
    rows = [(STREAM, part, day, 3 + number % 2, 100 + number, entries) for number, entries in enumerate(written)]
    async with pool.connection() as connection:
        await connection.executemany(_SEGMENT, rows)
    return [entries[at : at + 16] for entries in written for at in range(0, len(entries), 20)]


async def known(pool: Pool, identities: list[bytes], part: int = 0) -> int:
    """How many of these a worker that claims the partition now has seen."""
    partition = PartitionState(part, 9, 0)
    async with pool.connection() as connection:
        await open_days(connection, STREAM, partition, [DAY * 86_400, (DAY + 1) * 86_400])
    assert len(partition.seen) == len(identities)
    return sum(partition.seen.judge(i, b"", DAY)[0] is not Verdict.NEW for i in identities)


async def test_many_small_segments_become_one_that_holds_the_same(database: str) -> None:
    async with open_pool(database) as pool:
        identities = await write(pool, 40, 3) + await write(pool, 16, 2, day=DAY + 1)
        assert await merge_segments(pool) == 2
        stored = [tuple(row) for row in await pool.fetch(_STORED)]
        assert stored == [(0, DAY, 3, 100, 40 * 60), (0, DAY + 1, 3, 100, 16 * 40)]
        assert await known(pool, identities) == 40 * 3 + 16 * 2
        assert await merge_segments(pool) == 0


async def test_segments_are_merged_up_to_a_size_and_few_are_left_alone(database: str) -> None:
    async with open_pool(database) as pool:
        identities = await write(pool, 40, 5_000)
        few = await write(pool, 15, 1, part=1)
        await merge_segments(pool)
        stored = await pool.fetch(_STORED)
        assert [row["bytes"] for row in stored if row["part"] == 0] == [1_000_000] * 3 + [100_000] * 10
        assert sum(row["part"] == 1 for row in stored) == 15
        assert (await known(pool, identities), await known(pool, few, part=1)) == (200_000, 15)


async def test_workers_that_merge_at_once_while_more_is_written_lose_and_double_nothing(database: str) -> None:
    async with open_pool(database) as pool:
        identities = await write(pool, 200, 4)

        async def go_on() -> None:
            async with pool.connection() as connection:
                for number in range(100):
                    identity = os.urandom(16)
                    await connection.execute(_SEGMENT, STREAM, 0, DAY, 7, number, identity + b"\0\0\0\0")
                    identities.append(identity)

        await asyncio.gather(go_on(), *(merge_segments(pool) for _ in range(3)))
        assert await known(pool, identities) == 900
        await merge_segments(pool)
        assert await known(pool, identities) == 900
        assert len(await pool.fetch(_STORED)) < 16
