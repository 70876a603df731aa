"""Current values, values of other moments, and cuts, against numbers counted by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import httpx2
import pytest

from bellwether.catalogue.evaluate import Value
from bellwether.domain.clock import day_of
from bellwether.domain.totals import Total
from bellwether.domain.windows import Window
from tests.support.api import Seed, seconds, seeding, serving

NOW = "2026-10-13T12:00:30+00:00"  # Tuesday, 14:00:30 in Berlin
URL = "/v1/brands/acme/kpis"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


async def _read(client: httpx2.AsyncClient, headers: dict[str, str], url: str = URL, **params: str) -> httpx2.Response:
    return await client.get(url, params=params, headers=headers)


async def _value(client: httpx2.AsyncClient, headers: dict[str, str], key: str, window: str, **params: str) -> object:
    answer = await _read(client, headers, keys=key, window=window, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()["cuts"][0]["kpis"][key][window]["value"]


async def test_kept_values_are_served_with_their_own_moment(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    end = seconds("2026-10-13T11:59:00Z")
    kept = Value(7, end - 3600, end, numerator=7, n=7, parts={"mentions": 7})
    await seed.current(brand, "", "2026-10-13T11:58:10Z", {"brand_mentions": {Window.HOUR: kept}})
    headers = await seed.key()
    async with serving(database, NOW) as client:
        answer = (await _read(client, headers, keys="brand_mentions", window="1h")).json()
        idle = await _value(client, headers, "brand_mentions", "24h")
    assert answer == {
        "brand": "acme",
        "time_zone": "Europe/Berlin",
        "cuts": [
            {
                "cut": None,
                "as_of": "2026-10-13T11:58:10Z",
                "fresh_to": "2026-10-13T11:58:10Z",
                "kpis": {
                    "brand_mentions": {
                        "1h": {
                            "value": 7,
                            "start": "2026-10-13T10:59:00Z",
                            "end": "2026-10-13T11:59:00Z",
                            "partial": False,
                            "numerator": 7,
                            "denominator": None,
                            "n": 7,
                            "reason": None,
                            "parts": {"mentions": 7},
                            "screened": None,
                        }
                    }
                },
            }
        ],
    }
    assert idle == 0, "a window that is not kept is one in which nothing happened"


async def test_without_kept_values_they_are_evaluated_now(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    facts = [
        ("", "2026-10-13T11:30:00Z", {"mentions": 1}),
        ("", "2026-10-13T10:30:00Z", {"mentions": 2}),
        ("", "2026-10-12T23:00:00Z", {"mentions": 4}),  # today in Berlin, yesterday in UTC
        ("", "2026-10-12T12:02:00Z", {"mentions": 8}),
        ("", "2026-10-12T12:00:00Z", {"mentions": 16}),  # a minute too old for 24h
        ("", "2026-09-30T22:00:00Z", {"mentions": 32}),  # the first moment of October in Berlin
        ("", "2026-09-30T21:59:00Z", {"mentions": 64}),
    ]
    await seed.rollups(brand, facts)
    headers = await seed.key()
    async with serving(database, NOW) as client:
        answer = (await _read(client, headers, keys="brand_mentions")).json()
    (cut,) = answer["cuts"]
    assert (cut["as_of"], cut["fresh_to"]) == ("2026-10-13T12:00:30Z", None)
    values = {window: figure["value"] for window, figure in cut["kpis"]["brand_mentions"].items()}
    assert values == {
        "1h": 1, "24h": 15, "7d": 31, "28d": 127, "90d": 127,
        "day": 7, "week": 31, "month": 63, "quarter": 63, "year": 127,
    }  # fmt: skip
    assert cut["kpis"]["brand_mentions"]["month"]["start"] == "2026-09-30T22:00:00Z"
    assert cut["kpis"]["brand_mentions"]["month"]["partial"] is True


async def test_kept_values_that_lack_a_kpi_are_not_taken_for_it(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    end = seconds("2026-10-13T12:00:00Z")
    await seed.current(brand, "", "2026-10-13T12:00:00Z", {"brand_mentions": {Window.HOUR: Value(7, end - 3600, end)}})
    headers = await seed.key()
    async with serving(database, NOW) as client:
        assert await _value(client, headers, "content_reach", "1h") == 0


async def test_as_of_shows_the_past_and_nothing_later(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    facts = [
        ("", "2026-10-10T08:00:00Z", {"mentions": 1}),
        ("", "2026-10-10T09:00:00Z", {"mentions": 10}),
        ("", "2026-10-13T11:00:00Z", {"mentions": 100}),
    ]
    await seed.rollups(brand, facts)
    headers = await seed.key()
    async with serving(database, NOW) as client:
        for as_of, window, expected in (
            ("2026-10-10T09:00:00Z", "24h", 1),
            ("2026-10-10T09:01:00Z", "24h", 11),
            ("2026-10-10T11:01:00+02:00", "24h", 11),
            ("2026-10-10T09:01:00Z", "7d", 1),  # two weeks before are too old for minutes: it ends at the hour
            ("2026-10-13T12:00:30Z", "7d", 111),
        ):
            assert await _value(client, headers, "brand_mentions", window, as_of=as_of) == expected


async def test_known_at_leaves_out_what_was_recorded_on_a_later_day(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    await seed.rollups(brand, [("", "2026-10-10T08:00:00Z", {"mentions": 1})])
    late = [("", "2026-10-10T08:00:00Z", {"mentions": 10})]
    await seed.rollups(brand, late, known_on=day_of(date(2026, 10, 12)))
    headers = await seed.key()
    async with serving(database, NOW) as client:
        as_of = "2026-10-10T12:00:00Z"
        for known_at, expected in (
            ("2026-10-10T12:00:00Z", 1),
            ("2026-10-11T21:59:59Z", 1),  # 23:59:59 on the 11th in Berlin
            ("2026-10-11T22:00:00Z", 11),
        ):
            value = await _value(client, headers, "brand_mentions", "24h", as_of=as_of, known_at=known_at)
            assert value == expected
        assert await _value(client, headers, "brand_mentions", "24h", as_of=as_of) == 11
        assert await _value(client, headers, "brand_mentions", "24h", known_at=as_of) == 1


async def test_a_cut_is_read_by_itself_and_a_dimension_value_by_value(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    facts = [
        ("", "2026-10-13T11:30:00Z", {"mentions": 4, "competitor_mentions": 4}),
        ("channel=instagram", "2026-10-13T11:30:00Z", {"mentions": 3, "competitor_mentions": 1}),
        ("channel=x", "2026-10-13T11:30:00Z", {"mentions": 1, "competitor_mentions": 3}),
    ]
    await seed.rollups(brand, facts)
    headers = await seed.key()
    async with serving(database, NOW) as client:
        assert await _value(client, headers, "share_of_voice", "1h") == 50.0
        assert await _value(client, headers, "share_of_voice", "1h", cut="channel=instagram") == 75.0
        answer = (await _read(client, headers, keys="share_of_voice", window="1h", cut="channel")).json()
        never_seen = await _value(client, headers, "share_of_voice", "1h", cut="channel=other:forum")
    shares = {cut["cut"]: cut["kpis"]["share_of_voice"]["1h"]["value"] for cut in answer["cuts"]}
    assert shares == {"channel=instagram": 75.0, "channel=x": 25.0}
    assert never_seen is None


async def test_without_data_there_is_a_reason_instead_of_a_value(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    await seed.rollups(brand, [("", "2026-10-13T11:30:00Z", {"mentions": 5})])
    headers = await seed.key()
    async with serving(database, NOW) as client:
        keys = "brand_mention_growth,click_through_rate,brand_mentions"
        answer = (await _read(client, headers, keys=keys, window="24h")).json()
    kpis = answer["cuts"][0]["kpis"]
    told = {key: (windows["24h"]["value"], windows["24h"]["reason"]) for key, windows in kpis.items()}
    assert told == {
        "brand_mention_growth": (None, "nothing_before"),
        "click_through_rate": (None, "no_data"),
        "brand_mentions": (5, None),
    }


async def test_audiences_count_by_their_last_snapshot_before_each_end(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    await seed.level(brand, "2026-10-05T00:00:00Z", 1_000)
    await seed.level(brand, "2026-10-10T00:00:00Z", 1_020)
    await seed.level(brand, "2026-10-12T00:00:00Z", 1_050)
    headers = await seed.key()
    async with serving(database, NOW) as client:
        assert await _value(client, headers, "follower_growth_rate", "7d") == 5.0
        assert await _value(client, headers, "follower_growth_rate", "7d", as_of="2026-10-11T00:00:00Z") is None
        assert await _value(client, headers, "follower_growth_rate", "28d", cut="channel=instagram") is None
        as_of = "2026-10-12T00:01:00Z"
        assert await _value(client, headers, "follower_growth_rate", "24h", as_of=as_of) == pytest.approx(
            100 * 30 / 1_020
        )


async def test_an_answer_that_came_later_is_not_in_an_earlier_reading(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    received, answered = "2026-10-10T08:00:00Z", "2026-10-10T10:00:00Z"
    await seed.receipt(brand, "1", received, answered)
    await seed.receipt(brand, "2", received, None)
    totals: dict[str, Total] = {
        "messages_received": 2, "queries_received": 2, "messages_answered": 1, "queries_answered": 1,
        "query_response_seconds": 7200, "response_time": {7200: 1}, "query_response_time": {7200: 1},
    }  # fmt: skip
    await seed.rollups(brand, [("", received, totals)])
    headers = await seed.key()
    async with serving(database, NOW) as client:
        for as_of, unanswered, rate in (("2026-10-10T10:00:00Z", 2, 0.0), ("2026-10-10T10:01:00Z", 1, 50.0)):
            assert await _value(client, headers, "unanswered_questions", "24h", as_of=as_of) == unanswered
            assert await _value(client, headers, "response_rate", "24h", as_of=as_of) == rate


async def test_one_kpi_comes_with_its_definition_and_every_window(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    await seed.rollups(brand, [("", "2026-10-13T11:30:00Z", {"mentions": 5, "competitor_mentions": 15})])
    headers = await seed.key()
    async with serving(database, NOW) as client:
        answer = (await _read(client, headers, f"{URL}/share_of_voice")).json()
    assert answer["kpi"]["formula"]["expression"] == "100 * mentions / (mentions + competitor_mentions)"
    (cut,) = answer["cuts"]
    assert list(cut["windows"]) == list(Window)
    assert {figure["value"] for figure in cut["windows"].values()} == {25.0}
    assert cut["windows"]["1h"]["parts"] == {"mentions": 5, "competitor_mentions": 15}


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"window": "2h"}, "/window"),
        ({"window": ""}, "/window"),
        ({"keys": "brand_mentions,nonsense"}, "/keys"),
        ({"cut": "nonsense"}, "/cut"),
        ({"cut": "channel="}, "/cut"),
        ({"cut": "channel=\x00"}, "/cut"),
        ({"as_of": "yesterday"}, "/as_of"),
        ({"as_of": "2026-10-13T12:00:00"}, "/as_of"),
        ({"as_of": "2026-02-30T12:00:00Z"}, "/as_of"),
        ({"as_of": "2026-10-13T12:02:00Z"}, "/as_of"),
        ({"as_of": "1969-12-31T23:59:59Z"}, "/as_of"),
        ({"known_at": "2026-10-14T00:00:00Z"}, "/known_at"),
        ({"as_of": "2026-10-13T00:00:00Z", "known_at": "2026-10-11T00:00:00Z"}, "/as_of"),
        ({"asof": "2026-10-13T00:00:00Z"}, "/asof"),
    ],
)
async def test_a_bad_parameter_is_refused_by_name_and_not_repeated(
    seed: Seed, database: str, params: dict[str, str], pointer: str
) -> None:
    await seed.brand("acme")
    headers = await seed.key()
    async with serving(database, NOW) as client:
        answer = await _read(client, headers, **params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert "nonsense" not in answer.text
    assert "\x00" not in answer.text


async def test_a_cached_answer_is_given_again_and_named_by_its_etag(seed: Seed, database: str) -> None:
    brand = await seed.brand("acme")
    await seed.rollups(brand, [("", "2026-10-13T11:30:00Z", {"mentions": 5})])
    headers = await seed.key()
    async with serving(database, NOW, cache_s=60) as client:
        first = await _read(client, headers, keys="brand_mentions", window="1h")
        await seed.connection.execute("DELETE FROM rollup_minute")
        second = await _read(client, headers, keys="brand_mentions", window="1h")
        again = await _read(
            client, {**headers, "If-None-Match": first.headers["etag"]}, keys="brand_mentions", window="1h"
        )
        other = await _read(client, headers, keys="brand_mentions", window="24h")
    assert (second.content, second.headers["etag"]) == (first.content, first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert other.json()["cuts"][0]["kpis"]["brand_mentions"]["24h"]["value"] == 5  # hours and days still hold it
