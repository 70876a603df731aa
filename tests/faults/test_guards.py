"""The log is not the one that the offsets belong to: compute stops, says so, and counts nothing of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from typer.testing import CliRunner

from bellwether.adapters.kafka.topics import Topic, create_topics
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.standing import go_on
from bellwether.domain.errors import Conflict
from bellwether_cli.__main__ import app
from tests.faults.arena import Arena, open_arena
from tests.faults.profile import Profile
from tests.support.audit import audit
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess
from tests.support.databases import PARTITIONS, database_from, fresh_topics
from tests.support.flow import expected_of_log
from tests.support.http_flow import log_size
from tests.support.ledger import Entry, make_ledger
from tests.support.log import applied
from tests.support.oracle import Logged, Oracle
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.fault, pytest.mark.timeout(240)]

_SLICE = 400
_MOVED_ASIDE = 10**12
"""So far the places of a lost log are moved, as operations.md says."""
_HALTS_WITHIN_S = 90
_COUNTED = "SELECT (SELECT sum(next_offset) FROM stream_offset) + (SELECT count(*) FROM rollup_minute)"
_ONE_COMMAND = asyncio.Lock()
"""What reads a command's output takes the output of the whole process."""

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
    assert (await readiness(process)).status_code == 503


async def readiness(process: ComputeProcess) -> httpx2.Response:
    """What the process answers about itself, as soon as it finds time to."""
    async with asyncio.timeout(_HALTS_WITHIN_S):
        while (answer := await process.get("/readyz")) is None:
            await asyncio.sleep(0.1)
    return answer


async def halts(process: ComputeProcess, *reasons: str) -> float:
    return sum([await process.metric(f'bellwether_halted_partitions{{reason="{reason}"}}') for reason in reasons])


async def recreate(arena: Arena) -> None:
    """Delete the topic and make another one under its name."""
    topic = arena.topics.events
    async with admin_of(arena) as admin:
        await admin.delete_topics([topic])
    async with asyncio.timeout(PATIENCE_S):
        while topic not in await create_topics(arena.stack.kafka_bootstrap, [Topic(topic, PARTITIONS)]):
            await asyncio.sleep(0.1)


async def started(arena: Arena) -> ComputeProcess:
    process = arena.process(arena.direct)
    await process.start()
    return process


async def of_another_cluster(arena: Arena) -> None:
    await arena.write(_SLICE)
    await arena.fetchval("UPDATE stream_guard SET cluster_id = 'another'")
    process = await started(arena)
    await halted(process, "cluster")
    assert await arena.fetchval(_COUNTED) == 0
    await process.kill()
    await decided(arena, lost=[])


async def of_more_partitions(arena: Arena) -> None:
    async with admin_of(arena) as admin:
        await admin.create_partitions({arena.topics.events: NewPartitions(total_count=PARTITIONS + 1)})
    await halted(await started(arena), "partitions")
    assert await arena.fetchval(_COUNTED) == 0
    with pytest.raises(Conflict, match="make it anew with the old one"):
        async with open_pool(arena.direct) as pool:
            await go_on(pool, arena.stack.kafka_bootstrap, arena.topics.events, range(PARTITIONS))


async def of_fewer_records(arena: Arena) -> None:
    await after_recreation(arena, _SLICE // 20, "range", alive=False)


async def of_as_many_records(arena: Arena) -> None:
    """The same records once more, written at another moment: the offsets are those of the lost log."""
    again = [entry._replace(recorded_ms=entry.recorded_ms + 1) for entry in arena.ledger.entries[:_SLICE]]
    await after_recreation(arena, again, "fingerprint", alive=False)


async def of_other_records(arena: Arena) -> None:
    await after_recreation(arena, 4 * _SLICE, "fingerprint", alive=False)


async def of_other_records_while_it_works(arena: Arena) -> None:
    await after_recreation(arena, 4 * _SLICE, "fingerprint", "range", alive=True)


async def after_recreation(arena: Arena, new: int | list[Entry], *reasons: str, alive: bool) -> None:
    """Events are applied, the topic is made anew, others are written: none counts until an operator accepts them."""
    process = await started(arena)
    await arena.write(_SLICE)
    await arena.caught_up()
    if not alive:
        await process.kill()
    wanted, lost = await expected_of_log(arena.ledger, arena.stack.kafka_bootstrap, arena.topics.events)
    await recreate(arena)
    await (arena.write(new) if isinstance(new, int) else arena.writer.write(new))
    if not alive:
        await process.start()
    await halted(process, *reasons)
    found = await audit(arena.direct, arena.topics.events, wanted)
    assert not found.differences, "\n".join(found.differences)
    await process.kill()
    await decided(arena, lost)


async def decided(arena: Arena, lost: list[Logged]) -> None:
    """The log is accepted by command: all of it counts, once, beside what the lost one has counted."""
    assert len((await told(arena, "list")).splitlines()) == 1 + PARTITIONS
    told_of = await told(arena, "accept", "--all")
    assert told_of.count("goes on at") == PARTITIONS
    assert await told(arena, "accept", "--all") == "nothing is halted\n"
    process = await started(arena)
    await applied(arena.direct, arena.topics.events, await log_size(arena.stack.kafka_bootstrap, arena.topics.events))
    assert not await differences_with(arena, lost)
    await process.kill()


async def differences_with(arena: Arena, lost: list[Logged]) -> list[str]:
    """What is not as the oracle says of the lost log and the one that is there; offsets are those of the latter."""
    _, records = await expected_of_log(arena.ledger, arena.stack.kafka_bootstrap, arena.topics.events)
    oracle = Oracle(arena.ledger.zones, arena.ledger.spoiled)
    for record in [*(r._replace(offset=r.offset - _MOVED_ASIDE) for r in lost), *records]:
        oracle.take(record)
    found = await audit(arena.direct, arena.topics.events, oracle.expected())
    return [words for words in found.differences if not words.startswith("offsets:")]


async def told(arena: Arena, command: str, *words: str) -> str:
    """What `bellwether partitions` prints."""
    servers = ("--kafka", arena.stack.kafka_bootstrap, "--postgres", arena.direct, "--topic", arena.topics.events)
    async with _ONE_COMMAND:
        result = await asyncio.to_thread(CliRunner().invoke, app, ["partitions", command, *words, *servers])
    assert result.exit_code == 0, result.output
    return result.stdout


async def of_records_that_expired_unread(arena: Arena) -> None:
    """Compute is away for longer than the log is kept: it says how many records it has not seen, and skips none."""
    process = await started(arena)
    await arena.write(_SLICE)
    await arena.caught_up()
    await process.kill()
    wanted, seen = await expected_of_log(arena.ledger, arena.stack.kafka_bootstrap, arena.topics.events)
    ends = Counter(record.part for record in seen)
    await arena.write(2 * _SLICE)
    gone = {part: 3 + part for part in range(PARTITIONS)}
    async with admin_of(arena) as admin:
        places = {TopicPartition(arena.topics.events, part): ends[part] + gone[part] for part in gone}
        await admin.delete_records({tp: RecordsToDelete(offset) for tp, offset in places.items()})
    await process.start()
    await halted(process, "range")
    words = (await readiness(process)).text
    assert all(f"partition {part} holds" in words and f", {n} records are gone" in words for part, n in gone.items())
    found = await audit(arena.direct, arena.topics.events, wanted)
    assert not found.differences, "\n".join(found.differences)
    await process.kill()
    accepted = (await told(arena, "accept", *map(str, gone))).splitlines()
    assert accepted == [
        f"partition {part}: range; {n} records are gone; goes on at {ends[part] + n}" for part, n in gone.items()
    ]
    process = await started(arena)
    await applied(arena.direct, arena.topics.events, arena.writer.written)
    _, left = await expected_of_log(arena.ledger, arena.stack.kafka_bootstrap, arena.topics.events)
    oracle = Oracle(arena.ledger.zones, arena.ledger.spoiled)
    for record in [*seen, *(r for r in left if r.offset >= ends[r.part])]:
        oracle.take(record)
    after = await audit(arena.direct, arena.topics.events, oracle.expected())
    assert not [words for words in after.differences if not words.startswith("offsets:")]


SCENARIOS: list[Scenario] = [
    of_another_cluster,
    of_more_partitions,
    of_fewer_records,
    of_as_many_records,
    of_other_records,
    of_records_that_expired_unread,
]
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
