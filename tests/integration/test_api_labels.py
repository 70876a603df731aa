"""Labels: what a number rests on, against rows counted by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from importlib.metadata import version
from typing import Any

import httpx2
import pytest

from bellwether.domain.clock import day_of
from bellwether_api.label import SENTIMENT_METHOD
from tests.support.api import Seed, seeding, serving

NOW = "2026-10-27T12:20:30+00:00"
LABEL = "/v1/brands/acme/kpis/{}/label"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


@pytest.fixture
async def client(seed: Seed, database: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(database, NOW) as client:
        client.headers.update(await seed.key())
        yield client


async def _label(client: httpx2.AsyncClient, key: str, **params: str) -> dict[str, Any]:
    answer = await client.get(LABEL.format(key), params=params)
    assert answer.status_code == 200, answer.text
    label: dict[str, Any] = answer.json()
    return label


async def test_a_label_holds_the_definition_and_the_number_with_its_parts(
    seed: Seed, client: httpx2.AsyncClient
) -> None:
    brand = await seed.brand("acme")
    await seed.rollups(brand, [("", "2026-10-27T08:00:00Z", {"mentions": 3, "competitor_mentions": 1})])
    label = await _label(client, "share_of_voice", window="24h")
    assert (label["kpi"]["version"], label["kpi"]["formula"]["operator"]) == (1, "ratio")
    figure = label["figure"]
    assert (figure["value"], figure["numerator"], figure["denominator"], figure["n"]) == (75.0, 3, 4, 4)
    assert figure["parts"] == {"mentions": 3, "competitor_mentions": 1}
    assert label["time_quality"] == {"receipt_time_share": None, "reason": "not_recorded"}
    assert label["sentiment"]["reason"] == label["screening"]["reason"] == "not_applicable"
    assert label["unconverted"] == {"amounts": None, "reason": "not_applicable"}


async def test_coverage_counts_the_hours_since_the_first_event(seed: Seed, client: httpx2.AsyncClient) -> None:
    brand = await seed.brand("acme")
    heard = [("", "2026-10-27T00:10:00Z"), ("", "2026-10-27T01:50:00Z"), ("", "2026-10-27T08:05:00Z")]
    heard += [("channel=x", "2026-10-27T00:10:00Z"), ("channel=x", "2026-10-27T01:50:00Z")]
    heard += [("channel=instagram", "2026-10-27T08:05:00Z")]
    await seed.rollups(brand, [(cut, at, {"mentions": 1}) for cut, at in heard])
    coverage = (await _label(client, "brand_mentions", window="24h"))["coverage"]
    # Since 00:00 until 12:21 there are 13 hours, and three of them were heard.
    assert (coverage["since"], coverage["hours"], coverage["hours_with_events"]) == ("2026-10-27T00:00:00Z", 13, 3)
    assert coverage["share"] == pytest.approx(3 / 13)
    assert coverage["longest_gap"] == {"start": "2026-10-27T02:00:00Z", "end": "2026-10-27T08:00:00Z"}
    assert {one["channel"]: one["hours_with_events"] for one in coverage["channels"]} == {"instagram": 1, "x": 2}
    # In a window that begins after the first event every hour counts.
    hour = (await _label(client, "brand_mentions", window="1h"))["coverage"]
    assert (hour["hours"], hour["hours_with_events"], hour["share"]) == (2, 0, 0)
    assert hour["longest_gap"] == {"start": "2026-10-27T11:00:00Z", "end": "2026-10-27T12:21:00Z"}
    channel = (await _label(client, "brand_mentions", window="24h", cut="channel=x"))["coverage"]
    assert (channel["hours"], channel["hours_with_events"], channel["channels"]) == (13, 2, [])


async def test_a_brand_that_was_never_heard_has_no_coverage_rather_than_none_of_it(
    seed: Seed, client: httpx2.AsyncClient
) -> None:
    await seed.brand("acme")
    label = await _label(client, "brand_mentions")
    assert (label["coverage"]["share"], label["coverage"]["reason"]) == (None, "no_events")
    assert label["freshness"] == {"fresh_to": None, "lag_s": None, "reason": "no_events"}


async def test_coverage_of_the_past_leaves_out_what_was_known_later(seed: Seed, client: httpx2.AsyncClient) -> None:
    brand = await seed.brand("acme")
    await seed.rollups(brand, [("", "2026-10-10T08:00:00Z", {"mentions": 1})])
    await seed.rollups(brand, [("", "2026-10-10T10:00:00Z", {"mentions": 1})], known_on=day_of(date(2026, 10, 20)))
    found = [
        (await _label(client, "brand_mentions", window="24h", as_of="2026-10-10T12:00:00Z", **known))
        for known in ({}, {"known_at": "2026-10-10T20:00:00Z"})
    ]
    assert [(one["figure"]["value"], one["coverage"]["hours_with_events"]) for one in found] == [(2, 2), (1, 1)]
    assert found[0]["freshness"]["reason"] == "not_current"


async def test_freshness_is_that_of_the_kept_values(seed: Seed, client: httpx2.AsyncClient) -> None:
    brand = await seed.brand("acme")
    await seed.current(brand, "", "2026-10-27T12:20:00+00:00", {})
    assert (await _label(client, "brand_mentions"))["freshness"] == {
        "fresh_to": "2026-10-27T12:20:00Z",
        "lag_s": 30.0,
        "reason": None,
    }


async def test_what_the_screen_leaves_out_stands_on_the_label(seed: Seed, client: httpx2.AsyncClient) -> None:
    brand = await seed.brand("acme")
    await seed.rollups(brand, [("", "2026-10-27T08:00:00Z", {"interactions": 40, "suspect_interactions": 10})])
    label = await _label(client, "weekly_interactions")
    assert (label["window"], label["figure"]["value"]) == ("week", 40)
    assert label["screening"] == {"share": 0.25, "suspect": 10, "all": 40, "screened_value": 30, "reason": None}


async def test_sentiment_names_its_method(seed: Seed, client: httpx2.AsyncClient) -> None:
    await seed.brand("acme")
    sentiment = (await _label(client, "community_sentiment"))["sentiment"]
    assert sentiment["scored_by"]["version"] == SENTIMENT_METHOD.version == version("vaderSentiment")


async def test_money_without_a_rate_stands_on_the_label(seed: Seed, client: httpx2.AsyncClient) -> None:
    brand = await seed.brand("acme")
    money = {"ad_spend": 12_500_000, "ad_clicks": 10, "ad_spend.unconverted": 2}
    await seed.rollups(brand, [("", "2026-10-27T08:00:00Z", money)])
    label = await _label(client, "cost_per_click", window="24h")
    assert label["figure"]["value"] == 1.25
    assert label["unconverted"] == {"amounts": {"ad_spend": 2}, "reason": None}


@pytest.mark.parametrize(("params", "pointer"), [({"cut": "channel"}, "/cut"), ({"window": "2h"}, "/window")])
async def test_a_label_is_of_one_number(
    seed: Seed, client: httpx2.AsyncClient, params: dict[str, str], pointer: str
) -> None:
    await seed.brand("acme")
    answer = await client.get(LABEL.format("brand_mentions"), params=params)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
