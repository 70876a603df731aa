"""From events to what is kept of people: deeds of authors, and sightings by the rules of the screen."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from hashlib import blake2b

from bellwether.catalogue.cuts import cuts_of
from bellwether.catalogue.measures import INTERACTION_COUNTERS
from bellwether.catalogue.screen import NEW_ACCOUNT_S, SHORTEST_TEXT
from bellwether.wire.events import AudienceJoined, AudienceLeft, Event, Interaction, Mention
from bellwether_compute.authors import Deed
from bellwether_compute.content import COUNTER_OF_KIND
from bellwether_compute.dedup import identity_of
from bellwether_compute.integrity import Sighting, TracedSighting, TraceKey
from bellwether_compute.measuring import Derived
from bellwether_compute.taking import Taken

JOINED, LEFT = "joined", "left"
_SIGN = {"add": 1, "edit": 0, "remove": -1}


def deed_of(taken: Taken, derived: Derived) -> Deed | None:
    """What an event counts as if its author is an advocate; None for nothing."""
    interactions = _interactions(taken.event)
    if not interactions and derived.label is None:
        return None
    return Deed(taken.time, cuts_of(taken.event.data), interactions, derived.label or "")


def is_praise(event: Event, derived: Derived) -> bool:
    """Whether an event is a positive mention of the brand itself."""
    return type(event) is Mention and derived.own and derived.label == "positive"


def _interactions(event: Event) -> int:
    """How many interactions an event adds, negative where it takes back; views are none."""
    if type(event) is not Interaction or COUNTER_OF_KIND[event.data.kind] not in INTERACTION_COUNTERS:
        return 0
    return _SIGN[event.data.op] * event.data.count


def sightings_of(taken: Taken) -> list[TracedSighting]:
    """What the rules see of an event by itself."""
    event = taken.event
    if isinstance(event, Interaction):
        return _interaction_seen(taken, event) if _interactions(event) > 0 else []
    if isinstance(event, AudienceJoined | AudienceLeft):
        return _membership_seen(taken, event)
    return []


def visit_of(taken: Taken) -> Sighting | None:
    """An interaction of a named author with an item; None for any other event."""
    event = taken.event
    if not isinstance(event, Interaction) or _interactions(event) <= 0:
        return None
    author, item = event.data.author, event.data.content_id
    if author is None or item is None:
        return None
    return _Seen(taken, item, author.id, event.data.count).as_(item)


def _interaction_seen(taken: Taken, event: Interaction) -> list[TracedSighting]:
    data = event.data
    author, item = data.author.id if data.author else "", data.content_id or ""
    said = text_key(data.text) if data.kind == "comment" and data.text else None
    if not (author and item) and said is None:
        return []
    seen = _Seen(taken, item, author, data.count)
    found: list[TracedSighting] = []
    if author and item:
        found.append((TraceKey("spree", f"{data.channel} {author}"), seen.as_(item)))
        if _is_new_or_empty(taken):
            found.append((TraceKey("burst", f"{data.channel} {item}"), seen.as_(author)))
    if said is not None:
        found.append((TraceKey("same_text", said), seen.as_(author)))
    return found


def _membership_seen(taken: Taken, event: AudienceJoined | AudienceLeft) -> list[TracedSighting]:
    data, joins = event.data, isinstance(event, AudienceJoined)
    audience = f"{data.channel} {data.audience}"
    seen = _Seen(taken, data.member_id, data.author.id if data.author else "", int(joins))
    found = [(TraceKey("churn", f"{audience} {data.member_id}"), seen.as_(JOINED if joins else LEFT))]
    if joins and _is_new_or_empty(taken):
        found.append((TraceKey("join_burst", audience), seen.as_(data.member_id)))
    return found


class _Seen:
    """An event on its way into traces: what is the same in all of them."""

    def __init__(self, taken: Taken, about: str, author: str, count: int) -> None:
        self._moment, self._mark_id = taken.time, mark_id_of(taken)
        self._rest = (about, author, count, cuts_of(taken.event.data))

    def as_(self, what: str) -> Sighting:
        """A sighting in which a rule counts this."""
        return Sighting(self._moment, self._mark_id, what, *self._rest)


def mark_id_of(taken: Taken) -> str:
    """The name of an event's mark, if it gets one: stable, since it is made of the event's identity."""
    return identity_of(taken.brand.brand.brand_id, taken.event.source, taken.event.id).hex()


def _is_new_or_empty(taken: Taken) -> bool:
    """Whether the author's account has no followers, or was new at the moment of the event."""
    author = taken.event.data.author
    if author is None:
        return False
    if author.followers == 0:
        return True
    return author.created_at is not None and taken.time - author.created_at.timestamp() < NEW_ACCOUNT_S


@lru_cache(maxsize=16_384)
def text_key(text: str) -> str | None:
    """A name for what a text says, whatever its case, spacing, punctuation and emoji; None if it is too short."""
    said = "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
    return blake2b(said.encode(), digest_size=16).hexdigest() if len(said) >= SHORTEST_TEXT else None
