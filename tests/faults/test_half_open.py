"""Kafka falls silent for one part of the system and goes on for the others: nobody refuses, nobody answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.conftest import Report
from tests.faults.counts import seconds, times
from tests.faults.front import Front, open_front
from tests.faults.harness.servers import ProxiedServers, proxied_servers
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment
from tests.support.databases import database_from, fresh_topics, migrated_template
from tests.support.ledger import make_ledger

pytestmark = [pytest.mark.fault, pytest.mark.real, pytest.mark.timeout(1800)]

_SLICE = 300
_SESSION_S = 10


@dataclass
class Scene:
    """Intakes and one compute reach Kafka through a proxy, another compute does not."""

    servers: ProxiedServers
    front: Front
    behind: ComputeProcess
    beside: ComputeProcess


@pytest.fixture
async def scene(profile: Profile, tmp_path: Path) -> AsyncIterator[Scene]:
    ledger = make_ledger(profile.seed + 60, times(profile, 6_000, 12_000), int(time.time()))
    async with proxied_servers() as servers:
        stack = Servers(servers.stack.kafka_bootstrap, servers.stack.postgres_dsn, servers.stack)
        async with (
            migrated_template(stack.postgres_dsn) as template,
            database_from(stack.postgres_dsn, template) as database,
            fresh_topics(stack.kafka_bootstrap) as topics,
            open_front(stack, database, topics, tmp_path, ledger, kafka=servers.kafka_for_services) as front,
        ):
            settings = {"session_timeout_s": _SESSION_S, "max_events": 200}
            environment = compute_environment(servers.kafka_for_services, database, topics, **settings)
            behind = ComputeProcess(tmp_path, "compute-behind", environment)
            front.arena.processes.append(behind)
            yield Scene(servers, front, behind, front.arena.process(database, **settings))


async def test_a_kafka_that_is_silent_for_less_and_for_more_than_a_session_loses_and_doubles_nothing(
    scene: Scene, profile: Profile, report: Report
) -> None:
    front, proxy = scene.front, scene.servers.kafka_proxy
    await asyncio.gather(scene.behind.start(), scene.beside.start())
    for process in (scene.behind, scene.beside):
        await process.says("/metrics", "bellwether_claimed_partitions 2.0", 60)
    await front.send(front.take(_SLICE))
    await front.caught_up()
    rows: list[tuple[str, object]] = []
    for silent_s in (seconds(profile, 4, 8), seconds(profile, 14, 120)):
        sending = asyncio.create_task(front.send(front.take(4 * _SLICE)))
        await asyncio.sleep(0.1)  # into the middle of it
        proxy.silence()
        await front.arena.write(_SLICE)
        await asyncio.sleep(silent_s)  # how long it is silent is the point
        proxy.heal()
        healed_at = time.monotonic()
        await sending
        acknowledged_s = time.monotonic() - healed_at
        await front.caught_up()
        counted_s = time.monotonic() - healed_at
        told = f"all acknowledged {acknowledged_s:.1f} s after, all counted {counted_s:.1f} s after"
        rows.append((f"silent for {silent_s:.0f} s", told))
    assert scene.behind.running
    assert scene.beside.running
    assert not await front.differences()
    assert set(front.answers) <= {202, 503, "ReadTimeout"}
    report(f"Kafka half-open, sessions of {_SESSION_S} s", [*rows, ("lost, double", "0, 0")])
