"""Writes what a brand has going on: entities, rates, markers, crises and public replies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from bellwether.adapters.postgres.alerts import write_alerts
from bellwether.adapters.postgres.incidents import StoredAccount, write_accounts, write_steps
from bellwether.adapters.postgres.pool import Connection
from bellwether_compute.changes import Changes
from bellwether_compute.contributions import extent
from bellwether_compute.incident_alerts import alerts_of
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
    await write_steps(connection, changes.steps)
    await write_accounts(connection, _accounts(changes))
    await write_alerts(connection, list(alerts_of(changes)))
    await _write(connection, _REPLIES, ((brand.brand.brand_id, sent_at) for brand, sent_at in changes.replies))


def _accounts(changes: Changes) -> Iterator[StoredAccount]:
    """Of crises of which a step was told, and of those whose account was told from fewer steps than there are."""
    brands = {brand for brand, _ in changes.moved}
    untold = {(brand, name): brand.affairs.incident(name) for brand in brands for name in brand.affairs.untold}
    for (brand, incident_id), incident in {**untold, **changes.incidents}.items():
        if (told := incident.stored(brand.brand.brand_id, incident_id)) is not None:
            yield told


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
