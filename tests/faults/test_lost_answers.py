"""The connection to Postgres fails at every moment of a transaction, and nothing is counted twice or lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.arena import Arena, open_arena
from tests.faults.conftest import Report
from tests.faults.counts import seconds, times
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess
from tests.support.databases import Topics
from tests.support.ledger import make_ledger
from tests.support.patience import PATIENCE_S
from tests.support.proxy import Snap, Trap

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

_SLICE = 60
_DEADLINE_S = 3
_CUT_COMMITS = 3


@pytest.fixture
async def arena(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path
) -> AsyncIterator[Arena]:
    ledger = make_ledger(profile.seed + 2, 6_000, int(time.time()))
    async with open_arena(stack, database, topics, tmp_path, ledger) as opened:
        yield opened


@pytest.fixture
async def compute(arena: Arena) -> ComputeProcess:
    """Compute behind the proxy, at work."""
    process = arena.process(arena.proxied, commit_timeout_s=_DEADLINE_S)
    await process.start()
    await arena.write(_SLICE)
    await arena.caught_up()
    return process


async def sprung(arena: Arena, trap: Trap) -> None:
    """Lay a trap, write what makes compute step on it, and see everything applied in the end."""
    arena.proxy.lay(trap)
    await arena.write(_SLICE)
    await asyncio.wait_for(trap.sprung.wait(), PATIENCE_S)
    await arena.caught_up()


async def test_a_connection_cut_at_any_request_of_a_transaction_loses_and_doubles_nothing(
    arena: Arena, compute: ComputeProcess, report: Report
) -> None:
    started, cuts, commits = time.monotonic(), 0, 0
    while commits < _CUT_COMMITS:  # transactions are of different lengths: the first COMMIT is not the last request
        trap = Trap(b"BEGIN;", Snap.LOSE_REQUEST, cuts, latest=b"COMMIT;")
        await sprung(arena, trap)
        cuts, commits = cuts + 1, commits + (b"COMMIT;" in trap.request)
    assert not await arena.differences()
    assert await compute.metric('bellwether_commit_failures_total{reason="error"}') >= cuts
    rows = [("cuts", cuts), ("lost, double", "0, 0"), ("took", f"{time.monotonic() - started:.0f} s")]
    report("Connection cut at each request of a transaction", rows)


@pytest.mark.parametrize("snap", [Snap.LOSE_ANSWER, Snap.SWALLOW_ANSWER])
async def test_a_transaction_whose_answer_is_lost_is_not_applied_again(
    arena: Arena, compute: ComputeProcess, snap: Snap, profile: Profile
) -> None:
    for _ in range(times(profile, 2, 25)):
        await sprung(arena, Trap(b"COMMIT;", snap))
    assert not await arena.differences()
    assert compute.running


async def test_compute_outlives_a_silent_postgres_and_catches_up_when_it_speaks_again(
    arena: Arena, compute: ComputeProcess, profile: Profile, report: Report
) -> None:
    silences, silent_s, back_s = times(profile, 1, 5), seconds(profile, 0, 30), []
    for _ in range(silences):
        arena.proxy.silence()
        await arena.write(20 * _SLICE // silences)
        await compute.says("/readyz", "TimeoutError", within_s=4 * _DEADLINE_S)
        await asyncio.sleep(silent_s)  # how long it is silent is the point
        arena.proxy.heal()
        healed_at = time.monotonic()
        await arena.caught_up()
        back_s.append(time.monotonic() - healed_at)
    assert max(back_s) < 30
    assert not await arena.differences()
    report("PostgreSQL half-open", [("silences", silences), ("longest until all is counted", f"{max(back_s):.1f} s")])
