"""Members join and leave the group of compute without pause."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.faults.arena import Arena, open_arena
from tests.faults.conftest import Report
from tests.faults.counts import seconds, times
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.databases import PARTITIONS, Topics
from tests.support.ledger import make_ledger

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1800)]

_EVERY_S = 2.0
_A_SECOND = 100
_MOST_BETWEEN_POLLS_S = 120
"""After which Kafka's client leaves the group if nobody polls."""


async def test_members_that_join_and_leave_every_two_seconds_cost_time_and_no_number(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path, report: Report
) -> None:
    storm_s = seconds(profile, 8, 180)
    ledger = make_ledger(profile.seed + 70, int(storm_s + 20) * _A_SECOND, int(time.time()))
    async with open_arena(stack, database, topics, tmp_path, ledger) as arena:
        steady = [arena.process(arena.direct) for _ in range(2)]
        await asyncio.gather(*(process.start() for process in steady))
        await arena.write(10 * _A_SECOND)
        await arena.caught_up()
        before = arena.writer.written
        flowing = asyncio.create_task(flow(arena, storm_s))
        joins = sum(await asyncio.gather(storm(arena, storm_s), storm(arena, storm_s)))
        applied = int(str(await arena.fetchval("SELECT sum(next_offset)::bigint FROM stream_offset")))
        share = (applied - before) / (arena.writer.written - before)
        await flowing
        calm_at = time.monotonic()
        await arena.caught_up(120)
        calm_s = time.monotonic() - calm_at
        assert all(process.running for process in steady)
        assert not await arena.differences()
    rows = [
        ("joins and leaves", joins),
        ("applied during the storm, of what was written", f"{share:.0%}"),
        ("all applied after it", f"{calm_s:.1f} s"),
    ]
    report(f"Rebalances without pause for {storm_s:.0f} s", rows)


async def flow(arena: Arena, for_s: float) -> None:
    """So many events a second."""
    for _ in range(int(for_s)):
        await asyncio.gather(arena.write(_A_SECOND), asyncio.sleep(1))


async def storm(arena: Arena, for_s: float) -> int:
    """A guest joins and is gone again, in order or not; gives how often."""
    guest, ends_at, joins = arena.process(arena.direct), time.monotonic() + for_s, 0
    while time.monotonic() < ends_at:
        await guest.start()
        await guest.says("/healthz", "")
        await asyncio.sleep(_EVERY_S)
        await (guest.stop() if joins % 2 else guest.kill())
        joins += 1
        await asyncio.sleep(_EVERY_S)
    return joins


async def test_a_member_that_has_had_no_partition_for_long_takes_over(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path, report: Report
) -> None:
    idle_s = seconds(profile, 1, _MOST_BETWEEN_POLLS_S + 10)
    ledger = make_ledger(profile.seed + 71, 2_000, int(time.time()))
    async with open_arena(stack, database, topics, tmp_path, ledger) as arena:
        processes = [arena.process(arena.direct) for _ in range(times(profile, 2, PARTITIONS + 1))]
        await asyncio.gather(*(process.start() for process in processes))
        await arena.write(500)
        await arena.caught_up()
        await asyncio.sleep(idle_s)  # how long it has nothing to do is the point
        claims = {process: await process.metric("bellwether_claimed_partitions") for process in processes}
        idle = min(processes, key=lambda process: claims[process])
        for process in processes:
            if process is not idle:
                await process.kill()
        killed_at = time.monotonic()
        await arena.write(500)
        await arena.caught_up(90)
        assert idle.running
        assert not await arena.differences()
    took_s = time.monotonic() - killed_at
    report("A member without a partition takes over", [("idle for", f"{idle_s:.0f} s"), ("after", f"{took_s:.1f} s")])
