"""Scorecards: scores against benchmarks counted by hand, in every format."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import openpyxl
import pytest

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.readings import read_sources
from bellwether.catalogue.evaluate import Values, current_spans, evaluate
from bellwether.domain.clock import LocalClock
from bellwether.domain.keys import Scope
from bellwether.domain.windows import Window
from bellwether_api.card_tables import LINE_COLUMNS
from tests.support.api import ZONE, Seed, seconds, seeding, serving

NOW = "2026-10-27T12:20:30+00:00"
CARD = "/v1/brands/acme/scorecards/social-media-manager"
RATE = "content_engagement_rate"
OCTOBER, SEPTEMBER = "2026-10-10T08:00:00Z", "2026-09-10T08:00:00Z"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


@pytest.fixture
async def client(seed: Seed, database: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(database, NOW) as client:
        client.headers.update(await seed.key())
        yield client


def _items(interactions: int, followers: int) -> dict[str, int]:
    return {"items": 1, "item_interactions_followed": interactions, "item_followers": followers}


async def _engaged(seed: Seed) -> int:
    """Items on two channels: 2.5 % on instagram (good), 0.25 % on facebook (below, half of good)."""
    brand = await seed.brand("acme")
    facts = [
        ("", OCTOBER, {**_items(275, 20_000), "mentions": 4}),
        ("channel=instagram", OCTOBER, {**_items(250, 10_000), "mentions": 4}),
        ("channel=facebook", OCTOBER, _items(25, 10_000)),
        ("", SEPTEMBER, {**_items(100, 10_000), "mentions": 2}),
    ]
    await seed.rollups(brand, facts)
    return brand


async def _card(client: httpx2.AsyncClient, **params: str) -> dict[str, Any]:
    answer = await client.get(CARD, params=params)
    assert answer.status_code == 200, answer.text
    card: dict[str, Any] = answer.json()
    return card


def _lines(cut: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [line for area in cut["areas"] for line in area["lines"] if line["kpi"] == key]


async def test_a_line_without_a_target_is_scored_by_the_benchmarks_of_its_channels(
    seed: Seed, client: httpx2.AsyncClient
) -> None:
    await _engaged(seed)
    (cut,) = (await _card(client))["cuts"]
    line = _lines(cut, RATE)[0]
    assert (line["value"], line["target"], line["basis"]) == (1.375, None, "benchmark")
    told = {mark["channel"]: (mark["value"], mark["good"], mark["verdict"]) for mark in line["benchmarks"]}
    assert told == {"instagram": (2.5, 2.0, "good"), "facebook": (0.25, 0.5, "below")}
    assert (line["attainment"], line["points"]) == (87.5, 87.5)  # the mean of 125 and 50 percent of `good`


async def test_the_card_of_a_channel_is_told_against_its_own_benchmark_alone(
    seed: Seed, client: httpx2.AsyncClient
) -> None:
    await _engaged(seed)
    (cut,) = (await _card(client, cut="channel=instagram"))["cuts"]
    line = _lines(cut, RATE)[0]
    assert [mark["channel"] for mark in line["benchmarks"]] == ["instagram"]
    assert (line["attainment"], line["points"]) == (125.0, 100.0)


async def test_scores_are_means_of_what_is_scored_and_the_rest_is_named(seed: Seed, client: httpx2.AsyncClient) -> None:
    await _engaged(seed)
    (cut,) = (await _card(client))["cuts"]
    scored = [area for area in cut["areas"] if area["score"] is not None]
    assert scored
    for area in cut["areas"]:
        lines = {line["kpi"]: line for line in area["lines"]}
        assert set(area["left_out"]) == {key for key, line in lines.items() if line["points"] is None}
        weights = [line["weight"] for line in lines.values()]
        used = [line["weight"] for line in lines.values() if line["points"] is not None]
        assert area["scored_weight"] == pytest.approx(sum(used) / sum(weights))
        if used:
            assert area["score"] == 87.5  # in every area only engagement has something to be told against
            assert area["expression"].endswith("= 87.5")
    assert (cut["score"], cut["rating"]) == (87.5, 4)
    assert 0 < cut["scored_weight"] < 1


async def test_a_card_without_any_data_has_no_score(seed: Seed, client: httpx2.AsyncClient) -> None:
    await seed.brand("acme")
    (cut,) = (await _card(client))["cuts"]
    assert (cut["score"], cut["rating"], cut["scored_weight"]) == (None, None, 0)
    assert {line["points"] for area in cut["areas"] for line in area["lines"]} == {None}


async def test_all_three_roles_have_a_card(seed: Seed, client: httpx2.AsyncClient) -> None:
    await _engaged(seed)
    for role in ("social-media-manager", "community-manager", "smm-specialist"):
        answer = await client.get(f"/v1/brands/acme/scorecards/{role}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["cuts"][0]["score"] == 87.5


async def test_csv_holds_every_line_of_the_card(seed: Seed, client: httpx2.AsyncClient) -> None:
    await _engaged(seed)
    card = await _card(client)
    answer = await client.get(CARD, params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == ('attachment; filename="acme_social-media-manager_2026-10.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    lines = [(area["title"], line) for area in card["cuts"][0]["areas"] for line in area["lines"]]
    assert list(rows[0]) == ["cut", "area", *(title for title, _ in LINE_COLUMNS), "currency"]
    assert [(row["area"], row["kpi"]) for row in rows] == [(area, line["kpi"]) for area, line in lines]
    for row, (_, line) in zip(rows, lines, strict=True):
        assert row["value"] == ("" if line["value"] is None else row["value"])
        assert line["value"] is None or float(row["value"]) == line["value"]
    assert next(row["points"] for row in rows if row["kpi"] == RATE) == "87.5"
    assert {row["currency"] for row in rows if row["unit"] == "money"} == {card["currency"]}
    assert {row["currency"] for row in rows if row["unit"] != "money"} == {""}


async def test_the_workbook_holds_lines_scores_and_what_the_card_is(seed: Seed, client: httpx2.AsyncClient) -> None:
    await _engaged(seed)
    answer = await client.get(CARD, params={"cut": "channel", "format": "xlsx"})
    assert answer.headers["content-disposition"].endswith('_2026-10_channel.xlsx"')
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["Scorecard", "Scores", "About"]
    cells = list(book["Scorecard"].iter_rows(values_only=True))
    at = {title: column for column, title in enumerate(cells[0])}
    found = {row[at["cut"]]: row[at["value"]] for row in cells[1:] if row[at["kpi"]] == RATE}
    assert found == {"channel=facebook": 0.25, "channel=instagram": 2.5}
    wholes = [row for row in book["Scores"].iter_rows(values_only=True) if row[1] == "Whole card"]
    assert {row[0]: row[4] for row in wholes} == {"channel=facebook": 50, "channel=instagram": 100}
    about = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    assert (about["brand"], about["period"], about["partial"]) == ("acme", "2026-10", True)


async def test_a_browser_gets_a_page_that_loads_nothing(seed: Seed, client: httpx2.AsyncClient) -> None:
    brand = await _engaged(seed)
    nasty = "campaign=<script>alert(1)</script>"
    await seed.rollups(brand, [(nasty, OCTOBER, _items(1, 100))])
    answer = await client.get(CARD, params={"cut": nasty}, headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["vary"] == "Authorization, Accept"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    page = answer.text
    assert "&lt;script&gt;alert(1)" in page
    assert not any(word in page for word in ("<script", "<img", "<link", "http://", "https://", "url(", "@import"))
    assert "the period still runs" in page
    assert "2026-10-27 13:21" in page  # in Berlin, where the clocks went back


async def test_the_same_card_is_not_sent_twice(seed: Seed, client: httpx2.AsyncClient) -> None:
    await _engaged(seed)
    for chosen in ("json", "csv", "xlsx", "html"):
        first = await client.get(CARD, params={"format": chosen})
        again = await client.get(CARD, params={"format": chosen}, headers={"If-None-Match": first.headers["etag"]})
        assert (chosen, again.status_code, again.content) == (chosen, 304, b"")


async def test_a_series_comes_as_a_table_too(seed: Seed, client: httpx2.AsyncClient) -> None:
    await _engaged(seed)
    params = {"from": "2026-10-09T22:00:00Z", "to": "2026-10-11T22:00:00Z", "cut": "channel"}
    path = "/v1/brands/acme/kpis/brand_mentions/series"
    answer = await client.get(path, params=params, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["cut"], row["start"], row["value"]) for row in rows] == [
        ("channel=facebook", "2026-10-09T22:00:00Z", "0"),
        ("channel=facebook", "2026-10-10T22:00:00Z", "0"),
        ("channel=instagram", "2026-10-09T22:00:00Z", "4"),
        ("channel=instagram", "2026-10-10T22:00:00Z", "0"),
    ]
    answer = await client.get(path, params={**params, "format": "xlsx"})
    assert answer.headers["content-disposition"].endswith('filename="acme_brand_mentions_day.xlsx"')
    page = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [row[3] for row in page.iter_rows(min_row=2, values_only=True)] == [0, 0, 4, 0]
    refused = await client.get(path, params={**params, "format": "html"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/format")


async def _kept(seed: Seed, brand: int, cut: str, now: str) -> Values:
    clock = LocalClock(ZONE)
    spans = current_spans(seconds(now), clock, seconds(now))
    of_brand = Brand(brand, seed.tenant_id, "acme", "acme", "acme", ZONE, "USD", ())
    return evaluate(await read_sources(seed.connection, of_brand, cut, spans.values(), clock), spans)


async def test_a_card_of_kept_values_is_the_card_that_is_evaluated(seed: Seed, client: httpx2.AsyncClient) -> None:
    brand = await _engaged(seed)
    for period in ("2026-10", "2026-W44", "2026-Q4", "2026", "2026-10-27"):
        await seed.connection.execute("DELETE FROM kpi_current")
        evaluated = await _card(client, period=period)
        for cut in ("", "channel=instagram", "channel=facebook"):
            await seed.current(brand, cut, "2026-10-27T12:21:00+00:00", await _kept(seed, brand, cut, NOW))
        of_kept = await _card(client, period=period)
        assert of_kept["cuts"][0].pop("fresh_to") == "2026-10-27T12:21:00Z"
        assert evaluated["cuts"][0].pop("fresh_to") is None
        assert of_kept == evaluated


async def test_a_card_of_now_is_made_of_kept_values_and_one_of_another_moment_is_not(
    seed: Seed, client: httpx2.AsyncClient
) -> None:
    brand = await _engaged(seed)
    values = await _kept(seed, brand, "", NOW)
    mentions = msgspec.structs.replace(values["content_reach"][Window.MONTH], value=777)
    values["content_reach"][Window.MONTH] = mentions
    await seed.current(brand, "", NOW, values)
    asked: list[dict[str, str]] = [{}, {"as_of": NOW}, {"known_at": NOW}, {"period": "2026-09"}]
    shown = [_lines((await _card(client, **params))["cuts"][0], "content_reach")[0]["value"] for params in asked]
    assert shown == [777, 0, 0, 0]


async def test_kept_values_of_a_period_that_is_over_are_not_shown_in_the_next_one(seed: Seed, database: str) -> None:
    brand = await _engaged(seed)
    await seed.current(brand, "", NOW, await _kept(seed, brand, "", NOW))
    async with serving(database, "2026-11-02T08:00:00+00:00") as client:
        client.headers.update(await seed.key())
        card = await _card(client)
    assert (card["period"], _lines(card["cuts"][0], RATE)[0]["value"]) == ("2026-11", None)


async def test_a_target_goes_before_the_benchmark(seed: Seed, client: httpx2.AsyncClient) -> None:
    await _engaged(seed)
    headers = await seed.key((Scope.KPIS_READ, Scope.TARGETS_WRITE))
    rate = {"kpi": RATE, "aim": {"form": "level", "value": 5.5}, "time": {"kind": "every", "period": "month"}}
    reach = {**rate, "kpi": "content_reach", "aim": {"form": "level", "value": 100}}
    for name, target in (("rate", rate), ("reach", reach)):
        answer = await client.put(f"/v1/brands/acme/targets/{name}", json=target, headers=headers)
        assert answer.status_code == 201, answer.text
    (cut,) = (await _card(client))["cuts"]
    line = _lines(cut, RATE)[0]
    assert (line["basis"], line["attainment"], line["points"]) == ("target", 25.0, 25.0)  # 1.375 of 5.5
    assert line["target"]["words"] == "at least 5.5 % every month"
    assert (line["target"]["status"], line["target"]["deadline"]) == ("off_track", "2026-10-31T23:00:00Z")
    assert len(line["benchmarks"]) == 2
    reached = _lines(cut, "content_reach")[0]
    assert (reached["value"], reached["attainment"], reached["points"]) == (0, 0, 0)
    assert "content_reach" not in cut["left_out"]
    page = (await client.get(CARD, params={"format": "html"})).text
    assert "at least 5.5 % every month" in page
