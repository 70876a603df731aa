"""The crisis detector in compute: a real crisis out of a real log, whatever happens to the process on the way."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from bellwether.adapters.postgres.campaigns import declare_campaign, list_campaigns, withdraw_campaign
from bellwether.adapters.postgres.pool import Connection
from bellwether.domain.errors import NotFound
from tests.support.airline import AIRLINE, ZONE, expected, found, stamp, tweets
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment, dismiss_members, group_of
from tests.support.databases import Topics
from tests.support.log import applied, initialise_stream, write_events
from tests.support.patience import PATIENCE_S
from tests.support.tenancy import make_brands

_ALERTS = "SELECT b.slug, kind, at FROM alert a JOIN brand b USING (brand_id)"


@pytest.fixture(scope="module")
def airline() -> list[dict[str, Any]]:
    if not AIRLINE.is_file():
        pytest.skip(f"the data set airline.csv is not in {AIRLINE.parent}")
    return tweets()


@pytest.mark.parametrize("max_events", [97, 1500])
async def test_crises_of_a_replay_are_those_of_the_pure_detector_though_compute_is_killed_three_times(
    stack: Servers, database: str, topics: Topics, airline: list[dict[str, Any]], tmp_path: Path, max_events: int
) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    for slug in sorted({event["data"]["brand"] for event in airline}):
        await make_brands(database, slug, time_zone=ZONE)
    environment = compute_environment(stack.kafka_bootstrap, database, topics, max_events=max_events)
    compute = ComputeProcess(tmp_path, "compute", environment)
    connection = await asyncpg.connect(database)
    try:
        parts = [airline[n * len(airline) // 4 : (n + 1) * len(airline) // 4] for n in range(4)]
        for part, failpoint in zip(parts, ("after_fold:2", "before_commit:2", "after_commit:1", None), strict=True):
            await compute.start(failpoint)
            await write_events(stack.kafka_bootstrap, topics.events, part)
            if failpoint:
                assert await compute.died() < 0
                await dismiss_members(stack.kafka_bootstrap, group_of(topics))
        await applied(database, topics.events, len(airline))
        wanted = expected(airline, int(time.time()))
        assert await found(connection) == wanted
        assert {brand for brand, _ in wanted} >= {"southwest"}
        assert "virgin-america" not in {brand for brand, _ in wanted}
        await one_crisis_at_a_time(connection)
        await old_news_call_nobody(connection)
    finally:
        await connection.close()
        await compute.stop()


async def one_crisis_at_a_time(connection: Connection) -> None:
    """Of each brand one crisis follows the other, and its account has what the detector told of it."""
    rows = await connection.fetch(
        "SELECT brand_id, opened_at, stable_at, resolved_at, opened_by, onset, peak, score FROM incident ORDER BY 1, 2"
    )
    assert rows
    for before, after in pairwise(rows):
        if before["brand_id"] == after["brand_id"]:
            assert before["resolved_at"] is not None
            assert before["opened_at"] < before["stable_at"] < before["resolved_at"] <= after["opened_at"]
    for row in rows:
        assert row["opened_by"] == "detector"
        assert row["onset"] <= row["opened_at"]
        assert row["peak"] >= row["score"]


async def old_news_call_nobody(connection: Connection) -> None:
    """What was found of days long ago is no alert."""
    alerts = await connection.fetch(_ALERTS)
    assert all(row["at"] > time.time() - 2 * 86_400 for row in alerts)


async def test_a_crisis_is_closed_though_nothing_is_heard_any_more_and_compute_was_away(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    await make_brands(database, "aurora")
    start = int(time.time()) - 80 * 3600
    calm = [text(n, start + n * 720) for n in range(200)]  # forty hours
    burst = [text(1000 + n, start + 41 * 3600 + n, sentiment=-1.0) for n in range(60)]
    compute = ComputeProcess(
        tmp_path, "compute", compute_environment(stack.kafka_bootstrap, database, topics, max_events=50)
    )
    connection = await asyncpg.connect(database)
    try:
        await compute.start()
        await write_events(stack.kafka_bootstrap, topics.events, [*calm, *burst])
        await applied(database, topics.events, 260)
        assert await connection.fetchval("SELECT state FROM incident") == "open"
        due_at = await connection.fetchval("SELECT due_at FROM detector WHERE due_at IS NOT NULL")
        assert due_at > time.time() + 11 * 3600
        await compute.kill()
        await dismiss_members(stack.kafka_bootstrap, group_of(topics))
        await let_time_pass(connection, 40 * 3600)
        await compute.start()
        await until_state(connection, "resolved")
        steps = await connection.fetch("SELECT phase, at FROM crisis_step WHERE phase <> 'noted' ORDER BY at, phase")
        phases = [row["phase"] for row in steps if row["phase"] != "escalated"]
        assert phases == ["opened", "stable", "resolved"]
        assert steps[-1]["at"] - steps[-2]["at"] == 86_400
        assert await connection.fetchval("SELECT count(*) FROM detector WHERE due_at IS NOT NULL") == 0
    finally:
        await connection.close()
        await compute.stop()


def text(number: int, second: int, sentiment: float = 0.5) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"t{number}",
        "source": "/test",
        "type": "social.mention.v1",
        "time": stamp(second),
        "data": {"brand": "aurora", "channel": "x", "of": "aurora", "sentiment": sentiment},
    }


async def let_time_pass(connection: Connection, seconds: int) -> None:
    """As if the brand had been heard so much earlier."""
    state = msgspec.msgpack.decode(await connection.fetchval("SELECT state FROM detector WHERE cut = ''"))
    state[1] -= seconds
    await connection.execute(
        "UPDATE detector SET state = $1, due_at = due_at - $2 WHERE cut = ''", msgspec.msgpack.encode(state), seconds
    )


async def until_state(connection: Connection, state: str) -> None:
    """Wait until the crisis is in a state. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while await connection.fetchval("SELECT state FROM incident") != state:
            await asyncio.sleep(0.1)


async def test_a_declared_campaign_makes_volume_welcome_and_not_anger(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    brands = await make_brands(database, "aurora")
    start = int(time.time()) - 80 * 3600
    calm = [text(n, start + n * 720) for n in range(200)]
    rush = [text(1000 + n, start + 41 * 3600 + n) for n in range(60)]
    anger = [text(2000 + n, start + 42 * 3600 + n, sentiment=-1.0) for n in range(90)]
    connection = await asyncpg.connect(database)
    compute = ComputeProcess(tmp_path, "compute", compute_environment(stack.kafka_bootstrap, database, topics))
    try:
        hours = stamp(start + 40 * 3600), stamp(start + 50 * 3600)
        dates = [datetime.fromisoformat(moment) for moment in hours]
        await declare_campaign(connection, "acme", "aurora", "launch", *dates)
        assert [one.name for one in await list_campaigns(connection, "acme", "aurora")] == ["launch"]
        await compute.start()
        await write_events(stack.kafka_bootstrap, topics.events, [*calm, *rush])
        await applied(database, topics.events, 260)
        assert await found(connection) == set()
        await write_events(stack.kafka_bootstrap, topics.events, anger)
        await applied(database, topics.events, 350)
        opened = await connection.fetchval("SELECT opened_at FROM incident WHERE brand_id = $1", brands["aurora"])
        assert opened > start + 42 * 3600 - 1
        await withdraw_campaign(connection, "acme", "aurora", "launch")
        with pytest.raises(NotFound):
            await withdraw_campaign(connection, "acme", "aurora", "launch")
    finally:
        await connection.close()
        await compute.stop()
