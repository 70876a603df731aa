"""What a content item earned, from the set of its events: the oracle's part of the rules for content.

A counter comes from interactions or from snapshots, never from both: where any snapshot shows it, snapshots are its
truth. Between two snapshots the difference counts at the later one, and a fall is a correction that takes nothing
from the brand. The first snapshot counts if it was taken within two days of a known publication; else it only says
where counting starts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from tests.support.oracle_conversations import bin_name

_INTERACTIONS = ("reactions", "comments", "shares", "saves", "clicks", "votes")
_PLURAL = {
    "reaction": "reactions",
    "comment": "comments",
    "share": "shares",
    "save": "saves",
    "click": "clicks",
    "view": "views",
    "vote": "votes",
}
_SIGN = {"add": 1, "edit": 0, "remove": -1}
_FRESH_S = 2 * 86_400


class Gain(NamedTuple):
    """What a counter gained at a moment: `counted` for the brand, `earned` by the item."""

    moment: int
    measure: str
    counted: int
    earned: int


class Content:
    """All that was told of one content item, or of interactions without one."""

    def __init__(self) -> None:
        self.is_item = False
        self.published_at: int | None = None
        self._interactions: list[tuple[int, str, int]] = []
        self._snapshots: dict[str, dict[int, int]] = {}

    def take(self, kind: str, moment: int, data: dict[str, Any], read_moment: Callable[[str], int]) -> None:
        """Take an event; one that is not about content changes nothing."""
        match kind:
            case "social.content.published.v1":
                self.is_item = True
                if not data.get("ugc"):
                    known = self.published_at
                    self.published_at = moment if known is None else min(known, moment)
            case "social.interaction.v1":
                self.is_item = True
                amount = _SIGN[data.get("op", "add")] * data.get("count", 1)
                self._interactions.append((moment, _PLURAL[data["kind"]], amount))
            case "social.content.metrics.v1":
                self.is_item = True
                self._observe(read_moment(data["observed_at"]), dict(data["cumulative"]))

    def _observe(self, moment: int, counts: dict[str, int]) -> None:
        """Likes are reactions where those are not told; of two counts at one moment the larger stands."""
        likes = counts.pop("likes", None)
        if likes is not None:
            counts.setdefault("reactions", likes)
        for counter, count in counts.items():
            shown = self._snapshots.setdefault(counter, {})
            shown[moment] = max(count, shown.get(moment, 0))

    def gains(self) -> Iterator[Gain]:
        """Everything gained; interactions of all kinds once more under `interactions`."""
        for gain in self._by_counter():
            yield gain
            if gain.measure in _INTERACTIONS:
                yield gain._replace(measure="interactions")

    def _by_counter(self) -> Iterator[Gain]:
        for moment, counter, amount in self._interactions:
            if counter not in self._snapshots:
                yield Gain(moment, counter, amount, amount)
        for counter, shown in self._snapshots.items():
            history = sorted(shown.items())
            first_at, first = history[0]
            fresh = self.published_at is not None and first_at - self.published_at <= _FRESH_S
            yield Gain(first_at, counter, first if fresh else 0, first)
            for (_, before), (moment, count) in pairwise(history):
                yield Gain(moment, counter, max(0, count - before), count - before)

    def cohort(self, followers: int | None) -> Iterator[tuple[str, int]]:
        """What counts at the moment of publication: the item, and all it has earned since."""
        earned: Counter[str] = Counter()
        for gain in self._by_counter():
            earned[gain.measure] += gain.earned
        interactions = sum(earned[counter] for counter in _INTERACTIONS)
        yield "items", 1
        yield "item_interactions", interactions
        for counter, word in (("reach", "reached"), ("impressions", "displayed"), ("views", "viewed")):
            if earned[counter] > 0:
                yield f"item_{counter}", earned[counter]
                yield f"item_interactions_{word}", interactions
        if followers is not None:
            yield "item_followers", followers
            yield "item_interactions_followed", interactions
        if followers:
            rate = max(0, math.floor(Fraction(interactions * 1_000_000, followers)))
            yield "item_rate_n", 1
            yield "item_rate_sum", rate
            yield f"item_rate[{bin_name(rate)}]", 1
