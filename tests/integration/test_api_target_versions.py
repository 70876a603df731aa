"""Targets over HTTP: what is refused, and how they change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.api import Seed, seeding, serving
from tests.support.targets import NEW_SUBSCRIBERS, NOW, SET_AT, SETTER, TARGETS, put

HALF = "2026-11-15T23:00:00Z"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


@pytest.fixture
async def headers(seed: Seed) -> dict[str, str]:
    await seed.brand("acme")
    return await seed.key(SETTER)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kpi": "nothing"}, "/kpi"),
    ({"kpi": 5}, "/kpi"),
    ({"aim": {"form": "maximum", "value": 5}}, "/aim"),
    ({"aim": {"form": "change", "percent": -5}}, "/aim"),
    ({"aim": {"form": "from_to", "from": 6, "to": 5}}, "/aim"),
    ({"aim": {"form": "from_to", "from": 5, "to": 5}}, "/aim/to"),
    ({"aim": {"form": "band", "low": 5, "high": 5}}, "/aim/high"),
    ({"aim": {"form": "change", "percent": 0}}, "/aim/percent"),
    ({"aim": {"form": "wish", "value": 5}}, "/aim/form"),
    ({"aim": {"form": "level"}}, "/aim/value"),
    ({"aim": {"form": "level", "value": "5"}}, "/aim/value"),
    ({"time": {"kind": "in", "period": "2026-13"}}, "/time/period"),
    ({"time": {"kind": "in", "period": "2026-09"}}, "/time/period"),
    ({"time": {"kind": "by", "date": "2026-10-31"}}, "/time/date"),
    ({"time": {"kind": "by", "date": "2026-12-31", "from": "2027-01-01"}}, "/time/date"),
    ({"time": {"kind": "by", "date": "9999-12-31"}}, "/time/date"),
    ({"time": {"kind": "every", "period": "1h"}}, "/time/period"),
    ({"cut": "moon=full"}, "/cut"),
    ({"cut": "channel"}, "/cut"),
    ({"window": "28d"}, "/window"),
    ({"title": "a\u0007bell"}, "/title"),
    ({"surprise": 1}, ""),
]


@pytest.mark.parametrize(("changed", "pointer"), REFUSED)
async def test_what_cannot_be_a_target_is_refused_with_its_place(
    changed: dict[str, Any], pointer: str, seed: Seed, database: str
) -> None:
    await seed.brand("acme")
    refused = await put(database, await seed.key(SETTER), {**NEW_SUBSCRIBERS, **changed})
    assert refused.status_code == 422, refused.text
    assert refused.json()["type"] == "urn:bellwether:problem:invalid"
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_what_is_no_json_is_malformed(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    headers = await seed.key(SETTER)
    async with serving(database, SET_AT) as client:
        refused = await client.put(f"{TARGETS}/one", content=b"{", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (400, "urn:bellwether:problem:malformed")


async def test_a_target_is_changed_by_version_and_every_version_is_kept(headers: dict[str, str], database: str) -> None:
    async with serving(database, SET_AT) as client:
        client.headers.update(headers)
        path = f"{TARGETS}/new-subscribers"
        made = await client.put(path, json=NEW_SUBSCRIBERS, headers={"If-None-Match": "*"})
        assert (made.status_code, made.headers["location"]) == (201, path)
        again = await client.put(path, json=NEW_SUBSCRIBERS)
        assert (again.status_code, again.json()) == (200, made.json())
        assert (await client.put(path, json=NEW_SUBSCRIBERS, headers={"If-None-Match": "*"})).status_code == 412
        more = {**NEW_SUBSCRIBERS, "aim": {"form": "level", "value": 1200}}
        changed = await client.put(path, json=more, headers={"If-Match": made.headers["etag"]})
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        stale = await client.put(path, json=NEW_SUBSCRIBERS, headers={"If-Match": made.headers["etag"]})
        assert (stale.status_code, stale.json()["type"]) == (412, "urn:bellwether:problem:stale-version")
        assert (await client.delete(path, headers={"If-Match": made.headers["etag"]})).status_code == 412
        assert (await client.delete(path, headers={"If-Match": changed.headers["etag"]})).status_code == 204
        assert (await client.get(path)).status_code == 404
        assert (await client.delete(path)).status_code == 404
        versions = (await client.get(f"{path}/versions")).json()["versions"]
        anew = await client.put(path, json=NEW_SUBSCRIBERS)
    assert [(one["version"], one["target"] and one["target"]["aim"]["value"]) for one in versions] == [
        (3, None),
        (2, 1200),
        (1, 1000),
    ]
    key_id = headers["Authorization"].split("_")[1]
    assert {one["changed_by"] for one in versions} == {key_id}
    assert (anew.status_code, anew.json()["version"]) == (201, 4)


async def test_the_same_request_many_times_at_once_sets_one_version(headers: dict[str, str], database: str) -> None:
    async with serving(database, SET_AT) as client:
        client.headers.update(headers)
        answers = await asyncio.gather(*(client.put(f"{TARGETS}/one", json=NEW_SUBSCRIBERS) for _ in range(5)))
        versions = (await client.get(f"{TARGETS}/one/versions")).json()["versions"]
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert [one["version"] for one in versions] == [1]


async def test_known_at_shows_the_target_of_that_day(headers: dict[str, str], database: str) -> None:
    await put(database, headers, NEW_SUBSCRIBERS)
    await put(database, headers, {**NEW_SUBSCRIBERS, "aim": {"form": "level", "value": 500}}, NOW)
    async with serving(database, NOW) as client:

        async def goal(**params: str) -> float:
            answer = await client.get(f"{TARGETS}/one", params=params, headers=headers)
            found: float = answer.json()["progress"]["goal"]["at_least"]
            return found

        assert (await goal(as_of=HALF), await goal(known_at=HALF)) == (500, 1000)
        before = await client.get(f"{TARGETS}/one", params={"known_at": "2026-10-20T00:00:00Z"}, headers=headers)
    assert before.status_code == 404


async def test_what_is_left_out_stays_as_it_was_when_it_is_set_again(headers: dict[str, str], database: str) -> None:
    body = {**NEW_SUBSCRIBERS, "time": {"kind": "by", "date": "2027-02-08"}}
    first = (await put(database, headers, body)).json()
    again = (await put(database, headers, body, NOW)).json()
    assert first["time"] == again["time"] == {"kind": "by", "date": "2027-02-08", "from": "2026-11-01"}
    assert again["version"] == 1


async def test_targets_are_listed_by_id_a_page_at_a_time(headers: dict[str, str], database: str) -> None:
    async with serving(database, SET_AT) as client:
        client.headers.update(headers)
        for name in ("b", "a", "c"):
            await client.put(f"{TARGETS}/{name}", json=NEW_SUBSCRIBERS)
        await client.delete(f"{TARGETS}/b")
        first = await client.get(TARGETS, params={"limit": 1})
        rest = await client.get(first.headers["link"].partition(">")[0][1:])
    assert ([one["id"] for one in first.json()["items"]], [one["id"] for one in rest.json()["items"]]) == (["a"], ["c"])
    assert rest.json()["next"] is None


async def test_setting_takes_the_scope_and_the_brand(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    await seed.brand("other")
    reader, elsewhere = await seed.key(), await seed.key(SETTER, ["other"])
    assert (await put(database, reader, NEW_SUBSCRIBERS)).status_code == 403
    assert (await put(database, elsewhere, NEW_SUBSCRIBERS)).status_code == 404
    async with serving(database, SET_AT) as client:
        assert (await client.delete(f"{TARGETS}/one", headers=reader)).status_code == 403
        assert (await client.get(f"{TARGETS}/one", headers=reader)).status_code == 404
        assert (await client.get(f"{TARGETS}/NOT-ONE", headers=reader)).status_code == 422
