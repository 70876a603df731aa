"""Writes what detectors carry on, and the hours that they have heard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bellwether_compute.changes import Changes
from bellwether_compute.sending import Writing

_DETECTORS = """
    INSERT INTO detector (brand_id, cut, state, due_at)
    SELECT * FROM unnest($1::int[], $2::text[], $3::bytea[], $4::bigint[])
    ON CONFLICT (brand_id, cut) DO UPDATE SET state = excluded.state, due_at = excluded.due_at
"""
# An array of arrays is a matrix to PostgreSQL, so counts travel as text.
_HOURS = """
    INSERT INTO detector_hour AS stored (brand_id, cut, hour, counts)
    SELECT b, c, h, n::int[] FROM unnest($1::int[], $2::text[], $3::bigint[], $4::text[]) AS heard(b, c, h, n)
    ON CONFLICT (brand_id, cut, hour) DO UPDATE
    SET counts = ARRAY(SELECT x + y FROM unnest(stored.counts, excluded.counts) AS pair(x, y))
"""
_FORGET = """
    DELETE FROM detector_hour h USING unnest($1::int[], $2::text[], $3::bigint[]) AS old(brand_id, cut, before)
    WHERE h.brand_id = old.brand_id AND h.cut = old.cut AND h.hour < old.before
"""


async def write_detection(connection: Writing, changes: Changes) -> None:
    """Write the detectors that a batch moved, within the transaction of the cycle."""
    moved = [((brand.brand.brand_id, cut), told) for (brand, cut), told in changes.detectors.items()]
    await _write(connection, _DETECTORS, ((*key, told.state, told.due_at) for key, told in moved))
    hours = ((*key, hour, _array(counts)) for key, told in moved for hour, counts in told.added.items())
    await _write(connection, _HOURS, hours)
    old = ((*key, told.forget_before) for key, told in moved if told.forget_before is not None)
    await _write(connection, _FORGET, old)


async def _write(connection: Writing, query: str, rows: Iterable[Sequence[Any]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        await connection.execute(query, *columns)


def _array(counts: Iterable[int]) -> str:
    return "{" + ",".join(map(str, counts)) + "}"
