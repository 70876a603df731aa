"""What was written since a snapshot: rows of current values, and what was said of steps of crises.

Current values are a state, so that asking for too many of them is harmless: they are found by the number of their
writer alone (`xmin`, which every row has), from the least one on that the snapshot may lack. Words about steps are a
log, of which the snapshot tells exactly which ones are new.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.adapters.postgres.snapshots import Snapshot

Line = tuple[int, str]
"""The id of a brand, and a cut."""

_WRITERS: Final = 2**32
LONGEST_AGE: Final = _WRITERS // 2
"""Transactions after which the number of a row's writer, which has 32 bits, tells nothing any more."""

_ASKED = "FROM unnest($1::int[], $2::text[]) AS asked(brand_id, cut) JOIN kpi_current kept USING (brand_id, cut)"
_MOVED = f"""
    SELECT brand_id, cut, kept.xmin::text AS writer, as_of {_ASKED}
    WHERE (($3::bigint - kept.xmin::text::bigint) & 4294967295) <= $3::bigint - $4::bigint
"""
_VERSIONS = f"SELECT brand_id, cut, kept.xmin::text AS writer, as_of {_ASKED}"
_ROWS = f"SELECT brand_id, cut, kept.xmin::text AS writer, as_of, fresh_to, body {_ASKED}"
_NEW = """
    FROM incident_word
    WHERE written >= $1::text::xid8 AND NOT pg_visible_in_snapshot(written, $2::text::pg_snapshot)
        AND brand_id = ANY($3::int[])
"""
_WORDS = f"""
    SELECT written::text::bigint AS written, at, word::text AS word, brand_id, incident_id, source, event_id {_NEW}
    ORDER BY incident_word.written, at, incident_word.word LIMIT $4
"""
_SPOKEN_OF = f"SELECT DISTINCT brand_id {_NEW}"


class Version(NamedTuple):
    """Which version of a row this is."""

    writer: str
    as_of: int

    def was_there(self, snapshot: Snapshot) -> bool:
        """Whether all who saw no less than a snapshot, taken lately, saw this version; False where in doubt."""
        age = (snapshot.beyond - int(self.writer)) % _WRITERS
        return snapshot.beyond - age < snapshot.least and age < LONGEST_AGE


class KeptRow(NamedTuple):
    """The current values of a brand and cut as they are stored; moments in UTC seconds."""

    brand_id: int
    cut: str
    version: Version
    fresh_to: int
    body: bytes


class NewWord(NamedTuple):
    """What an event said of a step of a crisis.

    They are told in this order: by the number of the transaction, the moment of the step in UTC seconds, and a name.
    """

    written: int
    at: int
    word: str
    brand_id: int
    incident_id: str
    source: str
    event_id: str


async def read_moved(
    connection: Connection, lines: Collection[Line], before: Snapshot, now: Snapshot
) -> dict[Line, Version]:
    """Of these lines those that may have been written since a snapshot, at most `LONGEST_AGE` transactions ago."""
    return _versions(await connection.fetch(_MOVED, *_columns(lines), now.beyond, before.least))


async def read_versions(connection: Connection, lines: Collection[Line]) -> dict[Line, Version]:
    """Which version there is of these lines, of those that have one."""
    return _versions(await connection.fetch(_VERSIONS, *_columns(lines)))


async def read_kept(connection: Connection, lines: Collection[Line]) -> list[KeptRow]:
    """The current values of these lines."""
    rows = await connection.fetch(_ROWS, *_columns(lines))
    return [
        KeptRow(row["brand_id"], row["cut"], Version(row["writer"], row["as_of"]), row["fresh_to"], row["body"])
        for row in rows
    ]


async def read_words(connection: Connection, brands: Collection[int], before: Snapshot, most: int) -> list[NewWord]:
    """What a snapshot does not hold of what was said about crises of these brands: the first `most` of it."""
    rows = await connection.fetch(_WORDS, str(before.least), str(before), list(brands), most)
    return [NewWord(*row) for row in rows]


async def read_spoken_of(connection: Connection, brands: Collection[int], before: Snapshot) -> set[int]:
    """Of these brands those about whose crises a snapshot does not hold all that was said."""
    return {row[0] for row in await connection.fetch(_SPOKEN_OF, str(before.least), str(before), list(brands))}


def _versions(rows: Iterable[Row]) -> dict[Line, Version]:
    return {(row["brand_id"], row["cut"]): Version(row["writer"], row["as_of"]) for row in rows}


def _columns(lines: Collection[Line]) -> tuple[list[int], list[str]]:
    return [brand_id for brand_id, _ in lines], [cut for _, cut in lines]
