"""Receipts over HTTP: the messages behind a response time, which of their time counted, and why the rest did not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.support.api import Seed, seconds, seeding, serving

NOW = "2026-10-13T12:00:30+00:00"  # Tuesday, 14:00:30 in Berlin
URL = "/v1/brands/acme/kpis/message_response_time.business/receipts"
WEEK = json.dumps({day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")})
_RECEIPT = """
    INSERT INTO receipt (brand_id, channel, conversation_id, message_id, kind, received_at, known_on, answered_at,
        answered_by, answer_known_on, turn_of, timed, business_s, within_target, cuts)
    VALUES ($1, $2, 'talk', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, ARRAY['channel=' || $2])
"""


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


@pytest.fixture
async def client(seed: Seed, database: str) -> AsyncIterator[httpx2.AsyncClient]:
    brand = await seed.brand("acme")
    await seed.connection.execute(
        "UPDATE brand SET business_hours = $2::text::jsonb, response_target_s = 1800 WHERE brand_id = $1", brand, WEEK
    )
    await receipt(seed, brand, "friday", "2026-10-09T14:45:00Z", "2026-10-12T07:16:00Z", business_s=1860, late=True)
    await receipt(seed, brand, "part", "2026-10-09T14:50:00Z", "2026-10-12T07:16:00Z", turn_of="friday", timed=False)
    await receipt(seed, brand, "query", "2026-10-12T10:00:00Z", "2026-10-12T10:10:00Z", kind="query", business_s=600)
    await receipt(seed, brand, "open", "2026-10-13T11:00:00Z", None, channel="email")
    await receipt(seed, brand, "open part", "2026-10-13T11:05:00Z", None, channel="email", turn_of="open")
    await receipt(seed, brand, "before", "2026-10-01T11:00:00Z", "2026-10-01T11:10:00Z", business_s=600)
    headers = await seed.key()
    async with serving(database, NOW) as client:
        client.headers.update(headers)
        yield client


async def receipt(seed: Seed, brand: int, message: str, received: str, answered: str | None, **told: Any) -> None:
    """A receipt as compute writes it, known on the days on which it happened."""
    at, answer = seconds(received), seconds(answered) if answered else None
    business, late = told.get("business_s"), told.get("late", False)
    await seed.connection.execute(
        _RECEIPT,
        *(brand, told.get("channel", "x"), message, told.get("kind", "direct"), at, at // 86_400),
        *((answer, f"to {message}", answer // 86_400) if answer else (None, None, None)),
        *(told.get("turn_of"), told.get("timed", True), business, None if business is None else not late),
    )


async def items(client: httpx2.AsyncClient, url: str = URL, **params: str) -> dict[str, dict[str, Any]]:
    """The receipts of one page, by message."""
    answer = await client.get(url, params={"window": "7d", **params})
    assert answer.status_code == 200, answer.text
    return {item["message_id"]: item for item in answer.json()["items"]}


async def test_a_receipt_says_which_intervals_counted_and_why_the_others_did_not(client: httpx2.AsyncClient) -> None:
    found = (await items(client))["friday"]
    assert (found["answered_by"], found["answered_at"]) == ("to friday", "2026-10-12T07:16:00Z")
    assert (found["wall_s"], found["business_s"], found["within_target"]) == (232_260, 1_860, False)
    assert [(part["kind"], part["seconds"]) for part in found["intervals"]] == [
        ("open", 900), ("closed", 230_400), ("open", 960),
    ]  # fmt: skip
    assert (found["closed_s"], found["holiday_s"], found["intervals_left_out"]) == (230_400, 0, 0)
    assert (found["late_from"], found["by_present_rules"]) == ("2026-10-12T07:15:01Z", True)


async def test_the_messages_of_the_window_are_listed_the_latest_first(client: httpx2.AsyncClient) -> None:
    found = await items(client)
    assert list(found) == ["open part", "open", "query", "part", "friday"]
    assert (found["part"]["wall_s"], found["part"]["turn_of"]) == (None, "friday")


async def test_who_waits_is_told_with_what_was_waited_so_far(client: httpx2.AsyncClient) -> None:
    found = await items(client, cut="channel=email")
    assert {message: (item["waits"], item["wall_s"]) for message, item in found.items()} == {
        "open": (True, 3660), "open part": (False, None),
    }  # fmt: skip
    assert found["open"]["business_s"] == 3660


async def test_as_of_an_earlier_moment_an_answer_had_not_come(client: httpx2.AsyncClient) -> None:
    found = await items(client, as_of="2026-10-12T07:00:00Z")
    assert list(found) == ["part", "friday"]
    assert (found["friday"]["waits"], found["friday"]["answered_at"], found["friday"]["business_s"]) == (
        True,
        None,
        900,
    )
    assert (found["part"]["waits"], found["part"]["answered_by"]) == (False, None)


async def test_what_was_known_on_a_day_is_what_had_been_recorded(client: httpx2.AsyncClient, seed: Seed) -> None:
    await seed.connection.execute("UPDATE receipt SET known_on = known_on + 4 WHERE message_id = 'query'")
    await seed.connection.execute(
        "UPDATE receipt SET answer_known_on = answer_known_on + 4 WHERE message_id = 'friday'"
    )
    found = await items(client, known_at="2026-10-13T12:00:00Z")
    assert list(found) == ["open part", "open", "part", "friday"]
    assert (found["friday"]["waits"], found["friday"]["answered_by"]) == (True, None)


async def test_receipts_of_queries_are_queries(client: httpx2.AsyncClient) -> None:
    for key in ("query_response_time", "query_response_time.business", "unanswered_questions"):
        assert list(await items(client, f"/v1/brands/acme/kpis/{key}/receipts")) == ["query"]
    assert await items(client, "/v1/brands/acme/kpis/feedback_response_rate/receipts") == {}


async def test_pages_follow_each_other_as_of_one_moment(client: httpx2.AsyncClient) -> None:
    found, url = [], f"{URL}?window=7d&limit=2&cut=channel%3Dx"
    while url:
        page = await client.get(url)
        assert page.json()["as_of"] == "2026-10-13T12:00:30Z"
        found += [item["message_id"] for item in page.json()["items"]]
        url = page.links["next"]["url"] if "next" in page.links else ""
        assert bool(url) == (page.json()["next"] is not None)
    assert found == ["query", "part", "friday"]


async def test_clocks_stand_as_they_were_told_where_rules_have_changed(client: httpx2.AsyncClient, seed: Seed) -> None:
    await seed.connection.execute("UPDATE receipt SET business_s = 7 WHERE message_id = 'query'")
    found = (await items(client))["query"]
    assert (found["business_s"], found["by_present_rules"]) == (7, False)
    assert [part["seconds"] for part in found["intervals"]] == [600]


async def test_a_long_wait_lists_its_first_intervals(client: httpx2.AsyncClient, seed: Seed) -> None:
    brand = await seed.connection.fetchval("SELECT brand_id FROM brand WHERE slug = 'acme'")
    await receipt(seed, brand, "old", "2026-01-05T08:00:00Z", None, channel="email")
    found = (await items(client, window="year", cut="channel=email"))["old"]
    assert (len(found["intervals"]), found["intervals_left_out"]) == (100, 303)
    assert found["business_s"] + found["closed_s"] == found["wall_s"]


@pytest.mark.parametrize(
    ("key", "params", "status", "pointer"),
    [
        ("nothing", {}, 404, None),
        ("response_rate", {"cut": "channel"}, 422, "/cut"),
        ("response_rate", {"cursor": "made-up"}, 422, "/cursor"),
        ("response_rate", {"limit": "0"}, 422, "/limit"),
        ("response_rate", {"as_of": "2036-01-01T00:00:00Z"}, 422, "/as_of"),
    ],
)
async def test_what_cannot_be_listed_is_refused(
    client: httpx2.AsyncClient, key: str, params: dict[str, str], status: int, pointer: str | None
) -> None:
    answer = await client.get(f"/v1/brands/acme/kpis/{key}/receipts", params=params)
    assert answer.status_code == status
    assert [fault["pointer"] for fault in answer.json().get("errors", [])] == ([pointer] if pointer else [])
