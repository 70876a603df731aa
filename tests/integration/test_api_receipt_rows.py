"""The rows behind sums and levels: over all pages they are exactly what the number is made of."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import httpx2
import pytest

from bellwether.adapters.sketches import HyperLogLog
from bellwether.domain.totals import Total
from tests.support.api import CLOCK, Seed, seconds, seeding, serving

NOW = "2026-10-27T12:20:30+00:00"  # Tuesday, 13:20:30 in Berlin, two days after the clocks went back
URL = "/v1/brands/acme/kpis/{}/receipts"
KEYS = (
    "share_of_voice",
    "brand_mention_growth",
    "campaign_roi",
    "cost_per_click",
    "crisis_response_time",
    "community_retention_rate",
    "community_sentiment",
    "content_engagement_rate",
    "content_engagement_rate.item_median",
)
WINDOWS = ("1h", "24h", "7d", "28d", "week", "month", "year")
MOMENTS: tuple[dict[str, str], ...] = (
    {},
    {"as_of": "2026-10-25T20:10:00Z"},
    {"known_at": "2026-10-25T12:00:00Z"},
    {"as_of": "2026-09-20T12:10:00Z", "known_at": "2026-09-25T12:00:00Z"},
)
CUTS: tuple[dict[str, str], ...] = ({}, {"cut": "channel=x"})
_MEASURES = (
    "mentions", "competitor_mentions", "ad_spend", "ad_clicks", "ad_spend.unconverted", "conversion_value", "cost",
    "crises_opened", "joined_members", "left_members", "positive_n", "negative_n", "sentiment_n",
)  # fmt: skip
Facts = list[tuple[str, str, Mapping[str, Total]]]


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


def facts_until(rng: random.Random, end: datetime, count: int) -> Facts:
    """What happened at so many moments of the ten weeks before the end, most of it of late; each in the cut, too."""
    found: Facts = []
    for _ in range(count):
        at = end - timedelta(minutes=int(rng.random() ** 4 * 70 * 1440))
        totals: dict[str, Total] = {key: rng.randrange(1, 9) for key in rng.sample(_MEASURES, 4)}
        totals["crisis_response_time"] = {rng.randrange(1000): 1}
        found += [(cut, at.isoformat(), totals) for cut in ("", "channel=x")]
    return found


async def publish(seed: Seed, brand: int, name: str, published: str, earned: Mapping[str, int]) -> Facts:
    """An item on x with what it earned by moment, as compute counts it at its publication."""
    day = CLOCK.day(seconds(published))
    await seed.connection.execute(
        "INSERT INTO content_item (brand_id, channel, content_id, published_at, state, published_known_on, cuts)"
        " VALUES ($1, 'x', $2, $3, '', $4, '{channel=x}')",
        *(brand, name, seconds(published), day),
    )
    for text, reactions in earned.items():
        await seed.connection.execute(
            "INSERT INTO content_point (brand_id, channel, content_id, minute, known_on, reactions)"
            " VALUES ($1, 'x', $2, $3, $4, $5)",
            *(brand, name, seconds(text), day, reactions),
        )
    totals = {"items": 1, "item_interactions": sum(earned.values())}
    return [(cut, published, totals) for cut in ("", "channel=x")]


async def live(seed: Seed) -> int:
    """A brand with ten weeks behind it, some of which was recorded late."""
    brand, rng = await seed.brand("acme"), random.Random(7)
    facts = facts_until(rng, datetime.fromisoformat(NOW), 200)
    # Earned after an earlier moment that is read: taken back there, at the publication.
    earned = {"2026-10-25T19:00:00Z": 5, "2026-10-26T19:00:00Z": 40}
    facts += await publish(seed, brand, "new", "2026-10-25T18:30:00Z", earned)
    facts += await publish(seed, brand, "old", "2026-09-18T18:30:00Z", {"2026-09-19T19:00:00Z": 3, **earned})
    await seed.rollups(brand, facts)
    late = facts_until(rng, datetime(2026, 10, 24, 12, tzinfo=UTC), 50)
    await seed.rollups(brand, late, known_on=CLOCK.day(seconds("2026-10-26T12:00:00Z")))
    for text, members in (("2026-09-01T00:00:00Z", 1000), ("2026-10-21T00:00:00Z", 1030)):
        await seed.level(brand, text, members, audience="members")
    return brand


async def rows(client: httpx2.AsyncClient, key: str, limit: int = 200, **params: str) -> list[dict[str, Any]]:
    """The rows of all pages, in their order."""
    found: list[dict[str, Any]] = []
    url = str(httpx2.URL(URL.format(key), params={"limit": limit, **params}))
    while url:
        page = await client.get(url)
        assert page.status_code == 200, page.text
        items = page.json()["items"]
        assert len(items) <= limit
        found += items
        url = page.links["next"]["url"] if "next" in page.links else ""
    return found


def sums(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in found if row["row"] == "sum"]


@pytest.fixture
async def client(seed: Seed, database: str) -> AsyncIterator[httpx2.AsyncClient]:
    await live(seed)
    headers = await seed.key()
    async with serving(database, NOW) as client:
        client.headers.update(headers)
        yield client


async def test_rows_add_up_to_the_parts_of_the_number(client: httpx2.AsyncClient) -> None:
    rowed = Counter[str]()
    for moment, cut in product(MOMENTS, CUTS):
        params = {"keys": ",".join(KEYS), "window": ",".join(WINDOWS), **moment, **cut}
        (values,) = (await client.get("/v1/brands/acme/kpis", params=params)).json()["cuts"]
        for key, window in product(KEYS, WINDOWS):
            found = sums(await rows(client, key, 50, window=window, **moment, **cut))
            added = Counter[str]()
            for row in found:
                added.update(row["parts"])
                assert any(row["parts"].values())
            figure = values["kpis"][key][window]
            assert {part: added[part] for part in figure["parts"]} == figure["parts"], (key, window, moment, cut)
            assert all(figure["start"] <= row["start"] < row["end"] <= figure["end"] for row in found)
            rowed[key] += len(found)
    assert all(rowed[key] > 20 for key in KEYS), rowed


async def test_pages_follow_each_other_the_latest_first_and_hold_every_row_once(client: httpx2.AsyncClient) -> None:
    whole = await rows(client, "community_retention_rate", window="28d")
    assert {row["row"] for row in whole} == {"sum", "level"}
    assert await rows(client, "community_retention_rate", 3, window="28d") == whole
    starts = [row["start"] for row in sums(whole)]
    assert starts == sorted(starts, reverse=True)


async def test_an_hour_and_a_day_are_those_of_the_brand(client: httpx2.AsyncClient) -> None:
    hours = sums(await rows(client, "share_of_voice", window="7d"))
    edges = {text for row in hours for text in (row["start"], row["end"])} - {"2026-10-27T12:21:00Z"}
    assert all(text.endswith("00:00Z") for text in edges - {"2026-10-20T12:21:00Z"})
    days = sums(await rows(client, "share_of_voice", window="month"))
    lengths = {row["start"]: seconds(row["end"]) - seconds(row["start"]) for row in days}
    assert lengths["2026-10-24T22:00:00Z"] == 25 * 3600
    assert lengths["2026-10-25T23:00:00Z"] == 24 * 3600
    assert days[0]["end"] == "2026-10-27T12:21:00Z"


async def test_what_came_about_later_is_taken_back_in_the_row_of_its_cohort(client: httpx2.AsyncClient) -> None:
    as_of = "2026-10-25T20:10:00Z"
    found = await rows(client, "content_engagement_rate", window="24h", cut="channel=x", as_of=as_of)
    by_start = {row["start"]: row["parts"] for row in found}
    assert by_start["2026-10-25T18:00:00Z"] == {
        "item_interactions_followed": 0, "item_followers": 0, "items": 1, "item_interactions": 5,
    }  # fmt: skip


async def test_the_size_of_an_audience_is_told_by_account_at_both_edges(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    for text, channel, members in (
        ("2026-10-01T00:00:00Z", "x", 100),
        ("2026-10-25T00:00:00Z", "x", 120),
        ("2026-10-26T00:00:00Z", "instagram", 50),
        ("2026-10-28T00:00:00Z", "x", 999),
    ):
        await seed.level(brand, text, members, channel=channel)
    headers = await seed.key()
    async with serving(database, NOW) as client:
        client.headers.update(headers)
        found = await rows(client, "follower_growth_rate", window="7d")
    assert found == [
        {
            "row": "level", "audience": "followers", "channel": "instagram", "account": "main",
            "start": None, "end": {"observed_at": "2026-10-26T00:00:00Z", "count": 50},
        },
        {
            "row": "level", "audience": "followers", "channel": "x", "account": "main",
            "start": {"observed_at": "2026-10-01T00:00:00Z", "count": 100},
            "end": {"observed_at": "2026-10-25T00:00:00Z", "count": 120},
        },
    ]  # fmt: skip


async def test_distinct_values_do_not_add_up_and_are_said_not_to(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    facts: Facts = []
    for day, authors in (("20", ("a", "b")), ("21", ("b", "c")), ("22", ("b",))):
        sketch = HyperLogLog()
        for author in authors:
            sketch.add(author)
        facts.append(("", f"2026-10-{day}T18:00:00Z", {"mentions": len(authors), "mention_authors": sketch}))
    await seed.rollups(brand, facts)
    headers = await seed.key()
    async with serving(database, NOW) as client:
        client.headers.update(headers)
        page = (await client.get(URL.format("brand_mentions"), params={"window": "28d"})).json()
        params = {"keys": "brand_mentions", "window": "28d"}
        (values,) = (await client.get("/v1/brands/acme/kpis", params=params)).json()["cuts"]
    assert page["distinct"] == ["mention_authors"]
    assert [row["parts"]["mention_authors"] for row in page["items"]] == [1, 2, 2]
    assert values["kpis"]["brand_mentions"]["28d"]["parts"]["mention_authors"] == 3
    assert sum(row["parts"]["mentions"] for row in page["items"]) == 5


async def test_a_window_in_which_nothing_happened_has_no_rows(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    headers = await seed.key()
    async with serving(database, NOW) as client:
        client.headers.update(headers)
        for key in (*KEYS, "kpi_trend_coverage"):
            assert await rows(client, key) == []


async def test_trends_are_told_by_all_measures_that_they_are_told_from(client: httpx2.AsyncClient) -> None:
    found = await rows(client, "kpi_trend_coverage", window="28d")
    assert {"mentions", "joined_members"} <= {m for row in sums(found) for m, n in row["parts"].items() if n}
    assert [row["audience"] for row in found if row["row"] == "level"] == ["members"]
