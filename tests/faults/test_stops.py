"""Compute stopped in order, again and again, while events flow: nobody has to wait for a session to end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.faults.arena import open_arena
from tests.faults.conftest import Report
from tests.faults.counts import times
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.ledger import make_ledger

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

_SLICE = 800


async def test_processes_stopped_in_turn_leave_nothing_undone_and_nothing_done_twice(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path, report: Report
) -> None:
    stops = times(profile, 2, 30)
    ledger = make_ledger(profile.seed + 5, (stops + 1) * _SLICE, int(time.time()))
    ended, recovered = [], []
    async with open_arena(stack, database, topics, tmp_path, ledger) as arena:
        processes = [arena.process(arena.direct, max_events=100) for _ in range(2)]
        await asyncio.gather(*(process.start() for process in processes))
        await arena.write(_SLICE)
        await arena.caught_up()
        for number in range(stops):
            process = processes[number % 2]
            writing = asyncio.create_task(arena.write(_SLICE))
            started = time.monotonic()
            assert await process.stop() == 0
            ended.append(time.monotonic() - started)
            await process.start()
            await writing
            await arena.caught_up()
            recovered.append(time.monotonic() - started)
        assert not await arena.differences()
    assert max(ended) < 20
    rows = [("stops", stops), ("longest end", f"{max(ended):.1f} s"), ("longest recovery", f"{max(recovered):.1f} s")]
    report("Compute stopped in order while events flow", rows)
