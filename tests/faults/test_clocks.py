"""The wall clock of one service jumps or runs too fast; days end that are not like others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.faults.conftest import Report
from tests.faults.front import Front, open_front
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.clock import WallClock
from tests.support.compute_process import ComputeProcess, compute_environment
from tests.support.databases import Topics
from tests.support.ledger import Ledger, make_ledger
from tests.support.oracle import GRAINS

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1800)]

_HOUR_S, _DAY_S = 3600, 86_400
_SLICE = 200
_PATIENCE_S = 4.0
"""After so long an intake that is refused by Kafka gets its right clock back."""
_OFFSETS = (_HOUR_S, -_HOUR_S, _DAY_S, -_DAY_S)
_OF_KNOWLEDGE = ("days of knowledge", "points", *(f"by {grain} and day of knowledge" for grain in GRAINS))
_ENDS = ("2024-03-01T00:00:00Z", "2026-01-01T00:00:00Z", "2025-03-01T00:00:00Z")
"""Of a leap day, of a year, and of a February without one."""


@dataclass
class Scene:
    """Intakes with one clock, compute with another."""

    front: Front
    compute: ComputeProcess
    of_intakes: WallClock
    of_compute: WallClock


@asynccontextmanager
async def scene_of(
    stack: Servers, database: str, topics: Topics, path: Path, ledger: Ledger, moment: float | None = None
) -> AsyncIterator[Scene]:
    """Everything started; `moment`: what both clocks tell then."""
    for name in ("intakes", "compute"):
        (path / name).mkdir()
    of_intakes, of_compute = WallClock(path / "intakes"), WallClock(path / "compute")
    if moment is not None:
        for clock in (of_intakes, of_compute):
            clock.show(moment)
    variables = of_intakes.variables
    async with open_front(stack, database, topics, path, ledger, variables=variables) as front:
        environment = compute_environment(stack.kafka_bootstrap, database, topics) | of_compute.variables
        process = ComputeProcess(path, "compute-clocked", environment)
        front.arena.processes.append(process)
        await process.start()
        yield Scene(front, process, of_intakes, of_compute)


async def test_a_clock_of_compute_that_jumps_or_runs_too_fast_changes_no_number(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path, report: Report
) -> None:
    async with scene_of(stack, database, topics, tmp_path, old_events(profile)) as scene:
        outcomes = await disturbed(scene, scene.of_compute)
        assert not await scene.front.differences()
        await no_value_of_the_future(scene)
    report("A clock of compute that jumps", [*outcomes, ("wrong", 0)])


async def test_a_clock_of_the_intakes_that_jumps_or_runs_too_fast_changes_no_number(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path, report: Report
) -> None:
    async with scene_of(stack, database, topics, tmp_path, old_events(profile)) as scene:
        outcomes = await disturbed(scene, scene.of_intakes)
        answers = dict(scene.front.answers)
        found = await scene.front.differences()
    # On which day something became known is what the clocks of the intakes have said.
    assert not [words for words in found if not words.startswith(_OF_KNOWLEDGE)]
    assert set(answers) <= {202, 503}
    report("Clocks of the intakes that jump", [*outcomes, ("answers", answers), ("wrong", 0)])


def old_events(profile: Profile) -> Ledger:
    """A ledger whose oldest third is enough, so that nothing is in the future of a clock that is a day behind."""
    return make_ledger(profile.seed + 80, 18 * _SLICE, int(time.time()))


async def disturbed(scene: Scene, clock: WallClock) -> list[tuple[str, str]]:
    """Send events while a clock jumps to and fro, and while it runs at double speed."""
    outcomes = [(f"{by_s / _HOUR_S:+.0f} h", await shifted(scene, clock, by_s)) for by_s in _OFFSETS]
    clock.show(time.time(), rate=2.0)
    await scene.front.send(scene.front.take(_SLICE))
    await scene.front.caught_up()
    clock.jump(0)
    assert scene.compute.running
    return [*outcomes, ("double speed", "counted")]


async def shifted(scene: Scene, clock: WallClock, by_s: float) -> str:
    """Send events while a clock is wrong; what came of it in words."""
    front = scene.front
    clock.jump(by_s)
    sending = asyncio.create_task(front.send(front.take(_SLICE)))
    done, _ = await asyncio.wait([sending], timeout=_PATIENCE_S)
    if done:
        await front.caught_up()
    clock.jump(0)
    await sending
    await front.caught_up()
    return "counted" if done else "counted after the clock was right"


async def no_value_of_the_future(scene: Scene) -> None:
    """What was shown while a clock was ahead is put right as soon as it is right."""
    ahead = "SELECT count(*)::int FROM kpi_current WHERE as_of > $1"
    async with asyncio.timeout(90):
        while await scene.front.arena.fetchval(ahead, int(time.time()) + 60):
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("end", _ENDS)
async def test_events_around_the_end_of_a_leap_day_and_of_a_year_count_on_their_days(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path, end: str
) -> None:
    if not profile.is_long and end != _ENDS[0]:
        pytest.skip("in the long form")
    first = datetime.fromisoformat(end).timestamp()
    await keep_for_ever(stack, topics.events)
    ledger = make_ledger(profile.seed + 81, 4 * _SLICE, int(first) + 60)
    async with scene_of(stack, database, topics, tmp_path, ledger, first - 5) as scene:
        front = scene.front
        await front.send(front.take(2 * _SLICE))
        for clock in (scene.of_intakes, scene.of_compute):
            clock.show(first + 1)
        await front.send(front.take(2 * _SLICE))
        await front.caught_up()
        assert not await front.differences()


async def keep_for_ever(stack: Servers, topic: str) -> None:
    """Kafka deletes by the time that records tell, which here is years ago."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "-1"})])
    finally:
        await admin.close()
