"""A process that was stopped wakes up and believes that its partitions are still its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.arena import Arena, open_arena
from tests.faults.counts import seconds, times
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, dismiss_members, group_of
from tests.support.databases import Topics
from tests.support.ledger import make_ledger
from tests.support.patience import PATIENCE_S
from tests.support.proxy import Snap, Trap

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

_SLICE = 400
_FENCED = 'bellwether_commit_failures_total{reason="fenced"}'
_FREED_S = 5  # idle_in_transaction_session_timeout


@pytest.fixture
async def arena(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path
) -> AsyncIterator[Arena]:
    ledger = make_ledger(profile.seed + 3, times(profile, 4_000, 12_000), int(time.time()))
    async with open_arena(stack, database, topics, tmp_path, ledger) as opened:
        yield opened


@pytest.fixture
async def compute(arena: Arena) -> ComputeProcess:
    """Compute behind the proxy, at work."""
    process = arena.process(arena.proxied)
    await process.start()
    await arena.write(_SLICE)
    await arena.caught_up()
    return process


async def held(arena: Arena, words: bytes) -> Trap:
    """Compute with events in hand, its next request on its way."""
    trap = arena.proxy.lay(Trap(words, Snap.HOLD))
    await arena.write(_SLICE)
    await asyncio.wait_for(trap.sprung.wait(), PATIENCE_S)
    return trap


async def taken_over(arena: Arena) -> ComputeProcess:
    """Another process, which has everything in hand now."""
    await dismiss_members(arena.stack.kafka_bootstrap, group_of(arena.topics))
    heir = arena.process(arena.direct)
    await heir.start()
    await arena.caught_up()
    return heir


async def test_whoever_claims_a_partition_fences_its_owner_even_before_writing_anything(
    arena: Arena, compute: ComputeProcess
) -> None:
    trap = await held(arena, b"BEGIN;")
    before = await arena.fetchval("SELECT sum(next_offset)::bigint FROM stream_offset")
    await arena.fetchval("UPDATE stream_offset SET epoch = epoch + 1, owner = 'another'")
    trap.release()
    async with asyncio.timeout(PATIENCE_S):
        while await compute.metric(_FENCED) < 1:
            await asyncio.sleep(0.02)
            owner = await arena.fetchval("SELECT min(owner) FROM stream_offset")
            now = await arena.fetchval("SELECT sum(next_offset)::bigint FROM stream_offset")
            assert now == before or owner != "another"
    await arena.caught_up()
    assert not await arena.differences()


async def test_a_zombie_that_wakes_before_its_transaction_is_fenced(arena: Arena, compute: ComputeProcess) -> None:
    trap = await held(arena, b"BEGIN;")
    compute.freeze()
    await taken_over(arena)
    trap.release()
    compute.thaw()
    await compute.says("/metrics", _FENCED)
    await arena.write(_SLICE)
    await arena.caught_up()
    assert compute.running
    assert not await arena.differences()


async def test_a_zombie_inside_its_transaction_holds_nobody_up_for_long_and_writes_nothing(
    arena: Arena, compute: ComputeProcess, profile: Profile
) -> None:
    for _ in range(times(profile, 1, 10)):
        trap = await held(arena, b"COMMIT;")
        compute.freeze()
        started = time.monotonic()
        heir = await taken_over(arena)
        assert _FREED_S - 2 < time.monotonic() - started < _FREED_S + 30
        await asyncio.sleep(seconds(profile, 0, 25 - _FREED_S))  # how long it sleeps is the point
        trap.release()
        compute.thaw()
        await arena.write(_SLICE)
        await arena.caught_up()
        assert not await arena.differences()
        await heir.kill()
        await arena.write(1)
        await arena.caught_up()


async def test_a_cycle_that_outlasts_the_loss_of_its_partitions_ends_in_peace(arena: Arena) -> None:
    slow = arena.process(arena.proxied)
    trap = arena.proxy.lay(Trap(b"JOIN rollup_minute", Snap.HOLD))
    await slow.start()
    await arena.write(_SLICE)
    await asyncio.wait_for(trap.sprung.wait(), PATIENCE_S)
    heir = arena.process(arena.direct)
    await heir.start()
    await heir.says("/metrics", "bellwether_claimed_partitions 2.0")
    trap.release()
    await arena.caught_up()
    assert slow.running
    assert not await arena.differences()


async def test_a_process_frozen_for_longer_than_its_session_comes_back_as_a_member_of_the_group(
    arena: Arena, compute: ComputeProcess
) -> None:
    compute.freeze()
    await arena.write(_SLICE)
    heir = await taken_over(arena)
    compute.thaw()
    await heir.kill()
    await arena.write(_SLICE)
    # Only the first one is left now: it has to find out that it was thrown out, join again and claim again.
    await arena.caught_up()
    assert compute.running
    assert not await arena.differences()
