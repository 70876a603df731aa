"""What a batch changes, in memory, before it is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from bellwether.adapters.postgres.incidents import StoredStep
from bellwether.domain.totals import Totals
from bellwether.wire.events import (
    AudienceJoined,
    AudienceLeft,
    ContentPublished,
    Interaction,
    Mention,
    MessageReceived,
)
from bellwether_compute.acts import Act
from bellwether_compute.affairs import Entity, EntityKey
from bellwether_compute.authors import Author
from bellwether_compute.content import Item
from bellwether_compute.contributions import Cuts
from bellwether_compute.conversations import Conversation, Standing
from bellwether_compute.detector_rows import Moved
from bellwether_compute.groups import RollupRow
from bellwether_compute.incidents import Incident
from bellwether_compute.integrity import Mark, Show, Trace, TraceKey
from bellwether_compute.markers import Marked, Marker
from bellwether_compute.measuring import Derived
from bellwether_compute.money import Rate
from bellwether_compute.state import BrandState, ConversationKey, ItemKey
from bellwether_compute.taking import LeftOut, Taken

_OF_PEOPLE = frozenset({AudienceJoined, AudienceLeft, ContentPublished, Interaction, Mention, MessageReceived})


class Receipt(NamedTuple):
    """What became of a message, and the local days on which it and its answer were recorded.

    Of what a batch leaves as it was, the stored day stands.
    """

    standing: Standing
    known_on: int
    answer_known_on: int | None = None


class Heard(NamedTuple):
    """An event with its derived facts, for what is settled of the people behind it after the fold."""

    taken: Taken
    derived: Derived


@dataclass(slots=True)
class Changes:
    """Everything a batch changes, by what it is kept under."""

    rollups: dict[RollupRow, Totals] = field(default_factory=dict)
    levels: dict[tuple[BrandState, str, str, str, int], tuple[int, int, tuple[str, ...]]] = field(default_factory=dict)
    items: dict[tuple[BrandState, ItemKey], Item] = field(default_factory=dict)
    points: dict[tuple[BrandState, ItemKey, int, int], Counter[str]] = field(default_factory=dict)
    """By item, minute and the local day of recording."""
    conversations: dict[tuple[BrandState, ConversationKey], Conversation] = field(default_factory=dict)
    receipts: dict[tuple[BrandState, ConversationKey, str], Receipt] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    identities: dict[int, bytes] = field(default_factory=dict)
    """Of new events, by the ids in memory of their records."""
    acts: list[Act] = field(default_factory=list)
    authors: dict[tuple[BrandState, str], Author] = field(default_factory=dict)
    traces: dict[tuple[BrandState, TraceKey], Trace] = field(default_factory=dict)
    shows: dict[tuple[BrandState, ItemKey], Show] = field(default_factory=dict)
    marks: dict[tuple[BrandState, str], Mark] = field(default_factory=dict)
    recut: dict[tuple[BrandState, ItemKey], int] = field(default_factory=dict)
    """Items that count in other cuts than before, and when that was recorded, UTC seconds."""
    moved_marks: dict[tuple[BrandState, str], tuple[str, ...]] = field(default_factory=dict)
    """The new cuts of stored marks, with the total."""
    entities: dict[tuple[BrandState, EntityKey], Entity] = field(default_factory=dict)
    rates: list[tuple[BrandState, Rate]] = field(default_factory=list)
    markers: dict[tuple[BrandState, Marker, int], Marked] = field(default_factory=dict)
    """By marker and the local day of recording."""
    steps: list[StoredStep] = field(default_factory=list)
    incidents: dict[tuple[BrandState, str], Incident] = field(default_factory=dict)
    """Crises of which a step was told."""
    detectors: dict[tuple[BrandState, str], Moved] = field(default_factory=dict)
    """By brand and cut."""
    detected: list[int] = field(default_factory=list)
    """When the intake took the texts with which detectors opened a crisis, in ms."""
    replies: set[tuple[BrandState, int]] = field(default_factory=set)
    seen: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)
    outcomes: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)
    moved: dict[tuple[BrandState, str], int] = field(default_factory=dict)
    """When the intake took the oldest event that moved a brand and cut, in ms."""
    _noted: dict[tuple[BrandState, Cuts], int] = field(default_factory=dict)
    """The same by cuts that were noted together."""

    def parts_detected(self) -> set[int]:
        """The partitions of the brands whose detectors moved."""
        return {brand.part for brand, _ in self.detectors}

    def hear(self, taken: Taken, derived: Derived) -> None:
        """Keep an event for what it says of the people behind it, if it may say something."""
        if type(taken.event) in _OF_PEOPLE:
            self.heard.append(Heard(taken, derived))

    def note(self, brand: BrandState, cuts: Cuts, timestamp: int) -> None:
        """Something of a brand moved in these cuts; the intake took it at `timestamp`, in ms."""
        brand.fresh_to = max(brand.fresh_to, timestamp // 1000)
        oldest = self._noted.get((brand, cuts))
        if oldest is not None and oldest <= timestamp:
            return
        self._noted[brand, cuts] = timestamp
        for cut in cuts:
            before = self.moved.get((brand, cut))
            self.moved[brand, cut] = timestamp if before is None else min(before, timestamp)
