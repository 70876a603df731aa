"""Both clocks through the running service: kept and evaluated values agree, and changed rules hold from then on."""

from __future__ import annotations

import asyncio
import json
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.pool import open_pool
from bellwether.catalogue.evaluate import Values
from bellwether.domain.clock import ceil_minute
from bellwether.domain.windows import Window
from tests.support.backends import Servers
from tests.support.computing import computing
from tests.support.databases import Topics, database_from, fresh_topics
from tests.support.kept import Stored, differences, differing
from tests.support.log import applied, initialise_stream, write_events
from tests.support.patience import PATIENCE_S
from tests.support.tenancy import TENANT, make_brands

SLUG, ZONE = "aurora", "America/New_York"
DAY = 86_400
OFFICE = {day: ["09:00-12:30", "13:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
CLOSED: dict[str, list[str]] = {}
_CHANGE = """
    UPDATE brand SET business_hours = $2::text::jsonb, closed_answer_policy = $3, thread_gap_s = $4 WHERE slug = $1
"""
_RECEIPTS = "SELECT message_id, business_s, within_target FROM receipt"
BUSINESS = ("message_response_time.business", "message_response_time.business_p90", "query_response_time.business")


async def prepare(dsn: str, stack: Servers, topics: Topics) -> None:
    await initialise_stream(dsn, stack.kafka_bootstrap, topics.events)
    await make_brands(dsn, SLUG, time_zone=ZONE)


async def change(dsn: str, hours: dict[str, list[str]], policy: str = "zero", gap_s: int = 2 * DAY) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_CHANGE, SLUG, json.dumps(hours), policy, gap_s)
    finally:
        await connection.close()


async def stored(dsn: str) -> Stored:
    """The database with the brand as it is now."""
    async with open_pool(dsn) as pool, Directory.open(pool, "pepper") as directory:
        brand = directory.brand(TENANT, SLUG)
        assert brand is not None
        return Stored(dsn, {SLUG: brand})


def message(moment: int, message_id: str, *, conversation: str = "talk", **data: Any) -> dict[str, Any]:
    """A message, received unless its id begins like that of an answer."""
    kind = "sent" if message_id.startswith("a") else "received"
    body = {"brand": SLUG, "channel": "x", "conversation_id": conversation, "message_id": message_id, **data}
    return {
        "specversion": "1.0",
        "id": f"{conversation}-{message_id}",
        "source": "/test",
        "type": f"social.message.{kind}.v1",
        "time": datetime.fromtimestamp(moment, UTC).isoformat(),
        "data": body,
    }


def talks(now: int) -> list[dict[str, Any]]:
    """Messages of twelve days in forty conversations, by several authors, with answers of people and machines."""
    rng, found = random.Random(11), []
    for number in range(400):
        talk, moment = f"talk-{rng.randrange(40)}", now - rng.randrange(12 * DAY)
        names: dict[str, Any] = {"conversation": talk, "channel": rng.choice(("x", "email"))}
        if rng.random() < 0.6:
            author: dict[str, Any] = rng.choice(({}, {"author": {"id": "ann"}}, {"author": {"id": "bob"}}))
            kind = rng.choice(("query", "direct", "feedback"))
            found.append(message(moment, f"q{number}", kind=kind, **author, **names))
        else:
            told: dict[str, Any] = rng.choice(
                ({}, {}, {"agent": "bot:hello"}, {"in_reply_to": f"q{rng.randrange(400)}"})
            )
            found.append(message(moment, f"a{number}", **told, **names))
    return found


async def apply(dsn: str, stack: Servers, topics: Topics, events: list[dict[str, Any]], path: Path) -> Stored:
    """Have compute take the events; the database when all kept values hold them."""
    known = await stored(dsn)
    async with computing(stack, dsn, topics, path, max_events="60"):
        written = await write_events(stack.kafka_bootstrap, topics.events, events)
        await applied(dsn, topics.events, written)
        async with asyncio.timeout(120):
            while await differing(known):
                await asyncio.sleep(0.3)
    return known


async def test_kept_clocks_are_those_of_an_evaluation_and_the_past_shows_nothing_later(
    stack: Servers, database: str, template_database: str, topics: Topics, tmp_path: Path
) -> None:
    now = int(time.time())
    moment, events = ceil_minute(now - 4 * DAY), talks(now)
    await prepare(database, stack, topics)
    await change(database, OFFICE, "leave_out")
    everything = await apply(database, stack, topics, events, tmp_path / "all")
    rows = await everything.lines()
    assert {cut for _, cut in rows} == {"", "channel=x", "channel=email"}
    async with (
        database_from(stack.postgres_dsn, template_database) as dsn,
        fresh_topics(stack.kafka_bootstrap) as other_topics,
    ):
        await prepare(dsn, stack, other_topics)
        await change(dsn, OFFICE, "leave_out")
        earlier = [e for e in events if datetime.fromisoformat(e["time"]).timestamp() < moment]
        only_earlier = await apply(dsn, stack, other_topics, earlier, tmp_path / "earlier")
        expected = await only_earlier.evaluated(dict.fromkeys(rows, moment), recorded=now)
    found = await everything.evaluated(dict.fromkeys(rows, moment), recorded=now)
    assert [words for line in rows for words in differences(line, expected[line], found[line])] == []
    shown = {kpi: found[SLUG, ""][kpi][Window.DAYS_7] for kpi in BUSINESS}
    assert all(value.n > 20 for value in shown.values()), shown


async def test_changed_rules_hold_for_answers_from_then_on_and_for_who_waits(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    now = int(time.time())
    await prepare(database, stack, topics)
    first = [
        message(now - 3 * DAY, "q"),
        message(now - 3 * DAY + 600, "a"),
        message(now - DAY, "open", conversation="b"),
    ]
    async with computing(stack, database, topics, tmp_path):
        await write_events(stack.kafka_bootstrap, topics.events, first)
        await p90_is(database, None)
        assert await clocks(database) == {"q": (600, True), "open": (None, None)}
        await change(database, CLOSED, "leave_out")
        await p90_is(database, 600)  # in no open hour nobody has waited for long
        second = [message(now - 300, "q2", conversation="c"), message(now - 200, "a2", conversation="c")]
        await write_events(stack.kafka_bootstrap, topics.events, second)
        await applied(database, topics.events, 5)
        assert (await clocks(database))["q2"] == (None, None)
        assert (await clocks(database))["q"] == (600, True)
        await write_events(stack.kafka_bootstrap, topics.events, [message(now - 3 * DAY + 300, "a0")])
        await applied(database, topics.events, 6)
        assert (await clocks(database))["q"] == (None, None)
        known = await stored(database)
        async with asyncio.timeout(PATIENCE_S):
            while await differing(known):
                await asyncio.sleep(0.3)
        values = (await known.evaluated({(SLUG, ""): now + 60}))[SLUG, ""]
    assert values["message_response_time.within_target"][Window.DAYS_7].denominator == 0


async def p90_is(dsn: str, seconds: int | None) -> None:
    """Wait until the kept values show this ninth decile of business time."""
    known = await stored(dsn)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            row = (await known.lines()).get((SLUG, ""))
            values = msgspec.json.decode(row["body"], type=Values) if row else {}
            value = values.get(BUSINESS[1], {}).get(Window.DAYS_7)
            if value and value.n and value.value == seconds:
                return
            await asyncio.sleep(0.2)


async def clocks(dsn: str) -> dict[str, tuple[int | None, bool | None]]:
    connection = await asyncpg.connect(dsn)
    try:
        return {row[0]: (row[1], row[2]) for row in await connection.fetch(_RECEIPTS)}
    finally:
        await connection.close()
