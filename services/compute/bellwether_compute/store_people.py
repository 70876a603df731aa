"""Writes what is kept of people: authors, traces of the integrity screen, and its marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from bellwether.adapters.postgres.pool import Connection
from bellwether_compute.changes import Changes

_AUTHORS = """
    INSERT INTO author_state (brand_id, author_id, state) SELECT * FROM unnest($1::int[], $2::text[], $3::bytea[])
    ON CONFLICT (brand_id, author_id) DO UPDATE SET state = excluded.state
"""
_TRACES = """
    INSERT INTO screen_trace (brand_id, rule, subject, state, touched_at)
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bytea[], $5::bigint[])
    ON CONFLICT (brand_id, rule, subject) DO UPDATE SET state = excluded.state, touched_at = excluded.touched_at
"""
_SHOWS = """
    INSERT INTO screen_show (brand_id, channel, content_id, state, touched_at)
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bytea[], $5::bigint[])
    ON CONFLICT (brand_id, channel, content_id) DO UPDATE SET state = excluded.state, touched_at = excluded.touched_at
"""
# Of a mark that is there already only its grounds move: another rule, or an earlier window.
_MARKS = """
    INSERT INTO integrity_mark AS stored (brand_id, mark_id, moment, formed_at, cuts, measure, count, author, subject,
        grounds, known_on, recorded_at)
    SELECT b, i, m, f, string_to_array(cuts, chr(31)), e, n, nullif(a, ''), nullif(s, ''), g::jsonb, k, r
    FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::text[],
        $9::text[], $10::text[], $11::int[], $12::bigint[]) AS told(b, i, m, f, cuts, e, n, a, s, g, k, r)
    ON CONFLICT (brand_id, mark_id) DO UPDATE
    SET grounds = stored.grounds || excluded.grounds, formed_at = least(stored.formed_at, excluded.formed_at)
"""
_MOVED = """
    UPDATE integrity_mark m SET cuts = string_to_array(told.cuts, chr(31))
    FROM unnest($1::int[], $2::text[], $3::text[]) AS told(brand_id, mark_id, cuts)
    WHERE m.brand_id = told.brand_id AND m.mark_id = told.mark_id
"""


async def write_people(connection: Connection, changes: Changes) -> None:
    """Write what a batch changed."""
    encode = msgspec.msgpack.encode
    authors = [(b.brand.brand_id, name, encode(author)) for (b, name), author in changes.authors.items()]
    await _write(connection, _AUTHORS, authors)
    traces = [(b.brand.brand_id, *key, encode(trace), b.fresh_to) for (b, key), trace in changes.traces.items()]
    await _write(connection, _TRACES, traces)
    shows = [(b.brand.brand_id, *key, encode(show), b.fresh_to) for (b, key), show in changes.shows.items()]
    await _write(connection, _SHOWS, shows)
    await _write(connection, _MARKS, _mark_rows(changes))
    moved = [(b.brand.brand_id, mark_id, "\x1f".join(cuts[1:])) for (b, mark_id), cuts in changes.moved_marks.items()]
    await _write(connection, _MOVED, moved)


def _mark_rows(changes: Changes) -> list[Sequence[object]]:
    return [
        (
            *(brand.brand.brand_id, mark_id, found.moment, found.formed_at, "\x1f".join(found.cuts[1:])),
            *(found.measure, found.count, found.author, found.about),
            msgspec.json.encode(found.grounds).decode(),
            *(brand.clock.day(found.recorded), found.recorded),
        )
        for (brand, mark_id), found in changes.marks.items()
    ]


async def _write(connection: Connection, query: str, rows: Iterable[Sequence[Any]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        await connection.execute(query, *columns)
