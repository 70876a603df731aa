"""Kafka and PostgreSQL die, stay away and come back, while events come in over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx2
import psutil
import pytest

from tests.faults.conftest import Report
from tests.faults.counts import seconds, times
from tests.faults.front import Front, open_front
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess
from tests.support.databases import Topics
from tests.support.ledger import make_ledger
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.fault, pytest.mark.timeout(3600)]

_SLICE = 300
_ANSWERED_WITHIN_S = 12  # 5 s by its own deadline
"""The five seconds after which an intake gives up on Kafka, and what a busy machine adds."""
_MOST_RSS = 400 * 1024**2


@pytest.fixture
async def front(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path
) -> AsyncIterator[Front]:
    ledger = make_ledger(profile.seed + 50, times(profile, 6_000, 30_000), int(time.time()))
    async with open_front(stack, database, topics, tmp_path, ledger) as opened:
        yield opened


@pytest.fixture
async def compute(front: Front) -> ComputeProcess:
    """Compute at work, with small transactions so that what happens meets many of them."""
    process = front.arena.process(front.arena.direct, max_events=200)
    await process.start()
    await front.send(front.take(_SLICE))
    await front.caught_up()
    return process


@dataclass
class Probe:
    """Repeats one event that is counted already, and notes when it was answered, how, and how fast."""

    front: Front
    answers: list[tuple[float, int, float]] = field(default_factory=list)
    largest: int = 0

    async def run(self) -> None:
        """Ask until cancelled."""
        entry = next(entry for entry in self.front.arena.ledger.entries if entry.spoiled is None)
        kind = {"Content-Type": "application/cloudevents+json"}
        place = self.front.intakes[0]
        async with httpx2.AsyncClient(base_url=place.url, headers={**self.front.headers, **kind}, timeout=30) as client:
            while True:
                asked_at = time.monotonic()
                answer = await client.post("/v1/events", content=entry.value or b"")
                self.answers.append((asked_at, answer.status_code, time.monotonic() - asked_at))
                assert place.pid
                self.largest = max(self.largest, psutil.Process(place.pid).memory_info().rss)
                await asyncio.sleep(0.02)

    def between(self, start: float, end: float) -> list[int]:
        """The statuses of what was asked in a span of time."""
        return [status for asked_at, status, _ in self.answers if start <= asked_at < end]

    def first_accepted(self, since: float) -> float:
        """Seconds from a moment to the first answer 202 to what was asked after it."""
        return next(at + took - since for at, status, took in self.answers if at >= since and status == 202)


@contextlib.asynccontextmanager
async def probing(front: Front) -> AsyncIterator[Probe]:
    probe = Probe(front)
    running = asyncio.create_task(probe.run())
    try:
        yield probe
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@pytest.mark.usefixtures("compute")
async def test_an_intake_says_503_while_kafka_is_away_and_goes_on_soon_after_it_is_back(
    front: Front, stack: Servers, profile: Profile, report: Report
) -> None:
    away_s = seconds(profile, 3.0, 60.0)
    deaths: list[tuple[str, Callable[[], Awaitable[None]], float]] = [
        *[("stopped", stack.kafka.stop, 0.0)] * times(profile, 1, 3),
        *[("killed", stack.kafka.kill, 0.0)] * times(profile, 0, 5),
        ("killed and away", stack.kafka.kill, away_s),
    ]
    rows: list[tuple[str, object]] = []
    for name, end, pause_s in deaths:
        sending = asyncio.create_task(front.send(front.take(4 * _SLICE)))
        async with probing(front) as probe:
            while not probe.answers:
                await asyncio.sleep(0.01)
            try:
                await end()
                gone_at = time.monotonic()
                await asyncio.sleep(pause_s)  # how long it is away is the point
            finally:
                await stack.kafka.start()
            back_at = time.monotonic()
            await sending
            async with asyncio.timeout(PATIENCE_S):
                while 202 not in probe.between(back_at, time.monotonic()):
                    await asyncio.sleep(0.05)
        told = probe.between(gone_at, gone_at + pause_s)
        assert set(told) <= {503}
        assert max(took for *_, took in probe.answers) < _ANSWERED_WITHIN_S
        assert probe.largest < _MOST_RSS
        first_s, rss = probe.first_accepted(back_at), probe.largest >> 20
        rows.append((name, f"first 202 {first_s:.1f} s after it answers, largest RSS {rss} MB"))
    await front.caught_up()
    assert not await front.differences()
    assert set(front.answers) == {202, 503}
    report(f"Kafka ended under load, at last for {away_s:.0f} s", rows)


async def recovered(front: Front, strike: Callable[[], Awaitable[None]]) -> float:
    """Seconds from a strike under load until all that was sent is counted."""
    struck_at = time.monotonic()

    async def struck() -> None:
        nonlocal struck_at
        await strike()
        struck_at = time.monotonic()

    await front.during(front.take(_SLICE), struck)
    await front.caught_up()
    return time.monotonic() - struck_at


async def test_postgres_that_dies_stays_away_or_loses_a_session_costs_no_number(
    front: Front, compute: ComputeProcess, stack: Servers, profile: Profile, report: Report
) -> None:
    away_s = seconds(profile, 4.0, 60.0)

    async def restart() -> None:
        await stack.postgres.kill()
        await stack.postgres.start()

    async def stop() -> None:
        await stack.postgres.stop()
        await asyncio.sleep(away_s)  # how long it is away is the point
        await stack.postgres.start()

    async def lose_a_session() -> None:
        os.kill(await backend_of(front, "bellwether-compute"), signal.SIGKILL)

    kinds = [
        ("killed and started", restart, 1, 5),
        ("stopped", stop, 1, 1),
        ("a session killed", lose_a_session, 2, 10),
    ]
    rows: list[tuple[str, object]] = []
    for name, strike, short, long in kinds:
        took = [await recovered(front, strike) for _ in range(times(profile, short, long))]
        rows.append((name, f"{len(took)}, all counted {', '.join(f'{t:.1f}' for t in took)} s after"))
    assert compute.running
    assert not await front.differences()
    report(f"PostgreSQL ended under load, once for {away_s:.0f} s", [*rows, ("lost, double", "0, 0")])


async def backend_of(front: Front, application: str) -> int:
    """The process in the server that serves a session of a service."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1 LIMIT 1"
    async with asyncio.timeout(PATIENCE_S):
        while True:
            # The server ends all sessions when it finds one killed, ours too.
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                if pid := await front.arena.fetchval(query, application):
                    assert isinstance(pid, int)
                    return pid
            await asyncio.sleep(0.05)


async def test_a_slow_postgres_and_a_locked_table_make_lag_and_nothing_else(
    front: Front, profile: Profile, report: Report
) -> None:
    arena = front.arena
    process = arena.process(arena.proxied, commit_timeout_s=30)
    await process.start()
    await front.send(front.take(_SLICE))
    await front.caught_up()
    moved = await process.metric('bellwether_rebalances_total{kind="revoked"}')
    arena.proxy.delay_s = 0.2
    largest = await sampled(process, front.send(front.take(4 * _SLICE)))
    await process.says("/metrics", "bellwether_lag_seconds")
    await front.caught_up(300)
    arena.proxy.delay_s = 0.0
    locked_s = seconds(profile, 3.0, 20.0)
    lag = await while_locked(front, process, locked_s)
    unlocked_at = time.monotonic()
    await front.caught_up()
    caught_up_s = time.monotonic() - unlocked_at
    assert lag > 0
    assert process.running
    assert await process.metric('bellwether_rebalances_total{kind="revoked"}') == moved
    assert not await front.differences()
    rows = [
        ("largest RSS of compute", f"{largest >> 20} MB"),
        (f"lag after {locked_s:.0f} s of a locked table", f"{lag:.0f} records"),
        ("caught up", f"{caught_up_s:.1f} s after"),
    ]
    report("PostgreSQL answers 200 ms late, then a table is locked", rows)


async def while_locked(front: Front, process: ComputeProcess, locked_s: float) -> float:
    """Send events while nobody may touch the rollups; gives the lag that compute tells at the end."""
    connection = await asyncpg.connect(front.arena.direct)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE rollup_minute IN ACCESS EXCLUSIVE MODE")
            await front.send(front.take(_SLICE))
            await asyncio.sleep(locked_s)  # how long it is locked is the point
            async with asyncio.timeout(PATIENCE_S):
                while not (lag := await lag_of(process)):
                    await asyncio.sleep(0.2)
    finally:
        await connection.close()
    return lag


async def lag_of(process: ComputeProcess) -> float:
    return sum([await process.metric(f'bellwether_lag_records{{partition="{part}"}}') for part in range(4)])


async def sampled(process: ComputeProcess, work: Awaitable[None]) -> int:
    """The most memory, in bytes, that a process has while work is done."""
    largest, working = 0, asyncio.ensure_future(work)
    while not working.done():
        largest = max(largest, psutil.Process(process.pid).memory_info().rss)
        await asyncio.sleep(0.05)
    await working
    return largest
