"""Crises over the API, on real Kafka and PostgreSQL with compute: steps, refusals, repeats, pages, and what counts."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
import pytest

from bellwether.domain.keys import Scope
from tests.support.api import Seed, seeding, serving
from tests.support.backends import Servers
from tests.support.computing import computing
from tests.support.databases import Topics, database_from, fresh_topics
from tests.support.log import applied, initialise_stream, write_records
from tests.support.patience import PATIENCE_S

RESPONDER = (Scope.KPIS_READ, Scope.INCIDENTS_WRITE)
NOW = int(time.time())


def iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class World:
    """Everything that the tests of this file share; each has a brand of its own."""

    client: httpx2.AsyncClient
    headers: dict[str, str]
    seed: Seed
    bootstrap: str
    topics: Topics
    dsn: str


@dataclass(frozen=True, slots=True)
class Partner:
    """Reads and steps as a partner would, over the API, and writes events as the intake would."""

    world: World
    brand: str
    brand_id: int

    async def ask(self, method: str, path: str, **request: Any) -> httpx2.Response:
        request["headers"] = {**self.world.headers, **request.pop("headers", {})}
        return await self.world.client.request(method, f"/v1/brands/{self.brand}/incidents{path}", **request)

    async def get(self, path: str, **params: str) -> Any:
        answer = await self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(
        self, path: str, body: dict[str, Any] | None = None, status: int = 200, key: str | None = None
    ) -> Any:
        answer = await self.ask("POST", path, json=body, headers={"Idempotency-Key": key} if key else {})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def open(self, **told: Any) -> str:
        made = await self.post("", {"channel": "x", **told}, 201)
        return str(made["id"])

    async def tell(self, incident_id: str, phase: str, at: int, **told: Any) -> None:
        """A partner's event, as it lies in the log."""
        world, name = self.world, f"{self.brand} {incident_id} {phase} {at}"
        body = {"brand": self.brand, "channel": "instagram", "severity": "warning", "by": "agency"}
        data = {**body, "incident_id": incident_id, "phase": phase, **told}
        event = {"specversion": "1.0", "id": name, "source": "/agency", "type": "crisis.incident.v1", "time": iso(at)}
        value = msgspec.json.encode({**event, "data": data})
        before = await world.seed.connection.fetchval("SELECT coalesce(sum(next_offset), 0)::int FROM stream_offset")
        key = f"acme/{self.brand}".encode()
        await write_records(world.bootstrap, world.topics.events, [(key, value)], int(time.time() * 1000))
        await applied(world.dsn, world.topics.events, before + 1)

    async def alerts(self) -> list[tuple[str, float]]:
        query = "SELECT kind, severity FROM alert WHERE brand_id = $1 ORDER BY seq"
        return [tuple(row) for row in await self.world.seed.connection.fetch(query, self.brand_id)]


@pytest.fixture(scope="module")
async def world(
    stack: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    path = tmp_path_factory.mktemp("incidents")
    async with AsyncExitStack() as running:
        dsn = await running.enter_async_context(database_from(stack.postgres_dsn, template_database))
        topics = await running.enter_async_context(fresh_topics(stack.kafka_bootstrap))
        await initialise_stream(dsn, stack.kafka_bootstrap, topics.events)
        seed = await running.enter_async_context(seeding(dsn))
        await running.enter_async_context(computing(stack, dsn, topics, path))
        wired = {"kafka_bootstrap": stack.kafka_bootstrap, "events_topic": topics.events, "step_wait_s": 20}
        client = await running.enter_async_context(serving(dsn, iso(NOW + 120), **wired))
        yield World(client, await seed.key(RESPONDER), seed, stack.kafka_bootstrap, topics, dsn)


@pytest.fixture
async def partner(world: World, request: pytest.FixtureRequest) -> Partner:
    brand = f"brand-{zlib.crc32(request.node.name.encode())}"
    found = Partner(world, brand, await world.seed.brand(brand, "UTC"))
    # The producer of the API connects beside its start: until then it answers 503.
    async with asyncio.timeout(PATIENCE_S):
        while (await found.ask("POST", "/nothing/acknowledge")).status_code != 404 or not await kafka_answers(found):
            await asyncio.sleep(0.1)
    return found


async def kafka_answers(partner: Partner) -> bool:
    answer = await partner.ask("POST", "", json={"channel": "web"}, headers={"Idempotency-Key": f"{partner.brand} up"})
    assert answer.status_code in (201, 503), answer.text
    return answer.status_code == 201


async def test_a_crisis_goes_through_its_life_step_by_step(partner: Partner) -> None:
    incident = await partner.open(severity="critical", score=8.5, note="a photo", by="Maria", onset=iso(NOW - 600))
    told = await partner.post(f"/{incident}/acknowledge", {"by": "Dana", "note": "on it"})
    assert (told["state"], told["opened_by"], told["peak"], told["cuts"]) == (
        "acknowledged",
        "Maria",
        8.5,
        ["channel=x"],
    )
    for action, state in (("respond", "responded"), ("stabilize", "stable"), ("reopen", "open")):
        told = await partner.post(f"/{incident}/{action}")
        assert told["state"] == state
    told = await partner.post(f"/{incident}/resolve", {"reason": "real"})
    assert (told["state"], told["reason"]) == ("resolved", "real")
    assert told["possible"] == ["merge", "reopen", "notes"]
    told = await partner.post(f"/{incident}/notes", {"note": "a post-mortem follows"})
    phases = [step["phase"] for step in told["steps"]]
    assert phases == ["opened", "acknowledged", "responded", "stable", "reopened", "resolved", "noted"]
    assert {step["origin"] for step in told["steps"]} == {"person"}
    assert all(step["state"] for step in told["steps"])
    assert told == await partner.get(f"/{incident}")
    assert await partner.alerts() == [("opened", 5.0), *((kind, 8.5) for kind in phases[:-1])]


async def test_what_is_not_possible_is_refused_with_what_is(partner: Partner) -> None:
    incident = await partner.open()
    refused = await partner.post(f"/{incident}/reopen", status=409)
    assert refused["type"] == "urn:bellwether:problem:illegal-transition"
    assert refused["detail"].startswith("It is open; possible now: acknowledge, respond, escalate, stabilize, resolve")
    assert [step["phase"] for step in (await partner.get(f"/{incident}"))["steps"]] == ["opened"]
    await partner.post("/nothing/acknowledge", status=404)
    faulty = await partner.post(f"/{incident}/merge", {"into": incident}, 422)
    assert faulty["errors"][0]["pointer"] == "/into"
    await partner.post(f"/{incident}/resolve", {"reason": "bored"}, 422)
    await partner.post("", {"channel": "nowhere"}, 422)


async def test_a_repeat_under_an_idempotency_key_is_the_same_step(partner: Partner) -> None:
    first = await partner.post("", {"channel": "x"}, 201, key="one")
    again = await partner.post("", {"channel": "x"}, 201, key="one")
    assert again == first
    incident = first["id"]
    told = await partner.post(f"/{incident}/acknowledge", {"by": "Dana"}, key="two")
    assert await partner.post(f"/{incident}/acknowledge", {"by": "Dana"}, key="two") == told
    refused = await partner.post(f"/{incident}/acknowledge", {"by": "Eve"}, 422, key="two")
    assert refused["errors"][0]["pointer"] == "/Idempotency-Key"
    await partner.post(f"/{incident}/resolve", {"reason": "real"}, 422, key="two")
    phases = [step["phase"] for step in (await partner.get(f"/{incident}"))["steps"]]
    assert phases == ["opened", "acknowledged"]


async def test_repeats_before_compute_has_applied_the_first_count_once(partner: Partner) -> None:
    incident = await partner.open()
    answers = await asyncio.gather(
        *(partner.ask("POST", f"/{incident}/respond", headers={"Idempotency-Key": "all"}) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert [step["phase"] for step in (await partner.get(f"/{incident}"))["steps"]] == ["opened", "responded"]
    outcomes = {row[0] for row in await partner.world.seed.connection.fetch("SELECT DISTINCT outcome FROM ledger")}
    assert outcomes == {"applied", "duplicate"}


async def test_of_two_who_do_the_same_at_once_one_is_told_that_somebody_was_faster(partner: Partner) -> None:
    incident = await partner.open()
    answers = await asyncio.gather(*(partner.ask("POST", f"/{incident}/acknowledge") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {answer.json()["detail"].partition(";")[0] for answer in answers if answer.status_code == 409} == {
        "It is acknowledged"
    }
    assert (await partner.get(f"/{incident}"))["state"] == "acknowledged"


async def test_without_kafka_steps_are_refused_and_reads_go_on(partner: Partner) -> None:
    incident = await partner.open()
    async with serving(partner.world.dsn, iso(NOW + 120), kafka_bootstrap="127.0.0.1:1") as client:
        path = f"/v1/brands/{partner.brand}/incidents/{incident}"
        assert (await client.post(f"{path}/acknowledge", headers=partner.world.headers)).status_code == 503
        assert (await client.get(path, headers=partner.world.headers)).json()["state"] == "open"
        assert (await client.get("/readyz")).status_code == 200


async def test_events_of_partners_and_steps_of_people_are_one_life(partner: Partner) -> None:
    opened = NOW - 3_600
    await partner.tell("agency/7", "opened", opened, severity="critical")
    told = await partner.post("/agency%2F7/acknowledge")
    assert (told["state"], told["origin"], told["severity"]) == ("acknowledged", "partner", "critical")
    await partner.tell("agency/7", "responded", opened - 60)  # before the opening: no step of this crisis
    await partner.tell("agency/7", "stable", int(time.time()), note="calm")
    told = await partner.get("/agency%2F7")
    assert [(step["phase"], step["state"]) for step in told["steps"]] == [
        ("responded", None),
        ("opened", "open"),
        ("acknowledged", "acknowledged"),
        ("stable", "stable"),
    ]
    await partner.tell(
        "agency/7", "resolved", opened + 60, reason="benign"
    )  # told late: what followed was not possible
    told = await partner.get("/agency%2F7")
    assert (told["state"], told["reason"], told["possible"]) == ("resolved", "benign", ["merge", "reopen", "notes"])
    assert [step["state"] for step in told["steps"]] == [None, "open", "resolved", None, None]


async def test_what_is_old_news_alerts_nobody(partner: Partner) -> None:
    await partner.tell("old", "opened", NOW - 86_400 * 30, severity="critical")
    await partner.tell("old", "resolved", int(time.time()))
    assert await partner.alerts() == [("opened", 5.0), ("resolved", 8.0)]  # the first one is the fixture's


async def test_a_merged_crisis_is_no_more_one_of_its_own_until_it_is_split(partner: Partner) -> None:
    first, second = await partner.open(), await partner.open(channel="instagram")
    told = await partner.post(f"/{second}/merge", {"into": first})
    assert (told["state"], told["merged_into"], told["possible"]) == ("merged", first, ["split", "notes"])
    await partner.post(f"/{first}/merge", {"into": second}, 422)
    told = await partner.post(f"/{second}/split", key="apart")
    assert (told["state"], told["merged_into"]) == ("open", None)
    assert await partner.post(f"/{second}/split", key="apart") == told


async def test_a_part_of_a_crisis_becomes_one_of_its_own(partner: Partner) -> None:
    whole = await partner.open(severity="critical")
    told = await partner.post(f"/{whole}/split", {"note": "the shop is another matter"}, key="part")
    assert told["state"] == "open"
    part = await partner.get(f"/{told['steps'][-1]['into']}")
    assert (part["state"], part["severity"], part["cuts"]) == ("open", "critical", ["channel=x"])
    assert await partner.post(f"/{whole}/split", {"note": "the shop is another matter"}, key="part") == told


async def test_crises_are_listed_by_state_moment_and_cut_a_page_at_a_time(partner: Partner) -> None:
    ids = [f"c{number}" for number in range(5)]
    for number, name in enumerate(ids):
        await partner.tell(name, "opened", NOW - 600 + number // 2)  # two of a second
    await partner.tell("c1", "resolved", NOW - 60)
    await partner.tell("c2", "acknowledged", NOW - 60)
    found, cursor = list[str](), None
    while True:
        page = await partner.get("", limit="2", cut="channel=instagram", **({"cursor": cursor} if cursor else {}))
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == ["c4", "c3", "c2", "c1", "c0"]
    assert [item["id"] for item in (await partner.get("", state="resolved,acknowledged"))["items"]] == ["c2", "c1"]
    assert [item["id"] for item in (await partner.get("", since=iso(NOW - 598), cut="channel=instagram"))["items"]] == [
        "c4"
    ]
    assert len((await partner.get(""))["items"]) == 6
    assert (await partner.ask("GET", "", params={"state": "gone"})).status_code == 422
    assert (await partner.ask("GET", "", params={"cursor": "e30"})).status_code == 422
    etag = (await partner.ask("GET", "/c1")).headers["etag"]
    assert (await partner.ask("GET", "/c1", headers={"If-None-Match": etag})).status_code == 304


async def test_what_the_release_before_wrote_is_told_as_soon_as_something_happens_to_the_brand(world: World) -> None:
    partner = Partner(world, "older", await world.seed.brand("older", "UTC"))
    for at, phase, cuts in ((0, "opened", ["", "channel=x"]), (60, "acknowledged", []), (90, "resolved", [])):
        row = (partner.brand_id, "long-ago", NOW - 86_400 + at, phase, cuts, (NOW - 86_400) // 86_400)
        await world.seed.connection.execute("INSERT INTO crisis_step VALUES ($1, $2, $3, $4, $5, $6)", *row)
    assert (await partner.get(""))["items"] == []
    await partner.tell("new", "opened", NOW)
    told = await partner.get("/long-ago")
    assert (told["state"], told["reason"], told["opened_by"], told["cuts"]) == ("resolved", None, "", ["channel=x"])
    assert [(step["phase"], step["by"], step["recorded_at"]) for step in told["steps"]] == [
        ("opened", "", None),
        ("acknowledged", "", None),
        ("resolved", "", None),
    ]
    assert await partner.alerts() == [("opened", 5.0)]  # of the new one
    reopened = await partner.post("/long-ago/reopen")
    assert (reopened["state"], reopened["acknowledged_at"]) == ("open", told["acknowledged_at"])


async def test_who_may_not_steps_not(partner: Partner) -> None:
    incident = await partner.open()
    reader = await partner.world.seed.key((Scope.KPIS_READ,))
    assert (await partner.ask("GET", f"/{incident}", headers=reader)).status_code == 200
    assert (await partner.ask("POST", f"/{incident}/acknowledge", headers=reader)).status_code == 403
    await partner.world.seed.brand("another", "UTC")
    stranger = await partner.world.seed.key(RESPONDER, ["another"])
    assert (await partner.ask("POST", f"/{incident}/acknowledge", headers=stranger)).status_code == 404
    writer = await partner.world.seed.key((Scope.INCIDENTS_WRITE,))
    assert (await partner.ask("GET", f"/{incident}", headers=writer)).status_code == 403
