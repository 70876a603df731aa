"""Arithmetic over measures: what is written with + − × ÷ comes to one sum over another, times a number."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import lcm
from types import MappingProxyType
from typing import NamedTuple

from bellwether.catalogue.formula import Term, Terms
from bellwether.catalogue.formula.terms import UNCONVERTED
from bellwether.catalogue.measures import BY_KEY

_MILLIONTHS = 1_000_000
_TEN_THOUSANDTHS = 10_000

UNITS: Mapping[str, int] = {
    **{key: _MILLIONTHS for key in BY_KEY if f"{key}{UNCONVERTED}" in BY_KEY},
    **{key: _MILLIONTHS for key in BY_KEY if key.startswith(("survey_", "assessment_")) and key.endswith("_sum")},
    "ad_conversions": _MILLIONTHS,
    "sentiment_sum": _TEN_THOUSANDTHS,
    "item_rate": _TEN_THOUSANDTHS,
    "item_rate_sum": _TEN_THOUSANDTHS,
}
"""How many of the stored whole numbers make one: an expression means money in units, not in millionths."""

Weights = Mapping[str, Fraction]
"""A weighted sum of measures."""


def unit_of(measure: str) -> int:
    """How many of what is stored of a measure make one of what it is told in."""
    return UNITS.get(measure, 1)


class Quotient(NamedTuple):
    """factor × Σ numerator / Σ denominator. Without a denominator a sum, without a numerator a number."""

    factor: Fraction
    numerator: Weights = MappingProxyType({})
    denominator: Weights | None = None

    @property
    def is_number(self) -> bool:
        """Whether no measure is in it."""
        return not self.numerator

    def plus(self, other: Quotient, sign: int = 1) -> Quotient:
        """The sum, or with sign −1 the difference. Raises ValueError where it is not one sum over another."""
        if self.is_number and other.is_number:
            return Quotient(self.factor + sign * other.factor)
        if self.is_number != other.is_number:
            return self._plus_number(other, sign)
        if self.denominator is not None or other.denominator is not None:
            raise ValueError("quotients cannot be added; write one sum over another, or blend(…)")
        return Quotient(Fraction(1), added(self.scaled(Fraction(1)), other.scaled(Fraction(sign))))

    def _plus_number(self, other: Quotient, sign: int) -> Quotient:
        """A number plus a quotient is one over the same denominator."""
        number, of, turned = (self.factor, other, sign) if self.is_number else (sign * other.factor, self, 1)
        if of.denominator is None:
            raise ValueError("a number cannot be added to a sum of measures")
        whole = {measure: number * weight for measure, weight in of.denominator.items()}
        return Quotient(Fraction(1), added(whole, of.scaled(Fraction(turned))), of.denominator)

    def times(self, other: Quotient) -> Quotient:
        """The product. Raises ValueError unless one of them is a number."""
        if not self.is_number and not other.is_number:
            raise ValueError("measures cannot be multiplied with one another")
        of = other if self.is_number else self
        return of._replace(factor=self.factor * other.factor)

    def over(self, other: Quotient) -> Quotient:
        """The quotient. Raises ValueError for a division by zero, or of what is divided already."""
        if other.is_number:
            if other.factor == 0:
                raise ValueError("a division by zero")
            return self._replace(factor=self.factor / other.factor)
        if self.is_number or self.denominator is not None or other.denominator is not None:
            raise ValueError("one sum of measures can be divided by another, once")
        return Quotient(self.factor, self.numerator, other.scaled(Fraction(1)))

    def scaled(self, by: Fraction) -> Weights:
        """Its numerator, times a number and the factor."""
        return {measure: by * self.factor * weight for measure, weight in self.numerator.items()}

    def sum(self) -> Weights:
        """Its numerator with the factor in it. Raises ValueError where it is a number or a quotient."""
        if self.is_number or self.denominator is not None:
            raise ValueError("must be a sum of measures")
        return self.scaled(Fraction(1))


def added(one: Weights, other: Weights) -> Weights:
    """The sum of two weighted sums; what cancels out is gone."""
    keys = dict.fromkeys((*one, *other))
    found = {key: one.get(key, Fraction(0)) + other.get(key, Fraction(0)) for key in keys}
    if not any(found.values()):
        raise ValueError("the measures cancel out")
    return {key: weight for key, weight in found.items() if weight}


def measured(measure: str) -> Quotient:
    """One measure, in the unit in which it is told."""
    return Quotient(Fraction(1), {measure: Fraction(1, unit_of(measure))})


def in_whole(weights: Weights) -> tuple[Terms, int]:
    """Terms with whole weights, and how many of their sum make one."""
    unit = lcm(*(weight.denominator for weight in weights.values()))
    return tuple(Term(measure, int(weight * unit)) for measure, weight in weights.items()), unit
