"""Loads acts that are not in memory: of advocates in hindsight, visits to a user's item, and around late events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bellwether.adapters.postgres.pool import Connection
from bellwether_compute.acts import Act
from bellwether_compute.integrity import VISITS_KEPT

_COLUMNS = """
    a.brand_id, a.author_id, a.moment, a.mark_id, a.channel, a.subject, a.cuts, a.interactions, a.sentiment, a.said,
    a.is_new, a.is_visit, a.recorded_at
"""
_WANTED = """
    FROM unnest($1::int[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[])
        WITH ORDINALITY AS w(brand_id, channel, who, said, first, last, number)
    JOIN author_act a ON a.brand_id = w.brand_id AND a.moment BETWEEN w.first AND w.last
"""
_AROUND = {
    "spree": f"""
        SELECT w.number, {_COLUMNS} {_WANTED} AND a.author_id = w.who AND a.channel = w.channel
        WHERE a.interactions > 0 AND a.subject <> ''
    """,
    "burst": f"""
        SELECT w.number, {_COLUMNS} {_WANTED} AND a.subject = w.who AND a.channel = w.channel AND a.is_new
        WHERE a.interactions > 0
    """,
    "same_text": f"SELECT w.number, {_COLUMNS} {_WANTED} AND a.said = w.said WHERE a.interactions > 0",
}
_DONE = f"""
    SELECT w.number, {_COLUMNS}
    FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[])
        WITH ORDINALITY AS w(brand_id, author_id, since, until, number)
    JOIN author_act a ON a.brand_id = w.brand_id AND a.author_id = w.author_id
        AND a.moment >= w.since AND a.moment < w.until
    ORDER BY w.number
"""
_VISITS = f"""
    SELECT w.number, a.*
    FROM unnest($1::int[], $2::text[], $3::text[]) WITH ORDINALITY AS w(brand_id, channel, subject, number),
    LATERAL (
        SELECT {_COLUMNS} FROM author_act a
        WHERE a.brand_id = w.brand_id AND a.subject = w.subject AND a.channel = w.channel AND a.is_visit
        ORDER BY a.moment, a.mark_id LIMIT {VISITS_KEPT}
    ) a
"""


class Around(NamedTuple):
    """An act, and the moments around it from which acts are asked for, UTC seconds, both included."""

    act: Act
    first: int
    last: int


async def load_around(connection: Connection, rule: str, wanted: Sequence[Around]) -> list[list[Act]]:
    """The stored acts that a rule sees together with each of these."""
    ids, channels = [w.act.brand_id for w in wanted], [w.act.channel for w in wanted]
    who = [w.act.subject if rule == "burst" else w.act.author for w in wanted]
    said, first, last = [w.act.said for w in wanted], [w.first for w in wanted], [w.last for w in wanted]
    return await _load(connection, _AROUND[rule], len(wanted), ids, channels, who, said, first, last)


async def load_done(connection: Connection, wanted: Sequence[tuple[int, str, int, int]]) -> list[list[Act]]:
    """What authors did in spans of time, by brand, author, start and end (excluded), UTC seconds."""
    return await _load(connection, _DONE, len(wanted), *map(list, zip(*wanted, strict=True)))


async def load_visits(connection: Connection, wanted: Sequence[tuple[int, str, str]]) -> list[list[Act]]:
    """The earliest interactions with items, by brand, channel and content id, as many as are looked at."""
    return await _load(connection, _VISITS, len(wanted), *map(list, zip(*wanted, strict=True)))


async def _load(connection: Connection, query: str, count: int, *columns: Sequence[object]) -> list[list[Act]]:
    found: list[list[Act]] = [[] for _ in range(count)]
    if count:
        for number, *row in await connection.fetch(query, *columns):
            found[number - 1].append(Act(*row))
    return found
