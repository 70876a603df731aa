"""Own KPIs on the running services: defined over HTTP, counted by compute within seconds, read beside the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest

from bellwether.adapters.postgres.rollups import unpack
from bellwether.catalogue.formula import amounts_of
from tests.support.backends import Servers
from tests.support.command import command, rebuild
from tests.support.databases import PARTITIONS, Topics
from tests.support.log import applied, write_events
from tests.support.patience import PATIENCE_S
from tests.support.tenancy import make_brands
from tests.support.whole import Bellwether, bellwether

NOW = int(time.time())
DAY_S = 86_400
MONTH_AGO_S = 45 * DAY_S


def document(formula: str, kind: str = "signup") -> str:
    return f"""
measures:
  own.signups:
    title: Sign-ups
    events: sales.conversion.v1
    where: {{kind: {kind}}}
kpis:
  own.signup_share:
    title: Sign-ups
    meaning: Of all conversions.
    formula: {formula}
    unit: percent
    kra: Newsletter
roles:
  own-editor:
    title: Editor
    areas: [{{title: Newsletter, lines: [own.signup_share]}}]
"""


def conversion(number: int, kind: str, seconds_ago: int = 60, brand: str = "aurora") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"c{number}",
        "source": "/test",
        "type": "sales.conversion.v1",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - seconds_ago)),
        "data": {
            "brand": brand,
            "channel": "web",
            "conversion_id": f"c{number}",
            "kind": kind,
            "attribution": "organic",
        },
    }


@pytest.fixture
async def running(stack: Servers, database: str, topics: Topics, tmp_path: Path) -> AsyncIterator[Bellwether]:
    async with bellwether(stack, database, topics, tmp_path) as running:
        await make_brands(database, "aurora")
        yield running


async def define(running: Bellwether, text: str) -> dict[str, Any]:
    """Put a document; gives the answer when compute counts all its measures in every partition."""
    async with httpx2.AsyncClient(base_url=running.services.api.url, headers=running.headers) as client:
        headers = {"Content-Type": "application/yaml", "If-Match": "*"}
        answer = await client.put("/v1/catalogue", content=text.encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    names = [one["counted_as"] for one in told["measures"]]
    connection = await asyncpg.connect(running.dsn)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await connection.fetchval(_STARTED, names) < PARTITIONS * len(names):
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
    return told


_STARTED = "SELECT count(*) FROM own_measure_start WHERE measure = any($1)"


async def eventually(running: Bellwether, path: str, holds: Callable[[Any], bool], **params: str) -> Any:
    """The first answer that holds."""
    found = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(found := await running.get(path, **params)):
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"never held: {found}")
    return found


def value(answer: Any, window: str, kpi: str = "own.signup_share") -> Any:
    return answer["cuts"][0]["kpis"][kpi][window]["value"]


async def test_a_kpi_defined_while_everything_runs_is_counted_kept_and_read(
    running: Bellwether, stack: Servers, topics: Topics, database: str
) -> None:
    write = partial(write_events, stack.kafka_bootstrap, topics.events)
    await write([conversion(1, "signup")])
    await applied(database, topics.events, 1)
    await define(running, document("100 * own.signups / conversions"))
    await write([conversion(n, "signup" if n < 5 else "sale") for n in range(2, 8)])
    await applied(database, topics.events, 7)
    path = "/v1/brands/aurora/kpis"
    # The one before the definition is counted once it is filled: 3 of 7.
    answer = await eventually(
        running, path, lambda a: value(a, "24h") == 300 / 7, keys="own.signup_share", window="24h"
    )
    figure = answer["cuts"][0]["kpis"]["own.signup_share"]["24h"]
    assert (figure["numerator"], figure["denominator"]) == (3, 7)
    assert figure["parts"] == {"own.signups": 3, "conversions": 7}
    wanted = {"keys": "own.signup_share", "window": "24h", "cut": "channel=web"}
    await eventually(running, path, lambda a: value(a, "24h") == 300 / 7, **wanted)  # a cut rests longer than a total
    # Until compute has refreshed the row, the API evaluates what it lacks.
    async with asyncio.timeout(PATIENCE_S):
        while (await kept_values(database)).get("own.signup_share", {}).get("24h", {}).get("value") != 300 / 7:
            await asyncio.sleep(0.1)
    as_of = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert value(await running.get(path, keys="own.signup_share", window="24h", as_of=as_of), "24h") == 300 / 7
    card = await running.get("/v1/brands/aurora/scorecards/own-editor")
    assert "own.signup_share" in str(card)
    listed = {kpi["key"]: kpi for kpi in (await running.get("/v1/kpis"))["items"]}
    assert listed["own.signup_share"]["measures"][0]["title"] == "Sign-ups"


async def kept_values(dsn: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        body = await connection.fetchval("SELECT body FROM kpi_current WHERE cut = ''")
    finally:
        await connection.close()
    return msgspec.json.decode(body)


async def test_a_changed_formula_is_a_new_version_and_leaves_past_periods_as_they_were(
    running: Bellwether, stack: Servers, topics: Topics, database: str
) -> None:
    await define(running, document("100 * own.signups / conversions"))
    events = [conversion(n, "signup" if n % 2 else "sale", MONTH_AGO_S) for n in range(4)]
    events += [conversion(n, "signup" if n % 2 else "sale") for n in range(10, 14)]
    await write_events(stack.kafka_bootstrap, topics.events, events)
    await applied(database, topics.events, 8)
    path, key = "/v1/brands/aurora/kpis/own.signup_share", "own.signup_share"
    then = {"as_of": time.strftime("%Y-%m-%dT23:59:59Z", time.gmtime(NOW - MONTH_AGO_S))}
    before = (await running.get(path, **then))["cuts"]
    assert before[0]["windows"]["month"]["value"] == 50
    told = await define(running, document("200 * own.signups / conversions"))
    assert [one["version"] for one in told["kpis"][0]["versions"]] == [1, 2]
    now = await eventually(running, "/v1/brands/aurora/kpis", lambda a: value(a, "24h") == 100, keys=key, window="24h")
    assert now["cuts"][0]["kpis"][key]["24h"]["parts"]["own.signups"] == 2
    assert (await running.get(path, **then))["cuts"] == before


async def test_an_own_measure_counts_the_events_of_its_tenant_only(
    running: Bellwether, stack: Servers, topics: Topics, database: str
) -> None:
    other = await make_brands(database, "aurora", tenant="globex")
    await define(running, document("own.signups"))
    events = [conversion(1, "signup")]
    await write_events(stack.kafka_bootstrap, topics.events, events)
    await write_events(stack.kafka_bootstrap, topics.events, events, tenant="globex")
    await applied(database, topics.events, 2)
    await eventually(running, "/v1/brands/aurora/kpis", lambda a: value(a, "24h") == 1, window="24h")
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT brand_id, totals FROM rollup_day")
    finally:
        await connection.close()
    assert {row["brand_id"]: b"own.signups" in row["totals"] for row in rows} == {
        **{row["brand_id"]: True for row in rows},
        other["aurora"]: False,
    }


MIRROR = """
measures:
  own.conversions: {title: Conversions, events: sales.conversion.v1}
  own.sales: {title: Sales, events: sales.conversion.v1, where: {kind: sale}}
  own.authors:
    {title: Authors, events: social.mention.v1, fold: distinct, field: "@author", where: {"@own": true}}
  own.sentiment: {title: Sentiment, events: social.mention.v1, fold: sum, field: "@sentiment", where: {"@own": true}}
"""
MIRRORED = {
    "own.conversions": "conversions",
    "own.sales": "sales",
    "own.authors": "mention_authors",
    "own.sentiment": "sentiment_sum",
}


def mention(number: int, seconds_ago: int) -> dict[str, Any]:
    return {
        **conversion(number, "", seconds_ago),
        "id": f"m{number}",
        "type": "social.mention.v1",
        "data": {
            "brand": "aurora",
            "channel": "x",
            "of": "aurora",
            "sentiment": 0.5,
            "author": {"id": f"a{number % 3}"},
        },
    }


def traffic(start: int) -> list[dict[str, Any]]:
    """Conversions and mentions of now and of two months, with repeats of themselves."""
    ages = [60, 3_700, 2 * DAY_S, 20 * DAY_S, MONTH_AGO_S]
    events = [conversion(start + n, "sale" if n % 2 else "signup", ages[n % 5]) for n in range(20)]
    events += [mention(start + n, ages[n % 5]) for n in range(20)]
    return [*events, *events[::3]]


async def test_the_command_applies_a_file_and_tells_what_the_api_refuses(running: Bellwether, tmp_path: Path) -> None:
    file, places = tmp_path / "own.yaml", ("--api", running.services.api.url, "--key", running.key)
    file.write_text(document("own.signups"), encoding="utf-8")
    tried = await command("catalogue", "apply", str(file), "--dry-run", *places)
    assert "version 1 would be made" in tried[1]
    applied_to = await command("catalogue", "apply", str(file), *places)
    assert (applied_to[0], "own.signup_share" in applied_to[1]) == (0, True)
    file.write_text(document("leads").replace("percent", "percent\n    valid_from: 1999-01-01"), encoding="utf-8")
    refused = await command("catalogue", "apply", str(file), *places)
    assert (refused[0], refused[1].startswith(f"{file}:13:17: would change what past periods show")) == (1, True)
    shown = await command("catalogue", "show", "--document", *places)
    assert shown[1].strip() == document("own.signups").strip()


async def differing(dsn: str) -> tuple[int, list[tuple[object, ...]]]:
    """How many rollups hold an own measure, and those in which one is not what the built-in one like it is."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = [
            (grain, row["brand_id"], row["cut"], row["bucket"], amounts_of(unpack(row["totals"])))
            for grain in ("minute", "hour", "day")
            for row in await connection.fetch(f"SELECT * FROM rollup_{grain}")
        ]
    finally:
        await connection.close()
    wrong = [
        (*place, own, totals)
        for *place, totals in rows
        for own, built_in in MIRRORED.items()
        if totals.get(own, 0) != totals.get(built_in, 0)
    ]
    return sum(any(own in totals for own in MIRRORED) for *_, totals in rows), wrong


async def test_a_rebuild_fills_what_was_before_a_definition_once_while_events_flow(
    running: Bellwether, stack: Servers, topics: Topics, database: str
) -> None:
    write = partial(write_events, stack.kafka_bootstrap, topics.events)
    # Of a brand that is made later: left out now, sent once more after that, and counted only then.
    early = [conversion(n, "sale", brand="late") for n in range(900, 905)]
    count = await write([*traffic(0), *early])
    await applied(database, topics.events, count)
    await define(running, MIRROR)
    await make_brands(database, "late")
    count += await write([*traffic(10), *early[:3]])
    await applied(database, topics.events, count)
    assert (await differing(database))[1]

    rebuilding = asyncio.create_task(rebuild(running))
    start = 100
    while not rebuilding.done() or start < 200:
        count += await write(traffic(start))
        start += 20
    told = await rebuilding
    # Whoever still had in memory what was there before would now write it back.
    count += await write(traffic(start))
    await applied(database, topics.events, count)
    assert "own.conversions" in told
    filled, wrong = await differing(database)
    assert (filled > 20, wrong) == (True, [])
    assert "nothing to fill" in await rebuild(running)
    assert (await differing(database)) == (filled, [])


async def test_a_rebuild_that_adds_nothing_leaves_partitions_to_their_owners(running: Bellwether) -> None:
    await define(running, MIRROR)
    connection = await asyncpg.connect(running.dsn)
    try:
        epochs = await connection.fetch("SELECT part, epoch FROM stream_offset ORDER BY part")
        assert "own.conversions" in await rebuild(running)
        assert await connection.fetch("SELECT part, epoch FROM stream_offset ORDER BY part") == epochs
    finally:
        await connection.close()


async def test_a_measure_that_is_defined_later_is_filled_by_itself(
    running: Bellwether, stack: Servers, topics: Topics, database: str
) -> None:
    count = await write_events(stack.kafka_bootstrap, topics.events, traffic(0))
    await applied(database, topics.events, count)
    *first, last = MIRROR.strip().splitlines()
    await define(running, "\n".join(first))
    count += await write_events(stack.kafka_bootstrap, topics.events, traffic(100))
    await applied(database, topics.events, count)
    await define(running, "\n".join([*first, last]))
    count += await write_events(stack.kafka_bootstrap, topics.events, traffic(200))
    await applied(database, topics.events, count)
    await rebuild(running)
    assert (await differing(database))[1] == []


async def test_compute_killed_while_it_begins_to_count_leaves_no_gap_and_counts_nothing_twice(
    running: Bellwether, stack: Servers, topics: Topics, database: str
) -> None:
    compute, count, start = running.services.compute, 0, 0

    async def write(batches: int) -> None:
        nonlocal count, start
        for _ in range(batches):
            count += await write_events(stack.kafka_bootstrap, topics.events, traffic(start))
            start += 20

    await write(3)
    defining = asyncio.create_task(define(running, MIRROR))
    for _ in range(2):
        await write(2)
        await compute.kill()
        await write(2)
        await compute.start()
    await defining
    rebuilding = asyncio.create_task(rebuild(running))
    await write(2)
    await compute.kill()
    await compute.start()
    await rebuilding
    await write(1)
    await applied(database, topics.events, count)
    assert (await differing(database))[1] == []
