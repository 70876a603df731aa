"""Marks of the integrity screen in Postgres: read, overruled and restored by people."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.domain.errors import UnknownMark
from bellwether.domain.keys import Caller
from bellwether_api.database import changing, reading
from bellwether_api.integrity_shapes import GroundOut, MarkOut, MarkPage, VerdictOut
from bellwether_api.moments import moment_at

_MARK = """
    SELECT m.mark_id, m.moment, m.formed_at, m.measure, m.count, m.author, m.subject, m.cuts, m.grounds,
        coalesce(last.overruled, false) AS overruled
    FROM integrity_mark m LEFT JOIN LATERAL (
        SELECT overruled FROM integrity_verdict v WHERE v.brand_id = m.brand_id AND v.mark_id = m.mark_id
        ORDER BY verdict_id DESC LIMIT 1
    ) last ON true
    WHERE m.brand_id = $1
"""
_PAGE = f"""
    {_MARK} AND m.moment >= $2 AND m.moment < $3 AND ($4::text IS NULL OR m.grounds ? $4)
        AND ($5::boolean IS NULL OR coalesce(last.overruled, false) = $5) AND (m.moment, m.mark_id) < ($6, $7)
    ORDER BY m.moment DESC, m.mark_id DESC LIMIT $8
"""
_ONE = f"{_MARK} AND m.mark_id = $2"
_VERDICTS = """
    SELECT mark_id, overruled, by_key, by_name, note, recorded_at FROM integrity_verdict
    WHERE brand_id = $1 AND mark_id = ANY($2::text[]) ORDER BY verdict_id DESC
"""
_LOCK = "SELECT FROM integrity_mark WHERE brand_id = $1 AND mark_id = $2 FOR UPDATE"
_SAY = """
    INSERT INTO integrity_verdict (brand_id, mark_id, overruled, by_key, by_name, note, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_TELL = """
    INSERT INTO integrity_version AS stored (brand_id, version) VALUES ($1, 1)
    ON CONFLICT (brand_id) DO UPDATE SET version = stored.version + 1
"""
_CURSOR = re.compile(r"(\d{1,12})-([0-9a-f]{32})", re.ASCII)


class Place(msgspec.Struct, frozen=True):
    """A place in the list of marks. A struct, since a bare tuple would be read from repeated parameters."""

    moment: int
    mark_id: str


NEWEST = Place(2**62, "")
"""The place before the first mark of the first page."""


class Choice(NamedTuple):
    """Which marks: of events in [start, end), UTC seconds, by rule and verdict (None: any), after a place."""

    start: int
    end: int
    rule: str | None
    overruled: bool | None
    after: Place
    limit: int


class Word(NamedTuple):
    """What somebody says of a mark."""

    overruled: bool
    by: str | None
    note: str | None


class Marks:
    """The marks of all brands; `now` gives UTC seconds."""

    def __init__(self, pool: Pool, now: Callable[[], float]) -> None:
        self._pool = pool
        self._now = now

    async def page(self, brand: Brand, choice: Choice) -> MarkPage:
        """Marks of a brand, the latest events first."""
        wanted = (choice.start, choice.end, choice.rule, choice.overruled)
        after = (choice.after.moment, choice.after.mark_id)
        async with reading(self._pool) as connection:
            rows = await connection.fetch(_PAGE, brand.brand_id, *wanted, *after, choice.limit + 1)
            items = await _told(connection, brand, rows[: choice.limit])
        last = rows[choice.limit - 1] if len(rows) > choice.limit else None
        return MarkPage(items, f"{last['moment']}-{last['mark_id']}" if last else None)

    async def read(self, brand: Brand, mark_id: str) -> MarkOut:
        """One mark. Raises UnknownMark."""
        async with reading(self._pool) as connection:
            return await _existing(connection, brand, mark_id)

    async def say(self, who: Caller, brand: Brand, mark_id: str, word: Word) -> MarkOut:
        """Overrule or restore a mark; what it is already is not recorded again. Raises UnknownMark."""
        async with changing(self._pool) as connection:
            await connection.execute(_LOCK, brand.brand_id, mark_id)
            mark = await _existing(connection, brand, mark_id)
            if mark.overruled is word.overruled:
                return mark
            said = (word.overruled, who.key_id, word.by, word.note, int(self._now()))
            await connection.execute(_SAY, brand.brand_id, mark_id, *said)
            await connection.execute(_TELL, brand.brand_id)
            return await _existing(connection, brand, mark_id)


async def _existing(connection: Connection, brand: Brand, mark_id: str) -> MarkOut:
    rows = await connection.fetch(_ONE, brand.brand_id, mark_id)
    if not rows:
        raise UnknownMark
    (found,) = await _told(connection, brand, rows)
    return found


async def _told(connection: Connection, brand: Brand, rows: list[Row]) -> list[MarkOut]:
    """Marks with all that was said of them."""
    said: dict[str, list[VerdictOut]] = {row["mark_id"]: [] for row in rows}
    for mark_id, overruled, by_key, by, note, recorded_at in await connection.fetch(
        _VERDICTS, brand.brand_id, list(said)
    ):
        said[mark_id].append(VerdictOut(overruled, by_key, by, note, moment_at(recorded_at)))
    return [_mark(row, said[row["mark_id"]]) for row in rows]


def _mark(row: Row, verdicts: list[VerdictOut]) -> MarkOut:
    told = {name: row[name] for name in ("mark_id", "measure", "count", "author", "subject", "cuts", "overruled")}
    grounds = msgspec.json.decode(row["grounds"], type=dict[str, dict[str, str | int]])
    return msgspec.convert(
        {
            **told,
            "at": moment_at(row["moment"]),
            "formed_at": moment_at(row["formed_at"]),
            "grounds": [_ground(rule, ground) for rule, ground in sorted(grounds.items())],
            "verdicts": verdicts,
        },
        MarkOut,
    )


def _ground(rule: str, ground: dict[str, str | int]) -> GroundOut:
    formed_at = moment_at(int(ground["formed_at"]))
    return msgspec.convert({**ground, "rule": rule, "formed_at": formed_at}, GroundOut)


def parse_place(text: str) -> Place:
    """The place that a cursor names. Raises ValueError for what no page told."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise ValueError("must be the `next` of a page")
    return Place(int(found[1]), found[2])
