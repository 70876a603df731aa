"""Operators over the size of audiences, which is a level and never a sum over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from bellwether.catalogue.formula.facts import Facts, Reading, Reason
from bellwether.catalogue.formula.sums import in_unit
from bellwether.catalogue.formula.terms import Terms, names, sum_of
from bellwether.catalogue.measures import Audience

Edge = Literal["start", "end"]


class Latest(msgspec.Struct, frozen=True):
    """The size of audiences at the end of the span: the last snapshot of every account.

    Formula: Σ last count of each account.
    Undefined: no_data before the first snapshot.
    Example: 900 on one and 50 on another account give 950.
    """

    audiences: tuple[Audience, ...]

    def read(self, facts: Facts) -> Reading:
        """The size; n is how many accounts it is the sum of."""
        counts = _counts(facts, self.audiences, "end")
        if not counts:
            return Reading(None, reason=Reason.NO_DATA)
        return Reading(sum(counts), sum(counts), None, len(counts))

    def measures(self) -> tuple[str, ...]:
        """None: audiences are levels."""
        return ()


class NetChange(msgspec.Struct, frozen=True):
    """The size of audiences at the end less that at the start of the span.

    Formula: Σ (count at the end − count at the start), over the accounts known at both ends: one
    that was connected in between has not gained all its followers since.
    Undefined: nothing_before where there is no such account.
    Example: 1,030 after 1,000 gives 30.
    """

    audiences: tuple[Audience, ...]

    def read(self, facts: Facts) -> Reading:
        """The change; denominator is the size at the start, n the number of accounts."""
        start, end, accounts = _both_ends(facts, self.audiences)
        if accounts == 0:
            return Reading(None, reason=Reason.NOTHING_BEFORE)
        return Reading(end - start, end - start, start, accounts)

    def measures(self) -> tuple[str, ...]:
        """None: audiences are levels."""
        return ()


class LevelGrowth(msgspec.Struct, frozen=True):
    """How much audiences have grown since the start of the span.

    Formula: 100 × net change / size at the start, over the accounts known at both ends.
    Undefined: nothing_before where there is no such account or the start is 0.
    Example: 1,030 after 1,000 gives 3.0 (percent).
    """

    audiences: tuple[Audience, ...]

    def read(self, facts: Facts) -> Reading:
        """The growth; numerator is the change, denominator the size at the start."""
        start, end, accounts = _both_ends(facts, self.audiences)
        if start == 0:
            return Reading(None, end - start, start, accounts, Reason.NOTHING_BEFORE)
        return Reading(100 * (end - start) / start, end - start, start, accounts)

    def measures(self) -> tuple[str, ...]:
        """None: audiences are levels."""
        return ()


class PerLevel(msgspec.Struct, frozen=True):
    """A sum over the size of audiences at the start or at the end of the span.

    Formula: scale × Σ numerator / Σ count of each account known then.
    Undefined: where there is no such account, or their counts are 0: nothing_before at the start,
    no_data at the end.
    Example: 20 who left of 1,000 at the start give 2.0 (percent).
    """

    numerator: Terms
    audiences: tuple[Audience, ...]
    at: Edge
    scale: int = 100
    unit: int = 1

    def read(self, facts: Facts) -> Reading:
        """The ratio; denominator and n are the size of the audiences."""
        top, size = sum_of(facts.amounts, self.numerator), sum(_counts(facts, self.audiences, self.at))
        if size == 0:
            reason = Reason.NOTHING_BEFORE if self.at == "start" else Reason.NO_DATA
            return Reading(None, in_unit(top, self.unit), size, 0, reason)
        return Reading(self.scale * top / (self.unit * size), in_unit(top, self.unit), size, size)

    def measures(self) -> tuple[str, ...]:
        """The measures of the numerator."""
        return names(self.numerator)


class Retention(msgspec.Struct, frozen=True):
    """The share of those there at the start who are still there at the end.

    Formula: 100 × (size at the end − joined in between) / size at the start, over the accounts
    known at both ends. More than 100 means that not all who joined were told.
    Undefined: nothing_before where there is no such account or the start is 0.
    Example: 1,000 at the start, 40 joined and 1,020 at the end: 980 of 1,000 stayed, 98.0 (percent).
    """

    audience: Audience
    joined: str

    def read(self, facts: Facts) -> Reading:
        """The share; numerator is how many stayed, denominator and n the size at the start."""
        start, end, _ = _both_ends(facts, (self.audience,))
        stayed = end - facts.amounts.get(self.joined, 0)
        if start == 0:
            return Reading(None, stayed, start, 0, Reason.NOTHING_BEFORE)
        return Reading(100 * stayed / start, stayed, start, start)

    def measures(self) -> tuple[str, ...]:
        """Who joined."""
        return (self.joined,)


def _counts(facts: Facts, audiences: Iterable[Audience], at: Edge) -> list[int]:
    known = (levels for audience in audiences if (levels := facts.levels.get(audience)))
    return [count for levels in known for count in (levels.end if at == "end" else levels.start).values()]


def _both_ends(facts: Facts, audiences: Sequence[Audience]) -> tuple[int, int, int]:
    """Sums at start and end over the accounts known at both, and how many those are."""
    start = end = accounts = 0
    for audience in audiences:
        levels = facts.levels.get(audience)
        for account, count in levels.start.items() if levels else ():
            if levels and account in levels.end:
                start, end, accounts = start + count, end + levels.end[account], accounts + 1
    return start, end, accounts
