"""Advocates: authors who have spoken well of the brand again and again, and what they do from then on.

Since when an author is an advocate, and what counts as an advocate's, is a function of the set
of the author's events, not of the order of their arrival: where a late mention makes somebody an
advocate earlier, what lies between counts as an advocate's, too.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

import msgspec

from bellwether.domain.totals import Totals

ADVOCATE_FROM = 3
"""So many positive mentions of the brand make an author an advocate, from the moment of the last of them."""
ACTS_KEPT = 256
"""The latest acts of an author that are kept at least, in case a late mention makes them an advocate's.
What was forgotten before stays what it was."""


class Deed(msgspec.Struct, array_like=True, frozen=True, order=True):
    """Something an author did at a moment (UTC seconds), and the cuts it counts in.

    interactions: how many, negative where taken back
    sentiment: how the text sounds, '' where there is none
    """

    moment: int
    cuts: tuple[str, ...]
    interactions: int = 0
    sentiment: str = ""

    def totals(self) -> Totals:
        """What it counts as, done by an advocate."""
        found: Totals = {"advocate_interactions": self.interactions} if self.interactions else {}
        if self.sentiment:
            found["advocate_sentiment_n"] = 1
            if self.sentiment != "neutral":
                found[f"advocate_{self.sentiment}_n"] = 1
        return found


class Author(msgspec.Struct, array_like=True):
    """One author of a brand.

    praised: the moments of the earliest positive mentions, ascending, at most ADVOCATE_FROM
    deeds: ascending, what the author did before acts had rows of their own
    """

    praised: list[int] = []
    deeds: list[Deed] = []

    @property
    def advocate_since(self) -> int | None:
        """The moment from which on the author is an advocate, None if not (yet)."""
        return self.praised[-1] if len(self.praised) == ADVOCATE_FROM else None

    def praise(self, moment: int) -> Iterator[Deed]:
        """Take a positive mention of the brand; gives the old deeds that count as an advocate's by it."""
        insort(self.praised, moment)
        del self.praised[ADVOCATE_FROM:]
        if (since := self.advocate_since) is not None:
            first = bisect_left(self.deeds, since, key=_moment)
            released = self.deeds[first:]
            del self.deeds[first:]
            yield from released


def _moment(deed: Deed) -> int:
    return deed.moment
