"""The values that compute keeps, beside an evaluation of the same moment from the rollups."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.postgres.readings import read_sources
from bellwether.adapters.postgres.rollups import EVER
from bellwether.catalogue.evaluate import Values, current_spans, evaluate
from bellwether.domain.clock import LocalClock
from bellwether.domain.windows import Window
from tests.support.databases import Topics

_PATIENCE_S = 60.0
_UNSHOWN = """
    SELECT count(*) FROM (SELECT brand_id, cut FROM rollup_day EXCEPT SELECT brand_id, cut FROM kpi_current) AS missing
"""
Line = tuple[str, str]
"""Brand and cut."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A database in which a stream was applied; brands by slug."""

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

    async def applied(self, topics: Topics) -> int:
        """How many records were applied."""
        connection = await asyncpg.connect(self.dsn)
        try:
            offsets = "SELECT coalesce(sum(next_offset), 0)::int FROM stream_offset WHERE stream = $1"
            return int(await connection.fetchval(offsets, topics.events))
        finally:
            await connection.close()

    async def evaluated(
        self, lines: dict[Line, int], recorded: int | None = None, known_at: dict[str, int] | None = None
    ) -> dict[Line, Values]:
        """All KPIs in all windows of brands and cuts, each at its moment.

        recorded: the present moment of the evaluation; as a rule that at which it is made
        known_at: by brand the last local day of what is taken as known
        """
        found = {}
        async with open_pool(self.dsn) as pool, pool.connection(_PATIENCE_S) as connection:
            for (slug, cut), as_of in lines.items():
                brand, clock = self.brands[slug], LocalClock(self.brands[slug].time_zone)
                spans = current_spans(as_of, clock, recorded or as_of)
                known_on = known_at[slug] if known_at else EVER
                known_before = clock.day_start(known_on + 1) if known_at else 2**62
                sources = await read_sources(
                    connection, brand, cut, list(spans.values()), clock, known_on, known_before
                )
                found[slug, cut] = evaluate(sources, spans, sparse=True)
        return found


async def unshown(stored: Stored) -> int:
    """How many brands and cuts in which something was counted have no kept values yet."""
    connection = await asyncpg.connect(stored.dsn)
    try:
        return int(await connection.fetchval(_UNSHOWN))
    finally:
        await connection.close()


async def differing(stored: Stored) -> list[str]:
    """Where the kept values are not those of an evaluation at their own moment, in words."""
    rows = await stored.lines()
    found = await stored.evaluated({line: row["as_of"] for line, row in rows.items()})
    kept = {line: msgspec.json.decode(row["body"], type=Values) for line, row in rows.items()}
    return [words for line in rows for words in differences(line, kept[line], found[line])]


def differences(line: Line, first: Values, second: Values) -> list[str]:
    """KPIs and windows in which two evaluations are not the same."""
    return [
        f"{line} {kpi} {window}: {first[kpi].get(window)} is not {second[kpi].get(window)}"
        for kpi in first
        for window in Window
        if first[kpi].get(window) != second[kpi].get(window)
    ]
