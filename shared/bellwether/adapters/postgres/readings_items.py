"""Content items: what those published in a span earned only after its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from bellwether.adapters.postgres.knowledge import Knowledge
from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.catalogue.evaluate import Undone
from bellwether.catalogue.measures import CONTENT_COUNTERS
from bellwether.catalogue.publications import less, publication
from bellwether.domain.totals import Totals, add_totals

_COUNTERS = ", ".join(f"sum(p.{counter})::bigint AS {counter}" for counter in CONTENT_COUNTERS)
# Per item and day of knowledge what it earned before and after the end, of items that earned after it.
_EARNED = f"""
    WITH later AS (SELECT DISTINCT channel, content_id FROM content_point WHERE brand_id = $1 AND minute >= $4)
    SELECT i.channel, i.content_id, i.published_at, i.published_known_on, i.followers, i.followers_known_on,
           i.partnered, p.known_on, p.minute >= $4 AS is_later, {_COUNTERS}
    FROM later JOIN content_item i USING (channel, content_id) JOIN content_point p USING (channel, content_id)
    WHERE i.brand_id = $1 AND p.brand_id = $1 AND ($2 = '' OR $2 = ANY(i.cuts)) AND i.published_at >= $3 AND i.published_at < $4
    GROUP BY i.brand_id, i.channel, i.content_id, p.known_on, is_later
    ORDER BY i.channel, i.content_id
"""


async def read_unearned(
    connection: Connection, brand_id: int, cut: str, start: int, end: int, known: Knowledge
) -> list[Undone]:
    """What items published in [start, end), UTC seconds, count at their publication and had not earned by the end."""
    rows = await connection.fetch(_EARNED, brand_id, cut, start, end)
    items = groupby(rows, key=lambda row: (row["channel"], row["content_id"]))
    return [_unearn(list(of_item), known) for _, of_item in items]


def _unearn(rows: Sequence[Row], known: Knowledge) -> Undone:
    """What an item counts too much, where its publication is known."""
    first = rows[0]
    published_at = first["published_at"]
    if not known.holds(published_at, first["published_known_on"]):
        return Undone(published_at, {})
    counted = [row for row in rows if known.holds(published_at, row["known_on"])]
    followers = first["followers"] if known.holds(published_at, first["followers_known_on"]) else None
    by_end = [row for row in counted if not row["is_later"]]
    totals: Totals = publication(_earned(by_end), followers, partnered=first["partnered"])
    add_totals(totals, less(publication(_earned(counted), followers, partnered=first["partnered"])))
    return Undone(published_at, totals)


def _earned(rows: Iterable[Row]) -> Counter[str]:
    earned: Counter[str] = Counter()
    for row in rows:
        earned.update({counter: row[counter] for counter in CONTENT_COUNTERS})
    return earned
