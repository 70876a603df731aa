"""Series and scorecards against numbers counted by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from bellwether.domain.clock import day_of
from tests.support.api import Seed, seeding, serving

NOW = "2026-10-27T12:20:30+00:00"  # Tuesday, 13:20:30 in Berlin, two days after the clocks went back
SERIES = "/v1/brands/acme/kpis/{}/series"
CARD = "/v1/brands/acme/scorecards/social-media-manager"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


async def _points(seed: Seed, database: str, key: str, **params: str) -> list[dict[str, Any]]:
    headers = await seed.key()
    async with serving(database, NOW) as client:
        answer = await client.get(SERIES.format(key), params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    (cut,) = answer.json()["cuts"]
    points: list[dict[str, Any]] = cut["points"]
    return points


async def test_a_day_of_25_hours_counts_all_of_them(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    facts = [("", f"2026-10-{day}T{hour:02}:30:00Z", {"mentions": 1}) for day in (24, 25, 26) for hour in range(24)]
    await seed.rollups(brand, facts)
    span = {"from": "2026-10-24T22:00:00Z", "to": "2026-10-26T23:00:00Z"}
    days = await _points(seed, database, "brand_mentions", **span)
    assert [(p["start"], p["end"], p["value"]) for p in days] == [
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25),
        ("2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z", 24),
    ]
    hours = await _points(seed, database, "brand_mentions", **span, grain="hour")
    assert [p["value"] for p in hours] == [1] * 49


async def test_growth_in_a_series_is_against_the_bucket_before(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    counts = {"21": 4, "22": 5, "23": 0, "24": 3, "27": 6}
    await seed.rollups(brand, [("", f"2026-10-{day}T08:00:00Z", {"mentions": n}) for day, n in counts.items()])
    points = await _points(seed, database, "brand_mention_growth", **{"from": "2026-10-22T00:00:00Z"})
    told = [(p["value"], p["reason"], p["partial"]) for p in points]
    assert told == [
        (25.0, None, False),
        (-100.0, None, False),
        (None, "nothing_before", False),
        (-100.0, None, False),
        (None, "nothing_before", False),
        (None, "nothing_before", True),
    ]
    assert points[-1]["end"] == "2026-10-27T12:21:00Z"


async def test_a_series_by_channel_has_a_curve_for_each(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    facts = [(f"channel={name}", "2026-10-26T08:00:00Z", {"mentions": n}) for name, n in (("x", 2), ("instagram", 3))]
    await seed.rollups(brand, facts)
    headers = await seed.key()
    params = {"from": "2026-10-26T08:00:00Z", "to": "2026-10-26T09:00:00Z", "cut": "channel", "grain": "week"}
    async with serving(database, NOW) as client:
        answer = (await client.get(SERIES.format("brand_mentions"), params=params, headers=headers)).json()
    curves = {cut["cut"]: [point["value"] for point in cut["points"]] for cut in answer["cuts"]}
    assert curves == {"channel=instagram": [3], "channel=x": [2]}


async def test_an_answer_counts_in_the_bucket_of_its_message_unless_it_came_after_the_series(
    seed: Seed, database: str
) -> None:
    brand = await seed.brand("acme")
    await seed.receipt(brand, "1", "2026-10-20T08:00:00Z", "2026-10-21T08:00:00Z")
    await seed.receipt(brand, "2", "2026-10-21T08:00:00Z", "2026-10-23T08:00:00Z")
    received = {"messages_received": 1, "messages_answered": 1}
    await seed.rollups(brand, [("", f"2026-10-{day}T08:00:00Z", received) for day in (20, 21)])
    span = {"from": "2026-10-20T00:00:00Z", "to": "2026-10-22T00:00:00Z"}
    assert [p["value"] for p in await _points(seed, database, "response_rate", **span)] == [100.0, 0.0, None]
    span["to"] = "2026-10-24T00:00:00Z"
    assert [p["value"] for p in await _points(seed, database, "response_rate", **span)][:2] == [100.0, 100.0]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"from": "2026-10-20T00:00:00Z", "to": "2026-10-20T00:00:00Z"}, "/from"),
        ({"from": "2026-10-28T00:00:00Z", "to": "2026-10-29T00:00:00Z"}, "/from"),
        ({"from": "2026-01-01T00:00:00Z", "grain": "hour"}, "/from"),
        ({"from": "1970-01-01T00:00:00Z", "grain": "day"}, "/from"),
        ({"grain": "minute"}, "/grain"),
        ({"start": "2026-10-20T00:00:00Z"}, "/start"),
    ],
)
async def test_a_range_that_is_empty_or_too_long_is_refused(
    seed: Seed, database: str, params: dict[str, str], pointer: str
) -> None:
    await seed.brand("acme")
    headers = await seed.key()
    async with serving(database, NOW) as client:
        answer = await client.get(SERIES.format("brand_mentions"), params=params, headers=headers)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def _card(seed: Seed, database: str, now: str = NOW, **params: str) -> dict[str, Any]:
    headers = await seed.key()
    async with serving(database, now) as client:
        answer = await client.get(CARD, params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    card: dict[str, Any] = answer.json()
    return card


def _line(card: dict[str, Any], key: str) -> dict[str, Any]:
    (line,) = (line for area in card["cuts"][0]["areas"] for line in area["lines"] if line["kpi"] == key)
    found: dict[str, Any] = line
    return found


async def _two_months(seed: Seed) -> int:
    brand = await seed.brand("acme")
    facts = [
        ("", "2026-08-10T08:00:00Z", {"mentions": 20}),
        ("", "2026-09-10T08:00:00Z", {"mentions": 30, "competitor_mentions": 30}),
        ("", "2026-09-28T08:00:00Z", {"mentions": 100}),  # later in its month than October is now
        ("", "2026-10-10T08:00:00Z", {"mentions": 45, "competitor_mentions": 15}),
    ]
    await seed.rollups(brand, facts)
    return brand


async def test_the_running_month_is_shown_beside_as_much_of_the_month_before(seed: Seed, database: str) -> None:
    await _two_months(seed)
    card = await _card(seed, database)
    assert (card["period"], card["partial"]) == ("2026-10", True)
    assert (card["start"], card["end"]) == ("2026-09-30T22:00:00Z", "2026-10-27T12:21:00Z")
    mentions = _line(card, "brand_mentions")
    assert (mentions["value"], mentions["n"], mentions["unit"], mentions["better"]) == (45, 45, "count", "up")
    assert mentions["trend"] == {
        "start": "2026-08-31T22:00:00Z",
        "end": "2026-09-27T11:00:00Z",  # 13:00 of the 27th in Berlin, in summer time
        "before": 30,
        "change": 15,
        "change_percent": 50.0,
        "improved": True,
    }
    voice = _line(card, "share_of_voice")
    assert (voice["value"], voice["numerator"], voice["denominator"], voice["trend"]["before"]) == (75.0, 45, 60, 50.0)
    growth = _line(card, "brand_mention_growth")
    assert (growth["value"], growth["trend"]["before"]) == (50.0, 50.0)
    rate = _line(card, "response_rate")
    assert (rate["value"], rate["reason"], rate["trend"]["change"]) == (None, "no_data", None)


async def test_a_period_that_is_over_is_whole_and_named(seed: Seed, database: str) -> None:
    await _two_months(seed)
    for period, value, before in (
        ("2026-09", 130, 20),
        ("2026-Q3", 150, 0),
        ("2026-W37", 30, 0),
        ("2026-10-10", 45, 0),
    ):
        card = await _card(seed, database, period=period)
        assert (card["period"], card["partial"]) == (period, False)
        line = _line(card, "brand_mentions")
        assert (line["value"], line["trend"]["before"]) == (value, before)


async def test_at_midnight_the_month_that_ends_is_shown(seed: Seed, database: str) -> None:
    await _two_months(seed)
    card = await _card(seed, database, as_of="2026-09-30T22:00:00Z")
    assert (card["period"], card["partial"], _line(card, "brand_mentions")["value"]) == ("2026-09", False, 130)


async def test_a_card_can_be_read_as_it_was_known(seed: Seed, database: str) -> None:
    brand = await _two_months(seed)
    late = [("", "2026-09-10T08:00:00Z", {"mentions": 1_000})]
    await seed.rollups(brand, late, known_on=day_of(date(2026, 10, 5)))
    now, then = [
        _line(await _card(seed, database, period="2026-09", **known), "brand_mentions")["value"]
        for known in ({}, {"known_at": "2026-10-01T00:00:00Z"})
    ]
    assert (now, then) == (1_130, 130)


async def test_a_card_by_channel_has_a_card_for_each(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    facts = [(f"channel={name}", "2026-10-10T08:00:00Z", {"mentions": n}) for name, n in (("x", 2), ("instagram", 3))]
    await seed.rollups(brand, facts)
    card = await _card(seed, database, cut="channel")
    assert [cut["cut"] for cut in card["cuts"]] == ["channel=instagram", "channel=x"]
    assert _line(card, "brand_mentions")["value"] == 3


async def test_an_unknown_role_is_told_which_there_are(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    headers = await seed.key()
    async with serving(database, NOW) as client:
        unknown = await client.get("/v1/brands/acme/scorecards/astronaut", headers=headers)
        future = await client.get(CARD, params={"period": "2026-11"}, headers=headers)
        broken = await client.get(CARD, params={"period": "2026-13"}, headers=headers)
    assert unknown.status_code == 404
    assert unknown.json()["type"] == "urn:bellwether:problem:unknown-scorecard"
    assert "social-media-manager" in unknown.json()["detail"]
    assert [answer.json()["errors"][0]["pointer"] for answer in (future, broken)] == ["/period", "/period"]
    assert [answer.status_code for answer in (future, broken)] == [422, 422]


async def test_the_card_of_the_month_agrees_with_the_values_of_the_same_moment(seed: Seed, database: str) -> None:
    await _two_months(seed)
    as_of = "2026-10-20T12:34:00Z"
    card = await _card(seed, database, as_of=as_of)
    headers = await seed.key()
    async with serving(database, NOW) as client:
        params = {"as_of": as_of, "window": "month"}
        values = (await client.get("/v1/brands/acme/kpis", params=params, headers=headers)).json()["cuts"][0]["kpis"]
    for area in card["cuts"][0]["areas"]:
        for line in area["lines"]:
            figure = values[line["kpi"]]["month"]
            assert {name: line[name] for name in ("value", "numerator", "denominator", "n", "reason", "parts")} == {
                name: figure[name] for name in ("value", "numerator", "denominator", "n", "reason", "parts")
            }
