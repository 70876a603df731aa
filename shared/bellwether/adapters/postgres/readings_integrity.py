"""Verdicts on marks of the integrity screen, and the marks that an evaluation takes back.

A mark counts at the moment of its event. It is taken back where a person has overruled it, and
in a reading of an earlier moment at which its event was not yet marked.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from bellwether.adapters.postgres.knowledge import Knowledge
from bellwether.adapters.postgres.pool import Connection
from bellwether.catalogue.evaluate import Undone
from bellwether.catalogue.screen import LONGEST_S

_VERDICTS = """
    SELECT DISTINCT ON (brand_id, mark_id) brand_id, mark_id, overruled, recorded_at FROM integrity_verdict
    WHERE brand_id = ANY($1::int[]) AND recorded_at < $2 ORDER BY brand_id, mark_id, verdict_id DESC
"""
_OVERRULED = f"""
    SELECT m.brand_id, m.mark_id, m.moment, m.cuts, m.measure, m.count
    FROM ({_VERDICTS}) verdict JOIN integrity_mark m USING (brand_id, mark_id) WHERE verdict.overruled
"""
# The last verdict stands; a mark that was formed later than the end was none then.
_TAKEN_BACK = f"""
    SELECT m.mark_id, m.moment, m.measure, m.count, m.known_on
    FROM ({_VERDICTS}) verdict JOIN integrity_mark m USING (brand_id, mark_id)
    WHERE verdict.overruled AND m.moment < $4 AND ($3 = '' OR $3 = ANY(m.cuts))
    UNION
    SELECT m.mark_id, m.moment, m.measure, m.count, m.known_on FROM integrity_mark m
    WHERE m.brand_id = ANY($1::int[]) AND m.formed_at >= $4 AND m.formed_at <= $4 + $5
      AND m.moment < $4 AND ($3 = '' OR $3 = ANY(m.cuts))
"""
_VERSIONS = "SELECT brand_id, version FROM integrity_version WHERE brand_id = ANY($1::int[])"
_EVER = 2**62


class Overruled(msgspec.Struct, frozen=True):
    """A mark that a person has overruled: its event's moment (UTC seconds), cuts without the
    total, and what it had added.
    """

    mark_id: str
    moment: int
    cuts: tuple[str, ...]
    measure: str
    count: int

    def undone(self) -> Undone:
        """What takes it back."""
        return Undone(self.moment, {self.measure: -self.count})


async def read_taken_back(
    connection: Connection, brand_id: int, cut: str, end: int, known: Knowledge, known_before: int
) -> list[Undone]:
    """The marks to take back in a reading of spans that end about here, UTC seconds.

    known_before: leave out verdicts that were recorded at this moment or later, UTC seconds
    """
    rows = await connection.fetch(_TAKEN_BACK, [brand_id], known_before, cut, end, LONGEST_S)
    return [
        Undone(moment, {measure: -count})
        for _, moment, measure, count, known_on in rows
        if known.holds(moment, known_on)
    ]


async def read_versions(connection: Connection, brand_ids: Collection[int]) -> dict[int, int]:
    """A number by brand that moves with every verdict; a brand without verdicts is not there."""
    rows = await connection.fetch(_VERSIONS, list(brand_ids))
    return {row["brand_id"]: row["version"] for row in rows}


async def read_overruled(connection: Connection, brand_ids: Collection[int]) -> dict[int, dict[str, Overruled]]:
    """All marks of brands that are overruled now, by brand and mark."""
    found: dict[int, dict[str, Overruled]] = {brand_id: {} for brand_id in brand_ids}
    for brand_id, mark_id, moment, cuts, measure, count in await connection.fetch(_OVERRULED, list(brand_ids), _EVER):
        found[brand_id][mark_id] = Overruled(mark_id, moment, tuple(cuts), measure, count)
    return found
