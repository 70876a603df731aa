"""Content items: what those published in a span earned only after its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
    SELECT i.channel, i.content_id, i.published_at, i.published_known_on, i.partnered,
           p.known_on, p.minute >= $4 AS is_later, {_COUNTERS}
    FROM later JOIN content_item i USING (channel, content_id) JOIN content_point p USING (channel, content_id)
    WHERE i.brand_id = $1 AND p.brand_id = $1 AND ($2 = '' OR $2 = ANY(i.cuts))
      AND i.published_at >= $3 AND i.published_at < $4
    GROUP BY i.brand_id, i.channel, i.content_id, p.known_on, is_later
    ORDER BY i.channel, i.content_id
"""
# As known then: a snapshot that was recorded later may have moved what is known now.
_FOLLOWERS = """
    SELECT i.channel, i.content_id, sum(last.members)::bigint AS followers
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS i(channel, content_id, published_at)
    JOIN (SELECT DISTINCT channel, audience, account FROM audience_level
          WHERE brand_id = $1 AND audience IN ('followers', 'subscribers')) a USING (channel)
    CROSS JOIN LATERAL (
        SELECT members FROM audience_level l
        WHERE l.brand_id = $1 AND l.channel = a.channel AND l.audience = a.audience AND l.account = a.account
          AND l.observed_at < i.published_at AND l.recorded_at < $5
        ORDER BY observed_at DESC LIMIT 1
    ) last
    GROUP BY i.channel, i.content_id
"""


async def read_unearned(
    connection: Connection, brand_id: int, cut: str, start: int, end: int, known: Knowledge, known_before: int
) -> list[Undone]:
    """What items published in [start, end), UTC seconds, count at their publication and had not earned by the end.

    known_before: snapshots of audiences that were recorded then or later are not known
    """
    rows = await connection.fetch(_EARNED, brand_id, cut, start, end)
    items = {
        name: list(of_item) for name, of_item in groupby(rows, key=lambda row: (row["channel"], row["content_id"]))
    }
    known_items = {name: of for name, of in items.items() if _is_published(of[0], known)}
    followers = await _followers(connection, brand_id, known_items, known_before)
    return [_unearn(of_item, followers.get(name), known) for name, of_item in known_items.items()]


def _is_published(row: Row, known: Knowledge) -> bool:
    return known.holds(row["published_at"], row["published_known_on"])


async def _followers(
    connection: Connection, brand_id: int, items: Mapping[tuple[str, str], Sequence[Row]], known_before: int
) -> dict[tuple[str, str], int]:
    """Followers of their channel when items were published, by channel and content id."""
    if not items:
        return {}
    published = [(*name, of_item[0]["published_at"]) for name, of_item in items.items()]
    columns = [list(column) for column in zip(*published, strict=True)]
    rows = await connection.fetch(_FOLLOWERS, brand_id, *columns, known_before)
    return {(row["channel"], row["content_id"]): row["followers"] for row in rows}


def _unearn(rows: Sequence[Row], followers: int | None, known: Knowledge) -> Undone:
    """What an item counts too much."""
    published_at, partnered = rows[0]["published_at"], rows[0]["partnered"]
    counted = [row for row in rows if known.holds(published_at, row["known_on"])]
    by_end = [row for row in counted if not row["is_later"]]
    totals: Totals = publication(_earned(by_end), followers, partnered=partnered)
    add_totals(totals, less(publication(_earned(counted), followers, partnered=partnered)))
    return Undone(published_at, totals)


def _earned(rows: Iterable[Row]) -> Counter[str]:
    earned: Counter[str] = Counter()
    for row in rows:
        earned.update({counter: row[counter] for counter in CONTENT_COUNTERS})
    return earned
