"""Marks of the screen and advocates through real compute and API: they count, and people have the last word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from bellwether.adapters.postgres.pool import open_pool
from bellwether.domain.clock import DAY_S, HOUR_S, MINUTE_S
from bellwether_compute.retention import delete_traces_before
from tests.support.api import WRITER, Seed, seeding, serving
from tests.support.backends import Servers
from tests.support.computing import computing
from tests.support.databases import Topics
from tests.support.log import applied, initialise_stream, write_records
from tests.support.patience import PATIENCE_S

NOW = int(time.time())
BURST = (NOW - 2 * DAY_S) // HOUR_S * HOUR_S + 1_800
"""When ten accounts without followers have liked one post; they begin half a minute earlier."""
Event = dict[str, Any]


def iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def event(kind: str, name: str, moment: int, /, **data: Any) -> Event:
    """An event of the brand on instagram."""
    body = {"brand": "aurora", "channel": "instagram", **data}
    return {"specversion": "1.0", "id": name, "source": "/t", "type": kind, "time": iso(moment), "data": body}


def like(name: str, moment: int, author: str, **account: Any) -> Event:
    body = {"kind": "reaction", "content_id": "post", "author": {"id": author, **account}}
    return event("social.interaction.v1", name, moment, **body)


def burst() -> list[Event]:
    """Twelve likes by empty accounts, half a minute around BURST, and eight by others."""
    bought = [like(f"bought-{n}", BURST - 30 + 5 * n, f"bot-{n}", followers=0) for n in range(12)]
    return [*bought, *(like(f"real-{n}", BURST - 30 + n, f"fan-{n}", followers=50) for n in range(8))]


def churn() -> list[Event]:
    """Two accounts join; one of them leaves and does it again."""
    kinds = ("joined", "left", "joined", "left")
    told = [("mia", kind, n) for n, kind in enumerate(kinds)] + [("noa", "joined", 1)]
    return [
        event(f"social.audience.{kind}.v1", f"{who}-{n}", BURST - n, audience="followers", member_id=who)
        for who, kind, n in told
    ]


def praise() -> list[Event]:
    """Three positive mentions by one author who likes something before, and twice after the third."""
    mentions = [
        event("social.mention.v1", f"m{n}", BURST + 60 * n, of="aurora", sentiment=0.9, author={"id": "ann"})
        for n in range(3)
    ]
    return [*mentions, like("l0", BURST - 90, "ann"), like("l1", BURST + 121, "ann"), like("l2", BURST + 122, "ann")]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads and changes the brand as a partner would."""

    client: httpx2.AsyncClient
    headers: dict[str, str]

    async def get(self, path: str, **params: str) -> Any:
        answer = await self.client.get(f"/v1/brands/aurora{path}", params=params, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def say(self, mark_id: str, word: str, **remark: str) -> Any:
        path = f"/v1/brands/aurora/integrity/marks/{mark_id}/{word}"
        answer = await self.client.post(path, json=remark, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def value(self, key: str, window: str = "7d", **params: str) -> Any:
        found = await self.get("/kpis", keys=key, window=window, **params)
        return found["cuts"][0]["kpis"][key][window]["value"]

    async def suspects(self, window: str = "7d", **params: str) -> int:
        """How many interactions are suspect."""
        key = "inauthentic_engagement_share"
        found = await self.get("/kpis", keys=key, window=window, **params)
        return int(found["cuts"][0]["kpis"][key][window]["parts"]["suspect_interactions"])

    async def kept(self, suspects: int, **cut: str) -> None:
        """Wait until the kept values count so many suspect interactions."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.suspects(**cut) != suspects:
                await asyncio.sleep(0.1)

    async def kept_values_are_evaluated_ones(self) -> None:
        """Wait until the kept values of the total and of the channel are those of an evaluation of their moment."""
        async with asyncio.timeout(PATIENCE_S):
            while not (await self.agrees() and await self.agrees(cut="channel=instagram")):
                await asyncio.sleep(0.1)

    async def agrees(self, **cut: str) -> bool:
        """Whether the kept values of a cut are those of an evaluation of their moment."""
        (kept,) = (await self.get("/kpis", **cut))["cuts"]
        (found,) = (await self.get("/kpis", as_of=kept["as_of"], **cut))["cuts"]
        return bool(kept["kpis"] == found["kpis"])


@asynccontextmanager
async def reading(seed: Seed, dsn: str) -> AsyncIterator[Reader]:
    async with serving(dsn, iso(int(time.time()) + 2 * MINUTE_S)) as client:
        yield Reader(client, await seed.key(WRITER))


@pytest.fixture
async def seed(database: str, stack: Servers, topics: Topics) -> AsyncIterator[Seed]:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    async with seeding(database) as seed:
        await seed.brand("aurora", "UTC")
        yield seed


@pytest.fixture
async def reader(seed: Seed, database: str, stack: Servers, topics: Topics, tmp_path: Path) -> AsyncIterator[Reader]:
    """A brand with a burst, churn and praise of two days ago, while compute runs."""
    events = [*burst(), *churn(), *praise()]
    records = [(b"acme/aurora", msgspec.json.encode(event)) for event in events]
    async with computing(stack, database, topics, tmp_path):
        await write_records(stack.kafka_bootstrap, topics.events, records, (BURST + 200) * 1000)
        await applied(database, topics.events, len(events))
        async with reading(seed, database) as reader:
            await reader.kept(12)
            yield reader


async def test_marks_count_and_are_listed_with_their_grounds(reader: Reader) -> None:
    assert await reader.value("inauthentic_engagement_share") == pytest.approx(100 * 12 / 23)
    assert await reader.value("inauthentic_follower_share") == pytest.approx(100 * 2 / 3)
    assert await reader.value("advocate_engagement") == 2
    marks = (await reader.get("/integrity/marks", rule="burst"))["items"]
    assert [mark["author"] for mark in marks] == [f"bot-{n}" for n in reversed(range(12))]
    (ground,) = marks[-1]["grounds"]
    assert ground == {
        "rule": "burst",
        "subject": "instagram post",
        "formed_at": iso(BURST + 15),
        "seen": 10,
        "least": 10,
        "within_s": 60,
    }
    assert {mark["subject"] for mark in (await reader.get("/integrity/marks", rule="churn"))["items"]} == {"mia"}
    await reader.kept_values_are_evaluated_ones()


async def test_marks_come_in_pages_and_by_the_time_of_their_events(reader: Reader) -> None:
    first = await reader.get("/integrity/marks", limit="5", rule="burst")
    second = await reader.get("/integrity/marks", limit="5", rule="burst", cursor=first["next"])
    third = await reader.get("/integrity/marks", limit="5", rule="burst", cursor=second["next"])
    ids = [mark["mark_id"] for page in (first, second, third) for mark in page["items"]]
    assert (len(ids), len(set(ids)), third["next"]) == (12, 12, None)
    some = await reader.get("/integrity/marks", **{"from": iso(BURST), "to": iso(BURST + 10), "rule": "burst"})
    assert [mark["author"] for mark in some["items"]] == ["bot-7", "bot-6"]


async def test_an_overruled_mark_is_taken_back_within_seconds_and_a_restored_one_counts_again(reader: Reader) -> None:
    mark_id = (await reader.get("/integrity/marks", rule="burst", limit="1"))["items"][0]["mark_id"]
    overruled = await reader.say(mark_id, "overrule", by="Dana", note="our launch event")
    assert (overruled["overruled"], overruled["verdicts"][0]["by"]) == (True, "Dana")
    await reader.kept(11)
    assert await reader.value("inauthentic_engagement_share") == pytest.approx(100 * 11 / 23)
    await reader.kept_values_are_evaluated_ones()
    assert len((await reader.get("/integrity/marks", overruled="true"))["items"]) == 1
    again = await reader.say(mark_id, "overrule", note="twice is once")
    assert len(again["verdicts"]) == 1
    await reader.say(mark_id, "restore")
    await reader.kept(12)
    told = await reader.get(f"/integrity/marks/{mark_id}")
    assert [(verdict["overruled"], verdict["note"]) for verdict in told["verdicts"]] == [
        (False, None),
        (True, "our launch event"),
    ]
    await reader.kept_values_are_evaluated_ones()


async def test_a_verdict_holds_for_the_past_unless_one_asks_what_was_known_then(reader: Reader) -> None:
    yesterday = iso(BURST + DAY_S // 2)
    mark_id = (await reader.get("/integrity/marks", rule="burst", limit="1"))["items"][0]["mark_id"]
    await reader.say(mark_id, "overrule")
    await reader.kept(11)
    assert await reader.suspects("24h", as_of=yesterday) == 11
    assert await reader.suspects("24h", as_of=yesterday, known_at=yesterday) == 12


async def test_before_a_window_was_full_nothing_in_it_was_marked(reader: Reader) -> None:
    assert await reader.suspects("1h", as_of=iso(BURST)) == 0
    assert await reader.suspects("1h", as_of=iso(BURST + MINUTE_S)) == 12


async def test_marks_count_where_their_item_does_also_when_that_is_told_late(
    reader: Reader, database: str, stack: Servers, topics: Topics
) -> None:
    mark_id = (await reader.get("/integrity/marks", rule="burst", limit="1"))["items"][0]["mark_id"]
    await reader.say(mark_id, "overrule")
    await reader.kept(11)
    told = event("social.content.published.v1", "p", BURST - HOUR_S, content_id="post", campaign="spring")
    await write_records(stack.kafka_bootstrap, topics.events, [(b"acme/aurora", msgspec.json.encode(told))])
    await applied(database, topics.events, len([*burst(), *churn(), *praise()]) + 1)
    async with asyncio.timeout(PATIENCE_S):
        while not await reader.agrees(cut="campaign=spring"):
            await asyncio.sleep(0.1)
    assert await reader.value("inauthentic_engagement_share", cut="campaign=spring") == pytest.approx(100 * 11 / 23)
    await reader.kept_values_are_evaluated_ones()
    await reader.say(mark_id, "restore")
    await reader.kept(12, cut="campaign=spring")


async def test_an_event_that_a_second_rule_marks_later_counts_once_and_names_both(
    reader: Reader, database: str, stack: Servers, topics: Topics
) -> None:
    spree = [
        event("social.interaction.v1", f"s{n}", BURST - 30, kind="share", content_id=f"p{n}", author={"id": "bot-0"})
        for n in range(9)
    ]
    records = [(b"acme/aurora", msgspec.json.encode(each)) for each in spree]
    await write_records(stack.kafka_bootstrap, topics.events, records)
    await reader.kept(12 + 9)
    marks = (await reader.get("/integrity/marks", rule="spree"))["items"]
    both = [mark for mark in marks if mark["subject"] == "post"]
    assert [[ground["rule"] for ground in mark["grounds"]] for mark in both] == [["burst", "spree"]]
    assert both[0]["formed_at"] == iso(BURST - 30)
    await reader.kept_values_are_evaluated_ones()


async def test_what_the_screen_saw_long_ago_is_let_go_of(database: str) -> None:
    async with open_pool(database) as pool:
        for touched_at in (99, 100):
            await pool.execute(
                "INSERT INTO screen_trace VALUES (1, 'spree', $1::text, '', $2)", str(touched_at), touched_at
            )
            await pool.execute("INSERT INTO screen_show VALUES (1, 'x', $1::text, '', $2)", str(touched_at), touched_at)
        assert await delete_traces_before(pool, 100) == 2
        left = "SELECT subject FROM screen_trace UNION ALL SELECT content_id FROM screen_show"
        assert [row[0] for row in await pool.fetch(left)] == ["100", "100"]


async def test_only_a_key_that_may_write_overrules_and_only_what_is_marked(reader: Reader, seed: Seed) -> None:
    mark_id = (await reader.get("/integrity/marks", limit="1"))["items"][0]["mark_id"]
    path = "/v1/brands/aurora/integrity/marks"
    refused = await reader.client.post(f"{path}/{mark_id}/overrule", headers=await seed.key())
    unknown = await reader.client.post(f"{path}/{'0' * 32}/overrule", headers=reader.headers)
    wrong = await reader.client.get(path, params={"rule": "nonsense"}, headers=reader.headers)
    assert (refused.status_code, unknown.status_code, wrong.status_code) == (403, 404, 422)
    assert (await reader.get(f"/integrity/marks/{mark_id}"))["verdicts"] == []


async def test_what_is_stored_is_enough_for_the_next_process(
    seed: Seed, database: str, stack: Servers, topics: Topics, tmp_path: Path
) -> None:
    written = 0
    for number in range(3):  # each time a new process, which knows nothing but what is stored
        part = [each for n, each in enumerate([*burst(), *churn(), *praise()]) if n % 3 == number]
        records = [(b"acme/aurora", msgspec.json.encode(event)) for event in part]
        async with computing(stack, database, topics, tmp_path / str(number)):
            await write_records(stack.kafka_bootstrap, topics.events, records)
            written += len(records)
            await applied(database, topics.events, written)
            if number == 2:
                async with reading(seed, database) as reader:
                    await reader.kept(12)
                    assert await reader.value("advocate_engagement") == 2
                    assert await reader.value("inauthentic_follower_share") == pytest.approx(100 * 2 / 3)
