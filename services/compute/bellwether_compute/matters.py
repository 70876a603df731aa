"""Which matter of a brand an event is about: a conflict, a price, a period of advertising, a rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bellwether.wire.events import (
    Activity,
    AdsDelivery,
    Collaboration,
    Conflict,
    ContentPublished,
    Conversion,
    Cost,
    CrisisIncident,
    CurrencyRate,
    Event,
    MessageSent,
    Moderation,
)
from bellwether_compute.affairs import EntityKey
from bellwether_compute.money import Rate
from bellwether_compute.prices import price_of
from bellwether_compute.taking import Taken

_PRICED = frozenset({Conversion, Cost})


def _of_collaboration(event: Collaboration) -> EntityKey | None:
    if event.data.phase != "started" or event.data.cost is None:
        return None
    return EntityKey("collaboration", event.data.collaboration_id)


def _of_ads(event: AdsDelivery) -> EntityKey:
    data = event.data
    return EntityKey("ads", f"{event.source} {data.channel} {int(data.from_.timestamp())} {data.campaign}")


_KEYS: dict[type, Callable[[Any], EntityKey | None]] = {
    Conflict: lambda event: EntityKey("conflict", event.data.conflict_id),
    Moderation: lambda event: EntityKey("moderation", event.data.case_id),
    Collaboration: _of_collaboration,
    AdsDelivery: _of_ads,
}

CONCERNED = frozenset({*_KEYS, *_PRICED, Activity, ContentPublished, CrisisIncident, CurrencyRate, MessageSent})
"""The types of events that say something of such a matter."""


def entity_key(event: Event, reporting: str) -> EntityKey | None:
    """The entity that an event belongs to, if any; an amount in the reporting currency needs none."""
    if find := _KEYS.get(type(event)):
        return find(event)
    if type(event) in _PRICED and (price := price_of(event)) and price.currency != reporting:
        return EntityKey("price", f"{event.source} {event.id}")
    return None


def rate_of(taken: Taken) -> Rate | None:
    """The rate that an event tells of, if any."""
    event = taken.event
    if not isinstance(event, CurrencyRate):
        return None
    data = event.data
    valid_from = int(data.valid_from.timestamp()) if data.valid_from else taken.time
    return Rate(data.base, data.quote, valid_from, taken.time, data.rate)


def is_public_reply(event: Event) -> bool:
    """Whether the brand said something for everybody to read."""
    return isinstance(event, MessageSent) and event.data.public
