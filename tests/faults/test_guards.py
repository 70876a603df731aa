"""The log is not the one that the offsets belong to: compute stops, says so, and counts nothing of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from bellwether.adapters.kafka.topics import Topic, create_topics
from tests.faults.arena import Arena, open_arena
from tests.faults.profile import Profile
from tests.support.audit import audit
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess
from tests.support.databases import PARTITIONS, database_from, fresh_topics
from tests.support.flow import expected_of_log
from tests.support.ledger import make_ledger

pytestmark = [pytest.mark.fault, pytest.mark.timeout(240)]

_SLICE = 400
_HALTS_WITHIN_S = 45
_COUNTED = "SELECT (SELECT sum(next_offset) FROM stream_offset) + (SELECT count(*) FROM rollup_minute)"

Scenario = Callable[[Arena], Awaitable[None]]


@asynccontextmanager
async def admin_of(arena: Arena) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=arena.stack.kafka_bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def halted(process: ComputeProcess, *reasons: str) -> None:
    """All partitions are stopped for these reasons, and the process says so to whoever asks."""
    await process.says("/readyz", "halted: ", _HALTS_WITHIN_S)
    async with asyncio.timeout(_HALTS_WITHIN_S):
        while await halts(process, *reasons) < PARTITIONS:
            await asyncio.sleep(0.1)
    answer = await process.get("/readyz")
    assert answer
    assert answer.status_code == 503


async def halts(process: ComputeProcess, *reasons: str) -> float:
    return sum([await process.metric(f'bellwether_halted_partitions{{reason="{reason}"}}') for reason in reasons])


async def recreate(arena: Arena) -> None:
    """Delete the topic and make another one under its name."""
    topic = arena.topics.events
    async with admin_of(arena) as admin:
        await admin.delete_topics([topic])
    async with asyncio.timeout(20):
        while topic not in await create_topics(arena.stack.kafka_bootstrap, [Topic(topic, PARTITIONS)]):
            await asyncio.sleep(0.1)


async def started(arena: Arena) -> ComputeProcess:
    process = arena.process(arena.direct)
    await process.start()
    return process


async def of_another_cluster(arena: Arena) -> None:
    await arena.write(_SLICE)
    await arena.fetchval("UPDATE stream_guard SET cluster_id = 'another'")
    await halted(await started(arena), "cluster")
    assert await arena.fetchval(_COUNTED) == 0


async def of_more_partitions(arena: Arena) -> None:
    async with admin_of(arena) as admin:
        await admin.create_partitions({arena.topics.events: NewPartitions(total_count=PARTITIONS + 1)})
    await halted(await started(arena), "partitions")
    assert await arena.fetchval(_COUNTED) == 0


async def of_fewer_records(arena: Arena) -> None:
    await after_recreation(arena, _SLICE // 20, "range", alive=False)


async def of_other_records(arena: Arena) -> None:
    await after_recreation(arena, 4 * _SLICE, "fingerprint", alive=False)


async def of_other_records_while_it_works(arena: Arena) -> None:
    await after_recreation(arena, 4 * _SLICE, "fingerprint", "range", alive=True)


async def after_recreation(arena: Arena, count: int, *reasons: str, alive: bool) -> None:
    """Events are applied, the topic is made anew, other events are written: none of them counts."""
    process = await started(arena)
    await arena.write(_SLICE)
    await arena.caught_up()
    if not alive:
        await process.kill()
    wanted, _ = await expected_of_log(arena.ledger, arena.stack.kafka_bootstrap, arena.topics.events)
    await recreate(arena)
    await arena.write(count)
    if not alive:
        await process.start()
    await halted(process, *reasons)
    found = await audit(arena.direct, arena.topics.events, wanted)
    assert not found.differences, "\n".join(found.differences)


SCENARIOS: list[Scenario] = [of_another_cluster, of_more_partitions, of_fewer_records, of_other_records]
# It takes as long as the client keeps what it knows of topics, half a minute.
LONG_SCENARIOS: list[Scenario] = [of_other_records_while_it_works]


async def test_a_log_that_is_not_the_known_one_stops_compute_and_counts_nothing(
    stack: Servers, template_database: str, profile: Profile, tmp_path: Path
) -> None:
    """All at once: most of each is waiting, since compute gives a broker that has just started time to know its log."""

    async def tried(scenario: Scenario, number: int) -> None:
        ledger = make_ledger(profile.seed + 10 + number, 6 * _SLICE, int(time.time()))
        path = tmp_path / scenario.__name__
        path.mkdir()
        async with (
            database_from(stack.postgres_dsn, template_database) as database,
            fresh_topics(stack.kafka_bootstrap) as topics,
            open_arena(stack, database, topics, path, ledger) as arena,
        ):
            await scenario(arena)

    scenarios = SCENARIOS + (LONG_SCENARIOS if profile.is_long else [])
    async with asyncio.TaskGroup() as group:
        for number, scenario in enumerate(scenarios):
            group.create_task(tried(scenario, number), name=scenario.__name__)
