"""What was put aside and put right, and what was counted afterwards, is counted once: as the oracle says of the log."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from itertools import zip_longest
from pathlib import Path

import asyncpg
import httpx2
import pytest
from aiokafka import AIOKafkaProducer

from tests.faults.arena import Arena, open_arena
from tests.faults.profile import Profile
from tests.support.audit import audit
from tests.support.backends import Servers
from tests.support.command import command, rebuild
from tests.support.databases import PARTITIONS, Topics
from tests.support.flow import LedgerWriter, make_ledger_brands
from tests.support.http_flow import log_size
from tests.support.ledger import TENANT, Ledger, make_ledger
from tests.support.log import applied
from tests.support.patience import PATIENCE_S
from tests.support.repaired import (
    Place,
    expected_after_repair,
    logged,
    spoken_by,
    with_mirrors,
)
from tests.support.tenancy import make_brands
from tests.support.whole import Bellwether, bellwether

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

_LATE_BRAND = "grove"
_ZONE = "Australia/Adelaide"
_SPAN_S = 3 * 86_400
_SLICE = 300


@pytest.fixture
async def arena(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path
) -> AsyncIterator[Arena]:
    ledger = make_ledger(profile.seed + 11, 1_200, int(time.time()))
    async with open_arena(stack, database, topics, tmp_path, ledger) as opened:
        yield opened


async def replay(arena: Arena) -> str:
    """Have what was put aside for a brand that did not exist written once more."""
    places = ("--kafka", arena.stack.kafka_bootstrap, "--postgres", arena.direct, "--topic", arena.topics.events)
    code, told = await command("quarantine", "replay", "--reason", "unknown_brand", *places)
    assert code == 0, told
    return told


async def all_applied(arena: Arena) -> None:
    """Wait until everything in the log is applied, whoever wrote it."""
    size = await log_size(arena.stack.kafka_bootstrap, arena.topics.events)
    await applied(arena.direct, arena.topics.events, size)


async def put_aside(arena: Arena) -> dict[Place, str]:
    """The places of the records of the brand that is not there yet."""
    records = await logged(arena.stack.kafka_bootstrap, arena.topics.events)
    key = f"{TENANT}/{_LATE_BRAND}".encode()
    return {(r.part, r.offset): "unknown_brand" for r in records if r.key == key}


async def test_records_of_a_brand_that_is_made_later_count_once_however_often_they_are_replayed(
    arena: Arena, profile: Profile
) -> None:
    compute = arena.process(arena.direct, max_events=50)
    await compute.start()
    early = list(spoken_by(_LATE_BRAND, profile.seed, 120, int(time.time()), _SPAN_S))
    await arena.writer.write(early)
    await arena.write(_SLICE)
    await arena.caught_up()
    aside = await put_aside(arena)
    assert len(aside) == len(early)

    await make_brands(arena.direct, _LATE_BRAND, time_zone=_ZONE)
    await arena.writer.write(early[:30])  # the sender tries again, too
    writing = asyncio.create_task(arena.write(_SLICE))
    assert int((await replay(arena)).split()[0]) >= len(early)
    await compute.kill()
    # Somebody who died between the write and the note that it was written does it all over again.
    await arena.fetchval("UPDATE quarantine SET replayed_at = NULL")
    await compute.start()
    await writing
    assert int((await replay(arena)).split()[0]) >= len(early)
    await arena.write(_SLICE)
    await all_applied(arena)
    await replay(arena)
    await all_applied(arena)

    records = await logged(arena.stack.kafka_bootstrap, arena.topics.events)
    wanted = expected_after_repair(arena.ledger, records, {_LATE_BRAND: _ZONE}, aside)
    found = await audit(arena.direct, arena.topics.events, wanted)
    assert not found.differences, "\n".join(found.differences)
    assert found.outcomes["duplicate"] > len(early)
    # Every record of the log is in one of the books, and what waits still is what nobody can repair.
    assert found.outcomes.total() == len(records)
    waiting = "SELECT count(*) FROM quarantine WHERE replayed_at IS NULL AND record_key = $1"
    assert await arena.fetchval(waiting, f"{TENANT}/{_LATE_BRAND}".encode()) == 0


_OWN = """
measures:
  own.mentions: {title: Mentions, events: social.mention.v1, where: {"@own": true}}
  own.visits: {title: Visits, events: social.community.visit.v1}
"""
_MIRRORED = {"own.mentions": "mentions", "own.visits": "visits"}
_STARTED = "SELECT count(*) FROM own_measure_start WHERE measure = any($1)"


@pytest.fixture
async def running(stack: Servers, database: str, topics: Topics, tmp_path: Path) -> AsyncIterator[Bellwether]:
    async with bellwether(stack, database, topics, tmp_path) as running:
        yield running


async def define(running: Bellwether) -> None:
    """Have measures of the tenant's own counted from some record of each partition on."""
    async with httpx2.AsyncClient(base_url=running.services.api.url, headers=running.headers) as client:
        headers = {"Content-Type": "application/yaml", "If-Match": "*"}
        answer = await client.put("/v1/catalogue", content=_OWN.encode(), headers=headers)
    assert answer.status_code == httpx2.codes.OK, answer.text
    connection = await asyncpg.connect(running.dsn)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await connection.fetchval(_STARTED, list(_MIRRORED)) < PARTITIONS * len(_MIRRORED):
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def kill_compute(running: Bellwether, times: int) -> None:
    """Again and again, and always start it again."""
    for _ in range(times):
        await running.services.compute.kill()
        await running.services.compute.start()


async def test_a_rebuild_while_events_flow_and_compute_dies_counts_every_event_of_the_log_once(
    running: Bellwether, stack: Servers, topics: Topics, profile: Profile
) -> None:
    ledger = make_ledger(profile.seed + 12, 2_400, int(time.time()))
    await make_ledger_brands(running.dsn, ledger.zones)
    slices = list(zip_longest(*[iter(ledger.entries)] * 600))
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, enable_idempotence=True) as producer:
        writer = LedgerWriter(producer, topics.events)
        await writer.write(slices[0])
        await applied(running.dsn, topics.events, writer.written)
        await define(running)
        await writer.write(slices[1])
        rebuilding = asyncio.create_task(rebuild(running))
        dying = asyncio.create_task(kill_compute(running, 2))
        await writer.write(slices[2])
        told = await rebuilding
        await dying
        await writer.write(slices[3])  # whoever still had in memory what was there before would now write it back
        await applied(running.dsn, topics.events, writer.written)
    assert "own.mentions" in told
    await assert_counted_once(running, ledger, stack, topics)
    assert "nothing to fill" in await rebuild(running)
    await assert_counted_once(running, ledger, stack, topics)


async def assert_counted_once(running: Bellwether, ledger: Ledger, stack: Servers, topics: Topics) -> None:
    """The own measures are, in every rollup, what the oracle says of the built-in ones that they are like."""
    records = await logged(stack.kafka_bootstrap, topics.events)
    wanted = with_mirrors(expected_after_repair(ledger, records, {}, {}), _MIRRORED)
    counted: Counter[str] = sum(wanted.rollups["day"].values(), Counter())
    assert all(counted[own] > 50 for own in ("own.mentions",))
    found = await audit(running.dsn, topics.events, wanted)
    assert not found.differences, "\n".join(found.differences)
