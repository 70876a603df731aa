"""Brands over HTTP: made once, changed by version, seen by their own tenant only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from bellwether.adapters.postgres.directory import Brand, Directory
from bellwether.adapters.postgres.pool import open_pool
from bellwether.domain.business_hours import WEEKDAYS
from bellwether.domain.response_times import ResponseRules
from tests.support.api import WRITER, Seed, seconds, seeding, serving

NOW = "2026-10-13T12:00:30+00:00"
NEW = {"slug": "acme", "name": "Acme Coffee", "time_zone": "Europe/Berlin", "currency": "EUR", "competitors": ["bean"]}


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


@pytest.fixture
async def writer(seed: Seed) -> dict[str, str]:
    return await seed.key(WRITER)


@pytest.fixture
async def client(writer: dict[str, str], database: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(database, NOW) as client:
        client.headers.update(writer)
        yield client


async def test_a_brand_is_made_and_found_at_its_location(client: httpx2.AsyncClient) -> None:
    made = await client.post("/v1/brands", json=NEW)
    assert made.status_code == 201
    assert (made.headers["location"], made.headers["etag"]) == ("/v1/brands/acme", '"1"')
    read = await client.get(made.headers["location"])
    assert read.json() == made.json()
    assert {name: read.json()[name] for name in NEW} == NEW
    again = await client.get("/v1/brands/acme", headers={"If-None-Match": read.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


WEEK = {**{day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu")}, "fri": ["09:00-12:00", "22:00-02:00"]}
RESPONSES = {
    "business_hours": {**WEEK, "sat": [], "sun": []},
    "holidays": [{"date": "2026-12-24", "hours": ["09:00-12:00"]}, {"date": "2026-12-25", "hours": []}],
    "closed_answer_policy": "leave_out",
    "response_target_s": 1800,
    "thread_gap_s": 86_400,
}


async def test_the_rules_of_response_times_are_kept_and_changed(client: httpx2.AsyncClient, database: str) -> None:
    made = await client.post("/v1/brands", json={**NEW, **RESPONSES, "business_hours": WEEK})
    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in RESPONSES} == RESPONSES
    assert list(made.json()["business_hours"]) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    same = await client.patch("/v1/brands/acme", json=RESPONSES)
    assert same.headers["etag"] == '"1"'
    closed = await client.patch("/v1/brands/acme", json={"business_hours": {}})
    assert closed.headers["etag"] == '"2"'
    assert closed.json()["business_hours"] == {day: [] for day in WEEKDAYS}
    changed = await client.patch("/v1/brands/acme", json={"business_hours": None, "holidays": []})
    assert changed.headers["etag"] == '"3"'
    kept = {**RESPONSES, "business_hours": None, "holidays": []}
    assert {name: changed.json()[name] for name in kept} == kept
    brand = await known_brand(database, "acme")
    assert (brand.hours, brand.response_target_s, brand.closed_answer.value) == (None, 1800, "leave_out")


async def test_services_know_the_hours_of_a_brand(client: httpx2.AsyncClient, database: str) -> None:
    await client.post("/v1/brands", json={**NEW, **RESPONSES})
    await client.post("/v1/brands", json={"slug": "plain", "name": "Plain"})
    hours = (await known_brand(database, "acme")).hours
    assert hours is not None
    week = 4 * 8 + 3 + 4
    assert hours.seconds_between(seconds("2026-10-05T00:00+02:00"), seconds("2026-10-12T00:00+02:00")) == week * 3600
    assert hours.seconds_between(seconds("2026-12-24T00:00+01:00"), seconds("2026-12-26T00:00+01:00")) == 3 * 3600
    assert (await known_brand(database, "plain")).response_rules == ResponseRules()


async def known_brand(database: str, slug: str) -> Brand:
    """A brand as the services know it."""
    async with open_pool(database, application="test") as pool, Directory.open(pool, "pepper") as directory:
        found = directory.brand("acme", slug)
        assert found is not None
        return found


async def test_a_slug_is_given_once(client: httpx2.AsyncClient) -> None:
    await client.post("/v1/brands", json=NEW)
    taken = await client.post("/v1/brands", json={"slug": "acme", "name": "Another"})
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:bellwether:problem:already-exists")
    assert taken.json()["errors"] == [{"pointer": "/slug", "detail": "is taken"}]


async def test_the_same_post_under_the_same_key_makes_one_brand(client: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": '"one"'}
    answers = await asyncio.gather(*(client.post("/v1/brands", json=NEW, headers=key) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    replayed = sorted(answer.headers["idempotency-replayed"] for answer in answers)
    assert replayed == ["false", "true", "true", "true"]
    other = await client.post("/v1/brands", json={**NEW, "slug": "other"}, headers=key)
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/Idempotency-Key")


async def test_a_failed_post_leaves_its_key_free(client: httpx2.AsyncClient, seed: Seed) -> None:
    await seed.brand("acme")
    key = {"Idempotency-Key": "two"}
    assert (await client.post("/v1/brands", json=NEW, headers=key)).status_code == 409
    assert (await client.post("/v1/brands", json={**NEW, "slug": "b"}, headers=key)).status_code == 201


async def test_an_expired_key_stands_for_a_new_request(client: httpx2.AsyncClient, seed: Seed) -> None:
    key = {"Idempotency-Key": "three"}
    await client.post("/v1/brands", json=NEW, headers=key)
    await seed.connection.execute("UPDATE idempotency_key SET expires_at = now()")
    assert (await client.post("/v1/brands", json={**NEW, "slug": "b"}, headers=key)).status_code == 201


async def test_what_is_left_out_of_a_change_stays(client: httpx2.AsyncClient) -> None:
    await client.post("/v1/brands", json=NEW)
    changed = await client.patch("/v1/brands/acme", json={"name": "Acme", "competitors": []})
    assert changed.status_code == 200
    assert changed.headers["etag"] == '"2"'
    read = (await client.get("/v1/brands/acme")).json()
    assert {name: read[name] for name in NEW} == {**NEW, "name": "Acme", "competitors": []}
    same = await client.patch("/v1/brands/acme", json={"name": "Acme"})
    assert (same.status_code, same.headers["etag"]) == (200, '"2"')


async def test_a_change_meant_for_another_version_is_refused(client: httpx2.AsyncClient) -> None:
    await client.post("/v1/brands", json=NEW)
    change = {"name": "Acme"}
    assert (await client.patch("/v1/brands/acme", json=change, headers={"If-Match": '"1"'})).status_code == 200
    stale = await client.patch("/v1/brands/acme", json={"name": "B"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:bellwether:problem:stale-version")


async def test_of_changes_at_the_same_time_to_one_version_one_is_taken(client: httpx2.AsyncClient) -> None:
    await client.post("/v1/brands", json=NEW)
    changes = [
        client.patch("/v1/brands/acme", json={"name": f"Acme {n}"}, headers={"If-Match": '"1"'}) for n in range(4)
    ]
    assert sorted(answer.status_code for answer in await asyncio.gather(*changes)) == [200, 412, 412, 412]


async def test_the_time_zone_and_currency_change_only_until_something_is_counted(
    client: httpx2.AsyncClient, seed: Seed
) -> None:
    brand = await seed.brand("acme")
    changed = await client.patch("/v1/brands/acme", json={"time_zone": "America/New_York"})
    assert (changed.status_code, changed.json()["time_zone"]) == (200, "America/New_York")
    await seed.rollups(brand, [("", "2026-10-13T11:00:00Z", {"mentions": 1})])
    refused = await client.patch("/v1/brands/acme", json={"time_zone": "UTC", "name": "Acme"})
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["pointer"] == "/time_zone"
    refused = await client.patch("/v1/brands/acme", json={"currency": "CHF"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (409, "/currency")
    assert (await client.patch("/v1/brands/acme", json={"time_zone": "America/New_York"})).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "No slug"}, "/slug"),
        ({**NEW, "slug": "Acme"}, "/slug"),
        ({**NEW, "slug": "-acme"}, "/slug"),
        ({**NEW, "slug": "a" * 64}, "/slug"),
        ({**NEW, "slug": "acme\n"}, "/slug"),
        ({**NEW, "name": ""}, "/name"),
        ({**NEW, "name": "   "}, "/name"),
        ({**NEW, "name": "a\u0000b"}, "/name"),
        ({**NEW, "name": None}, "/name"),
        ({**NEW, "time_zone": "Mars/Olympus"}, "/time_zone"),
        ({**NEW, "time_zone": "../../etc/passwd"}, "/time_zone"),
        ({**NEW, "currency": "eur"}, "/currency"),
        ({**NEW, "competitors": ["bean", "bean"]}, "/competitors"),
        ({**NEW, "competitors": ["Bean There"]}, "/competitors/0"),
        ({**NEW, "competitors": ["acme"]}, ""),
        ({**NEW, "colour": "red"}, "/colour"),
        ({**NEW, "business_hours": {"mon": ["9-17"]}}, "/business_hours/mon/0"),
        ({**NEW, "business_hours": {"mon": ["09:00-12:00", "11:00-17:00"]}}, "/business_hours/mon"),
        ({**NEW, "business_hours": {"monday": []}}, "/business_hours/monday"),
        ({**NEW, "holidays": [{"date": "2026-02-30"}]}, "/holidays/0/date"),
        ({**NEW, "holidays": [{"date": "2026-02-03", "hours": ["12:00-12:00"]}]}, "/holidays/0/hours/0"),
        ({**NEW, "holidays": [{"date": "2026-02-03"}, {"date": "2026-02-03"}]}, "/holidays"),
        ({**NEW, "closed_answer_policy": "never"}, "/closed_answer_policy"),
        ({**NEW, "response_target_s": 0}, "/response_target_s"),
        ({**NEW, "thread_gap_s": "7d"}, "/thread_gap_s"),
        ([], ""),
        ("acme", ""),
    ],
)
async def test_a_brand_that_is_not_valid_is_refused_with_a_pointer(
    client: httpx2.AsyncClient, body: object, pointer: str
) -> None:
    answer = await client.post("/v1/brands", json=body)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"name": None}, "/name"), ({"slug": "b"}, "/slug"), ({"time_zone": ""}, "/time_zone"),
     ({"competitors": ["acme"]}, "/competitors")],
)  # fmt: skip
async def test_a_change_that_is_not_valid_is_refused_with_a_pointer(
    client: httpx2.AsyncClient, seed: Seed, body: object, pointer: str
) -> None:
    await seed.brand("acme")
    answer = await client.patch("/v1/brands/acme", json=body)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("content", "media_type", "statuses"),
    [
        (b"{", "application/json", {422}),
        (b"\xff", "application/json", {400, 422}),
        (b'{"slug": "acme", "name": "\\ud800"}', "application/json", {422}),
        (b"[" * 50_000, "application/json", {400, 422}),
        (b'{"slug": "acme", "name": NaN}', "application/json", {422}),
        (b"slug=acme", "application/x-www-form-urlencoded", {415, 422}),
        (b" " * 70_000, "application/json", {413}),
        (b'{"slug": "acme", "name": "' + b"a" * 70_000 + b'"}', "application/json", {413}),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem_and_no_fault_of_ours(
    client: httpx2.AsyncClient, content: bytes, media_type: str, statuses: set[int]
) -> None:
    answer = await client.post("/v1/brands", content=content, headers={"Content-Type": media_type})
    assert answer.status_code in statuses
    assert answer.headers["content-type"] == "application/problem+json"


async def test_pages_follow_each_other_without_gap(client: httpx2.AsyncClient, seed: Seed) -> None:
    slugs = ["a", "a-b", "a0", "b", "zz"]
    for slug in slugs:
        await seed.brand(slug)
    found: list[str] = []
    url = "/v1/brands?limit=2"
    pages = 0
    while url:
        page = await client.get(url)
        found += [brand["slug"] for brand in page.json()["items"]]
        pages += 1
        url = page.links["next"]["url"] if "next" in page.links else ""
        assert bool(url) == (page.json()["next"] is not None)
    assert found == sorted(slugs, key=str.encode)
    assert pages == 3
    for bad in ({"limit": 0}, {"limit": 201}, {"cursor": "made-up"}):
        assert (await client.get("/v1/brands", params=bad)).status_code == 422


async def test_another_tenants_brand_is_as_if_it_were_not(
    client: httpx2.AsyncClient, seed: Seed, database: str
) -> None:
    await seed.brand("acme")
    async with seeding(database, "globex") as other:
        await other.brand("secret")
    paths = ["", "/kpis", "/kpis/brand_mentions", "/kpis/brand_mentions/series", "/scorecards/social-media-manager"]
    for path in paths:
        foreign, absent = [await client.get(f"/v1/brands/{slug}{path}") for slug in ("secret", "nothing")]
        assert (foreign.status_code, absent.status_code) == (404, 404)
        assert foreign.json() == {**absent.json(), "instance": foreign.json()["instance"]}
    assert (await client.patch("/v1/brands/secret", json={"name": "Mine"})).status_code == 404
    assert [brand["slug"] for brand in (await client.get("/v1/brands")).json()["items"]] == ["acme"]
    assert (await client.post("/v1/brands", json={**NEW, "slug": "secret"})).status_code == 201


async def test_a_key_limited_to_brands_sees_and_makes_no_others(seed: Seed, database: str) -> None:
    for slug in ("acme", "globex"):
        await seed.brand(slug)
    limited = await seed.key(WRITER, brands=["acme"])
    async with serving(database, NOW) as client:
        client.headers.update(limited)
        assert [brand["slug"] for brand in (await client.get("/v1/brands")).json()["items"]] == ["acme"]
        assert (await client.get("/v1/brands/acme")).status_code == 200
        assert (await client.get("/v1/brands/globex")).status_code == 404
        assert (await client.post("/v1/brands", json={**NEW, "slug": "new"})).status_code == 403
