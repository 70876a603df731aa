"""Targets over HTTP: the worked ones of the catalogue at three dates each, their checks and cards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.pool import open_pool
from bellwether.catalogue.builtin import CATALOGUE
from bellwether_api.database import reading
from bellwether_api.periods import parse_period
from bellwether_api.targets import targets_of_card
from bellwether_api.viewpoint import Viewpoint
from tests.support.api import Seed, seconds, seeding, serving
from tests.support.targets import EVERY_MONTH, NEW_SUBSCRIBERS, NOW, SET_AT, SETTER, TARGETS, put

IN_NOVEMBER = {"kind": "by", "from": "2026-11-01", "date": "2026-11-30"}

# Midnights in Berlin: 6, 15 and all 30 days of November are over.
SIX_DAYS, HALF, ALL = "2026-11-06T23:00:00Z", "2026-11-15T23:00:00Z", "2026-11-30T23:00:00Z"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


async def _subscribers(seed: Seed, brand: int) -> None:
    """33,000 when November begins; 30 more a day until the 15th, as in October, then 20 a day until the 30th."""
    for day in range(1, 32):
        await seed.level(brand, f"2026-10-{day:02}T12:00:00Z", 33_000 - 30 * (31 - day), audience="subscribers")
    for day in range(1, 31):
        gained = 30 * min(day, 15) + 20 * max(day - 15, 0)
        await seed.level(brand, f"2026-11-{day:02}T12:00:00Z", 33_000 + gained, audience="subscribers")


async def _activity(seed: Seed, brand: int) -> None:
    facts = {
        "2026-10-10": {"sessions": 1000, "mentions": 400},
        "2026-11-03": {"sessions": 230, "mentions": 100, "left_subscribers": 198},
        "2026-11-05": {"item_interactions_followed": 525, "item_followers": 10_000},
        "2026-11-10": {"sessions": 270, "mentions": 80, "left_subscribers": 363},
        "2026-11-12": {"item_interactions_followed": 540, "item_followers": 10_000},
        "2026-11-20": {"sessions": 640, "mentions": 340, "left_subscribers": 759},
        "2026-11-26": {"item_interactions_followed": 570, "item_followers": 10_000},
    }
    await seed.rollups(brand, [("", f"{day}T12:00:00Z", totals) for day, totals in facts.items()])


@pytest.fixture
async def headers(seed: Seed) -> dict[str, str]:
    brand = await seed.brand("acme")
    await _subscribers(seed, brand)
    await _activity(seed, brand)
    return await seed.key(SETTER)


async def progress_at(client: httpx2.AsyncClient, headers: dict[str, str], as_of: str) -> dict[str, Any]:
    answer = await client.get(f"{TARGETS}/one", params={"as_of": as_of}, headers=headers)
    assert answer.status_code == 200, answer.text
    progress: dict[str, Any] = answer.json()["progress"]
    return progress


Expected = tuple[str, float, float, str]
WORKED: dict[str, tuple[dict[str, Any], list[Expected]]] = {
    "1,000 new subscribers every month": (
        NEW_SUBSCRIBERS,
        [(SIX_DAYS, 180, 18.0, "on_track"), (HALF, 450, 45.0, "at_risk"), (ALL, 750, 75.0, "off_track")],
    ),
    "traffic +15 %": (
        {"kpi": "social_website_traffic", "aim": {"form": "change", "percent": 15}, "time": EVERY_MONTH},
        [
            (SIX_DAYS, 230, 20.0, "on_track"),
            (HALF, 500, 100 * 500 / 1150, "at_risk"),
            (ALL, 1140, 100 * 1140 / 1150, "off_track"),
        ],
    ),
    "mentions +25 %": (
        {"kpi": "brand_mentions", "aim": {"form": "change", "percent": 25}, "time": EVERY_MONTH},
        [(SIX_DAYS, 100, 20.0, "on_track"), (HALF, 180, 36.0, "off_track"), (ALL, 520, 104.0, "on_track")],
    ),
    "engagement rate from 5 % to 6 %": (
        {"kpi": "content_engagement_rate", "aim": {"form": "from_to", "from": 5, "to": 6}, "time": IN_NOVEMBER},
        [
            ("2026-11-07T23:00:00Z", 5.25, 25.0, "on_track"),
            (HALF, 5.4, 40.0, "at_risk"),
            (ALL, 5.7, 70.0, "off_track"),
        ],
    ),
    "a maximum churn": (
        {"kpi": "audience_churn_rate", "aim": {"form": "maximum", "value": 3}, "time": EVERY_MONTH},
        [(SIX_DAYS, 0.6, 100.0, "on_track"), (HALF, 1.7, 100.0, "at_risk"), (ALL, 4.0, 75.0, "off_track")],
    ),
    "35,000 by a date": (
        {
            "kpi": "subscribers",
            "aim": {"form": "level", "value": 35_000},
            "time": {"kind": "by", "from": "2026-11-01", "date": "2027-02-08"},
        },
        [
            (ALL, 33_750, 100 * 33_750 / 35_000, "on_track"),
            ("2026-12-15T23:00:00Z", 33_750, 100 * 33_750 / 35_000, "at_risk"),
            ("2026-12-20T23:00:00Z", 33_750, 100 * 33_750 / 35_000, "off_track"),
        ],
    ),
    "2,000 new ones by a date": (
        {
            "kpi": "subscriber_growth",
            "aim": {"form": "level", "value": 2_000},
            "time": {"kind": "by", "from": "2026-11-01", "date": "2027-02-08"},
        },
        [
            (ALL, 750, 37.5, "on_track"),
            ("2026-12-15T23:00:00Z", 750, 37.5, "at_risk"),
            ("2026-12-20T23:00:00Z", 750, 37.5, "off_track"),
        ],
    ),
}


@pytest.mark.parametrize("name", [name for name, (body, _) in WORKED.items() if body["kpi"] in CATALOGUE])
async def test_the_worked_targets_stand_right_at_three_dates(name: str, headers: dict[str, str], database: str) -> None:
    body, dates = WORKED[name]
    made = await put(database, headers, body)
    assert made.status_code == 201, made.text
    async with serving(database, NOW) as client:
        for as_of, value, attainment, status in dates:
            progress = await progress_at(client, headers, as_of)
            assert progress["figure"]["value"] == pytest.approx(value), as_of
            assert progress["attainment"] == pytest.approx(attainment), as_of
            assert progress["status"] == status, as_of


async def test_every_worked_target_can_be_set() -> None:
    assert [name for name, (body, _) in WORKED.items() if body["kpi"] not in CATALOGUE] == []


async def test_a_projection_goes_on_as_the_last_days_did(headers: dict[str, str], database: str) -> None:
    await put(database, headers, NEW_SUBSCRIBERS)
    async with serving(database, NOW) as client:
        half = await progress_at(client, headers, HALF)
        whole = await progress_at(client, headers, ALL)
        ahead = await progress_at(client, headers, "2026-11-20T23:00:00Z")
    method = {"coverage": 0.8, "method": "drift", "days": 28}
    assert half["projection"] == {"value": 900, "low": 900, "high": 900, **method}
    assert whole["projection"] == {
        "value": 750,
        "low": 750,
        "high": 750,
        "coverage": 0.8,
        "method": "ended",
        "days": 0,
    }
    # 23 of the last 28 days brought 30, the last 5 brought 20: 550 and 10 days of 28.21 to come.
    assert ahead["projection"]["value"] == pytest.approx(550 + 10 * (23 * 30 + 5 * 20) / 28)
    assert ahead["projection"]["low"] < ahead["projection"]["value"] < ahead["projection"]["high"]


async def test_the_stretch_goal_and_baseline_are_told(headers: dict[str, str], database: str) -> None:
    await put(database, headers, WORKED["traffic +15 %"][0])
    async with serving(database, NOW) as client:
        half = await progress_at(client, headers, HALF)
    assert (half["start"], half["deadline"]) == ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")
    assert (half["elapsed"], half["baseline"]) == (0.5, 1000)
    assert half["goal"] == {"at_least": pytest.approx(1150), "at_most": None}
    assert half["expected"] == {"at_least": pytest.approx(575), "at_most": None}
    assert half["behind"] == pytest.approx(100 * 75 / 1150)


async def test_what_history_does_not_support_is_set_with_a_warning(
    seed: Seed, headers: dict[str, str], database: str
) -> None:
    checks = {one["criterion"]: one for one in (await put(database, headers, NEW_SUBSCRIBERS, NOW)).json()["smart"]}
    assert list(checks) == ["specific", "measurable", "achievable", "relevant", "time_bound"]
    assert checks["achievable"]["finding"] == "unknown"  # only October and November are known
    brand = await seed.connection.fetchval("SELECT brand_id FROM brand")
    await seed.rollups(brand, [("", "2026-08-10T12:00:00Z", {"sessions": 900})])
    body = {**WORKED["traffic +15 %"][0], "aim": {"form": "level", "value": 2280}}
    checks = {one["criterion"]: one for one in (await put(database, headers, body, NOW)).json()["smart"]}
    assert checks["achievable"]["finding"] == "warning"
    assert checks["achievable"]["words"] == (
        "The best of the last 6 months was 1,140; 2,280 asks for 2 times that; none of them met it."
    )


async def test_months_before_anything_was_sent_are_no_history(headers: dict[str, str], database: str) -> None:
    body = {"kpi": "brand_mentions", "aim": {"form": "level", "value": 1}, "time": EVERY_MONTH}
    checks = {one["criterion"]: one for one in (await put(database, headers, body, NOW)).json()["smart"]}
    assert (checks["achievable"]["finding"], checks["achievable"]["words"]) == (
        "unknown",
        "The KPI has a value in 2 of the last 6 months: too few to tell.",
    )


async def test_money_is_told_in_the_currency_of_the_brand(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    await seed.connection.execute("UPDATE brand SET currency = 'INR' WHERE brand_id = $1", brand)
    await seed.rollups(brand, [("", "2026-12-03T12:00:00Z", {"cost": 90_000_000, "leads": 4})])
    body = {"kpi": "cost_per_lead", "aim": {"form": "maximum", "value": 30}, "time": EVERY_MONTH}
    told = (await put(database, await seed.key(SETTER), body, NOW)).json()
    assert (told["words"], told["unit"], told["currency"]) == ("at most 30 INR every month", "money", "INR")
    checks = {one["criterion"]: one["words"] for one in told["smart"]}
    assert checks["measurable"] == "In INR, where less is better; at present 22.5 INR."


async def test_the_pace_that_a_date_needs_is_told_beside_the_pace_of_the_last_months(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    size = 30_000
    for day, gained in {
        "04-30": 0,
        "05-31": 300,
        "06-30": 200,
        "07-31": 100,
        "08-31": 400,
        "09-30": 150,
        "10-31": 250,
    }.items():
        size += gained
        await seed.level(brand, f"2026-{day}T12:00:00Z", size, audience="subscribers")
    headers = await seed.key(SETTER)
    # 180.5 days, or 5.93 months: (35,000 − 31,400) / 5.93 and 2,000 / 5.93.
    paces = {
        ("subscribers", 35_000): "asks for 607 a month, 1.5 times that; none of them met it.",
        ("subscriber_growth", 2_000): "asks for 337 a month, 0.84 times that; 1 of 6 met it.",
    }
    for (kpi, value), words in paces.items():
        time = {"kind": "by", "date": "2027-04-30"}
        made = await put(database, headers, {"kpi": kpi, "aim": {"form": "level", "value": value}, "time": time})
        (check,) = (one for one in made.json()["smart"] if one["criterion"] == "achievable")
        assert check["words"] == (f"The best of the last 6 months was 400; at least {value:,} by 2027-04-30 {words}")


async def test_a_target_in_an_area_without_the_kpi_is_warned_of(headers: dict[str, str], database: str) -> None:
    made = await put(database, headers, {**NEW_SUBSCRIBERS, "kra": "Fun", "cut": "channel=nowhere"})
    found = {one["criterion"]: one["finding"] for one in made.json()["smart"]}
    assert (found["relevant"], found["specific"]) == ("warning", "warning")
    assert (made.json()["kra"], made.json()["cut"]) == ("Fun", "channel=nowhere")
    assert (await put(database, headers, NEW_SUBSCRIBERS)).json()["kra"] == CATALOGUE["subscriber_growth"].kra


async def test_no_data_is_null_with_a_reason(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    headers = await seed.key(SETTER)
    progress = (await put(database, headers, NEW_SUBSCRIBERS)).json()["progress"]
    assert (progress["status"], progress["reason"], progress["attainment"]) == ("no_data", "no_value", None)
    assert (progress["figure"]["value"], progress["figure"]["reason"]) == (None, "nothing_before")
    assert (progress["projection"], progress["projection_reason"]) == (None, "no_value")
    ahead = {**NEW_SUBSCRIBERS, "time": {"kind": "in", "period": "2027-01"}}
    progress = (await put(database, headers, ahead)).json()["progress"]
    assert (progress["status"], progress["reason"], progress["figure"]) == ("no_data", "not_begun", None)


async def of_card(database: str, month: str, as_of: str) -> dict[str, tuple[str, float | None]]:
    """The targets on the card of a month, by KPI: id and attainment."""
    async with open_pool(database, application="test") as pool, Directory.open(pool, "pepper") as directory:
        brand = directory.brand("acme", "acme")
        assert brand is not None
        async with reading(pool) as connection:
            found = await targets_of_card(
                *(connection, brand, CATALOGUE, "", parse_period(month)), Viewpoint(seconds(as_of)), seconds(NOW)
            )
    return {key: (one.id, one.progress.attainment.attainment) for key, one in found.items()}


async def test_a_card_takes_the_target_over_its_own_period_first(headers: dict[str, str], database: str) -> None:
    every_week = {**EVERY_MONTH, "period": "week"}
    times = {"a-quarter": {"kind": "in", "period": "2026-Q4"}, "b-date": IN_NOVEMBER, "c-week": every_week}
    async with serving(database, SET_AT) as client:
        client.headers.update(headers)

        async def put_one(name: str, **changed: Any) -> None:
            answer = await client.put(f"{TARGETS}/{name}", json={**NEW_SUBSCRIBERS, **changed})
            assert answer.status_code == 201, answer.text

        for name, time in times.items():
            await put_one(name, time=time)
        assert (await of_card(database, "2026-11", ALL))["subscriber_growth"] == ("b-date", 75.0)
        await put_one("d-month", time=EVERY_MONTH)
        await put_one("e-cut", time=EVERY_MONTH, cut="channel=x")
        await put_one("f-mentions", kpi="brand_mentions", aim={"form": "level", "value": 1040})
    assert await of_card(database, "2026-11", ALL) == {
        "subscriber_growth": ("d-month", 75.0),
        "brand_mentions": ("f-mentions", 50.0),
    }
    # In December the date is over, and nothing was gained so far.
    assert (await of_card(database, "2026-12", NOW))["subscriber_growth"] == ("d-month", 0.0)
    assert (await of_card(database, "2026-03", "2026-03-31T22:00:00Z")) == {}


async def test_what_is_open_is_to_be_at_its_goal_all_along_and_is_not_projected(
    headers: dict[str, str], seed: Seed, database: str
) -> None:
    brand = await seed.connection.fetchval("SELECT brand_id FROM brand WHERE slug = 'acme'")
    queries = {"queries_received": 9, "queries_answered": 4}
    await seed.rollups(brand, [("", "2026-11-04T12:00:00Z", queries)])
    body = {"kpi": "unanswered_questions", "aim": {"form": "maximum", "value": 5}, "time": EVERY_MONTH}
    await put(database, headers, body)
    async with serving(database, NOW) as client:
        progress = await progress_at(client, headers, SIX_DAYS)
    assert (progress["figure"]["value"], progress["attainment"], progress["status"]) == (5, 100.0, "on_track")
    assert progress["expected"] == {"at_least": None, "at_most": 5}
    assert (progress["projection"], progress["projection_reason"]) == (None, "not_projected")


async def test_a_rate_is_projected_by_its_trend(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    # 1 click of 100 displays on the 1st, one more every day: 10 of 100 on the 10th, and 30 on the 30th.
    facts = [("", f"2026-11-{day:02}T12:00:00Z", {"clicks": day, "impressions": 100}) for day in range(1, 11)]
    await seed.rollups(brand, facts)
    headers = await seed.key(SETTER)
    body = {"kpi": "click_through_rate", "aim": {"form": "level", "value": 15}, "time": EVERY_MONTH}
    await put(database, headers, body)
    async with serving(database, NOW) as client:
        progress = await progress_at(client, headers, "2026-11-10T23:00:00Z")
    assert progress["figure"]["value"] == 5.5
    projection = progress["projection"]
    assert (projection["method"], projection["days"]) == ("trend", 10)
    # A third of the month at 5.5, and 20 days whose middle, between the 20th and the 21st, stands at 20.5.
    assert projection["value"] == pytest.approx(5.5 / 3 + 20.5 * 2 / 3)
    assert progress["status"] == "off_track"
