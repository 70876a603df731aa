"""The one transaction of a cycle: offsets first, then everything that the batch changed.

All rows are whole values, but the points of items, which add up. Only the owner of a
partition, under its epoch, writes for the brands in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from bellwether.adapters.postgres.pool import Connection
from bellwether.adapters.postgres.rollups import TABLE, pack
from bellwether.catalogue.measures import CONTENT_COUNTERS
from bellwether.domain.timeline import Grain
from bellwether.domain.totals import Totals
from bellwether_compute.changes import Changes, Receipt
from bellwether_compute.content import StoredItem
from bellwether_compute.groups import RollupRow
from bellwether_compute.own_measures import Start, write_starts
from bellwether_compute.sending import Sender, Writing, sending
from bellwether_compute.store_detection import write_detection
from bellwether_compute.store_entities import write_affairs
from bellwether_compute.store_people import write_people
from bellwether_compute.taking import LeftOut
from bellwether_compute.talks import cuts_in


class Fenced(Exception):
    """Another worker has claimed a partition, or its offset is not where it was left."""


class Advance(NamedTuple):
    """The move of a partition: only from `expected`, only under `epoch`.

    fingerprint: of the last record before `next_offset`; None leaves it as it is
    """

    part: int
    epoch: int
    expected: int
    next_offset: int
    fingerprint: bytes | None


class CurrentRow(NamedTuple):
    """The current values of a brand and cut; moments in UTC seconds, `body` as JSON."""

    brand_id: int
    cut: str
    as_of: int
    fresh_to: int
    body: bytes


# The rows are locked in the order of the partitions, so that two workers never wait for each other.
_ADVANCE = """
    WITH told AS (
        SELECT * FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[])
            AS t(part, epoch, expected, next_offset, fingerprint)
    ), held AS (
        SELECT part FROM stream_offset WHERE stream = $1 AND part = ANY($2::int[]) ORDER BY part FOR UPDATE
    )
    UPDATE stream_offset o SET next_offset = told.next_offset,
        last_fingerprint = coalesce(told.fingerprint, o.last_fingerprint), updated_at = now()
    FROM told JOIN held USING (part)
    WHERE o.stream = $1 AND o.part = told.part AND o.epoch = told.epoch AND o.next_offset = told.expected
    RETURNING o.part
"""
_ROLLUPS = """
    INSERT INTO {table} (brand_id, cut, bucket, known_on, totals)
    SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[], $4::int[], $5::bytea[])
    ON CONFLICT (brand_id, cut, bucket, known_on) DO UPDATE SET totals = excluded.totals
"""
_LEVELS = """
    INSERT INTO audience_level AS stored
        (brand_id, channel, audience, account, observed_at, members, recorded_at, cuts)
    SELECT b, c, a, o, m, n, r, string_to_array(cuts, chr(31)) FROM unnest($1::int[], $2::text[], $3::text[],
        $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[]) AS told(b, c, a, o, m, n, r, cuts)
    ON CONFLICT (brand_id, channel, audience, account, observed_at)
    DO UPDATE SET members = excluded.members,
        cuts = ARRAY(SELECT DISTINCT unnest(stored.cuts || excluded.cuts) ORDER BY 1)
"""
_ITEMS = """
    INSERT INTO content_item
        (brand_id, channel, content_id, published_at, followers, published_known_on, followers_known_on, state,
        partnered, cuts)
    SELECT b, c, i, at, f, p, k, s, w, string_to_array(cuts, chr(31)) FROM unnest($1::int[], $2::text[], $3::text[],
        $4::bigint[], $5::bigint[], $6::int[], $7::int[], $8::bytea[], $9::boolean[], $10::text[])
        AS told(b, c, i, at, f, p, k, s, w, cuts)
    ON CONFLICT (brand_id, channel, content_id) DO UPDATE
    SET published_at = excluded.published_at, followers = excluded.followers,
        published_known_on = excluded.published_known_on, followers_known_on = excluded.followers_known_on,
        state = excluded.state, partnered = excluded.partnered, cuts = excluded.cuts
"""
_COUNTERS = ", ".join(CONTENT_COUNTERS)
_POINTS = f"""
    INSERT INTO content_point AS stored (brand_id, channel, content_id, minute, known_on, {_COUNTERS})
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[], $5::int[],
        {", ".join(f"${n}::bigint[]" for n in range(6, 6 + len(CONTENT_COUNTERS)))})
    ON CONFLICT (brand_id, channel, content_id, minute, known_on) DO UPDATE
    SET {", ".join(f"{c} = stored.{c} + excluded.{c}" for c in CONTENT_COUNTERS)}
"""
_CONVERSATIONS = """
    INSERT INTO conversation (brand_id, channel, conversation_id, state)
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bytea[])
    ON CONFLICT (brand_id, channel, conversation_id) DO UPDATE SET state = excluded.state
"""
_RECEIPTS = """
    INSERT INTO receipt AS stored (brand_id, channel, conversation_id, message_id, kind, received_at, known_on,
        answered_at, answered_by, answer_known_on, turn_of, timed, business_s, within_target, cuts)
    SELECT b, c, t, m, k, r, n, a, y, w, f, d, s, i, string_to_array(cuts, chr(31)) FROM unnest($1::int[], $2::text[],
        $3::text[], $4::text[], $5::text[], $6::bigint[], $7::int[], $8::bigint[], $9::text[], $10::int[], $11::text[],
        $12::boolean[], $13::bigint[], $14::boolean[], $15::text[])
        AS told(b, c, t, m, k, r, n, a, y, w, f, d, s, i, cuts)
    ON CONFLICT (brand_id, channel, conversation_id, message_id) DO UPDATE
    SET kind = excluded.kind, received_at = excluded.received_at, cuts = excluded.cuts,
        answered_at = excluded.answered_at, answered_by = excluded.answered_by,
        turn_of = excluded.turn_of, timed = excluded.timed, business_s = excluded.business_s,
        within_target = excluded.within_target,
        known_on = CASE WHEN (stored.kind, stored.received_at) = (excluded.kind, excluded.received_at)
            THEN stored.known_on ELSE excluded.known_on END,
        answer_known_on = CASE
            WHEN (stored.answered_at, stored.answered_by) = (excluded.answered_at, excluded.answered_by)
            THEN stored.answer_known_on ELSE excluded.answer_known_on END
"""
_SEEN = """
    INSERT INTO dedup_segment (stream, part, event_day, epoch, first_offset, entries)
    SELECT $1, * FROM unnest($2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::bytea[])
"""
_LEDGER = """
    INSERT INTO ledger AS stored (stream, part, tenant_id, outcome, events)
    SELECT $1, * FROM unnest($2::int[], $3::int[], $4::text[], $5::bigint[])
    ON CONFLICT (stream, part, tenant_id, outcome) DO UPDATE SET events = stored.events + excluded.events
"""
_QUARANTINE = """
    INSERT INTO quarantine
        (stream, part, log_offset, tenant_id, reason, detail, record_key, record_value, recorded_at)
    SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::int[], $5::text[], $6::text[], $7::bytea[], $8::bytea[],
        $9::timestamptz[])
"""
# The last values shown in an hour become its point in the history when a later hour is written.
_HISTORY = """
    INSERT INTO kpi_history (brand_id, cut, hour, body)
    SELECT c.brand_id, c.cut, c.as_of / 3600 * 3600, c.body
    FROM unnest($1::int[], $2::text[], $3::bigint[]) AS shown(brand_id, cut, as_of)
    JOIN kpi_current c USING (brand_id, cut)
    WHERE c.as_of / 3600 < shown.as_of / 3600
    ON CONFLICT (brand_id, cut, hour) DO UPDATE SET body = excluded.body
"""
_CURRENT = """
    INSERT INTO kpi_current (brand_id, cut, as_of, fresh_to, body)
    SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[])
    ON CONFLICT (brand_id, cut) DO UPDATE
    SET as_of = excluded.as_of, fresh_to = excluded.fresh_to, body = excluded.body
"""


async def commit(
    connection: Connection,
    stream: str,
    advances: Sequence[Advance],
    changes: Changes,
    current: Sequence[CurrentRow],
    starts: Sequence[Start] = (),
) -> None:
    """Write a cycle. Raises Fenced, and writes nothing, if a partition is no longer ours."""
    async with connection.transaction():
        await _advance(connection, stream, sorted(advances))
        await _write_log_side(connection, stream, {a.part: a for a in advances}, changes)
        async with sending(connection) as sender:
            await _write_measures(sender, changes)
            await write_detection(sender, changes)
        await write_affairs(connection, changes)
        await _write_current(connection, current)
        await write_starts(connection, stream, starts)


async def _advance(connection: Connection, stream: str, advances: Sequence[Advance]) -> None:
    """Move partitions, which holds them until the end of the transaction."""
    moved = {row[0] for row in await connection.fetch(_ADVANCE, stream, *map(list, zip(*advances, strict=True)))}
    lost = [f"{a.part} at {a.expected} under epoch {a.epoch}" for a in advances if a.part not in moved]
    if lost:
        raise Fenced(f"{stream} is no longer where it was left: {', '.join(lost)}")


async def _write(connection: Writing, query: str, rows: Iterable[Sequence[Any]], *first: object) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        await connection.execute(query, *first, *columns)


async def _write_log_side(connection: Connection, stream: str, advances: dict[int, Advance], changes: Changes) -> None:
    """What became of every record."""
    seen = [
        (part, day, advances[part].epoch, advances[part].expected, b"".join(entries))
        for (part, day), entries in changes.seen.items()
    ]
    await _write(connection, _SEEN, seen, stream)
    ledger = [(*key, events) for key, events in sorted(changes.outcomes.items())]
    await _write(connection, _LEDGER, ledger, stream)
    await _write(connection, _QUARANTINE, map(_quarantine_row, changes.left_out), stream)


def _quarantine_row(left_out: LeftOut) -> tuple[object, ...]:
    record = left_out.record
    recorded_at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    where = (record.partition, record.offset, left_out.tenant_id)
    return (*where, left_out.reason.value, left_out.detail, record.key, record.value, recorded_at)


async def write_rollups(connection: Writing, rollups: Mapping[RollupRow, Totals]) -> None:
    """Write whole rollups, in place of what was there."""
    for grain in Grain:
        rows = [
            (row.brand_id, row.cut, row.bucket, row.known_on, pack(totals))
            for row, totals in rollups.items()
            if row.grain is grain
        ]
        await _write(connection, _ROLLUPS.format(table=TABLE[grain]), rows)


async def _write_measures(connection: Sender, changes: Changes) -> None:
    await write_rollups(connection, changes.rollups)
    levels = [(b.brand.brand_id, *key, *level, _joined(cuts)) for (b, *key), (*level, cuts) in changes.levels.items()]
    await _write(connection, _LEVELS, levels)
    await _write_content(connection, changes)
    await write_people(connection, changes)
    await _write_conversations(connection, changes)


def _joined(cuts: Iterable[str]) -> str:
    # An array of arrays of different lengths is none to PostgreSQL, so names travel joined.
    return chr(31).join(cuts)


async def _write_content(connection: Sender, changes: Changes) -> None:
    items = [
        (
            *(brand.brand.brand_id, *key, item.published_at, item.followers),
            *(item.published_known_on, item.followers_known_on),
            msgspec.msgpack.encode(StoredItem(item.earned, item.snapshots, item.forgotten, item.attributes)),
            *(item.traits.partnered, _joined(item.traits.cuts[1:])),
        )
        for (brand, key), item in changes.items.items()
    ]
    await _write(connection, _ITEMS, items)
    points = [
        (brand.brand.brand_id, *key, minute, known_on, *(gained[c] for c in CONTENT_COUNTERS))
        for (brand, key, minute, known_on), gained in changes.points.items()
    ]
    await _write(connection, _POINTS, points)


async def _write_conversations(connection: Sender, changes: Changes) -> None:
    conversations = [
        (brand.brand.brand_id, *key, msgspec.msgpack.encode(conversation.messages))
        for (brand, key), conversation in changes.conversations.items()
    ]
    await _write(connection, _CONVERSATIONS, conversations)
    receipts = [
        (brand.brand.brand_id, *key, message_id, *_receipt_columns(receipt, key[0]))
        for (brand, key, message_id), receipt in changes.receipts.items()
    ]
    await _write(connection, _RECEIPTS, receipts)


def _receipt_columns(receipt: Receipt, channel: str) -> tuple[object, ...]:
    received, answer, turn_of, _, clocks = receipt.standing
    answered = (answer.at, answer.message_id, receipt.answer_known_on) if answer else (None, None, None)
    is_timed = clocks is None or clocks.wall is not None
    told = (is_timed, clocks.business, clocks.within_target) if clocks else (is_timed, None, None)
    cuts = _joined(cuts_in(channel, received)[1:])
    return received.kind, received.at, receipt.known_on, *answered, turn_of, *told, cuts


async def _write_current(connection: Connection, current: Sequence[CurrentRow]) -> None:
    await _write(connection, _HISTORY, [row[:3] for row in current])
    await _write(connection, _CURRENT, current)
