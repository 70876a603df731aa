"""What a brand has going on that takes more than one event to tell, besides items and conversations.

Loaded in part and dropped again like everything in memory: rates, markers and crises are few and all there,
the rest comes and goes by key.
"""

from __future__ import annotations

from typing import NamedTuple

from bellwether.domain.incidents import Interval, Step, in_order
from bellwether_compute.ads import AdsPeriod
from bellwether_compute.cases import ConflictCase, ModerationCase, PaidCollaboration
from bellwether_compute.incidents import Incident
from bellwether_compute.markers import Markers
from bellwether_compute.money import Rates
from bellwether_compute.prices import Entry

Entity = ConflictCase | ModerationCase | PaidCollaboration | AdsPeriod | Entry
"""What is kept by key, packed into one column."""
KINDS: dict[str, type[Entity]] = {
    "conflict": ConflictCase,
    "moderation": ModerationCase,
    "collaboration": PaidCollaboration,
    "ads": AdsPeriod,
    "price": Entry,
}


class EntityKey(NamedTuple):
    """Names an entity of a brand; `kind` is one of KINDS."""

    kind: str
    entity_id: str


class Affairs:
    """The affairs of one brand.

    reporting: the currency of its reports
    replies: moments of public messages of the brand, ascending; those of this batch, and the first one after
        every opening of a crisis in it
    untold: crises of which the stored account does not hold all steps
    """

    def __init__(self, reporting: str) -> None:
        self.reporting = reporting
        self.rates = Rates(reporting)
        self.markers = Markers()
        self.incidents: dict[str, Incident] = {}
        self.entities: dict[EntityKey, Entity] = {}
        self.replies: list[int] = []
        self.untold: set[str] = set()
        self._crises: dict[str, list[Interval]] = {}

    def report_in(self, currency: str) -> None:
        """Go on in another currency, as long as nothing is counted."""
        self.reporting, self.rates = currency, Rates(currency, self.rates.told)

    def entity(self, key: EntityKey) -> Entity:
        """The entity of a key; one that was never told of is new."""
        found = self.entities.get(key)
        if found is None:
            found = self.entities[key] = KINDS[key.kind]()
        return found

    def incident(self, incident_id: str) -> Incident:
        """A crisis by its id; one that was never told of is new."""
        return self.incidents.setdefault(incident_id, Incident())

    def take_step(self, incident_id: str, step: Step, recorded_at: int) -> None:
        """Take a step of a crisis, recorded at a moment in UTC seconds."""
        self.incident(incident_id).take(step, recorded_at)
        self._crises.clear()

    def crises(self, cut: str) -> list[Interval]:
        """While crises of a cut were open, ascending."""
        found = self._crises.get(cut)
        if found is None:
            spans = (span for one in self.incidents.values() if cut in one.cuts() for span in one.open())
            found = self._crises[cut] = in_order(spans)
        return found

    def forget_surplus(self, most: int) -> None:
        """Drop the longest loaded entities beyond `most`, and what is stored by now."""
        for key in list(self.entities)[: max(0, len(self.entities) - most)]:
            del self.entities[key]
        self.replies.clear()
        self.untold.clear()
