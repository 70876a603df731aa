"""Loads from Postgres what a batch needs before it can be folded, in as few queries as kinds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.adapters.postgres.readings_receipts import WAITING, clocks_of
from bellwether.adapters.postgres.rollups import Line, load
from bellwether.catalogue.cuts import TOTAL
from bellwether.catalogue.measures import CONTENT_COUNTERS
from bellwether.domain.timeline import Chunk, Timeline
from bellwether.wire.events import AudienceSnapshot, ContentMetrics, Interaction
from bellwether_compute.content import Attributes, Item, StoredItem, described, needs_points, traits_of
from bellwether_compute.conversations import Answer, Conversation, Messages, Standing
from bellwether_compute.dedup import HORIZON_DAYS, days_to_open, utc_day
from bellwether_compute.loading_entities import load_affairs, load_entities
from bellwether_compute.loading_people import load_overruled
from bellwether_compute.state import BrandState, ItemKey, PartitionState
from bellwether_compute.subjects import conversation_key, item_key, level_moment
from bellwether_compute.taking import Taken, moment_of

_STORED_ITEM = msgspec.msgpack.Decoder(StoredItem)
_MESSAGES = msgspec.msgpack.Decoder(Messages)

_SEGMENTS = """
    SELECT event_day, entries FROM dedup_segment
    WHERE stream = $1 AND part = $2 AND event_day = ANY($3::int[])
"""
_LEVELS = """
    SELECT brand_id, channel, audience, account, observed_at, members, cuts FROM audience_level
    WHERE brand_id = ANY($1::int[]) ORDER BY observed_at
"""
# A row for all that wait in the same cuts: of a brand that answers little there may be a million.
_WAITING = f"""
    SELECT brand_id, kind, cuts, array_agg(received_at) FROM receipt r WHERE brand_id = ANY($1::int[]) AND {WAITING}
    GROUP BY brand_id, kind, cuts
"""
_FRESH_TO = "SELECT brand_id, max(fresh_to) FROM kpi_current WHERE brand_id = ANY($1::int[]) GROUP BY brand_id"
_ITEM_COLUMNS = """
    i.brand_id, i.channel, i.content_id, i.published_at, i.followers, i.published_known_on, i.followers_known_on,
    i.state
"""
_ITEMS = f"""
    SELECT {_ITEM_COLUMNS}
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(brand_id, channel, content_id)
    JOIN content_item i USING (brand_id, channel, content_id)
"""
# Items published between a snapshot and the next one of the account: their followers move.
_ITEMS_FOLLOWED = f"""
    SELECT {_ITEM_COLUMNS}
    FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[]) AS moved(brand_id, channel, start, stop)
    JOIN content_item i USING (brand_id, channel)
    WHERE i.published_at > moved.start AND i.published_at <= moved.stop
"""
_POINTS = f"""
    SELECT p.brand_id, p.channel, p.content_id, p.minute, {", ".join(f"sum(p.{c})::bigint" for c in CONTENT_COUNTERS)}
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(brand_id, channel, content_id)
    JOIN content_point p USING (brand_id, channel, content_id)
    GROUP BY p.brand_id, p.channel, p.content_id, p.minute
"""
_CONVERSATIONS = """
    SELECT c.brand_id, c.channel, c.conversation_id, c.state
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(brand_id, channel, conversation_id)
    JOIN conversation c USING (brand_id, channel, conversation_id)
"""
_STANDINGS = f"""
    SELECT r.brand_id, r.channel, r.conversation_id, r.message_id, r.received_at, r.answered_at, r.answered_by,
        r.turn_of, r.timed, r.business_s, r.within_target, {WAITING} AS waits
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(brand_id, channel, conversation_id)
    JOIN receipt r USING (brand_id, channel, conversation_id)
"""
_END_OF_TIME = 2**62

Key = TypeVar("Key", bound=tuple[Any, ...])
Brands = Mapping[int, BrandState]


async def open_days(connection: Connection, stream: str, partition: PartitionState, moments: Iterable[int]) -> None:
    """Load the identities of the days of these events that are not in memory."""
    for day in sorted(days_to_open(partition.seen, moments)):
        # Day by day, since all of them may be some hundred MB.
        rows = await connection.fetch(_SEGMENTS, stream, partition.part, [day])
        partition.seen.load(day, b"".join([row[1] for row in rows]))
        partition.seen.open_days.add(day)


async def open_horizon(connection: Connection, stream: str, partition: PartitionState, now: int) -> None:
    """Load the identities of all days within the horizon before `now`, and of the day after."""
    today = utc_day(now)
    days = range(today - HORIZON_DAYS, today + 2)
    await open_days(connection, stream, partition, (day * 86_400 for day in days))


async def load_for(connection: Connection, fresh: Sequence[Taken]) -> None:
    """Load brands, content items and conversations that these events are about."""
    brands = {taken.brand.brand.brand_id: taken.brand for taken in fresh}
    await load_brands(connection, brands.values())
    await _load_items(connection, brands, fresh)
    await _load_followed(connection, brands, fresh)
    await _load_points(connection, brands, fresh)
    await _load_conversations(connection, brands, fresh)
    await load_entities(connection, brands, fresh)


async def load_chunks(connection: Connection, wanted: Mapping[tuple[BrandState, str], Collection[Chunk]]) -> None:
    """Load chunks of rollups by brand and cut."""
    timelines: dict[Line, Timeline] = {}
    chunks: dict[Line, Collection[Chunk]] = {}
    for (brand, cut), named in wanted.items():
        line = Line(brand.brand.brand_id, cut)
        timelines[line], chunks[line] = brand.timeline(cut), named
    await load(connection, timelines, chunks)


async def load_brands(connection: Connection, brands: Iterable[BrandState]) -> None:
    """Load audiences, waiting messages and freshness of those brands that are not in memory."""
    await _load_brands(connection, {brand.brand.brand_id: brand for brand in brands if not brand.loaded})


async def _load_brands(connection: Connection, brands: Brands) -> None:
    if not brands:
        return
    for brand_id, channel, audience, account, moment, count, cuts in await connection.fetch(_LEVELS, list(brands)):
        brands[brand_id].put_level(audience, channel, account, moment, count, cuts)
    for brand_id, kind, cuts, moments in await connection.fetch(_WAITING, list(brands)):
        brands[brand_id].put_waiting(kind, (TOTAL, *cuts), moments)
    for brand_id, fresh_to in await connection.fetch(_FRESH_TO, list(brands)):
        brands[brand_id].fresh_to = max(brands[brand_id].fresh_to, fresh_to)
    await load_overruled(connection, brands)
    await load_affairs(connection, brands)
    for brand in brands.values():
        brand.loaded = True


def _columns(keys: Collection[Key]) -> list[list[Any]]:
    return [list(column) for column in zip(*keys, strict=True)]


async def _load_items(connection: Connection, brands: Brands, fresh: Sequence[Taken]) -> None:
    wanted = {
        (taken.brand.brand.brand_id, *key)
        for taken in fresh
        if (key := item_key(taken)) and key not in taken.brand.items
    }
    if wanted:
        _put_items(brands, await connection.fetch(_ITEMS, *_columns(wanted)))
        for brand_id, channel, content_id in wanted:
            brands[brand_id].items.setdefault((channel, content_id), Item())


async def _load_followed(connection: Connection, brands: Brands, fresh: Sequence[Taken]) -> None:
    wanted = []
    for taken in fresh:
        if type(event := taken.event) is AudienceSnapshot:
            data = event.data
            moment = level_moment(taken, event)
            history = taken.brand.history(data.audience, data.channel, event.source)
            stop = history.next_after(moment) or _END_OF_TIME
            wanted.append((taken.brand.brand.brand_id, data.channel, moment, stop))
    if wanted:
        _put_items(brands, await connection.fetch(_ITEMS_FOLLOWED, *_columns(wanted)))


def _put_items(brands: Brands, rows: Iterable[Row]) -> None:
    for brand_id, channel, content_id, published_at, followers, *known_on, state in rows:
        stored = _STORED_ITEM.decode(state)
        item = Item(published_at, followers, stored.earned, stored.snapshots, stored.forgotten, *known_on)
        item.attributes, item.traits = stored.attributes, traits_of(channel, stored.attributes)
        brands[brand_id].items.setdefault((channel, content_id), item)


def read_by_minute(fresh: Sequence[Taken]) -> list[tuple[BrandState, ItemKey]]:
    """The items of which a fold of these events reads what they earned in each minute."""
    observed: dict[tuple[BrandState, ItemKey], list[int]] = {}
    published, moved = set(), _moved(fresh)
    for taken in fresh:
        if type(taken.event) is not Interaction and (key := item_key(taken)):
            moments = observed.setdefault((taken.brand, key), [])
            if type(taken.event) is ContentMetrics:
                moments.append(moment_of(taken.event.data.observed_at, taken.record))
            else:
                published.add((taken.brand, key))
    for brand, key in observed.keys() | moved:
        brand.items[key].by_minute = {}
    read = {
        (brand, key)
        for (brand, key), moments in observed.items()
        if needs_points(brand.items[key], moments, (brand, key) in published)
    }
    return list(read | {(brand, key) for brand, key in moved if brand.items[key].earned})


def _moved(fresh: Sequence[Taken]) -> set[tuple[BrandState, ItemKey]]:
    """The items that count in other cuts after these events."""
    told: dict[tuple[BrandState, ItemKey], Attributes] = {}
    for taken in fresh:
        event: Any = taken.event
        if key := item_key(taken):
            known = told.get((taken.brand, key), taken.brand.items[key].attributes)
            if (now := described(known, event, taken.time)) is not known:
                told[taken.brand, key] = now
    return {
        (brand, key)
        for (brand, key), attributes in told.items()
        if traits_of(key[0], attributes) != brand.items[key].traits
    }


async def _load_points(connection: Connection, brands: Brands, fresh: Sequence[Taken]) -> None:
    wanted = [(brand.brand.brand_id, *key) for brand, key in read_by_minute(fresh)]
    if wanted:
        for brand_id, channel, content_id, minute, *counts in await connection.fetch(_POINTS, *_columns(wanted)):
            points = brands[brand_id].items[channel, content_id].by_minute
            if points is not None:
                points[minute] = dict(zip(CONTENT_COUNTERS, counts, strict=True))


async def _load_conversations(connection: Connection, brands: Brands, fresh: Sequence[Taken]) -> None:
    wanted = {
        (taken.brand.brand.brand_id, *key)
        for taken in fresh
        if (key := conversation_key(taken)) and key not in taken.brand.conversations
    }
    if wanted:
        for brand_id, channel, conversation_id, state in await connection.fetch(_CONVERSATIONS, *_columns(wanted)):
            brands[brand_id].conversations[channel, conversation_id] = Conversation(_MESSAGES.decode(state))
        for row in await connection.fetch(_STANDINGS, *_columns(wanted)):
            conversation = brands[row["brand_id"]].conversations[row["channel"], row["conversation_id"]]
            conversation.standings[row["message_id"]] = _standing(row, conversation.messages)
        for brand_id, channel, conversation_id in wanted:
            brands[brand_id].conversations.setdefault((channel, conversation_id), Conversation())


def _standing(row: Row, messages: Messages) -> Standing:
    received = messages.received[row["message_id"]]
    if row["answered_at"] is None:
        return Standing(received, None, row["turn_of"], row["waits"])
    answer = Answer(row["answered_at"], row["answered_by"])
    return Standing(received, answer, row["turn_of"], waits=False, clocks=clocks_of(row))


def forget_surplus(brand: BrandState, most: int) -> None:
    """Drop the longest loaded items, conversations, authors, traces and shows beyond `most` of each."""
    caches: tuple[dict[Any, Any], ...] = (
        *(brand.items, brand.conversations),
        *(brand.authors, brand.traces, brand.shows),
    )
    for cache in caches:
        for key in list(cache)[: max(0, len(cache) - most)]:
            del cache[key]
    brand.affairs.forget_surplus(most)
