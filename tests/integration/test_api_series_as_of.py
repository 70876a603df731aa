"""A series of an earlier moment is the one that was read at that moment, and of an earlier knowledge, the one known."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from itertools import product
from typing import Any

import pytest

from bellwether.adapters.postgres.readings_receipts import answered
from bellwether.domain.response_times import Clocks
from bellwether.domain.totals import Total
from tests.support.api import CLOCK, Seed, seconds, seeding, serving

THEN = "2026-10-20T12:20:30+00:00"  # Tuesday, 14:20:30 in Berlin
NOW = "2026-10-27T16:40:10+00:00"  # a week later; the clocks went back in between
KEYS = ("brand_mentions", "brand_mention_growth", "response_rate", "message_response_time", "content_engagement_rate")
GRAINS = ("hour", "day", "week", "month")
RANGES: tuple[dict[str, str], ...] = (
    {},
    {"from": "2026-10-18T00:00:00Z"},
    {"from": "2026-10-17T00:00:00Z", "to": "2026-10-19T10:00:00Z"},
)
ASKED = "2026-10-19T08:00:00Z"
ANSWERED = "2026-10-21T08:00:00Z"
PUBLISHED = "2026-10-19T09:00:00Z"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


Points = dict[tuple[str, ...], list[dict[str, Any]]]


async def read(seed: Seed, database: str, now: str, **params: str) -> Points:
    """The points of all KPIs, grains and ranges at a moment."""
    headers, found = await seed.key(), {}
    async with serving(database, now) as client:
        for key, grain, range_ in product(KEYS, GRAINS, RANGES):
            url = f"/v1/brands/acme/kpis/{key}/series"
            answer = await client.get(url, params={"grain": grain, **range_, **params}, headers=headers)
            assert answer.status_code == 200, answer.text
            (cut,) = answer.json()["cuts"]
            found[key, grain, *range_] = cut["points"]
    return found


async def happened(seed: Seed) -> int:
    """What there was at THEN: mentions, a query that waits and one that is answered, an item that has earned."""
    brand = await seed.brand("acme")
    await seed.receipt(brand, "waits", ASKED, None)
    await seed.receipt(brand, "answered", "2026-10-18T08:00:00Z", "2026-10-18T08:10:00Z")
    mentions: list[tuple[str, str, Mapping[str, Total]]] = [
        ("", f"2026-10-{day}T12:{minute}:00Z", {"mentions": day}) for day in (17, 18, 19, 20) for minute in (10, 20)
    ]
    received = {"messages_received": 1, "queries_received": 1}
    first = answered("query", Clocks(600, None, None), 1)
    facts = [
        *mentions,
        ("", ASKED, received),
        ("", "2026-10-18T08:00:00Z", {**received, **first}),
        ("", PUBLISHED, {"items": 1, "item_interactions": 5}),
    ]
    await seed.rollups(brand, facts)
    await seed.connection.execute(
        "INSERT INTO content_item (brand_id, channel, content_id, published_at, state, published_known_on)"
        " VALUES ($1, 'x', 'item', $2, '', $3)",
        *(brand, seconds(PUBLISHED), CLOCK.day(seconds(PUBLISHED))),
    )
    await earned(seed, brand, "2026-10-19T10:00:00Z", 5)
    return brand


async def earned(seed: Seed, brand: int, text: str, reactions: int) -> None:
    """What the item earned in a minute."""
    await seed.connection.execute(
        "INSERT INTO content_point (brand_id, channel, content_id, minute, known_on, reactions)"
        " VALUES ($1, 'x', 'item', $2, $3, $4)",
        *(brand, seconds(text), CLOCK.day(seconds(text)), reactions),
    )


async def went_on(seed: Seed, brand: int) -> None:
    """After THEN: mentions, the answer to the query that waited, and more that the item earned."""
    await seed.rollups(brand, [("", NOW, {"mentions": 9})])
    await seed.connection.execute(
        "UPDATE receipt SET answered_at = $1, answer_known_on = $2 WHERE message_id = 'waits'",
        *(seconds(ANSWERED), CLOCK.day(seconds(ANSWERED))),
    )
    answer = answered("query", Clocks(seconds(ANSWERED) - seconds(ASKED), None, None), 1)
    facts: list[tuple[str, str, Mapping[str, Total]]] = [
        ("", "2026-10-20T13:00:00Z", {"mentions": 7}),
        ("", ASKED, answer),
        ("", PUBLISHED, {"item_interactions": 40}),
    ]
    await seed.rollups(brand, facts, known_on=CLOCK.day(seconds(ANSWERED)))
    await earned(seed, brand, "2026-10-21T10:00:00Z", 40)


async def test_as_of_an_earlier_moment_a_series_is_the_one_that_was_read_then(seed: Seed, database: str) -> None:
    brand = await happened(seed)
    then = await read(seed, database, THEN)
    assert await read(seed, database, THEN, as_of=THEN) == then
    await went_on(seed, brand)
    assert await read(seed, database, NOW, as_of=THEN) == then
    today = await read(seed, database, NOW)
    differing = {key for key, grain, *range_ in today if today[key, grain, *range_] != then[key, grain, *range_]}
    assert differing == set(KEYS)


async def test_the_bucket_that_ran_is_partial_and_what_came_before_as_of_counts(seed: Seed, database: str) -> None:
    await went_on(seed, await happened(seed))
    found = await read(seed, database, NOW, as_of=THEN)
    running = found["brand_mentions", "day", "from"][-1]
    assert (running["end"], running["partial"], running["value"]) == ("2026-10-20T12:21:00Z", True, 40)
    assert found["content_engagement_rate", "day", "from"][-2]["parts"]["item_interactions"] == 5
    by_day = {point["start"]: point["value"] for point in found["response_rate", "day", "from"]}
    assert (by_day["2026-10-17T22:00:00Z"], by_day["2026-10-18T22:00:00Z"]) == (100.0, 0.0)
    later = await read(seed, database, NOW, as_of="2026-10-21T09:00:00Z")
    # Its bucket was over, but by then its message was answered.
    assert {p["start"]: p["value"] for p in later["response_rate", "day", "from"]}["2026-10-18T22:00:00Z"] == 100.0


async def test_known_at_leaves_out_what_was_recorded_on_a_later_day(seed: Seed, database: str) -> None:
    brand = await happened(seed)
    then = await read(seed, database, THEN)
    await went_on(seed, brand)
    late = [("", "2026-10-19T12:10:00Z", {"mentions": 1000})]
    await seed.rollups(brand, late, known_on=CLOCK.day(seconds("2026-10-22T12:00:00Z")))
    assert await read(seed, database, NOW, known_at=THEN) == then
    assert await read(seed, database, NOW, known_at=THEN, as_of=THEN) == then
    known = await read(seed, database, NOW, as_of=THEN)
    assert known["brand_mentions", "day", "from"][-2]["value"] == 1038
    assert known["response_rate", "day", "from"] == then["response_rate", "day", "from"]


async def test_long_ago_a_series_ends_at_the_hour_since_minutes_are_gone(seed: Seed, database: str) -> None:
    await happened(seed)
    found = await read(seed, database, "2026-12-20T12:00:00+00:00", as_of=THEN)
    assert found["brand_mentions", "hour", "from"][-1]["end"] == "2026-10-20T12:00:00Z"
    running = found["brand_mentions", "day", "from"][-1]
    assert (running["end"], running["partial"], running["value"]) == ("2026-10-20T12:00:00Z", True, 0)


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"as_of": "2036-01-01T00:00:00Z"}, "/as_of"),
        ({"as_of": "yesterday"}, "/as_of"),
        ({"known_at": "2036-01-01T00:00:00Z"}, "/known_at"),
        ({"as_of": "2026-10-20T12:00:00Z", "known_at": "2026-10-18T12:00:00Z"}, "/as_of"),
        ({"as_of": "2026-10-20T12:00:00Z", "from": "2026-10-20T12:00:00Z"}, "/from"),
        ({"as_of": "2026-09-20T12:20:00Z", "from": "2026-09-20T12:10:00Z", "grain": "hour"}, "/from"),
    ],
)
async def test_a_moment_that_cannot_be_is_refused(
    seed: Seed, database: str, params: dict[str, str], pointer: str
) -> None:
    await seed.brand("acme")
    headers = await seed.key()
    async with serving(database, NOW) as client:
        answer = await client.get("/v1/brands/acme/kpis/brand_mentions/series", params=params, headers=headers)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
