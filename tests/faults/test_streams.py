"""Listeners of the stream while the API dies again and again, and beside others that never read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import httpx2
import psutil
import pytest

from bellwether.domain.keys import Scope
from bellwether_cli.stack.services import Wiring
from tests.faults.conftest import Report
from tests.faults.counts import seconds, times
from tests.faults.harness.places import Place
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment
from tests.support.databases import Topics
from tests.support.http_flow import key_headers
from tests.support.listener import Ended, Heard, Listener, listening
from tests.support.log import initialise_stream, write_events
from tests.support.patience import PATIENCE_S
from tests.support.telling import telling
from tests.support.tenancy import make_brands

pytestmark = [pytest.mark.fault, pytest.mark.timeout(3600)]

_PEPPER = "a pepper of the streams"
_BRANDS = ("aurora", "borealis", "corona")
_KEY, _WINDOW = "brand_mentions", "24h"
_QUERY = f"?keys={_KEY},community_sentiment&window={_WINDOW}"
_SLOWEST_S = 5.0
_NOTE = "x" * 3_000  # so that the kernel holds few steps of what nobody reads


@dataclass
class Follower:
    """A client as a dashboard has one: it comes back with the last id it has, and keeps what it was told."""

    url: str
    headers: dict[str, str]
    steps: list[tuple[str, str]] = field(default_factory=list)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    connections: int = 0
    resyncs: int = 0
    last_id: str = ""

    async def run(self) -> None:
        """Follow, for ever."""
        while True:  # what it does not expect ends it
            try:
                async with listening(self.url, self.headers, _QUERY, self.last_id) as listener:
                    self.connections += listener.status == httpx2.codes.OK
                    await self._follow(listener)
            except (OSError, Ended, asyncio.IncompleteReadError):
                await asyncio.sleep(0.05)

    async def _follow(self, listener: Listener) -> None:
        assert listener.status == httpx2.codes.OK, await listener.body()
        while True:
            self._take(await listener.next(60))
            self.last_id = listener.last_id

    def _take(self, heard: Heard) -> None:
        data = heard.data
        if heard.event == "kpis":
            held = self.figures.setdefault(data["brand"], {})
            if data["whole"]:
                held.clear()
            held.update(data["kpis"])
        elif heard.event == "incident":
            self.steps.append((data["step"]["source"], data["step"]["event_id"]))
        self.resyncs += heard.event == "resync"


def _events(random: Random) -> Iterator[dict[str, Any]]:
    """Mentions, and steps of crises between them."""
    now = int(time.time()) - 7_200
    for n in count():
        brand, moment = random.choice(_BRANDS), now + n
        event = {"specversion": "1.0", "id": f"e{n}", "source": "/streams", "time": _written(moment)}
        data: dict[str, Any] = {"brand": brand, "channel": "x"}
        if n % 8 == 0:
            phase = "opened" if n % 40 == 0 else random.choice(["noted", "acknowledged", "responded"])
            crisis = {"incident_id": f"inc-{n // 40}", "phase": phase, "severity": "warning", "by": "ops"}
            yield {**event, "type": "crisis.incident.v1", "data": {**data, "brand": _BRANDS[n // 40 % 3], **crisis}}
        else:
            scored = {"of": brand, "sentiment": random.choice([-0.9, 0.0, 0.9])}
            yield {**event, "type": "social.mention.v1", "data": {**data, **scored}}


def _written(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


@pytest.fixture
async def api(stack: Servers, database: str, topics: Topics, tmp_path: Path) -> AsyncIterator[Place]:
    """The API on a database with brands; it runs."""
    await make_brands(database, *_BRANDS)
    wiring = Wiring(stack.kafka_bootstrap, database, _PEPPER, topics.events, topics.quarantine, topics.updates)
    own = {"BELLWETHER_API_STREAMS_PER_KEY": "200", "BELLWETHER_API_DIRECTORY_REFRESH_S": "0.3"}
    place = Place(tmp_path, "api", 1, {**wiring.environment("api"), **own})
    try:
        await place.start()
        await place.ready()
        yield place
    finally:
        await place.kill()


async def test_a_listener_of_an_api_that_is_killed_again_and_again_hears_every_step_once_and_the_last_of_every_value(
    stack: Servers,
    database: str,
    topics: Topics,
    tmp_path: Path,
    profile: Profile,
    report: Report,
    api: Place,
) -> None:
    kills, random = times(profile, 4, 20), Random(profile.seed + 3)
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    follower = Follower(api.url, await key_headers(database, _PEPPER, Scope.KPIS_READ))
    compute = ComputeProcess(tmp_path, "compute", compute_environment(stack.kafka_bootstrap, database, topics))
    following = asyncio.create_task(follower.run())
    try:
        await compute.start()
        await _until(lambda: bool(follower.last_id) or following.done())
        events, written = _events(random), 0
        for _ in range(kills):
            before = follower.connections
            for _ in range(6):
                written += await _write(stack, topics, events, 40)
            await asyncio.sleep(random.uniform(0, 0.5))  # the moment is the point
            await api.kill()
            written += await _write(stack, topics, events, 40)
            await api.start()
            await _until(lambda before=before: follower.connections > before)
        wanted = await _steps_of(database, written)
        await _until(lambda: len(follower.steps) >= len(wanted))
        await _until_equal(api, follower)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await compute.kill()
    assert sorted(follower.steps) == sorted(wanted)
    assert follower.resyncs == 0
    rows = [("kills", kills), ("connections", follower.connections), ("steps", len(wanted)), ("lost, double", "0, 0")]
    report("A stream of an API that is killed", rows)


async def _write(stack: Servers, topics: Topics, events: Iterator[dict[str, Any]], many: int) -> int:
    return await write_events(stack.kafka_bootstrap, topics.events, [next(events) for _ in range(many)])


async def _until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.02)


async def _steps_of(dsn: str, written: int) -> list[tuple[str, str]]:
    """What is stored of steps once everything is applied."""
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(90):
            while (await connection.fetchval("SELECT sum(next_offset) FROM stream_offset") or 0) < written:
                await asyncio.sleep(0.1)
        rows = await connection.fetch("SELECT source, event_id FROM incident_word")
    finally:
        await connection.close()
    return [(row["source"], row["event_id"]) for row in rows]


async def _until_equal(api: Place, follower: Follower) -> None:
    """Wait until what was told is what a read answers; only that windows move on is told by a read alone."""
    async with httpx2.AsyncClient(base_url=api.url, headers=follower.headers) as client, asyncio.timeout(PATIENCE_S):
        for brand in _BRANDS:
            while True:
                (cut,) = (await client.get(f"/v1/brands/{brand}/kpis{_QUERY}")).json()["cuts"]
                if _unmoved(cut["kpis"]) == _unmoved(follower.figures[brand]):
                    break
                await asyncio.sleep(0.1)


def _unmoved(kpis: dict[str, Any]) -> dict[str, Any]:
    bounds = {"start", "end"}
    return {key: {k: v for k, v in windows[_WINDOW].items() if k not in bounds} for key, windows in kpis.items()}


async def test_listeners_that_never_read_cost_the_others_nothing_and_the_api_no_memory(
    database: str, profile: Profile, report: Report, api: Place
) -> None:
    listeners, deaf_ones = times(profile, 60, 200), times(profile, 6, 20)
    headers = await key_headers(database, _PEPPER, Scope.KPIS_READ)
    waits_s: list[float] = []
    async with AsyncExitStack() as exits:
        teller = await exits.enter_async_context(telling(database))
        brand_id = await teller.connection.fetchval("SELECT brand_id FROM brand WHERE slug = 'aurora'")
        opened = [
            await exits.enter_async_context(
                listening(api.url, headers, receive_bytes=4_096 if number < deaf_ones else 0)
            )
            for number in range(listeners)
        ]
        assert {listener.status for listener in opened} == {200}
        deaf, hearing = opened[:deaf_ones], opened[deaf_ones:]
        await asyncio.gather(*(listener.ready() for listener in hearing))
        await _flood(teller, brand_id, hearing, 4, waits_s)
        process = psutil.Process(api.pid)
        before = process.memory_info().rss
        rounds = int(seconds(profile, 8, 120))
        told = await _flood(teller, brand_id, hearing, rounds, waits_s)
        grown = process.memory_info().rss - before
        late = [await listener.until(lambda one: one.event == "resync") for listener in deaf]
    waits_s.sort()
    p99_s = waits_s[int(len(waits_s) * 0.99)]
    rows = [("listeners", listeners), ("never read", deaf_ones), ("steps told to each", told)]
    more = [("p99 of the others, ms", f"{p99_s * 1e3:.0f}"), ("memory grown, MiB", f"{grown / 2**20:.1f}")]
    report("Listeners beside others that never read", [*rows, *more])
    assert {heard[-1].data["reason"] for heard in late} == {"too_slow"}
    assert p99_s < _SLOWEST_S
    assert grown < 48 * 2**20


async def _flood(teller: Any, brand_id: int, hearing: list[Listener], rounds: int, waits_s: list[float]) -> int:
    """Write steps and values, each of which every hearing listener has to hear; gives how many steps."""
    steps = 60
    for number in range(rounds):
        name = f"flood-{len(waits_s)}-{number}"
        written = await teller.steps(brand_id, name, steps, _NOTE)
        await teller.values(brand_id, number)
        at = time.monotonic()

        async def hear(listener: Listener, last: str = written[-1], at: float = at) -> None:
            heard = await listener.until(lambda one: one.event == "incident" and one.data["step"]["event_id"] == last)
            assert sum(one.event == "incident" for one in heard) == steps
            waits_s.append(heard[-1].at - at)

        await asyncio.gather(*(hear(listener) for listener in hearing))
    return rounds * steps
