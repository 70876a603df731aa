"""Reads everything from which the KPIs of a brand and cut are evaluated at a moment."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.knowledge import Knowledge
from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.adapters.postgres.readings_incidents import read_crises, read_markers
from bellwether.adapters.postgres.readings_integrity import read_taken_back
from bellwether.adapters.postgres.readings_items import read_unearned
from bellwether.adapters.postgres.readings_receipts import read_receipts
from bellwether.adapters.postgres.rollups import EVER, Line, load
from bellwether.catalogue.evaluate import LevelHistory, Sources
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import Audience
from bellwether.catalogue.reach import chunks_around, earliest_read
from bellwether.domain.clock import LocalClock
from bellwether.domain.timeline import Timeline, chunks_in
from bellwether.domain.windows import Span

# One look-up per account and edge of a span: the last snapshot before it.
_LEVELS = """
    SELECT a.audience, a.channel, a.account, last.observed_at, last.members
    FROM (SELECT DISTINCT audience, channel, account FROM audience_level
          WHERE brand_id = $1 AND ($2 = '' OR $2 = ANY(cuts))) a
    CROSS JOIN unnest($3::bigint[]) AS edge(moment)
    CROSS JOIN LATERAL (
        SELECT observed_at, members FROM audience_level l
        WHERE l.brand_id = $1 AND l.channel = a.channel AND l.audience = a.audience
          AND l.account = a.account AND l.observed_at < edge.moment AND l.recorded_at < $4
          AND ($2 = '' OR $2 = ANY(l.cuts))
        ORDER BY observed_at DESC LIMIT 1
    ) last
    ORDER BY last.observed_at
"""


def account_key(channel: str, account: str) -> str:
    """The name under which an account's audience is kept: accounts of two networks differ."""
    return f"{channel} {account}"


async def read_sources(
    connection: Connection,
    brand: Brand,
    cut: str,
    spans: Collection[Span],
    clock: LocalClock,
    known_on: int = EVER,
    known_before: int = 2**62,
    kpis: Collection[Kpi] | None = None,
) -> Sources:
    """Sources for spans that all end at about the same moment.

    cut: '' or 'dimension=…'
    known_on, known_before: leave out what was recorded on a later local day, or later
    kpis: what is going to be evaluated, by default the built-in catalogue
    """
    line = Line(brand.brand_id, cut)
    timeline = Timeline(clock)
    end = max(span.end for span in spans)
    known = Knowledge(clock, known_on)
    markers = await read_markers(connection, brand.brand_id, cut, end, known)
    crises = await read_crises(connection, brand.brand_id, cut, end, known)
    start = earliest_read(spans, markers, crises, clock, kpis)
    chunks = chunks_in(spans, clock) | chunks_around(spans, markers, crises, clock, kpis)
    await load(connection, {line: timeline}, {line: chunks}, known_on)
    edges = sorted({edge for span in spans for edge in (span.start, span.end)})
    levels = await connection.fetch(_LEVELS, brand.brand_id, cut, edges, known_before)
    waiting, unanswered = await read_receipts(connection, brand.brand_id, cut, start, end, known)
    unearned = await read_unearned(connection, brand.brand_id, cut, start, end, known, known_before)
    taken_back = await read_taken_back(connection, brand.brand_id, cut, end, known, known_before)
    undone = [*unanswered, *unearned, *taken_back]
    return Sources(timeline, _audiences(levels), waiting, undone, markers, crises, brand.hours)


def _audiences(rows: Collection[Row]) -> dict[Audience, dict[str, LevelHistory]]:
    found: dict[Audience, dict[str, LevelHistory]] = {}
    for row in rows:
        accounts = found.setdefault(cast(Audience, row["audience"]), {})
        account = account_key(row["channel"], row["account"])
        history = accounts.setdefault(account, LevelHistory([], []))
        history.put(row["observed_at"], row["members"])
    return found
