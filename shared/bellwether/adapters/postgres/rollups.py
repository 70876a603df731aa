"""Rollups as stored: three tables, one row per brand, cut, bucket and day of knowledge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple, cast

import msgspec

from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.adapters.sketches import HyperLogLog
from bellwether.domain.clock import LocalClock, day_of
from bellwether.domain.timeline import Chunk, Grain, Segment, Timeline
from bellwether.domain.totals import Totals

TABLE = {Grain.MINUTE: "rollup_minute", Grain.HOUR: "rollup_hour", Grain.DAY: "rollup_day"}

_DECODER = msgspec.msgpack.Decoder(dict[str, int | bytes | dict[int, int]])
_ENCODER = msgspec.msgpack.Encoder(enc_hook=lambda sketch: cast(HyperLogLog, sketch).dump())
_SELECT = """
    SELECT r.brand_id, r.cut, r.bucket, r.known_on, r.totals
    FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[]) AS wanted(brand_id, cut, start, stop)
    JOIN {table} r ON r.brand_id = wanted.brand_id AND r.cut = wanted.cut
        AND r.bucket >= wanted.start AND r.bucket < wanted.stop
    WHERE r.known_on <= $5
"""
EVER = 2**31 - 1
"""`known_on` later than any: everything that is known today."""


class Line(NamedTuple):
    """Names one timeline: a brand and a cut of it."""

    brand_id: int
    cut: str


def pack(totals: Totals) -> bytes:
    """Totals as MessagePack: integers, histograms as maps, sketches as bytes."""
    return _ENCODER.encode(totals)


def unpack(data: bytes) -> Totals:
    """The totals that `pack` wrote. Raises msgspec.DecodeError for other bytes."""
    return {
        key: HyperLogLog.load(value) if isinstance(value, bytes) else value
        for key, value in _DECODER.decode(data).items()
    }


def buckets_of(chunk: Chunk, clock: LocalClock) -> Segment:
    """The range of buckets that a chunk stands for."""
    grain, name = chunk
    if grain is Grain.MINUTE:
        return Segment(grain, name, clock.next_hour(name))
    if grain is Grain.HOUR:
        return Segment(grain, clock.day_start(name), clock.day_start(name + 1))
    return Segment(grain, day_of(date(name, 1, 1)), day_of(date(name + 1, 1, 1)))


async def load(
    connection: Connection,
    timelines: Mapping[Line, Timeline],
    wanted: Mapping[Line, Collection[Chunk]],
    known_on: int = EVER,
) -> None:
    """Fill timelines with the chunks that they want and do not have yet.

    known_on: leave out what became known on a later local day (days since 1970-01-01)
    """
    ranges: dict[Grain, list[tuple[int, str, int, int]]] = {grain: [] for grain in Grain}
    for line, chunks in wanted.items():
        timeline = timelines[line]
        for chunk in set(chunks) - timeline.loaded:
            _, start, stop = buckets_of(chunk, timeline.clock)
            ranges[chunk.grain].append((line.brand_id, line.cut, start, stop))
            timeline.loaded.add(chunk)
    for grain, rows in ranges.items():
        if rows:
            found = await connection.fetch(
                _SELECT.format(table=TABLE[grain]), *map(list, zip(*rows, strict=True)), known_on
            )
            _put(timelines, grain, found)


def _put(timelines: Mapping[Line, Timeline], grain: Grain, rows: Iterable[Row]) -> None:
    for brand_id, cut, bucket, known_on, totals in rows:
        timelines[Line(brand_id, cut)].put(grain, bucket, known_on, unpack(totals))
