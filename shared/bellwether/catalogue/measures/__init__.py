"""Measures: what the stream is folded into, as data.

A measure names the event types it is made from, which of their events, and how one event
counts. Fields are named as in the event's body; names that start with `@` are facts that the
fold derives from the event:

- `@own`: whether a mention is of the brand itself rather than of a competitor
- `@sentiment`: the score of the text in ten-thousandths, from the source where it gives one
- `@sentiment_label`: positive, neutral or negative
- `@author`: the id of the author
- `@social`: whether a session came from a social network (`social_origins`)
- `@on_plan`: whether content was published within 24 hours of the moment planned
- `@score`: a score's place on its scale, in millionths: 0 at the lowest, 1,000,000 at the highest
"""

from __future__ import annotations

from bellwether.catalogue.measures import business, community, content, governance
from bellwether.catalogue.measures.content import CONTENT_COUNTERS, INTERACTION_COUNTERS
from bellwether.catalogue.measures.measure import Audience, Fold, Measure, Where

__all__ = [
    "BY_KEY",
    "CONTENT_COUNTERS",
    "INTERACTION_COUNTERS",
    "MEASURES",
    "Audience",
    "Fold",
    "Measure",
    "Where",
    "measure_of",
]

MEASURES: tuple[Measure, ...] = (
    *content.MEASURES,
    *community.MEASURES,
    *business.MEASURES,
    *governance.MEASURES,
)

BY_KEY: dict[str, Measure] = {measure.key: measure for measure in MEASURES}


def measure_of(key: str) -> Measure | None:
    """The measure of that key; of `key@value` the one that is kept by a field. None if there is none."""
    plain, at, value = key.partition("@")
    found = BY_KEY.get(plain)
    return None if found is None or (at and not (value and found.by)) else found
