"""Loads what is kept of people: authors, traces of the integrity screen, marks, and verdicts on them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from bellwether.adapters.postgres.pool import Connection
from bellwether.adapters.postgres.readings_integrity import read_overruled, read_versions
from bellwether.catalogue.cuts import TOTAL
from bellwether_compute.authors import Author
from bellwether_compute.changes import Heard
from bellwether_compute.integrity import NO_SHOW, Ground, Mark, Show, Sighting, Trace, TraceKey
from bellwether_compute.recent import EVER, Recents
from bellwether_compute.state import BrandState, ItemKey

_AUTHOR = msgspec.msgpack.Decoder(Author)
_TRACE = msgspec.msgpack.Decoder(list[Sighting])
_SHOW = msgspec.msgpack.Decoder(Show)
_STORED_GROUNDS = msgspec.json.Decoder(dict[str, Ground])
Key = TypeVar("Key")

_AUTHORS = """
    SELECT a.brand_id, a.author_id, a.state
    FROM unnest($1::int[], $2::text[]) AS wanted(brand_id, author_id) JOIN author_state a USING (brand_id, author_id)
"""
AUTHORS_AT_ONCE = 50_000
"""So many authors at most are loaded ahead, shared by the brands that a batch is the first of: of a brand with no more
than its share all who have praised it are in memory.
"""
_AUTHORS_OF = """
    SELECT a.brand_id, a.author_id, a.state FROM unnest($1::int[]) AS b(brand_id), LATERAL (
        SELECT * FROM author_state a WHERE a.brand_id = b.brand_id LIMIT $2
    ) a
"""
_TRACES = """
    SELECT t.brand_id, t.rule, t.subject, t.state
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(brand_id, rule, subject)
    JOIN screen_trace t USING (brand_id, rule, subject)
"""
_SHOWS = """
    SELECT s.brand_id, s.channel, s.content_id, s.state
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(brand_id, channel, content_id)
    JOIN screen_show s USING (brand_id, channel, content_id)
"""
# Until acts had rows of their own, these rules had traces: an index of those alone answers at once.
_WHOLE_FROM = """
    SELECT brand_id, greatest((SELECT max(moment) FROM author_act a WHERE a.brand_id = b.brand_id),
        (SELECT max(touched_at) FROM screen_trace t
            WHERE t.brand_id = b.brand_id AND t.rule IN ('burst', 'same_text', 'spree')))
    FROM unnest($1::int[]) AS b(brand_id)
"""
_GROUNDS = """
    SELECT m.brand_id, m.mark_id, m.grounds
    FROM unnest($1::int[], $2::text[]) AS wanted(brand_id, mark_id) JOIN integrity_mark m USING (brand_id, mark_id)
"""
_ITEM_CUTS = """
    SELECT i.brand_id, i.channel, i.content_id, i.cuts
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(brand_id, channel, content_id)
    JOIN content_item i USING (brand_id, channel, content_id)
"""
_MARKS_OF = """
    SELECT m.brand_id, wanted.channel, m.subject, m.mark_id, m.moment, m.cuts, m.measure, m.count
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(brand_id, channel, subject)
    JOIN integrity_mark m USING (brand_id, subject)
    WHERE m.measure = 'suspect_interactions' AND m.cuts[1] = 'channel=' || wanted.channel
"""

MarkedItem = tuple[BrandState, ItemKey]
Subject = tuple[BrandState, TraceKey]
"""What a rule looks at of a brand."""


class StoredMark(NamedTuple):
    """A mark of an interaction with an item: its moment, cuts with the total, and what it adds."""

    brand: BrandState
    item: ItemKey
    mark_id: str
    moment: int
    cuts: tuple[str, ...]
    measure: str
    adds: int


async def begin(connection: Connection, brands: Iterable[BrandState]) -> None:
    """Load what is kept in memory of the people behind brands from the first batch on, unless it is there."""
    begun = {brand.brand.brand_id: brand for brand in brands if brand.recents is None}
    if not begun:
        return
    for brand_id, latest in await connection.fetch(_WHOLE_FROM, list(begun)):
        begun[brand_id].recents = Recents(EVER if latest is None else latest + 1)
    share = AUTHORS_AT_ONCE // len(begun)
    for brand_id, name, state in await connection.fetch(_AUTHORS_OF, list(begun), share + 1):
        begun[brand_id].authors[name] = _AUTHOR.decode(state)
    for brand in begun.values():
        brand.stored_authors = len(brand.authors) if len(brand.authors) <= share else None


async def load_authors(connection: Connection, heard: Iterable[Heard]) -> None:
    """Load authors of events, unless all of their brand are in memory; who is not stored has not praised the brand."""
    wanted = {
        (taken.brand, derived.author)
        for taken, derived in heard
        if taken.brand.stored_authors != len(taken.brand.authors)
        and derived.author is not None
        and derived.author not in taken.brand.authors
    }
    if wanted:
        brands, names = _split(wanted)
        for brand_id, name, state in await connection.fetch(_AUTHORS, [b.brand.brand_id for b, _ in wanted], names):
            brands[brand_id].authors[name] = _AUTHOR.decode(state)


async def load_traces(connection: Connection, subjects: Collection[Subject]) -> None:
    """Load traces of the screen, unless they are in memory; what is not stored is new."""
    wanted = [(brand, key) for brand, key in subjects if key not in brand.traces]
    found = await read_traces(connection, wanted)
    for brand, key in wanted:
        brand.traces[key] = found.get((brand, key), [])


async def read_traces(connection: Connection, subjects: Collection[Subject]) -> dict[Subject, Trace]:
    """Traces of the screen that are stored."""
    if not subjects:
        return {}
    brands, traced = _split(subjects)
    ids = [brand.brand.brand_id for brand, _ in subjects]
    rows = await connection.fetch(_TRACES, ids, [key.rule for key in traced], [key.subject for key in traced])
    return {
        (brands[brand_id], TraceKey(rule, subject)): _TRACE.decode(state) for brand_id, rule, subject, state in rows
    }


async def load_shows(connection: Connection, wanted: Collection[MarkedItem]) -> None:
    """Load what is known of users' items that are not in memory; what is not stored is nothing yet."""
    if wanted:
        brands, items = _split(wanted)
        for brand, key in wanted:
            brand.shows[key] = NO_SHOW
        ids, channels, names = [b.brand.brand_id for b, _ in wanted], [c for c, _ in items], [i for _, i in items]
        for brand_id, channel, name, state in await connection.fetch(_SHOWS, ids, channels, names):
            brands[brand_id].shows[channel, name] = _SHOW.decode(state)


async def find_grounds(
    connection: Connection, marks: Collection[tuple[BrandState, str]]
) -> dict[tuple[BrandState, str], dict[str, Ground]]:
    """The grounds, by rule, of those of the marks that are stored already."""
    if not marks:
        return {}
    brands, names = _split(marks)
    rows = await connection.fetch(_GROUNDS, [brand.brand.brand_id for brand, _ in marks], names)
    return {(brands[brand_id], mark_id): _STORED_GROUNDS.decode(grounds) for brand_id, mark_id, grounds in rows}


async def load_item_cuts(
    connection: Connection, marks: Iterable[tuple[BrandState, Mark]]
) -> dict[MarkedItem, tuple[str, ...]]:
    """The cuts, with the total, of marked items that are not in memory."""
    wanted = {(brand, key) for brand, found in marks if (key := found.item) and key not in brand.items}
    if not wanted:
        return {}
    brands, items = _split(wanted)
    ids, channels, names = [b.brand.brand_id for b, _ in wanted], [c for c, _ in items], [i for _, i in items]
    rows = await connection.fetch(_ITEM_CUTS, ids, channels, names)
    return {(brands[brand_id], (channel, name)): (TOTAL, *cuts) for brand_id, channel, name, cuts in rows}


async def load_marks_of(connection: Connection, items: Collection[MarkedItem]) -> list[StoredMark]:
    """The stored marks of interactions with these items."""
    if not items:
        return []
    brands, keys = _split(items)
    ids, channels, names = [b.brand.brand_id for b, _ in items], [c for c, _ in keys], [i for _, i in keys]
    return [
        StoredMark(brands[brand_id], (channel, name), mark_id, moment, (TOTAL, *cuts), measure, count)
        for brand_id, channel, name, mark_id, moment, cuts, measure, count in await connection.fetch(
            _MARKS_OF, ids, channels, names
        )
    ]


async def load_overruled(connection: Connection, brands: Mapping[int, BrandState]) -> None:
    """Load the overruled marks of brands, and up to which verdict they are known."""
    versions = await read_versions(connection, brands)  # first: what follows it is at least as new
    for brand_id, overruled in (await read_overruled(connection, brands)).items():
        brands[brand_id].overruled = overruled
        brands[brand_id].verdicts = versions.get(brand_id, 0)


def _split(wanted: Collection[tuple[BrandState, Key]]) -> tuple[dict[int, BrandState], list[Key]]:
    return {brand.brand.brand_id: brand for brand, _ in wanted}, [key for _, key in wanted]
