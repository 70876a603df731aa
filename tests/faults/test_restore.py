"""Postgres is restored to an earlier state and Kafka is not: compute brings itself to the exact state again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.faults.arena import Arena, open_arena
from tests.faults.profile import Profile
from tests.support.audit import audit
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, dismiss_members, group_of
from tests.support.databases import Topics, database_from
from tests.support.flow import expected_of_log
from tests.support.ledger import make_ledger
from tests.support.log import applied
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

_SLICE = 600
_BATCH = 50
_APPLIED = "SELECT sum(next_offset)::bigint FROM stream_offset"


@pytest.fixture
async def arena(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path
) -> AsyncIterator[Arena]:
    ledger = make_ledger(profile.seed + 13, 3 * _SLICE, int(time.time()))
    async with open_arena(stack, database, topics, tmp_path, ledger) as opened:
        yield opened


@asynccontextmanager
async def copy_of(dsn: str) -> AsyncIterator[str]:
    """The files of a database as they are at this moment, as a database; as soon as nobody is in it any more."""
    connection = await asyncpg.connect(dsn.rpartition("/")[0] + "/postgres")
    name = urlsplit(dsn).path.lstrip("/")
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = $1", name):
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
    async with database_from(dsn.rpartition("/")[0] + "/postgres", name) as copy:
        yield copy


async def killed_in_the_midst(arena: Arena, compute: ComputeProcess) -> None:
    """Kill compute while it works off a slice."""
    before = await arena.fetchval(_APPLIED)
    writing = asyncio.create_task(arena.write(_SLICE))
    async with asyncio.timeout(PATIENCE_S):
        while await arena.fetchval(_APPLIED) == before:
            await asyncio.sleep(0.01)
    await compute.kill()
    await writing
    await dismiss_members(arena.stack.kafka_bootstrap, group_of(arena.topics))


async def test_compute_on_an_earlier_state_replays_the_log_to_the_exact_state(arena: Arena) -> None:
    compute = arena.process(arena.direct, max_events=_BATCH)
    await compute.start()
    await arena.write(_SLICE)
    await arena.caught_up()
    await killed_in_the_midst(arena, compute)
    then = await arena.fetchval(_APPLIED)
    async with copy_of(arena.direct) as restored:
        await compute.start()
        await arena.write(_SLICE)
        await arena.caught_up()
        assert await arena.fetchval(_APPLIED) != then
        await compute.stop()

        # From here on there is what was, and a log and a group of consumers that are ahead of it.
        heir = arena.process(restored, max_events=_BATCH)
        await heir.start()
        await applied(restored, arena.topics.events, arena.writer.written)
        await heir.stop()
        wanted, _ = await expected_of_log(arena.ledger, arena.stack.kafka_bootstrap, arena.topics.events)
        for dsn in (restored, arena.direct):
            found = await audit(dsn, arena.topics.events, wanted)
            assert not found.differences, "\n".join(found.differences)
