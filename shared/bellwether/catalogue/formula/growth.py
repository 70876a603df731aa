"""Operators that compare a window with the one before it."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from bellwether.catalogue.formula.compare import compared, ratio_of
from bellwether.catalogue.formula.facts import Facts, Reading, Reason, undefined
from bellwether.catalogue.formula.terms import Amounts, Terms, names, sum_of
from bellwether.catalogue.measures import Audience


class Growth(msgspec.Struct, frozen=True):
    """How much more a sum is than in the window before.

    Formula: 100 × (this window − the window before) / the window before.
    Undefined: nothing_before where the window before is 0, or less since removals outweigh what
    was added.
    Example: 125 after 100 give 25.0 (percent).
    """

    terms: Terms

    def read(self, facts: Facts) -> Reading:
        """The growth; numerator is the difference, denominator the window before."""
        now, before = sum_of(facts.amounts, self.terms), sum_of(facts.before, self.terms)
        if before <= 0:
            return Reading(None, now, before, now, Reason.NOTHING_BEFORE)
        return Reading(100 * (now - before) / before, now - before, before, now)

    def measures(self) -> tuple[str, ...]:
        """The measures of its terms."""
        return names(self.terms)


class RatioGrowth(msgspec.Struct, frozen=True):
    """How much higher a ratio is than in the window before, in percent of it.

    Formula: 100 × (ratio − ratio before) / ratio before.
    Undefined: no_data where there is nothing to divide by now, nothing_before where there was
    nothing before or that ratio is 0 or less.
    Example: 6 % after 5 % give 20.0 (percent).
    """

    numerator: Terms
    denominator: Terms
    scale: int = 100

    def read(self, facts: Facts) -> Reading:
        """The growth; numerator and denominator are scale × the ratios now and before, n what is divided by now."""
        now, before = _ratios(facts, self.numerator, self.denominator)
        return compared(now, before, max(0, sum_of(facts.amounts, self.denominator)), scale=self.scale)

    def measures(self) -> tuple[str, ...]:
        """The measures of numerator and denominator."""
        return names(self.numerator, self.denominator)


class RatioFall(msgspec.Struct, frozen=True):
    """By how many points a ratio is lower than in the window before; negative where it is higher.

    Formula: scale × (ratio before − ratio).
    Undefined: no_data where there is nothing to divide by now, nothing_before where there was
    nothing before.
    Example: 20 % after 25 % give 5.0 (points).
    """

    numerator: Terms
    denominator: Terms
    scale: int = 100

    def read(self, facts: Facts) -> Reading:
        """The fall; numerator and denominator are scale × the ratios before and now, n what is divided by now."""
        now, before = _ratios(facts, self.numerator, self.denominator)
        n = max(0, sum_of(facts.amounts, self.denominator))
        if now is None or before is None:
            return undefined(Reason.NO_DATA if now is None else Reason.NOTHING_BEFORE, n)
        return compared(before, now, n, scale=self.scale, points=True)

    def measures(self) -> tuple[str, ...]:
        """The measures of numerator and denominator."""
        return names(self.numerator, self.denominator)


def _ratios(facts: Facts, numerator: Terms, denominator: Terms) -> tuple[Fraction | None, Fraction | None]:
    return ratio_of(facts.amounts, numerator, denominator), ratio_of(facts.before, numerator, denominator)


class TrendCoverage(msgspec.Struct, frozen=True):
    """Of how many things a trend can be told: those with data in this window and in the one before.

    Formula: 100 × groups of which some measure is not 0 in both windows, and audiences of which
    an account is known at both ends, over all groups and audiences.
    Undefined: no_data where it has no group and no audience.
    Example: of mentions, clicks and followers, clicks have no data before: 66.67 (percent).
    """

    groups: tuple[tuple[str, ...], ...]
    audiences: tuple[Audience, ...] = ()

    def read(self, facts: Facts) -> Reading:
        """The share; n is how many groups and audiences there are."""
        now, before = _told(facts.amounts), _told(facts.before)
        covered = sum(not (now.isdisjoint(group) or before.isdisjoint(group)) for group in self.groups)
        covered += sum(_is_known(facts, audience) for audience in self.audiences)
        n = len(self.groups) + len(self.audiences)
        if n == 0:
            return Reading(None, 0, 0, 0, Reason.NO_DATA)
        return Reading(100 * covered / n, covered, n, n)

    def measures(self) -> tuple[str, ...]:
        """None are shown: they are those of other KPIs, and many."""
        return ()


def _told(amounts: Amounts) -> set[str]:
    return {measure for measure, amount in amounts.items() if amount}


def _is_known(facts: Facts, audience: Audience) -> bool:
    levels = facts.levels.get(audience)
    return levels is not None and not levels.start.keys().isdisjoint(levels.end)
