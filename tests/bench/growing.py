"""What a running system would hold after a while, made in PostgreSQL.

Sending 50 million events takes hours. So a first load is applied by compute, and its rows are copied as often as it
takes, each copy as much earlier as the load is long: the tables are then as large, and of the same shape, as after so
many events at the load's rate. What does not grow with every event (brands, items, authors) stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from bellwether.adapters.postgres.definitions import encode_edition
from bellwether.catalogue.own import Document, Edition, next_edition
from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.wire.definitions import read_document
from bellwether_compute.dedup import utc_day
from bellwether_compute.identities import ENTRY_BYTES
from tests.bench.parts import PARTITIONS, Ground
from tests.support.tenancy import TENANT

_MEASURES = 100
_SEGMENT_EVENTS = 50_000
_LONG_S = 900.0
_KEPT_MINUTES_S = 15 * DAY_S


@dataclass(frozen=True, slots=True)
class _Grown:
    """A table whose rows are copied: each copy `step_s` earlier, or as long as the load is.

    shifted: columns of moments, with the seconds that one of their units is
    named: columns that get a name of their own in every copy
    """

    table: str
    shifted: dict[str, int]
    named: tuple[str, ...] = ()
    step_s: int | None = None
    most_s: int | None = None


_GROWN = (
    _Grown("rollup_minute", {"bucket": 1}, most_s=_KEPT_MINUTES_S),
    _Grown("rollup_hour", {"bucket": 1}, step_s=HOUR_S),
    _Grown("rollup_day", {"bucket": DAY_S}, step_s=DAY_S),
    _Grown("content_point", {"minute": 1}),
    _Grown("conversation", {}, named=("conversation_id",)),
    _Grown(
        "receipt",
        {"received_at": 1, "answered_at": 1},
        named=("conversation_id", "message_id", "answered_by", "turn_of"),
    ),
)


async def multiply(place: Ground, topic: str, applied: int, wanted: int, load_s: int) -> None:
    """Make the tables as large as after `wanted` events; `applied` are applied, which happened within `load_s`."""
    copies = max(0, round(wanted / applied) - 1)
    async with _connected(place) as connection:
        for grown in _GROWN:
            step_s = grown.step_s or load_s
            span_s = min(copies * load_s, grown.most_s or copies * load_s)
            await _copy(connection, grown, span_s // step_s, step_s)
        await _remember(connection, topic, wanted - applied)
        await connection.execute("ANALYZE")


async def _copy(connection: asyncpg.Connection[asyncpg.Record], grown: _Grown, copies: int, step_s: int) -> None:
    """Copy the rows; indexes are made anew at the end, which is faster than keeping them up."""
    if copies < 1:
        return
    columns = [row["column_name"] for row in await connection.fetch(_COLUMNS, grown.table)]
    moved = ", ".join(_moved(grown, column, step_s) for column in columns)
    indexes = await connection.fetch(_INDEXES, grown.table)
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    await connection.execute(
        f"INSERT INTO {grown.table} ({', '.join(columns)}) SELECT {moved} FROM {grown.table},"
        f" generate_series(1, {copies}) AS n ON CONFLICT DO NOTHING"
    )
    for index in indexes:
        await connection.execute(index["indexdef"])


_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position"
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename = $1 AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


def _moved(grown: _Grown, column: str, step_s: int) -> str:
    if column in grown.shifted:
        return f"{column} - n * {step_s // grown.shifted[column]}"
    return f"{column} || '~' || n" if column in grown.named else column


async def _remember(connection: asyncpg.Connection[asyncpg.Record], topic: str, events: int) -> None:
    """Identities of so many events of today, of all partitions."""
    day, rows = utc_day(int(datetime.now(UTC).timestamp())), []
    for number in range(-(-events // _SEGMENT_EVENTS)):
        entries = os.urandom(ENTRY_BYTES * min(_SEGMENT_EVENTS, events - number * _SEGMENT_EVENTS))
        rows.append((topic, number % PARTITIONS, day, 0, number, entries))
    columns = ("stream", "part", "event_day", "epoch", "first_offset", "entries")
    await connection.copy_records_to_table("dedup_segment", records=rows, columns=columns)


async def define_kpis(place: Ground, count: int) -> None:
    """Give the tenant so many KPIs of its own, on as many measures of its own as there may be."""
    if not count:
        return
    document, problems = read_document(text := _document(count), datetime.now(UTC).date())
    if document is None:
        raise ValueError(f"the definitions are wrong: {problems[:3]}")
    edition = next_edition(Edition(Document()), document, datetime.now(UTC).date())
    async with _connected(place) as connection:
        await connection.execute(
            "INSERT INTO own_definitions (tenant_id, version, document, edition, created_by)"
            " SELECT tenant_id, 1, $2, $3, 'benchmark' FROM tenant WHERE slug = $1",
            *(TENANT, text, encode_edition(edition)),
        )


def _document(count: int) -> str:
    kinds = ("reaction", "share", "save", "click", "view")
    measures: dict[str, Any] = {
        f"own.m{number}": {
            "title": f"Measure {number}",
            "events": "social.interaction.v1",
            "where": {"kind": kinds[number % len(kinds)], "channel": ["x", "reddit", f"other-{number}"]},
        }
        for number in range(min(count, _MEASURES))
    }
    kpis = {
        f"own.k{number}": {
            "title": f"KPI {number}",
            "meaning": "A KPI of a benchmark.",
            "formula": f"{number + 1} * own.m{number % _MEASURES} / own.m0",
            "unit": "ratio",
            "kra": "Bench",
        }
        for number in range(count)
    }
    return msgspec.json.encode({"measures": measures, "kpis": kpis}).decode()


async def make_tenants(place: Ground, brands_of: dict[str, list[str]]) -> None:
    """Create tenants with their brands."""
    pairs = [(tenant, brand) for tenant, brands in brands_of.items() for brand in brands]
    async with _connected(place) as connection:
        await connection.execute(
            "INSERT INTO tenant (slug, name) SELECT s, s FROM unnest($1::text[]) AS s ON CONFLICT (slug) DO NOTHING",
            list(brands_of),
        )
        await connection.execute(
            "INSERT INTO brand (tenant_id, slug, name, time_zone)"
            " SELECT tenant_id, b, b, 'UTC' FROM unnest($1::text[], $2::text[]) AS made(t, b) JOIN tenant ON slug = t",
            *map(list, zip(*pairs, strict=True)),
        )


@asynccontextmanager
async def _connected(place: Ground) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(place.dsn, command_timeout=_LONG_S)
    try:
        yield connection
    finally:
        await connection.close()
