"""Evidence of a crisis out of a real log: what it says, whoever is killed while it is collected, and within bounds."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from prometheus_client import REGISTRY

from bellwether.adapters.kafka.log_range import open_log
from bellwether.adapters.kafka.partitions import Partitions
from bellwether.adapters.lexicon import vader_lexicon
from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.evidence import DueEvidence, write_evidence
from bellwether.adapters.postgres.pool import Pool, open_pool
from bellwether.domain.evidence import Reading, Span, tell
from bellwether.domain.incidents import Step
from bellwether.domain.occasions import Sought
from bellwether.domain.sentiment import SentimentScorer
from bellwether_cli.stack.ports import free_port
from bellwether_compute.episode_texts import Limits, Stretch, read_texts
from bellwether_compute.evidence import Claimed, EvidenceKeeper, keep_evidence
from bellwether_compute.settings import Settings
from bellwether_compute.state import BrandState
from tests.support.api import Seed, seeding, serving
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment, dismiss_members, group_of
from tests.support.databases import Topics
from tests.support.log import applied, initialise_stream, write_events
from tests.support.patience import PATIENCE_S

_PARTITIONS = 4
_SAMPLE = "bellwether_incident_evidence_total"
_EVIDENCE = """
    SELECT occasion, at, severity, evidence::text AS evidence, taken_at FROM incident_evidence ORDER BY occasion
"""
_DONE = """
    SELECT count(*) FROM incident i JOIN incident_evidence e USING (brand_id, incident_id) WHERE e.steps >= i.steps
"""
START = int(time.time()) - 46 * 3600
CALM = ("lovely coffee at acme today", "coffee and cake", "opening hours on sunday?", "best coffee in town")


def event(number: int, second: int, **told: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"t{number}",
        "source": "/test",
        "type": "social.mention.v1",
        "time": datetime.fromtimestamp(second, UTC).isoformat(),
        "data": {"brand": "aurora", "of": "aurora", "channel": "web", **told},
    }


def calm() -> list[dict[str, Any]]:
    """Forty hours of texts on two channels, every twelve minutes."""
    return [
        event(n, START + n * 720, text=CALM[n % 4], sentiment=0.5, channel=("web", "x")[n % 2], author={"id": f"c{n}"})
        for n in range(200)
    ]


def burst(first: int, count: int, second: int) -> list[dict[str, Any]]:
    """Angry texts on one channel, the third of them by the loudest voice."""
    found = [
        event(first + n, second + n, channel="x", text=f"glass in my cup #acmefail {n}", author={"id": f"b{first + n}"})
        for n in range(count)
    ]
    for one in found:
        one["data"]["sentiment"] = -0.8
    found[2]["data"]["author"] = {"id": f"loud{first}", "name": "Maria", "followers": 500_000 + first}
    return found


def not_to_be_counted(second: int) -> list[dict[str, Any]]:
    """A competitor's mention, a repeat, and another body under an identity that is taken."""
    rival = event(9_001, second, of="rival", text="rival rival rival", sentiment=-1.0)
    other = event(1_001, second + 1, channel="x", text="conflicting words", sentiment=-0.8)
    return [rival, burst(1_000, 10, START + 41 * 3600)[3], other]


async def everything(pool: Pool) -> Claimed:
    """All partitions, as if they were claimed."""
    directory = Directory(pool)
    await directory.refresh()
    return Claimed(directory.every_brand, lambda: range(_PARTITIONS), lambda: _PARTITIONS)


async def look(dsn: str, bootstrap: str, topic: str) -> int:
    """Look once for what is due in all partitions, as a process of its own would."""
    async with open_pool(dsn) as pool:
        return await EvidenceKeeper(pool, bootstrap, topic, await everything(pool)).look()


async def until(
    connection: asyncpg.Connection[asyncpg.Record], query: str, wanted: int, within_s: float = PATIENCE_S
) -> None:
    """Wait until a query gives at least so much. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while await connection.fetchval(query) < wanted:
            await asyncio.sleep(0.05)


async def kept(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, Any]:
    rows = await connection.fetch(_EVIDENCE)
    return {row["occasion"]: (row["at"], row["severity"], msgspec.json.decode(row["evidence"])) for row in rows}


async def test_evidence_is_that_of_the_log_whoever_is_killed_while_it_is_collected(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    compute = ComputeProcess(tmp_path, "compute", compute_environment(stack.kafka_bootstrap, database, topics))
    began = START + 41 * 3600
    async with seeding(database) as seed:
        await seed.brand("aurora", "UTC")
        try:
            await compute.start()
            told = [*calm(), *burst(1_000, 12, began), *not_to_be_counted(began + 4)]
            # What follows is recorded later than anything that belongs to the opening.
            recorded = int(time.time() - 60) * 1000
            await write_events(stack.kafka_bootstrap, topics.events, told, timestamp_ms=recorded)
            await until(seed.connection, "SELECT count(*) FROM incident", 1)
            await compute.kill()
            await seed.connection.execute("DELETE FROM incident_evidence")
            await dismiss_members(stack.kafka_bootstrap, group_of(topics))
            await compute.start()
            await until(seed.connection, _DONE, 2)
            opening = (await kept(seed.connection))["opening"]
            says_what_was_planted(opening[2])

            await write_events(stack.kafka_bootstrap, topics.events, burst(2_000, 300, began + 60))
            await until(seed.connection, "SELECT count(*) FROM crisis_step WHERE phase = 'escalated'", 1)
            await applied(database, topics.events, len(told) + 300)
            await until(seed.connection, _DONE, 2)
            found = await kept(seed.connection)
            assert found["opening"] == opening
            assert found["peak"][0] > opening[0]
            assert found["peak"][1] > opening[1]
            assert found["peak"][2]["authors"][0]["author"] == "loud2000"
            assert await compute.metric('bellwether_incident_evidence_total{result="failed"}') == 0
        finally:
            await compute.stop()
        await collected_again_it_is_the_same(seed, database, stack.kafka_bootstrap, topics.events)
        await without_kafka_it_is_tried_again(seed, database, stack.kafka_bootstrap, topics.events)
        await readers_see_it(seed, database)


def says_what_was_planted(told: dict[str, Any]) -> None:
    assert {"#acmefail", "cup", "glass"} == {term["term"] for term in told["terms"][:3]}
    assert all(term["usual"] == 0 and term["g2"] > 10.83 for term in told["terms"][:3])
    loudest = told["authors"][0]
    assert (loudest["author"], loudest["name"], loudest["followers"]) == ("loud1000", "Maria", 501_000)
    assert told["posts"][0]["excerpt"] == "glass in my cup #acmefail 2"
    assert (told["posts"][0]["reach"], told["posts"][0]["label"]) == (501_000, "negative")
    assert told["channels"][0]["channel"] == "x"
    assert told["channels"][0]["share"] > 0.9
    assert told["channels"][0]["usual"] < 0.6
    assert told["sentiment"]["net"] < -80
    assert told["sentiment_before"]["net"] == 100
    assert told["sentiment"]["texts"] == told["channels"][0]["texts"]
    assert told["complete"]
    assert not {"rival", "conflicting"} & {term["term"] for term in told["terms"]}


async def collected_again_it_is_the_same(seed: Seed, *where: str) -> None:
    """Also by two at once, one of which ends on the way."""
    before = await kept(seed.connection)
    assert await look(*where) == 0
    await who_knows_less_is_too_late(seed)
    assert await kept(seed.connection) == before
    for after_s in (0.05, 0.2, 0.5):
        await seed.connection.execute("DELETE FROM incident_evidence")
        looks = [asyncio.create_task(look(*where)) for _ in range(2)]
        await asyncio.wait(looks, timeout=after_s)
        looks[0].cancel()
        await asyncio.gather(looks[0], return_exceptions=True)
        assert await looks[1] <= 1
        assert await kept(seed.connection) == before


async def who_knows_less_is_too_late(seed: Seed) -> None:
    row = await seed.connection.fetchrow("SELECT brand_id, incident_id, steps FROM incident_evidence LIMIT 1")
    assert row is not None
    span = Span(0, 1)
    found = Sought(span, 9.9, Step(1, "opened")), tell(span, [], Reading(0, complete=True))
    for steps in (row["steps"], row["steps"] - 1):
        due = DueEvidence(row["brand_id"], row["incident_id"], steps)
        await write_evidence(seed.connection, due, {"opening": found, "peak": found})


async def without_kafka_it_is_tried_again(seed: Seed, dsn: str, bootstrap: str, topic: str) -> None:
    before = await kept(seed.connection)
    await seed.connection.execute("DELETE FROM incident_evidence")
    settings = Settings(kafka_bootstrap=f"127.0.0.1:{free_port()}", postgres_dsn=dsn, events_topic=topic)
    async with open_pool(dsn) as pool:
        keeping = asyncio.create_task(keep_evidence(settings, await everything(pool)))
        async with asyncio.timeout(PATIENCE_S):
            while (REGISTRY.get_sample_value(_SAMPLE, {"result": "failed"}) or 0) < 2:
                await asyncio.sleep(0.05)
        assert not keeping.done()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    assert await look(dsn, bootstrap, topic) == 1
    assert await kept(seed.connection) == before


async def readers_see_it(seed: Seed, dsn: str) -> None:
    incident_id = await seed.connection.fetchval("SELECT incident_id FROM incident")
    headers = await seed.key()
    path = f"/v1/brands/aurora/incidents/{incident_id}"
    now = datetime.fromtimestamp(START + 46 * 3600, UTC).isoformat()
    async with serving(dsn, now) as client:
        told = (await client.get(path, headers=headers)).json()["evidence"]
        assert told["missing"] is None
        says_what_was_planted(told["opening"])
        assert told["peak"]["authors"][0]["author"] == "loud2000"
        await seed.connection.execute("DELETE FROM incident_evidence WHERE occasion = 'peak'")
        told = (await client.get(path, headers=headers)).json()["evidence"]
        assert (told["peak"], told["missing"]) == (None, "not_yet")
        await seed.connection.execute("UPDATE incident SET recorded_at = 0")
        told = (await client.get(path, headers=headers)).json()["evidence"]
        assert told["missing"] == "too_old"
    await seed.connection.execute("DELETE FROM incident")
    assert await seed.connection.fetchval("SELECT count(*) FROM incident_evidence") == 0


async def test_no_more_is_read_of_a_long_log_than_the_limits_say_and_only_of_the_brand(
    stack: Servers, database: str, topics: Topics
) -> None:
    partitions = Partitions(_PARTITIONS)
    part = partitions.of(b"acme/aurora")
    other = next(f"t{n}" for n in range(99) if partitions.of(f"t{n}/aurora".encode()) == part)
    async with seeding(database) as seed, open_pool(database) as pool:
        await seed.brand("aurora", "UTC")
        directory = Directory(pool)
        await directory.refresh()
        events = [event(n, START + n, text="x" * 2_000 if n >= 300 else "short") for n in range(400)]
        await write_events(stack.kafka_bootstrap, topics.events, events)
        await write_events(stack.kafka_bootstrap, topics.events, events[:20], tenant=other)
        async with open_log(stack.kafka_bootstrap, topics.events) as log:
            end, score = await log.offset_at(part, 1 << 41), SentimentScorer(vader_lexicon()).score
            brand = BrandState(directory.every_brand()[0], part)

            async def quarantined(start: int, stop: int) -> set[int]:
                return {offset for offset in (5, 399) if start <= offset < stop}

            async def read(limits: Limits) -> tuple[list[int], Reading]:
                texts, reading = await read_texts(log, brand, Stretch(0, end), quarantined, score, limits)
                return sorted(text.offset for text in texts), reading

            counted = [offset for offset in range(400) if offset not in (5, 399)]
            assert await read(Limits(latest=1_000)) == (counted, Reading(420, complete=True))
            offsets, reading = await read(Limits(latest=50, samples=7, sample=3))
            assert offsets == [*(370 * n // 7 + k for n in range(7) for k in range(3)), *range(370, 399)]
            assert reading == Reading(71, complete=False)
            offsets, reading = await read(Limits(latest=420, bytes_a_record=1))
            assert not reading.complete
