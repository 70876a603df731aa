"""Operators over crises: what was while one was open, and how things came back after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import msgspec

from bellwether.catalogue.formula.compare import ratio_of
from bellwether.catalogue.formula.facts import Facts, Reading, Reason, undefined
from bellwether.catalogue.formula.moments import Course, Moments, Stretch, hours_of, in_crisis
from bellwether.catalogue.formula.terms import Terms, added, names, sum_of
from bellwether.domain.survival import waiting_time


class DuringCrises(msgspec.Struct, frozen=True):
    """A ratio over the hours of the window in which a crisis was open.

    Formula: scale × Σ numerator / Σ denominator over all local hours that a crisis touched, each
    once, as far as they are in the window.
    Undefined: no_data where no crisis was open or the denominator is 0 or less.
    Example: 3 positive and 9 negative of 20 texts while a crisis was open give −30.0.
    """

    numerator: Terms
    denominator: Terms
    scale: int = 100

    def read(self, facts: Facts) -> Reading:
        """The ratio; n is the denominator."""
        moments = facts.moments
        if moments is None or not moments.crises:
            return undefined(Reason.NO_DATA)
        hours = in_crisis(moments.crises, facts.span, moments.clock)
        amounts = moments.amounts_in(hours, self.measures())
        top, bottom = sum_of(amounts, self.numerator), sum_of(amounts, self.denominator)
        if bottom <= 0:
            return Reading(None, top, bottom, 0, Reason.NO_DATA)
        return Reading(self.scale * top / bottom, top, bottom, bottom)

    def measures(self) -> tuple[str, ...]:
        """The measures of numerator and denominator."""
        return names(self.numerator, self.denominator)


def courses_in(facts: Facts) -> tuple[Moments, Sequence[Course]] | None:
    """The crises whose 24 hours after are over within the span; None if there is none."""
    moments = facts.moments
    found = moments.courses_over(facts.span) if moments else ()
    return (moments, found) if moments and found else None


class Regained(msgspec.Struct, frozen=True):
    """The share of the drop during crises that was regained after them.

    Formula: with B, D and A a ratio over the 24 hours before all openings, over the hours while
    open, and over the 24 hours after all resolutions, 100 × (A − D) / (B − D). Below 0 it fell
    further, above 100 it is better than before. Crises count whose 24 hours after are over within
    the window; of more than 50 the latest.
    Undefined: no_marker where there is none; no_data where one of the three has nothing to divide
    by, or where there was no drop.
    Example: net sentiment 40 before, −20 while open, 25 after: 45 of 60 points, 75.0 (percent).
    """

    numerator: Terms
    denominator: Terms

    def read(self, facts: Facts) -> Reading:
        """The share; numerator is A − D, denominator B − D in points, n how many crises."""
        found = courses_in(facts)
        if found is None:
            return undefined(Reason.NO_MARKER)
        moments, courses = found
        before = self._over(moments, [course.before for course in courses])
        during = self._over(moments, [course.during for course in courses])
        after = self._over(moments, [course.after for course in courses])
        if before is None or during is None or after is None or before <= during:
            return undefined(Reason.NO_DATA, len(courses))
        regained, lost = after - during, before - during
        return Reading(float(100 * regained / lost), float(100 * regained), float(100 * lost), len(courses))

    def _over(self, moments: Moments, stretches: Sequence[Stretch]) -> Fraction | None:
        """The ratio of sums over all stretches; what two of them share counts for both."""
        pooled = added(moments.amounts(stretch, self.measures()) for stretch in stretches)
        return ratio_of(pooled, self.numerator, self.denominator)

    def measures(self) -> tuple[str, ...]:
        """The measures of numerator and denominator."""
        return names(self.numerator, self.denominator)


class _Wait(NamedTuple):
    """Seconds from the resolution until the ratio was back, or until nobody looked any more."""

    seconds: int
    is_back: bool


class RecoveryTime(msgspec.Struct, frozen=True):
    """The median time from the resolution of a crisis until a ratio is back at its baseline.

    Formula: the baseline is the ratio over the 24 hours before the opening; it is back at the end
    of the first local hour, of the 24 after the resolution, whose ratio is not below that. Who was
    not back by then counts as waiting (`survival.waiting_time`). Crises count as in Regained.
    Undefined: no_marker where there is none, no_data where no baseline is known, not_reached
    where too many were not back.
    Example: resolved at 15:20, the hour from 17:00 is the first one at the baseline: 9,600 s.
    """

    numerator: Terms
    denominator: Terms

    def read(self, facts: Facts) -> Reading:
        """The median in seconds; numerator is how many were back, denominator and n of how many."""
        found = courses_in(facts)
        if found is None:
            return undefined(Reason.NO_MARKER)
        told = [wait for course in found[1] if (wait := self._wait(found[0], course)) is not None]
        if not told:
            return undefined(Reason.NO_DATA)
        back = Counter(wait.seconds for wait in told if wait.is_back)
        value = waiting_time(0.5, back, sorted(wait.seconds for wait in told if not wait.is_back))
        return Reading(value, back.total(), len(told), len(told), Reason.NOT_REACHED if value is None else None)

    def _wait(self, moments: Moments, course: Course) -> _Wait | None:
        """How long it took, or was waited in vain; None without a baseline."""
        baseline = self._ratio(moments, course.before)
        if baseline is None:
            return None
        for hour in hours_of(course.after, moments.clock):
            ratio = self._ratio(moments, hour)
            if ratio is not None and ratio >= baseline:
                return _Wait(hour.end - course.resolved, is_back=True)
        return _Wait(course.after.end - course.resolved, is_back=False)

    def _ratio(self, moments: Moments, stretch: Stretch) -> Fraction | None:
        return ratio_of(moments.amounts(stretch, self.measures()), self.numerator, self.denominator)

    def measures(self) -> tuple[str, ...]:
        """The measures of numerator and denominator."""
        return names(self.numerator, self.denominator)
