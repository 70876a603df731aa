"""Real tweets through the whole of Bellwether: what comes out is what a count of the file says."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import pytest

from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.whole import DATA, Bellwether, bellwether

AIRLINE = DATA / "airline.csv"
SUPPORT = DATA / "support_conversations.csv"
LABELS = ("negative", "neutral", "positive")
END = "2015-02-22T00:00:00Z"

needs_airline = pytest.mark.skipif(not AIRLINE.exists(), reason=f"the real data is not here: {AIRLINE}")
needs_support = pytest.mark.skipif(not SUPPORT.exists(), reason=f"the real data is not here: {SUPPORT}")


def rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened)


def slug(airline: str) -> str:
    return airline.lower().replace(" ", "-")


def counted(bucket: int) -> Counter[tuple[str, str, str]]:
    """Tweets by brand, start of the day or hour (so many characters of the time) and label, before the end."""
    return Counter(
        (slug(row["airline"]), row["created_at"][:bucket], row["sentiment"])
        for row in rows(AIRLINE)
        if row["created_at"] < END
    )


async def series(whole: Bellwether, brand: str, key: str, grain: str) -> list[dict[str, Any]]:
    span = {"from": "2015-02-17T00:00:00Z", "to": END, "grain": grain}
    answer = await whole.get(f"/v1/brands/{brand}/kpis/{key}/series", **span)
    points: list[dict[str, Any]] = answer["cuts"][0]["points"]
    return points


async def told(whole: Bellwether, grain: str, bucket: int) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for brand in sorted({slug(row["airline"]) for row in rows(AIRLINE)}):
        for point in await series(whole, brand, "community_sentiment", grain):
            for label in LABELS:
                found[brand, point["start"][:bucket], label] += point["parts"][f"{label}_n"]
        mentions = {p["start"]: p["value"] for p in await series(whole, brand, "brand_mentions", grain)}
        for start, value in mentions.items():
            assert value == sum(found[brand, start[:bucket], label] for label in LABELS)
    return +found


@needs_airline
async def test_every_hour_and_day_of_7189_tweets_is_counted_as_the_file_says(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    async with bellwether(stack, database, topics, tmp_path) as whole:
        out = await whole.replay(str(AIRLINE), "--map", "airline", "--create-brands")
        assert "7189 accepted" in out.replace(",", "")
        first = await told(whole, "hour", 13), await told(whole, "day", 10)
        assert first == (counted(13), counted(10))
        await whole.replay(str(AIRLINE), "--map", "airline", "--shuffle", "7")
        assert (await told(whole, "hour", 13), await told(whole, "day", 10)) == first
        totals = await whole.get("/v1/brands/united/kpis/brand_mentions", as_of=END)
        united = sum(n for (brand, _, _), n in counted(10).items() if brand == "united")
        assert totals["cuts"][0]["windows"]["7d"]["value"] == united


def replies() -> tuple[int, list[float]]:
    """Messages to brands, and the seconds to the first reply of each that has one in the file."""
    by_id = {row["tweet_id"]: row for row in rows(SUPPORT)}
    inbound = {key: row for key, row in by_id.items() if row["inbound"] == "True"}
    first: dict[str, float] = {}
    for row in by_id.values():
        target = row["in_response_to_tweet_id"]
        if row["inbound"] != "True" and target in inbound:
            sent, received = (datetime.fromisoformat(r["created_at"]) for r in (row, inbound[target]))
            seconds = (sent - received).total_seconds()
            first[target] = min(seconds, first.get(target, seconds))
    return len(inbound), sorted(first.values())


@needs_support
@pytest.mark.parametrize("order", [(), ("--shuffle", "3", "--concurrency", "4")], ids=["in order", "shuffled"])
async def test_response_times_of_real_conversations_are_those_of_their_first_replies(
    stack: Servers, database: str, topics: Topics, tmp_path: Path, order: tuple[str, ...]
) -> None:
    received, seconds = replies()
    assert (received, len(seconds), round(median(seconds) / 60, 1)) == (889, 595, 12.7)
    async with bellwether(stack, database, topics, tmp_path) as whole:
        await whole.replay(str(SUPPORT), "--map", "support", "--create-brands", *order)
        by_brand = await receipts(whole)
        times = [t for of_brand in by_brand.values() for t in of_brand]
        assert len(times) == received
        assert sorted(t for t in times if t is not None) == seconds
        for brand, of_brand in by_brand.items():
            await assert_shown(whole, brand, of_brand)


async def assert_shown(whole: Bellwether, brand: str, times: list[int | None]) -> None:
    """The year's rate and median of a brand are those of its receipts, two of which are of 2016."""
    shown = [await kpis(whole, brand, year) for year in ("2017", "2018")]
    answered = sorted(t for t in times if t is not None)
    assert sum(of["response_rate"]["parts"]["messages_received"] for of in shown) == len(times)
    assert sum(of["response_rate"]["parts"]["messages_answered"] for of in shown) == len(answered)
    if shown[0]["response_rate"]["parts"]["messages_received"] == 0 and answered:
        middle = answered[(len(answered) - 1) // 2]
        assert shown[1]["message_response_time.answered"]["value"] == pytest.approx(middle, rel=0.001)


async def receipts(whole: Bellwether) -> dict[str, list[int | None]]:
    """Seconds to the answer of every message, None without one, by brand."""
    connection = await asyncpg.connect(whole.dsn)
    try:
        found = await connection.fetch(
            "SELECT slug, array_agg(answered_at - received_at) FROM receipt JOIN brand USING (brand_id) GROUP BY slug"
        )
    finally:
        await connection.close()
    return {slug: seconds for slug, seconds in found}  # noqa: C416 - a row is no pair to dict


async def kpis(whole: Bellwether, brand: str, year: str) -> dict[str, Any]:
    """Values over the year before a new year's day, by KPI."""
    keys = "response_rate,message_response_time.answered"
    answer = await whole.get(f"/v1/brands/{brand}/kpis", as_of=f"{year}-01-01T00:00:00Z", window="year", keys=keys)
    return {key: windows["year"] for key, windows in answer["cuts"][0]["kpis"].items()}
