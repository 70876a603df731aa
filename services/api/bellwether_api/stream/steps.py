"""Steps of crises as they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.news import NewWord
from bellwether_api.incidents import Incidents
from bellwether_api.stream.shapes import IncidentUpdate


async def told_of(
    incidents: Incidents, brands: Mapping[int, Brand], words: Sequence[NewWord]
) -> list[tuple[NewWord, str]]:
    """What is told of each word, as JSON on one line, in their order. Raises Unavailable."""
    wanted = {(word.brand_id, word.source, word.event_id) for word in words}
    found: dict[tuple[int, str, str], str] = {}
    for brand_id, incident_id in dict.fromkeys((word.brand_id, word.incident_id) for word in words):
        brand = brands[brand_id]
        incident, steps = await incidents.standing(brand, incident_id)
        for step in steps:
            if (name := (brand_id, step.source, step.event_id)) in wanted:
                found[name] = msgspec.json.encode(IncidentUpdate(brand.slug, incident, step)).decode()
    return [(word, found[word.brand_id, word.source, word.event_id]) for word in words]
