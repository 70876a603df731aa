"""The values that compute keeps are those that an evaluation of the same moment finds, and the past stays what it was.

A generated stream of three brands in three time zones goes through a real compute process, in a shuffled order and
with repeats. Nothing here counts for itself: two ways to one number are compared, to the last digit.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.postgres.readings import read_sources
from bellwether.adapters.postgres.rollups import EVER
from bellwether.catalogue.evaluate import Values, current_spans, evaluate
from bellwether.domain.clock import LocalClock
from bellwether_cli.demo.story import BRANDS
from bellwether_cli.demo.stream import stream
from tests.support.backends import Servers
from tests.support.computing import computing
from tests.support.databases import Topics
from tests.support.log import applied, initialise_stream, write_events
from tests.support.tenancy import TENANT, make_brands

SEED = 7
INTENSITY = 0.25
DAYS = 3
ZONES = {brand.slug: brand.time_zone for brand in BRANDS}
END = datetime.now(UTC).replace(microsecond=0)
START = END - timedelta(days=DAYS)
Event = dict[str, Any]
Line = tuple[str, str]
"""Brand and cut."""


def generated() -> list[Event]:
    """The whole stream, in the order of time."""
    return [dict(event) for event in stream(SEED, START, END, intensity=INTENSITY)]


def shuffled(events: Iterable[Event]) -> list[Event]:
    """Any order, with one event in twenty a second time."""
    rng, found = random.Random(SEED), list(events)
    found += rng.sample(found, len(found) // 20)
    rng.shuffle(found)
    return found


@dataclass(frozen=True, slots=True)
class Stored:
    """A database in which a stream was applied."""

    dsn: str
    brands: dict[str, Brand]

    async def lines(self) -> dict[Line, asyncpg.Record]:
        """The current values by brand and cut."""
        slugs = {brand.brand_id: slug for slug, brand in self.brands.items()}
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch("SELECT brand_id, cut, as_of, fresh_to, body FROM kpi_current")
        finally:
            await connection.close()
        return {(slugs[row["brand_id"]], row["cut"]): row for row in rows}

    async def evaluated(
        self, lines: dict[Line, int], recorded: int | None = None, known_at: dict[str, int] | None = None
    ) -> dict[Line, Values]:
        """All KPIs in all windows of brands and cuts, each at its moment.

        recorded: the present moment of the evaluation; as a rule that at which it is made
        known_at: by brand the last local day of what is taken as known
        """
        found = {}
        async with open_pool(self.dsn) as pool, pool.connection() as connection:
            for (slug, cut), as_of in lines.items():
                brand, clock = self.brands[slug], LocalClock(ZONES[slug])
                spans = current_spans(as_of, clock, recorded or as_of)
                known_on = known_at[slug] if known_at else EVER
                known_before = clock.day_start(known_on + 1) if known_at else 2**62
                sources = await read_sources(
                    connection, brand, cut, list(spans.values()), clock, known_on, known_before
                )
                found[slug, cut] = evaluate(sources, spans)
        return found


async def prepare(database: str, stack: Servers, topics: Topics) -> Stored:
    """The brands of the stream, each in its own time zone."""
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    brands = {}
    for slug, zone in ZONES.items():
        brand_id = (await make_brands(database, slug, time_zone=zone))[slug]
        brands[slug] = Brand(brand_id, 1, TENANT, slug, slug, zone, "USD", ())
    return Stored(database, brands)


async def apply(stored: Stored, stack: Servers, topics: Topics, events: list[Event], path: Path) -> None:
    """Have a compute process take events, until all current values hold them."""
    async with computing(stack, stored.dsn, topics, path):
        count = await write_events(stack.kafka_bootstrap, topics.events, events)
        await applied(stored.dsn, topics.events, count, deadline_s=120)
        await refreshed_since(stored, int(time.time()))


async def refreshed_since(stored: Stored, moment: int) -> None:
    """Wait until what is shown agrees with what is stored: what moved last is refreshed last."""
    async with asyncio.timeout(60):
        while await differing(stored):
            await asyncio.sleep(0.5)


async def differing(stored: Stored) -> list[str]:
    """Where the kept values are not those of an evaluation at their own moment, in words."""
    rows = await stored.lines()
    found = await stored.evaluated({line: row["as_of"] for line, row in rows.items()})
    kept = {line: msgspec.json.decode(row["body"], type=Values) for line, row in rows.items()}
    return [words for line in rows for words in differences(line, kept[line], found[line])]


def differences(line: Line, first: Values, second: Values) -> list[str]:
    """KPIs and windows in which two evaluations are not the same."""
    return [
        f"{line} {kpi} {window}: {value} is not {second[kpi].get(window)}"
        for kpi, by_window in first.items()
        for window, value in by_window.items()
        if value != second[kpi].get(window)
    ]


@pytest.fixture
async def stored(stack: Servers, database: str, topics: Topics) -> AsyncIterator[Stored]:
    yield await prepare(database, stack, topics)


async def test_current_values_equal_an_evaluation_of_their_moment_to_the_last_digit(
    stack: Servers, stored: Stored, topics: Topics, tmp_path: Path
) -> None:
    await apply(stored, stack, topics, shuffled(generated()), tmp_path)
    rows = await stored.lines()
    assert {slug for slug, _ in rows} == set(ZONES)
    assert len(rows) >= 3 * 5
    assert await differing(stored) == []
    found = await stored.evaluated({line: row["as_of"] for line, row in rows.items()})
    for line, row in rows.items():
        assert row["body"] == msgspec.json.encode(found[line]), line
