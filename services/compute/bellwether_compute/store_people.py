"""Writes what is kept of people: authors, traces of the integrity screen, and its marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from bellwether_compute.authors import ACTS_KEPT
from bellwether_compute.changes import Changes
from bellwether_compute.sending import Writing

_NEVER = 2**62
_ACT_COLUMNS = (
    *("brand_id", "author_id", "moment", "mark_id", "channel", "subject", "cuts", "interactions", "sentiment"),
    *("said", "is_new", "is_visit", "recorded_at"),
)

_AUTHORS = """
    INSERT INTO author_state (brand_id, author_id, state) SELECT * FROM unnest($1::int[], $2::text[], $3::bytea[])
    ON CONFLICT (brand_id, author_id) DO UPDATE SET state = excluded.state
"""
# Acts since an author is an advocate are counted apart: they must not push out what a late mention may yet release.
_LATEST = """
    SELECT moment FROM author_act o
    WHERE o.brand_id = w.brand_id AND o.author_id = w.author_id AND o.moment {bound} w.since
    ORDER BY moment DESC OFFSET {kept} - 1 LIMIT 1
"""
_FORGOTTEN = f"""
    DELETE FROM author_act a USING (
        SELECT w.*, ({_LATEST.format(bound="<", kept=ACTS_KEPT)}) AS before,
            ({_LATEST.format(bound=">=", kept=ACTS_KEPT)}) AS after
        FROM unnest($1::int[], $2::text[], $3::bigint[]) AS w(brand_id, author_id, since)
    ) k WHERE a.brand_id = k.brand_id AND a.author_id = k.author_id
        AND a.moment < CASE WHEN a.moment < k.since THEN k.before ELSE k.after END
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


async def write_people(connection: Writing, changes: Changes) -> None:
    """Write what a batch changed."""
    await _write_acts(connection, changes)
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


async def _write_acts(connection: Writing, changes: Changes) -> None:
    """Add acts. With about one act in 256, by chance, the oldest of its author beyond those kept are let go of."""
    if changes.acts:
        rows = map(msgspec.structs.astuple, changes.acts)
        await connection.copy_records_to_table("author_act", records=rows, columns=_ACT_COLUMNS)
        chosen = {(act.brand_id, act.author) for act in changes.acts if act.mark_id[0] == 0 and act.author}
        await _write(connection, _FORGOTTEN, _with_since(chosen, changes) if chosen else ())


def _with_since(chosen: Iterable[tuple[int, str]], changes: Changes) -> list[tuple[int, str, int]]:
    """Authors with the moment from which on they are advocates: far ahead if they are none."""
    brands = {taken.brand.brand.brand_id: taken.brand for taken, _ in changes.heard}
    found = []
    for brand_id, name in chosen:
        author = brands[brand_id].authors.get(name)
        since = author.advocate_since if author else None
        found.append((brand_id, name, _NEVER if since is None else since))
    return found


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


async def _write(connection: Writing, query: str, rows: Iterable[Sequence[Any]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        await connection.execute(query, *columns)
