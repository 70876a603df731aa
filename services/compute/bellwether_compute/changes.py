"""What a batch changes, in memory, before it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from bellwether.domain.totals import Totals
from bellwether_compute.content import Item
from bellwether_compute.conversations import Answer, Conversation, Received
from bellwether_compute.groups import RollupRow
from bellwether_compute.state import BrandState, ConversationKey, ItemKey
from bellwether_compute.taking import LeftOut


class Receipt(NamedTuple):
    """What became of a message, and the local days on which it and its answer were recorded.

    Of what a batch leaves as it was, the stored day stands.
    """

    received: Received
    known_on: int
    answer: Answer | None = None
    answer_known_on: int | None = None


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
    seen: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)
    outcomes: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)
    moved: dict[tuple[BrandState, str], int] = field(default_factory=dict)
    """When the intake took the oldest event that moved a brand and cut, in ms."""

    def note(self, brand: BrandState, cuts: Iterable[str], timestamp: int) -> None:
        """Something of a brand moved in these cuts; the intake took it at `timestamp`, in ms."""
        brand.fresh_to = max(brand.fresh_to, timestamp // 1000)
        for cut in cuts:
            before = self.moved.get((brand, cut))
            self.moved[brand, cut] = timestamp if before is None else min(before, timestamp)
