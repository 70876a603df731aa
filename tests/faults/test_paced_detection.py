"""Real tweets flow in 600 times as fast as they came, and compute is killed: crises are those of the pure run."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.faults.conftest import Report
from tests.faults.profile import Profile
from tests.support.airline import AIRLINE, ZONE, expected, found, moment, tweets
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment, dismiss_members, group_of
from tests.support.databases import Topics
from tests.support.log import applied, initialise_stream, write_events
from tests.support.tenancy import make_brands

_SPEED = 600.0
_STRETCH_S = 5 * 3600
_BEFORE_S = 3 * 3600
_TOGETHER_S = 0.2


@pytest.fixture(scope="module")
def airline() -> list[dict[str, Any]]:
    if not AIRLINE.is_file():
        pytest.skip(f"the data set airline.csv is not in {AIRLINE.parent}")
    return tweets()


@pytest.mark.timeout(1800)
async def test_crises_of_a_paced_replay_are_those_of_the_pure_detector_though_compute_is_killed_three_times(
    stack: Servers,
    database: str,
    topics: Topics,
    airline: list[dict[str, Any]],
    tmp_path: Path,
    profile: Profile,
    report: Report,
) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    for slug in sorted({event["data"]["brand"] for event in airline}):
        await make_brands(database, slug, time_zone=ZONE)
    wanted = expected(airline, int(time.time()))
    since, until = _stretch(airline, profile, min(one.at for brand, one in wanted if brand == "southwest"))
    past, paced, rest = ([event for event in airline if low <= moment(event) < high]
                         for low, high in ((0, since), (since, until), (until, 1 << 40)))  # fmt: skip
    compute = ComputeProcess(tmp_path, "compute", compute_environment(stack.kafka_bootstrap, database, topics))
    connection = await asyncpg.connect(database)
    try:
        await compute.start()
        if past:
            await write_events(stack.kafka_bootstrap, topics.events, past)
        async with asyncio.TaskGroup() as tasks:
            flow = tasks.create_task(_flow(stack.kafka_bootstrap, topics.events, paced))
            tasks.create_task(_strike(compute, stack, topics, (until - since) / _SPEED))
        if rest:
            await write_events(stack.kafka_bootstrap, topics.events, rest)
        await applied(database, topics.events, len(airline))
        assert await found(connection) == wanted
    finally:
        await connection.close()
        await compute.stop()
    rows = ("events at 600 times the speed", len(paced)), ("for, s", round((until - since) / _SPEED, 1))
    report("Crises of a paced replay", [*rows, ("requests", flow.result()), ("openings and growths", len(wanted))])


def _stretch(events: list[dict[str, Any]], profile: Profile, crisis_at: int) -> tuple[int, int]:
    """What flows at its pace: all of it in the long form, else some hours around Southwest's crisis."""
    if profile.is_long:
        return moment(events[0]), moment(events[-1]) + 1
    return crisis_at - _BEFORE_S, crisis_at - _BEFORE_S + _STRETCH_S


async def _flow(bootstrap: str, topic: str, events: list[dict[str, Any]]) -> int:
    """Write events when they are due; gives in how many requests."""
    began, first, written, requests = time.monotonic(), moment(events[0]), 0, 0
    while written < len(events):
        now = first + (time.monotonic() - began) * _SPEED
        due = [event for event in events[written:] if moment(event) <= now]
        if due:
            await write_events(bootstrap, topic, due)
            written, requests = written + len(due), requests + 1
        await asyncio.sleep(_TOGETHER_S)
    return requests


async def _strike(compute: ComputeProcess, stack: Servers, topics: Topics, seconds: float) -> None:
    """Kill compute three times on the way, and start it again."""
    for _ in range(3):
        await asyncio.sleep(seconds / 4)
        await compute.kill()
        await dismiss_members(stack.kafka_bootstrap, group_of(topics))
        await compute.start()
