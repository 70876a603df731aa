"""Operators over the sums of one window."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from bellwether.catalogue.formula.compare import compared, ratio_of
from bellwether.catalogue.formula.facts import Facts, Reading, Reason, undefined
from bellwether.catalogue.formula.terms import Amounts, Terms, names, sum_of
from bellwether.domain.survival import quantile_of, waiting_time


def in_unit(total: int, unit: int) -> float | int:
    """A stored sum in the unit that is shown; a whole number where that is how it is stored."""
    return total if unit == 1 else total / unit


class Sum(msgspec.Struct, frozen=True):
    """The sum of measures, or the count of distinct values of one, in `1/unit` of the stored sum.

    Formula: Σ weight × measure / unit.
    Undefined: no_rate where it is of money of which nothing could be converted. Nothing happened
    is 0, since a window is always observed.
    Example: 3 reactions and 2 comments give 5.
    """

    terms: Terms
    unit: int = 1

    def read(self, facts: Facts) -> Reading:
        """The sum over the span."""
        total, unpriced = sum_of(facts.amounts, self.terms), facts.unpriced
        if unpriced and not unpriced.isdisjoint(self.measures()):
            return Reading(None, in_unit(total, self.unit), None, 0, Reason.NO_RATE)
        if self.unit == 1:
            return Reading(total, total, None, total)
        return Reading(total / self.unit, total / self.unit, None, round(total / self.unit))

    def measures(self) -> tuple[str, ...]:
        """The measures of its terms."""
        return names(self.terms)


class Ratio(msgspec.Struct, frozen=True):
    """scale × sum over sum: of all hours together, not a mean of hourly ratios.

    Formula: scale × (Σ numerator / unit) / (Σ denominator / denominator_unit).
    Undefined: no_data where the denominator is 0, or less since removals outweigh what was added;
    no_rate where a sum in it is of money of which nothing could be converted.
    Example: 30 clicks over 1,500 impressions, scale 100, give 2.0 (percent).
    """

    numerator: Terms
    denominator: Terms
    scale: int = 100
    unit: int = 1
    denominator_unit: int = 1

    def read(self, facts: Facts) -> Reading:
        """The ratio over the span; n is the denominator."""
        amounts, unpriced = facts.amounts, facts.unpriced
        top, bottom = sum_of(amounts, self.numerator), sum_of(amounts, self.denominator)
        if unpriced and not unpriced.isdisjoint(self.measures()):
            return self._reading(None, top, bottom, Reason.NO_RATE)
        if bottom <= 0:
            return self._reading(None, top, bottom, Reason.NO_DATA)
        if self.unit == 1 and self.denominator_unit == 1:
            return Reading(self.scale * top / bottom, top, bottom, bottom)
        # Whole numbers to the end: one division rounds once.
        return self._reading(self.scale * self.denominator_unit * top / (self.unit * bottom), top, bottom)

    def _reading(self, value: float | None, top: int, bottom: int, reason: Reason | None = None) -> Reading:
        below = in_unit(bottom, self.denominator_unit)
        return Reading(value, in_unit(top, self.unit), below, 0 if reason else round(below), reason)

    def measures(self) -> tuple[str, ...]:
        """The measures of numerator and denominator."""
        return names(self.numerator, self.denominator)


class Average(msgspec.Struct, frozen=True):
    """The sum of a quantity over how many there were, in `1/unit` of the stored sum.

    Formula: total / unit / count.
    Undefined: no_data where there was none; no_rate where it is of money of which nothing could
    be converted.
    Example: 90 s over 3 answers give 30.0.
    """

    total: str
    count: str
    unit: int = 1

    def read(self, facts: Facts) -> Reading:
        """The average over the span; n is how many there were."""
        top, bottom = facts.amounts.get(self.total, 0), facts.amounts.get(self.count, 0)
        if self.total in facts.unpriced:
            return Reading(None, 0, bottom, 0, Reason.NO_RATE)
        if bottom <= 0:
            return Reading(None, in_unit(top, self.unit), bottom, 0, Reason.NO_DATA)
        return Reading(top / (self.unit * bottom), in_unit(top, self.unit), bottom, bottom)

    def measures(self) -> tuple[str, ...]:
        """Sum and count."""
        return (self.total, self.count)


class Percentile(msgspec.Struct, frozen=True):
    """A quantile of a distribution, with those who still wait counted as waiting.

    Formula: with `waiting` the Kaplan-Meier estimate (`survival.waiting_time`), else the lower
    quantile; in `1/unit` of what is stored.
    Undefined: no_data where there is nothing in it and nobody waits, not_reached where too many
    still do.
    Example: 60, 120 and 600 s and one who has waited 300 s: the median is 120 s.
    """

    histogram: str
    quantile: float
    waiting: str | None = None
    unit: int = 1

    def read(self, facts: Facts) -> Reading:
        """The quantile over the span; numerator is how many ended, n how many waited."""
        found = facts.totals.get(self.histogram, {})
        ended = found if isinstance(found, dict) else {}
        still = facts.waiting.get(self.waiting, ()) if self.waiting else ()
        answered, n = sum(ended.values()), sum(ended.values()) + len(still)
        if n == 0:
            return Reading(None, 0, 0, 0, Reason.NO_DATA)
        value = waiting_time(self.quantile, ended, still) if still else quantile_of(self.quantile, ended)
        if value is None:
            return Reading(None, answered, n, n, Reason.NOT_REACHED)
        return Reading(in_unit(value, self.unit), answered, n, n)

    def measures(self) -> tuple[str, ...]:
        """The distribution."""
        return (self.histogram,)


class Contrast(msgspec.Struct, frozen=True):
    """A ratio inside a segment against the same ratio outside of it.

    Formula: with I the ratio inside and O the one outside, 100 × (I − O) / O, or in points
    scale × (I − O).
    Undefined: no_data where either of them has nothing to divide by, and, other than in points,
    where O is 0 or less.
    Example: 60 of 1,000 inside and 40 of 1,000 outside give 50.0 (percent), or 2.0 in points.
    """

    inside_numerator: Terms
    inside_denominator: Terms
    outside_numerator: Terms
    outside_denominator: Terms
    scale: int = 100
    points: bool = False

    def read(self, facts: Facts) -> Reading:
        """The contrast over the span; numerator and denominator are I and O in their scale, n what I is divided by."""
        inside = ratio_of(facts.amounts, self.inside_numerator, self.inside_denominator)
        outside = ratio_of(facts.amounts, self.outside_numerator, self.outside_denominator)
        n = max(0, sum_of(facts.amounts, self.inside_denominator))
        return compared(inside, outside, n, scale=self.scale, points=self.points, nothing_then=Reason.NO_DATA)

    def measures(self) -> tuple[str, ...]:
        """The measures of all four sums."""
        return names(self.inside_numerator, self.inside_denominator, self.outside_numerator, self.outside_denominator)


class Lowest(msgspec.Struct, frozen=True):
    """How far the channel with the lowest mean is behind the mean of all.

    Formula: 100 × the lowest `total@channel / count@channel` over total / count.
    Undefined: no_data where nothing was counted or the mean of all is 0 or less.
    Example: scores of 0.9 and 0.9 on one and of 0.6 on another channel: 0.6 over 0.8 gives 75.0.
    """

    total: str
    count: str
    unit: int = 1

    def read(self, facts: Facts) -> Reading:
        """The share over the span; numerator is the lowest mean, denominator the mean of all, n the count."""
        count, lowest = facts.amounts.get(self.count, 0), min(self._means(facts.amounts), default=None)
        if lowest is None or count <= 0 or facts.amounts.get(self.total, 0) <= 0:
            return undefined(Reason.NO_DATA, max(0, count))
        mean = Fraction(facts.amounts[self.total], self.unit * count)
        return Reading(float(100 * lowest / mean), float(lowest), float(mean), count)

    def _means(self, amounts: Amounts) -> Iterator[Fraction]:
        prefix = f"{self.count}@"
        for key, count in amounts.items():
            if key.startswith(prefix) and count > 0:
                of_channel = amounts.get(f"{self.total}@{key.removeprefix(prefix)}", 0)
                yield Fraction(of_channel, self.unit * count)

    def measures(self) -> tuple[str, ...]:
        """Sum and count."""
        return (self.total, self.count)
