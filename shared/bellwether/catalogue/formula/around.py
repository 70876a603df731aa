"""Operators over the days before and after markers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import msgspec

from bellwether.catalogue.formula.compare import compared, ratio_of
from bellwether.catalogue.formula.facts import Facts, Reading, Reason, undefined
from bellwether.catalogue.formula.moments import MARKER_DAYS, Moments, Stretch, day_edges, days_after, days_before
from bellwether.catalogue.formula.terms import Terms, added, names, sum_of


def markers_in(facts: Facts, name: str, days: int) -> tuple[Moments, Sequence[int]] | None:
    """The markers of a name whose days after are over within the span; None if there is none."""
    moments = facts.moments
    found = moments.markers_over(name, days, facts.span) if moments else ()
    return (moments, found) if moments and found else None


class Uplift(msgspec.Struct, frozen=True):
    """A sum or a ratio in the days after markers against the days before them.

    Formula: with A the sum (or ratio) over the days after all markers together and B over the
    days before, 100 × (A − B) / B, or in points A − B; a ratio's points are hundredths.
    Markers count whose days after are over within the window; of more than 50 the latest. Days
    are counted from the start of the local hour that holds the marker.
    Undefined: no_marker where there is none; no_data where a ratio has nothing to divide by in
    the days after, nothing_before where it had nothing before or, other than in points, B is 0
    or less.
    Example: 100 mentions in the 7 days before a collaboration and 130 in the 7 after give 30.0
    (percent).
    """

    numerator: Terms
    denominator: Terms | None
    marker: str
    points: bool = False
    days: int = MARKER_DAYS

    def read(self, facts: Facts) -> Reading:
        """The uplift; numerator is A, denominator is B (ratios in percent), n how many markers."""
        found = markers_in(facts, self.marker, self.days)
        if found is None:
            return undefined(Reason.NO_MARKER)
        moments, markers = found
        before = self._over(moments, [days_before(marker, self.days, moments.clock) for marker in markers])
        after = self._over(moments, [days_after(marker, self.days, moments.clock) for marker in markers])
        scale = 1 if self.denominator is None else 100
        return compared(after, before, len(markers), scale=scale, points=self.points)

    def _over(self, moments: Moments, stretches: Sequence[Stretch]) -> Fraction | None:
        """A or B: sums are added marker by marker, so that days that two of them share count for both."""
        pooled = added(moments.amounts(stretch, self.measures()) for stretch in stretches)
        if self.denominator is None:
            return Fraction(sum_of(pooled, self.numerator))
        return ratio_of(pooled, self.numerator, self.denominator)

    def measures(self) -> tuple[str, ...]:
        """The measures of numerator and denominator."""
        return names(self.numerator, self.denominator or ())


class Recovered(msgspec.Struct, frozen=True):
    """The share of markers after which a sum came back to what it was before.

    Formula: 100 × markers of which, from the weakest 24 hours of the days after on, some 24
    hours reached the daily mean of the days before, over all markers that have such a mean.
    Markers count as in Uplift.
    Undefined: no_marker where there is none, nothing_before where nothing was before any.
    Example: a reach of 100 a day before a platform's change; 60, 70, 90, 100, 90, 90, 90 after it:
    recovered on the fourth day. After another one it stays below: 50.0 (percent).
    """

    terms: Terms
    marker: str
    days: int = MARKER_DAYS

    def read(self, facts: Facts) -> Reading:
        """The share; numerator is how many were recovered from, denominator and n of how many."""
        found = markers_in(facts, self.marker, self.days)
        if found is None:
            return undefined(Reason.NO_MARKER)
        told = [self._is_recovered(found[0], marker) for marker in found[1]]
        n = sum(one is not None for one in told)
        if n == 0:
            return Reading(None, 0, 0, 0, Reason.NOTHING_BEFORE)
        return Reading(100 * told.count(True) / n, told.count(True), n, n)

    def _is_recovered(self, moments: Moments, marker: int) -> bool | None:
        """Whether it came back; None where nothing was before."""
        before = self._sum(moments, days_before(marker, self.days, moments.clock))
        if before <= 0:
            return None
        edges = day_edges(marker, self.days, moments.clock)
        daily = [self._sum(moments, Stretch(*day)) for day in pairwise(edges)]
        weakest = daily.index(min(daily))
        return max(daily[weakest:]) * self.days >= before

    def _sum(self, moments: Moments, stretch: Stretch) -> int:
        return sum_of(moments.amounts(stretch, self.measures()), self.terms)

    def measures(self) -> tuple[str, ...]:
        """The measures of its terms."""
        return names(self.terms)
