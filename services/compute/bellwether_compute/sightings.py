"""From events to what is kept of people: acts of authors, and sightings by the rules of the screen."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b

from bellwether.catalogue.cuts import cuts_of
from bellwether.catalogue.measures import INTERACTION_COUNTERS
from bellwether.catalogue.screen import NEW_ACCOUNT_S, SHORTEST_TEXT
from bellwether.wire.events import (
    AudienceJoined,
    AudienceLeft,
    ContentPublished,
    Event,
    Interaction,
    InteractionData,
    Mention,
    MessageReceived,
)
from bellwether_compute.acts import Act, joined_by, split
from bellwether_compute.content import COUNTER_OF_KIND
from bellwether_compute.dedup import identity_of
from bellwether_compute.integrity import Sighting, TracedSighting, TraceKey
from bellwether_compute.measuring import Derived
from bellwether_compute.state import ItemKey
from bellwether_compute.taking import Taken

Identities = Mapping[int, bytes]
"""Identities of events that are known already, by the ids in memory of their records."""
ActOf = Callable[[Taken, Derived, Identities], Act | None]

JOINED, LEFT = "joined", "left"
_SIGN = {"add": 1, "edit": 0, "remove": -1}
_INTERACTS = {kind: counter in INTERACTION_COUNTERS for kind, counter in COUNTER_OF_KIND.items()}
"""By kind whether it is an interaction; views are none."""
_SPARED = bytes(code for code in range(128) if not chr(code).isalnum())
"""What is no letter and no digit of ASCII."""


def _act_of_interaction(taken: Taken, derived: Derived, identities: Identities) -> Act | None:
    data: InteractionData = taken.event.data  # type: ignore[assignment]
    author, item, label = derived.author or "", data.content_id or "", derived.label or ""
    interactions = _SIGN[data.op] * data.count if _INTERACTS[data.kind] else 0
    said = text_key(data.text) if interactions > 0 and data.text and data.kind == "comment" else None
    if not author:
        return None if said is None else _act(taken, identities, "", item, (interactions, "", said, False, False))
    if interactions <= 0 or not item:
        told = (interactions, label, said, False, False)
        return _act(taken, identities, author, item, told) if interactions or label else None
    known = taken.brand.items.get((data.channel, item))
    is_visit = known is None or known.published_at is None
    return _act(taken, identities, author, item, (interactions, label, said, _is_new_or_empty(taken), is_visit))


def _act_of_text(taken: Taken, derived: Derived, identities: Identities) -> Act | None:
    if derived.author is None or derived.label is None:
        return None
    return _act(taken, identities, derived.author, "", (0, derived.label, None, False, False))


def _act(
    taken: Taken,
    identities: Identities,
    author: str,
    item: str,
    told: tuple[int, str, bytes | None, bool, bool],
) -> Act:
    record, brand, event, moment = taken
    data, brand_id = event.data, brand.brand.brand_id
    identity = identities.get(id(record)) or identity_of(brand_id, event.source, event.id)
    cuts = joined_by(data.channel, data.campaign, data.content_type, data.owner, data.influencer)
    return Act(brand_id, author, moment, identity, data.channel, item, cuts, *told, record.timestamp // 1000)


ACTS: Mapping[type, ActOf] = {
    Interaction: _act_of_interaction,
    Mention: _act_of_text,
    MessageReceived: _act_of_text,
}
"""By type of event how it is read as an act of its author; what neither advocates nor the screen ask for is None."""


def is_praise(event: Event, derived: Derived) -> bool:
    """Whether an event is a positive mention of the brand itself."""
    return type(event) is Mention and derived.own and derived.label == "positive"


def users_item(event: Event) -> ItemKey | None:
    """The item whose publication by a named user an event tells of; None for any other event."""
    if type(event) is not ContentPublished or not event.data.ugc or event.data.author is None:
        return None
    return event.data.channel, event.data.content_id


def seen_as(act: Act, what: str) -> Sighting:
    """An interaction as a rule sees it that counts this."""
    told = (act.subject, act.author, act.interactions, split(act.cuts))
    return Sighting(act.moment, act.mark_id.hex(), what, *told)


def membership_seen(taken: Taken) -> list[TracedSighting]:
    """What the rules see of somebody who joins or leaves; nothing of any other event."""
    event = taken.event
    if type(event) is not AudienceJoined and type(event) is not AudienceLeft:
        return []
    data, joins = event.data, type(event) is AudienceJoined
    audience, author = f"{data.channel} {data.audience}", data.author.id if data.author else ""
    rest = (data.member_id, author, int(joins), cuts_of(data))
    moment, mark_id = taken.time, mark_id_of(taken)
    churn = Sighting(moment, mark_id, JOINED if joins else LEFT, *rest)
    found = [(TraceKey("churn", f"{audience} {data.member_id}"), churn)]
    if joins and _is_new_or_empty(taken):
        found.append((TraceKey("join_burst", audience), Sighting(moment, mark_id, data.member_id, *rest)))
    return found


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
def text_key(text: str) -> bytes | None:
    """A name for what a text says, whatever its case, spacing, punctuation and emoji; None if it is too short."""
    said = _said(text)
    return blake2b(said, digest_size=16).digest() if said is not None else None


def _said(text: str) -> bytes | None:
    """The letters and digits of a text, None for too few."""
    if text.isascii():
        ascii_said = text.lower().encode().translate(None, _SPARED)
        return ascii_said if len(ascii_said) >= SHORTEST_TEXT else None
    said = "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
    return said.encode() if len(said) >= SHORTEST_TEXT else None
