"""Loads what a brand has going on: rates, markers and crises once, entities as a batch needs them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from bellwether.adapters.postgres.incidents import STEPS, stored_step
from bellwether.adapters.postgres.pool import Connection
from bellwether.domain.incidents import opening
from bellwether.wire.events import CrisisIncident
from bellwether_compute.affairs import KINDS, EntityKey
from bellwether_compute.markers import Marked, Marker
from bellwether_compute.matters import entity_key, rate_of
from bellwether_compute.money import Rate
from bellwether_compute.state import BrandState
from bellwether_compute.taking import Taken

_DECODERS = {name: msgspec.msgpack.Decoder(kind) for name, kind in KINDS.items()}
_END_OF_TIME = 2**62

_RATES = "SELECT brand_id, base, quote, valid_from, told_at, rate FROM currency_rate WHERE brand_id = ANY($1::int[])"
_MARKERS = "SELECT brand_id, name, subject, moment, cuts, known_on FROM marker WHERE brand_id = ANY($1::int[])"
_STEPS = f"{STEPS} WHERE s.brand_id = ANY($1::int[])"
_TOLD = "SELECT brand_id, incident_id, steps FROM incident WHERE brand_id = ANY($1::int[])"
_FIRST_REPLIES = """
    SELECT brand_id, (SELECT min(sent_at) FROM public_reply r WHERE r.brand_id = o.brand_id AND r.sent_at > o.at)
    FROM unnest($1::int[], $2::bigint[]) AS o(brand_id, at)
"""
_ENTITIES = """
    SELECT e.brand_id, e.kind, e.entity_id, e.state
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted(brand_id, kind, entity_id)
    JOIN entity e USING (brand_id, kind, entity_id)
"""
# What counts some of its amounts between a rate and the next one of the currency.
_REPRICED = """
    SELECT DISTINCT e.brand_id, e.kind, e.entity_id, e.state
    FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[]) AS told(brand_id, currency, start, stop)
    JOIN entity e ON e.brand_id = told.brand_id AND e.currencies <> '{}' AND told.currency = ANY(e.currencies)
        AND e.last_at >= told.start AND e.first_at < told.stop
"""

Brands = Mapping[int, BrandState]


async def load_affairs(connection: Connection, brands: Brands) -> None:
    """Load the rates, markers and crises of brands of which nothing is in memory."""
    for brand_id, *rate in await connection.fetch(_RATES, list(brands)):
        brands[brand_id].affairs.rates.put(Rate(*rate))
    for brand_id, name, subject, moment, cuts, known_on in await connection.fetch(_MARKERS, list(brands)):
        brands[brand_id].affairs.markers.put(Marker(name, subject), Marked(moment, tuple(cuts), known_on))
    await _load_crises(connection, brands)


async def _load_crises(connection: Connection, brands: Brands) -> None:
    for told in map(stored_step, await connection.fetch(_STEPS, list(brands))):
        brands[told.brand_id].affairs.take_step(told.incident_id, told.step, told.recorded_at or told.step.at)
    told_from = {(row[0], row[1]): row[2] for row in await connection.fetch(_TOLD, list(brands))}
    openings = []
    for brand_id, brand in brands.items():
        for incident_id, incident in brand.affairs.incidents.items():
            if opened := opening(incident.steps):
                openings.append((brand, opened.at))
            if opened and told_from.get((brand_id, incident_id)) != len(incident.steps):
                brand.affairs.untold.add(incident_id)
    await load_first_replies(connection, openings)
    for brand in brands.values():
        for incident in brand.affairs.incidents.values():
            incident.hear(brand.affairs.replies)


async def load_entities(connection: Connection, brands: Brands, fresh: Sequence[Taken]) -> None:
    """Load the entities that these events are about, or whose amounts their rates may convert."""
    wanted = {
        (taken.brand.brand.brand_id, *key)
        for taken in fresh
        if (key := entity_key(taken.event, taken.brand.affairs.reporting)) and key not in taken.brand.affairs.entities
    }
    await _fetch_entities(connection, brands, _ENTITIES, wanted)
    await _fetch_entities(connection, brands, _REPRICED, set(_validities(fresh)))
    await load_first_replies(
        connection,
        [(t.brand, t.time) for t in fresh if isinstance(t.event, CrisisIncident) and t.event.data.phase == "opened"],
    )


async def _fetch_entities(
    connection: Connection, brands: Brands, query: str, wanted: Collection[tuple[object, ...]]
) -> None:
    if wanted:
        columns = [list(column) for column in zip(*wanted, strict=True)]
        for brand_id, kind, entity_id, state in await connection.fetch(query, *columns):
            brands[brand_id].affairs.entities.setdefault(EntityKey(kind, entity_id), _DECODERS[kind].decode(state))


def _validities(fresh: Sequence[Taken]) -> Iterator[tuple[int, str, int, int]]:
    """Of every rate its brand, its currency, and from when to when it is valid at most."""
    for taken in fresh:
        rates = taken.brand.affairs.rates
        if (rate := rate_of(taken)) and (currency := rates.currency_of(rate.base, rate.quote)):
            stop = rates.next_after(currency, rate.valid_from) or _END_OF_TIME
            yield taken.brand.brand.brand_id, currency, rate.valid_from, stop


async def load_first_replies(connection: Connection, openings: Sequence[tuple[BrandState, int]]) -> None:
    """Load the first public message after every opening of a crisis."""
    if not openings:
        return
    brands = {brand.brand.brand_id: brand for brand, _ in openings}
    columns = [brand.brand.brand_id for brand, _ in openings], [at for _, at in openings]
    for brand_id, sent_at in await connection.fetch(_FIRST_REPLIES, *columns):
        if sent_at is not None:
            insort(brands[brand_id].affairs.replies, sent_at)
