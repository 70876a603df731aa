"""Writes what a brand has going on: entities, rates, markers, crises and public replies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from bellwether.adapters.postgres.pool import Connection
from bellwether_compute.changes import Changes
from bellwether_compute.contributions import extent
from bellwether_compute.money import Rate
from bellwether_compute.state import BrandState

_ENTITIES = """
    INSERT INTO entity (brand_id, kind, entity_id, state, currencies, first_at, last_at)
    SELECT b, k, e, s, string_to_array(c, ','), f, l FROM unnest($1::int[], $2::text[], $3::text[], $4::bytea[],
        $5::text[], $6::bigint[], $7::bigint[]) AS told(b, k, e, s, c, f, l)
    ON CONFLICT (brand_id, kind, entity_id) DO UPDATE SET state = excluded.state, currencies = excluded.currencies,
        first_at = excluded.first_at, last_at = excluded.last_at
"""
_RATES = """
    INSERT INTO currency_rate AS stored (brand_id, base, quote, valid_from, told_at, rate)
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::numeric[])
    ON CONFLICT (brand_id, base, quote, valid_from) DO UPDATE SET told_at = excluded.told_at, rate = excluded.rate
    WHERE (excluded.told_at, excluded.rate) > (stored.told_at, stored.rate)
"""
_MARKERS = """
    INSERT INTO marker AS stored (brand_id, name, subject, known_on, moment, cuts)
    SELECT b, n, s, k, m, ARRAY(SELECT jsonb_array_elements_text(c))
    FROM unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::jsonb[]) AS told(b, n, s, k, m, c)
    ON CONFLICT (brand_id, name, subject, known_on) DO UPDATE SET moment = excluded.moment, cuts = excluded.cuts
    WHERE (excluded.moment, excluded.cuts) < (stored.moment, stored.cuts)
"""
_STEPS = """
    INSERT INTO crisis_step AS stored (brand_id, incident_id, at, phase, cuts, known_on)
    SELECT b, i, a, p, ARRAY(SELECT jsonb_array_elements_text(c)), k
    FROM unnest($1::int[], $2::text[], $3::bigint[], $4::text[], $5::jsonb[], $6::int[]) AS told(b, i, a, p, c, k)
    ON CONFLICT (brand_id, incident_id, at, phase) DO UPDATE
    SET cuts = least(stored.cuts, excluded.cuts), known_on = least(stored.known_on, excluded.known_on)
"""
_REPLIES = """
    INSERT INTO public_reply (brand_id, sent_at) SELECT * FROM unnest($1::int[], $2::bigint[]) ON CONFLICT DO NOTHING
"""


async def write_affairs(connection: Connection, changes: Changes) -> None:
    """Write the affairs that a batch changed, within the transaction of the cycle."""
    await _write(connection, _ENTITIES, _entity_rows(changes))
    await _write(connection, _RATES, ((brand.brand.brand_id, *rate) for brand, rate in _standing(changes.rates)))
    markers = (
        (brand.brand.brand_id, *marker, known_on, mark.moment, _array(mark.cuts))
        for (brand, marker, known_on), mark in changes.markers.items()
    )
    await _write(connection, _MARKERS, markers)
    steps = (
        (brand.brand.brand_id, incident_id, at, phase, _array(cuts), known_on)
        for (brand, incident_id, at, phase), (cuts, known_on) in changes.steps.items()
    )
    await _write(connection, _STEPS, steps)
    await _write(connection, _REPLIES, ((brand.brand.brand_id, sent_at) for brand, sent_at in changes.replies))


async def _write(connection: Connection, query: str, rows: Iterable[Sequence[Any]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        await connection.execute(query, *columns)


def _array(names: Sequence[str]) -> str:
    # An array of arrays of different lengths is none to PostgreSQL, so names travel as JSON.
    return msgspec.json.encode(names).decode()


def _entity_rows(changes: Changes) -> Iterator[tuple[object, ...]]:
    for (brand, key), entity in changes.entities.items():
        currencies, first, last = extent(entity, brand.affairs.reporting)
        state = msgspec.msgpack.encode(entity)
        yield brand.brand.brand_id, *key, state, ",".join(sorted(currencies)), first, last


def _standing(rates: Iterable[tuple[BrandState, Rate]]) -> Iterator[tuple[BrandState, Rate]]:
    """Of the rates of one pair and moment the one that stands: a statement may touch a row once."""
    found: dict[tuple[BrandState, str, str, int], Rate] = {}
    for brand, rate in rates:
        at = (brand, rate.base, rate.quote, rate.valid_from)
        found[at] = max(rate, found.get(at, rate))
    for (brand, *_), rate in found.items():
        yield brand, rate
