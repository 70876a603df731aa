"""The intake while what it needs dies, falls silent and comes back: nothing is said to be in Kafka that is not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.intake import Intake, Keys, intake_process, mention, populate, written
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.fault, pytest.mark.timeout(240)]


@pytest.fixture
async def keys(database: str) -> Keys:
    return await populate(database)


@pytest.fixture
def servers(stack: Servers, database: str, topics: Topics) -> dict[str, Any]:
    return {"kafka": stack.kafka_bootstrap, "dsn": database, "events_topic": topics.events}


@pytest.fixture
async def intake(servers: dict[str, Any], keys: Keys, tmp_path: Path) -> AsyncIterator[Intake]:
    async with intake_process(tmp_path, **servers) as running:
        yield running


@dataclass
class Load:
    """Sends small batches without pause; an event that got no 202 is sent again under its id, if `repeats`."""

    intake: Intake
    key: str
    repeats: bool = False
    accepted: list[str] = field(default_factory=list)
    statuses: Counter[int | str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    attempts: Counter[str] = field(default_factory=Counter)
    stopping: bool = False

    async def run(self, worker: int) -> None:
        for round_number in range(1_000_000):
            if self.stopping:
                return
            ids = [f"{worker}-{round_number}-{n}" for n in range(random.choice((1, 1, 20)))]
            while not await self._send(ids) and self.repeats:
                await asyncio.sleep(0.05)

    async def _send(self, ids: list[str]) -> bool:
        self.attempts.update(ids)
        started = time.monotonic()
        try:
            batch = [mention(one, random.choice(("acme", "globex"))) for one in ids]
            status: int | str = (await self.intake.send(batch, self.key)).status_code
        except httpx2.TransportError as error:
            status = type(error).__name__
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        self.statuses[status] += 1
        if status == 202:
            self.accepted += ids
        else:
            await asyncio.sleep(0.02)
        return status == 202


@contextlib.asynccontextmanager
async def under_load(intake: Intake, key: str, *, repeats: bool = False) -> AsyncIterator[Load]:
    load = Load(intake, key, repeats)
    workers = [asyncio.create_task(load.run(number)) for number in range(4)]
    try:
        yield load
    finally:
        load.stopping = True
        await asyncio.gather(*workers)


async def until_accepted(load: Load, more: int) -> None:
    """Wait for so many more accepted events."""
    goal = len(load.accepted) + more
    async with asyncio.timeout(PATIENCE_S):
        while len(load.accepted) < goal:
            await asyncio.sleep(0.02)


async def ids_in_kafka(stack: Servers, topics: Topics) -> Counter[str]:
    return Counter(json.loads(record.value)["id"] for record in await written(stack.kafka_bootstrap, topics.events))


async def test_kafka_killed_and_started_again_costs_503s_and_no_event(
    stack: Servers, topics: Topics, keys: Keys, intake: Intake
) -> None:
    async with under_load(intake, keys.writer) as load:
        for _ in range(2):
            await until_accepted(load, 200)
            await stack.kafka.kill()
            try:
                await intake.ready(is_so=False)
                refused = await intake.send(mention("refused"), keys.writer)
                assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
            finally:
                await stack.kafka.start()
            await until_accepted(load, 200)
    assert set(load.statuses) == {202, 503}
    assert load.slowest_s < 12
    found = await ids_in_kafka(stack, topics)
    assert set(load.accepted) <= set(found)
    # No client repeated anything here, so nothing may stand there twice.
    assert set(found.values()) == {1}


async def test_an_intake_killed_again_and_again_loses_nothing_that_it_acknowledged(
    stack: Servers, topics: Topics, keys: Keys, servers: dict[str, Any], tmp_path: Path
) -> None:
    accepted: list[str] = []
    attempts: Counter[str] = Counter()
    for round_number in range(5):
        async with intake_process(tmp_path, **servers) as intake, under_load(intake, keys.writer) as load:
            await until_accepted(load, 100 + 40 * round_number)
            intake.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(intake.process.wait)
        accepted += load.accepted
        attempts += load.attempts
    found = await ids_in_kafka(stack, topics)
    assert set(accepted) <= set(found)
    assert all(found[one] <= attempts[one] for one in found)


async def test_a_frozen_kafka_costs_503_within_the_deadline(
    stack: Servers, topics: Topics, keys: Keys, intake: Intake
) -> None:
    pid = stack.kafka.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        answers = await asyncio.gather(*(intake.send(mention(f"frozen-{n}"), keys.writer) for n in range(5)))
        assert {answer.status_code for answer in answers} == {503}
        assert 4 < time.monotonic() - started < 12
        await intake.ready(is_so=False)
    finally:
        os.kill(pid, signal.SIGCONT)
    await intake.ready()
    assert (await intake.send(mention("thawed"), keys.writer)).status_code == 202
    assert (await ids_in_kafka(stack, topics))["thawed"] == 1


async def test_an_intake_started_without_kafka_waits_for_it(
    stack: Servers, topics: Topics, keys: Keys, servers: dict[str, Any], tmp_path: Path
) -> None:
    await stack.kafka.kill()
    try:
        async with intake_process(tmp_path, **servers, wait=False) as intake:
            await intake.ready(is_so=False)
            assert (await intake.client.get("/readyz")).json()["checks"]["kafka"] == "does not answer"
            assert (await intake.client.get("/healthz")).status_code == 200
            assert (await intake.send(mention("early"), keys.writer)).status_code == 503
            await stack.kafka.start()
            await intake.ready()
            assert (await intake.send(mention("now"), keys.writer)).status_code == 202
    finally:
        if stack.kafka.pid is None:
            await stack.kafka.start()
    assert set(await ids_in_kafka(stack, topics)) == {"now"}


async def test_without_postgres_known_keys_go_on_and_readiness_tells(
    stack: Servers, keys: Keys, intake: Intake
) -> None:
    await stack.postgres.kill()
    try:
        await intake.ready(is_so=False)
        assert (await intake.client.get("/readyz")).json()["checks"] == {"postgres": "does not answer", "kafka": "ok"}
        assert (await intake.send(mention("without"), keys.writer)).status_code == 202
        assert (await intake.send(mention("without", "nobody"), keys.writer)).status_code == 404
    finally:
        await stack.postgres.start()
    await intake.ready()


async def test_an_intake_started_without_postgres_refuses_nobody_for_good(
    stack: Servers, keys: Keys, servers: dict[str, Any], tmp_path: Path
) -> None:
    await stack.postgres.kill()
    try:
        async with intake_process(tmp_path, **servers, wait=False) as intake:
            await intake.ready(is_so=False)
            assert (await intake.send(mention("early"), keys.writer)).status_code == 503
            await stack.postgres.start()
            await intake.ready()
            assert (await intake.send(mention("now"), keys.writer)).status_code == 202
    finally:
        if stack.postgres.pid is None:
            await stack.postgres.start()


async def test_a_batch_that_kafka_refuses_costs_one_producer_and_not_the_next_events(
    stack: Servers, topics: Topics, keys: Keys, intake: Intake
) -> None:
    await set_largest_batch(stack.kafka_bootstrap, topics.events, 10_000)
    refused = await intake.send(mention("too-large-for-kafka", data={"text": "x" * 20_000}), keys.writer)
    assert refused.status_code == 503
    started = time.monotonic()
    while (await intake.send(mention("next"), keys.writer)).status_code != 202:
        assert time.monotonic() - started < 10
        await asyncio.sleep(0.05)
    assert (await ids_in_kafka(stack, topics)) == {"next": 1}
    assert "bellwether_producer_replacements_total 1.0" in (await intake.client.get("/metrics")).text


async def set_largest_batch(bootstrap: str, topic: str, size: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(size)})
        await admin.alter_configs([resource])
    finally:
        await admin.close()


async def test_a_stop_lets_readiness_fall_first_and_finishes_what_is_in_flight(
    stack: Servers, topics: Topics, keys: Keys, servers: dict[str, Any], tmp_path: Path
) -> None:
    async with intake_process(tmp_path, **servers, drain_s=3, linger_s=1) as intake:
        sending = asyncio.create_task(intake.send(mention("in-flight"), keys.writer))
        while "in_flight_requests 1.0" not in (await intake.client.get("/metrics")).text:
            assert not sending.done()
        intake.process.terminate()
        await intake.ready(is_so=False, within_s=3)
        assert (await intake.client.get("/readyz")).json()["checks"]["service"] == "stopping"
        assert (await intake.send(mention("late"), keys.writer)).status_code == 202
        assert (await sending).status_code == 202
        assert await asyncio.to_thread(intake.process.wait, PATIENCE_S) == 0
    assert set(await ids_in_kafka(stack, topics)) == {"in-flight", "late"}
    assert "Traceback" not in intake.log.read_text()


async def test_stops_under_load_answer_every_request_that_was_begun(
    stack: Servers, topics: Topics, keys: Keys, servers: dict[str, Any], tmp_path: Path
) -> None:
    accepted: list[str] = []
    for _ in range(3):
        async with intake_process(tmp_path, **servers) as intake, under_load(intake, keys.writer) as load:
            await until_accepted(load, 100)
            intake.process.terminate()
            assert await asyncio.to_thread(intake.process.wait, PATIENCE_S) == 0
        accepted += load.accepted
        assert not {status for status in load.statuses if isinstance(status, int)} - {202}
    found = await ids_in_kafka(stack, topics)
    assert set(accepted) <= set(found)
