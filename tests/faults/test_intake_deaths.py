"""Services killed and stopped while events come in over HTTP, and events that come in twice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

import httpx2
import pytest

from tests.faults.conftest import Report
from tests.faults.counts import seconds, times
from tests.faults.front import Front, open_front
from tests.faults.harness.places import Place
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.flow import expected_of
from tests.support.http_flow import ApiReader
from tests.support.ledger import Entry, make_ledger
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.fault, pytest.mark.timeout(3600)]

_SLICE = 300
_OVER_HTTP = {200, 202, 503, "ConnectError", "RemoteProtocolError", "ReadError"}


@pytest.fixture
async def front(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path
) -> AsyncIterator[Front]:
    ledger = make_ledger(profile.seed + 40, times(profile, 4_000, 40_000), int(time.time()))
    async with open_front(stack, database, topics, tmp_path, ledger) as opened:
        await opened.arena.process(opened.arena.direct, max_events=200).start()
        yield opened


async def replaced(place: Place, random: Random, within_s: float) -> None:
    """Kill a service at a random moment, and start it again."""
    await asyncio.sleep(random.uniform(0, within_s))  # the moment is the point
    await place.kill()
    await place.start()


async def test_intakes_killed_while_senders_repeat_lose_and_double_nothing(
    front: Front, profile: Profile, report: Report
) -> None:
    kills, within_s, random = times(profile, 3, 40), seconds(profile, 0.3, 6.0), Random(profile.seed)
    took = []
    for number in range(kills):
        kill = partial(replaced, front.intakes[number % 2], random, within_s)
        took.append(await front.during(front.take(_SLICE), kill))
    await front.caught_up()
    assert not await front.differences()
    assert set(front.answers) <= _OVER_HTTP
    rows = [("kills", kills), ("longest until all is acknowledged", f"{max(took):.1f} s"), ("lost, double", "0, 0")]
    report("Intakes killed while senders repeat", rows)


async def test_an_api_that_is_killed_while_it_is_read_never_tells_a_wrong_number(
    front: Front, profile: Profile, report: Report
) -> None:
    kills = times(profile, 2, 20)
    await front.api.start()
    await front.api.ready()
    finals = expected_of(front.arena.ledger).finals()
    reader = ApiReader(front.api.url, front.headers, {s: finals[s, "", "mentions"] for s in front.arena.ledger.zones})
    exported: list[int] = []
    reading = [asyncio.create_task(reader.run()), asyncio.create_task(exports(front, exported))]
    for _ in range(kills):
        before = reader.answers[200]
        await front.during(front.take(_SLICE // 2), partial(replaced, front.api, Random(profile.seed), 0.3))
        async with asyncio.timeout(PATIENCE_S):
            while reader.answers[200] < before + 2:
                await asyncio.sleep(0.05)
    await front.caught_up()
    assert not any(task.done() for task in reading)
    for task in reading:
        task.cancel()
    assert not await front.differences()
    assert not reader.violations
    assert set(reader.answers) <= _OVER_HTTP
    assert exported
    report("API killed while it is read", [("kills", kills), ("answers", dict(reader.answers)), ("wrong", 0)])


async def exports(front: Front, lengths: list[int]) -> None:
    """Download scorecards again and again; what is answered as a whole is noted with its length."""
    async with httpx2.AsyncClient(base_url=front.api.url, headers=front.headers, timeout=10) as client:
        while True:
            try:
                answer = await client.get("/v1/brands/aurora/scorecards/social-media-manager", params={"format": "csv"})
                if answer.status_code == httpx2.codes.OK:
                    assert answer.headers["content-type"].startswith("text/csv")
                    assert answer.content.endswith(b"\r\n")
                    lengths.append(len(answer.content))
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.05)


async def test_the_same_events_at_two_intakes_at_once_count_once_and_other_bodies_not_at_all(
    front: Front, profile: Profile, report: Report
) -> None:
    entries = [entry for entry in front.take(times(profile, 1_500, 20_000)) if entry.spoiled is None]
    both = [asyncio.create_task(sender.send(entries)) for sender in front.senders]
    await asyncio.gather(*both)
    altered = with_other_bodies(entries[::10])
    await front.send(altered)
    await front.caught_up()
    assert not await front.differences()
    outcomes = dict(await outcomes_of(front))
    assert outcomes["conflicting"] >= len({identity_of(entry) for entry in altered})
    assert outcomes["duplicate"] >= len(entries)
    report("The same events at two intakes at once", [("sent twice", len(entries)), *outcomes.items()])


def with_other_bodies(entries: Sequence[Entry]) -> list[Entry]:
    """The same identities with other bodies."""
    return [
        entry._replace(value=json.dumps(json.loads(entry.value or b"") | {"subject": f"changed-{n}"}).encode())
        for n, entry in enumerate(entries)
    ]


def identity_of(entry: Entry) -> tuple[bytes | None, str, str]:
    event = json.loads(entry.value or b"")
    return entry.key, event["source"], event["id"]


async def outcomes_of(front: Front) -> list[tuple[str, int]]:
    query = "SELECT json_object_agg(outcome, n) FROM (SELECT outcome, sum(events) AS n FROM ledger GROUP BY 1) AS l"
    return list(json.loads(str(await front.arena.fetchval(query))).items())


async def test_every_service_stopped_in_order_under_load_ends_soon_and_loses_nothing(
    front: Front, profile: Profile, report: Report
) -> None:
    stops, ended = times(profile, 1, 30), []
    await front.api.start()
    await front.api.ready()

    async def stopped(place: Place) -> None:
        started = time.monotonic()
        ending = asyncio.create_task(place.stop())
        await ending
        ended.append(time.monotonic() - started)
        assert await place.ended() == 0
        await place.start()

    for number in range(stops):
        for place in (front.intakes[number % 2], front.api):
            await front.during(front.take(_SLICE // 2), partial(stopped, place))
    await front.caught_up()
    assert not await front.differences()
    assert max(ended) < 20
    assert set(front.answers) <= _OVER_HTTP
    rows = [("stops", len(ended)), ("longest end", f"{max(ended):.1f} s")]
    report("Intakes and API stopped in order under load", rows)
