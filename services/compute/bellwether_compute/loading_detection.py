"""Loads the detectors of brands, and the hours of the past where they are to be judged anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from bellwether.adapters.postgres.pool import Connection
from bellwether.domain.detection import Counts, Interval
from bellwether.domain.incidents import LIVE
from bellwether_compute.detecting import Watch
from bellwether_compute.detector_rows import Kept
from bellwether_compute.state import BrandState

_KEPT = msgspec.msgpack.Decoder(Kept)
_DETECTORS = "SELECT brand_id, cut, state FROM detector WHERE brand_id = ANY($1::int[])"
_CAMPAIGNS = """
    SELECT brand_id, starts_at, ends_at FROM declared_campaign WHERE brand_id = ANY($1::int[]) ORDER BY 1, 2, 3
"""
_HOURS = """
    SELECT h.brand_id, h.cut, h.hour, h.counts
    FROM unnest($1::int[], $2::text[], $3::bigint[]) AS wanted(brand_id, cut, since)
    JOIN detector_hour h ON h.brand_id = wanted.brand_id AND h.cut = wanted.cut AND h.hour >= wanted.since
"""
# By two clocks, so that one which was set wrong closes nothing.
_DUE = """
    SELECT d.brand_id, least($1, clock.now) FROM detector d, (SELECT extract(epoch FROM now())::bigint AS now) AS clock
    WHERE d.due_at <= least($1, clock.now) AND d.brand_id = ANY($2::int[])
"""
_OPEN = "SELECT count(*) FROM incident WHERE brand_id = ANY($1::int[]) AND state = ANY($2::text[])"


async def load_watches(connection: Connection, brands: Iterable[BrandState]) -> None:
    """Load the detectors of those brands that have none in memory."""
    wanted = {brand.brand.brand_id: brand for brand in brands if brand.watch is None}
    if not wanted:
        return
    kept: dict[int, dict[str, Kept]] = {brand_id: {} for brand_id in wanted}
    for brand_id, cut, state in await connection.fetch(_DETECTORS, list(wanted)):
        kept[brand_id][cut] = _KEPT.decode(state)
    campaigns = await read_campaigns(connection, wanted)
    for brand_id, brand in wanted.items():
        brand.watch = Watch(brand, kept[brand_id], campaigns[brand_id])


async def read_campaigns(connection: Connection, brand_ids: Collection[int]) -> dict[int, list[Interval]]:
    """The declared campaigns of brands, ascending."""
    found: dict[int, list[Interval]] = {brand_id: [] for brand_id in brand_ids}
    for brand_id, starts_at, ends_at in await connection.fetch(_CAMPAIGNS, list(brand_ids)):
        found[brand_id].append((starts_at, ends_at))
    return found


async def load_hours(connection: Connection, wanted: Mapping[tuple[Watch, int, str], int]) -> None:
    """Load the hours since a moment, by detectors of a brand, brand and cut."""
    if not wanted:
        return
    found: dict[tuple[int, str], dict[int, Counts]] = {(brand_id, cut): {} for _, brand_id, cut in wanted}
    columns = zip(*((brand_id, cut, since) for (_, brand_id, cut), since in wanted.items()), strict=True)
    for brand_id, cut, hour, counts in await connection.fetch(_HOURS, *map(list, columns)):
        found[brand_id, cut][hour] = counts
    for watch, brand_id, cut in wanted:
        watch.remember(cut, found[brand_id, cut])


async def read_due(connection: Connection, now: int, brand_ids: Collection[int]) -> dict[int, int]:
    """Brands in which something is due though nothing is heard, and the earlier of `now` and the database's clock.

    Moments in UTC seconds.
    """
    return {row[0]: row[1] for row in await connection.fetch(_DUE, now, list(brand_ids))}


async def count_open(connection: Connection, brand_ids: Collection[int]) -> int:
    """How many crises of these brands go on."""
    rows = await connection.fetch(_OPEN, list(brand_ids), [state.value for state in LIVE])
    return sum(int(row[0]) for row in rows)
