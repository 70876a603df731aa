"""Cards that are asked for again: answered the short way, alike, to nobody else, and never older than promised."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import msgspec
import pytest

from bellwether.catalogue.evaluate import Values
from bellwether.domain.keys import Scope
from bellwether.domain.windows import Window
from bellwether_api.shortcut import Shortcut
from tests.support.api import ZONE, Seed, kept_values, seeding, serving
from tests.support.patience import PATIENCE_S

NOW = "2026-10-27T12:20:30+00:00"
CARD = "/v1/brands/acme/scorecards/social-media-manager"
OCTOBER = "2026-10-10T08:00:00Z"
ALIKE = [{}, {"period": "2026-09"}, {"cut": "channel"}, {"format": "csv"}, {"format": "html"}, {"as_of": NOW}]


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


@pytest.fixture
async def values(seed: Seed) -> Values:
    """Kept values of the brand acme, which are in the database."""
    brand = await seed.brand("acme")
    await seed.rollups(brand, [("", OCTOBER, {"mentions": 4}), ("channel=x", OCTOBER, {"mentions": 4})])
    values = await kept_values(seed, brand, "", NOW)
    await seed.current(brand, "", NOW, values)
    return values


@pytest.fixture
def short_ways(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The status of each answer that was given the short way, as they come."""
    given: list[int] = []
    original = Shortcut._response

    async def noting(self: Shortcut, scope: Any) -> Any:
        response = await original(self, scope)
        if response is not None:
            given.append(response.status_code)
        return response

    monkeypatch.setattr(Shortcut, "_response", noting)
    return given


def _reach(answer: httpx2.Response) -> float:
    assert answer.status_code == 200, answer.text
    lines = (line for area in answer.json()["cuts"][0]["areas"] for line in area["lines"])
    value: float = next(line["value"] for line in lines if line["kpi"] == "content_reach")
    return value


@pytest.mark.usefixtures("values")
async def test_the_short_way_answers_as_the_long_one(seed: Seed, database: str, short_ways: list[int]) -> None:
    key = list((await seed.key()).items())
    async with serving(database, NOW) as client:
        for params in ALIKE:
            first = await client.get(CARD, params=params, headers=key)
            for told in ('"another"', f'"another", W/{first.headers["etag"]}', "*"):
                field = [("If-None-Match", told)]
                short = await client.get(CARD, params=params, headers=key + field)
                long = await client.get(CARD, params=params, headers=key + field * 2)  # what comes twice is unusual
                assert (short.status_code, short.headers.raw) == (long.status_code, long.headers.raw)
                assert short.content == long.content == (b"" if short.status_code == 304 else first.content)
    assert short_ways == [200, 304, 304] * len(ALIKE)


@pytest.mark.usefixtures("values")
async def test_what_is_refused_is_refused_alike_before_and_after(
    seed: Seed, database: str, short_ways: list[int]
) -> None:
    headers = await seed.key()
    await seed.brand("another")
    others = [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": headers["Authorization"][:-1] + "x"},
        await seed.key((Scope.EVENTS_WRITE,)),
        await seed.key(brands=["another"]),
    ]
    async with serving(database, NOW) as client:

        async def refused() -> list[tuple[int, bytes]]:
            answers = [await client.get(CARD, headers=other) for other in others]
            return [(answer.status_code, answer.content) for answer in answers]

        before = await refused()
        for _ in range(2):
            assert (await client.get(CARD, headers=headers)).status_code == 200
        assert [status for status, _ in before] == [401, 401, 401, 403, 404]
        assert await refused() == before
    assert short_ways == [200]


@pytest.mark.usefixtures("values")
async def test_the_same_address_is_another_card_to_another_tenant(
    seed: Seed, database: str, short_ways: list[int]
) -> None:
    headers = await seed.key()
    async with seeding(database, "rival") as rival:
        theirs = await rival.key()
        async with serving(database, NOW, cache_s=60, directory_refresh_s=0.05) as client:
            mine = [await client.get(CARD, headers=headers) for _ in range(2)]
            assert (await client.get(CARD, headers=theirs)).status_code == 404
            await rival.brand("acme", "Asia/Tokyo")
            async with asyncio.timeout(PATIENCE_S):
                while (answer := await client.get(CARD, headers=theirs)).status_code == 404:
                    await asyncio.sleep(0.05)
            for _ in range(2):
                shown = (await client.get(CARD, headers=theirs)).json()
                assert shown["time_zone"] == answer.json()["time_zone"] == "Asia/Tokyo"
                assert (await client.get(CARD, headers=headers)).json()["time_zone"] == ZONE
    assert {answer.status_code for answer in mine} == {200}
    assert len(short_ways) > 4


async def test_every_change_is_shown_by_every_process_within_a_second_or_so(
    seed: Seed, database: str, values: Values, short_ways: list[int]
) -> None:
    headers = await seed.key((Scope.KPIS_READ, Scope.TARGETS_WRITE))
    brand = await seed.connection.fetchval("SELECT brand_id FROM brand WHERE slug = 'acme'")
    async with (
        serving(database, NOW, cache_s=0.25) as one,
        serving(database, NOW, cache_s=0.25) as two,
    ):

        async def shown(is_there: Callable[[httpx2.Response], bool]) -> None:
            for client in (one, two):
                async with asyncio.timeout(PATIENCE_S):
                    while not is_there(await client.get(CARD, headers=headers)):
                        await asyncio.sleep(0.02)

        await shown(lambda answer: _reach(answer) == 0)
        for number in random.Random(1).sample(range(1, 1_000), 3):
            reach = msgspec.structs.replace(values["content_reach"][Window.MONTH], value=number)
            changed = values | {"content_reach": values["content_reach"] | {Window.MONTH: reach}}
            body = msgspec.json.encode(changed)
            await seed.connection.execute("UPDATE kpi_current SET body = $2 WHERE brand_id = $1", brand, body)
            await shown(lambda answer, number=number: _reach(answer) == number)  # type: ignore[misc]
        target = {"kpi": "content_reach", "aim": {"form": "level", "value": 100}}
        for goal in (100, 200):
            target["aim"] = {"form": "level", "value": goal}
            body_of_target = {**target, "time": {"kind": "every", "period": "month"}}
            answer = await one.put("/v1/brands/acme/targets/reach", json=body_of_target, headers=headers)
            assert answer.status_code in {200, 201}, answer.text
            await shown(lambda answer, goal=goal: f"at least {goal}" in answer.text)  # type: ignore[misc]
        assert (await one.delete("/v1/brands/acme/targets/reach", headers=headers)).status_code == 204
        await shown(lambda answer: "at least 200" not in answer.text)
        await seed.connection.execute("UPDATE brand SET currency = 'JPY' WHERE brand_id = $1", brand)
        await shown(lambda answer: answer.json()["currency"] == "JPY")
        await seed.connection.execute("DELETE FROM kpi_current")
        await shown(lambda answer: answer.json()["cuts"][0]["fresh_to"] is None)
        await seed.connection.execute("UPDATE api_key SET revoked_at = now()")
        await shown(lambda answer: answer.status_code == 401)
    assert len(short_ways) > 10
