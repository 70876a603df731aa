"""How the value of a KPI comes about over time, which follows from its formula alone."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from bellwether.catalogue.formula import (
    AnyFormula,
    Growth,
    Latest,
    LevelGrowth,
    NetChange,
    PerLevel,
    RatioFall,
    RatioGrowth,
    Recovered,
    RecoveryTime,
    Regained,
    Retention,
    Sum,
    TrendCoverage,
    Uplift,
)
from bellwether.catalogue.measures import BY_KEY, Fold


class Kind(StrEnum):
    """What a value does as time passes."""

    SUMMED = "summed"
    """Builds up over a period, and the days of it add up: sums, net changes."""
    GROWING = "growing"
    """Builds up over a period, but its days do not add up: distinct counts, shares of a size at the start."""
    STOCK = "stock"
    """Is carried on from day to day: the size of an audience."""
    RATE = "rate"
    """Is what it is over any stretch: ratios, averages, quantiles."""
    OPEN = "open"
    """What came less what was settled of it: the rest of a day still shrinks on later ones."""
    COMPARED = "compared"
    """Compares stretches, and means something else over a day than over a month: growth, uplift."""


class Course(msgspec.Struct, frozen=True):
    """The kind, and where a value that builds up begins."""

    kind: Kind
    origin: float = 0.0

    @property
    def builds_up(self) -> bool:
        """Whether half a period shows about half of the value."""
        return self.kind in (Kind.SUMMED, Kind.GROWING)

    @property
    def is_told_by_days(self) -> bool:
        """Whether the days of a stretch tell anything about the whole of it."""
        return self.kind not in (Kind.OPEN, Kind.COMPARED)


_RATE = Course(Kind.RATE)
_COURSES: dict[type[object], Course] = {
    NetChange: Course(Kind.SUMMED),
    LevelGrowth: Course(Kind.GROWING),
    PerLevel: Course(Kind.GROWING),
    Retention: Course(Kind.GROWING, origin=100.0),
    Latest: Course(Kind.STOCK),
    **dict.fromkeys(
        (Growth, RatioGrowth, RatioFall, TrendCoverage, Uplift, Recovered, Regained, RecoveryTime),
        Course(Kind.COMPARED),
    ),
}


def course_of(formula: AnyFormula) -> Course:
    """How the value of a formula comes about."""
    if isinstance(formula, Sum):
        return Course(_kind_of_sum(formula))
    return _COURSES.get(type(formula), _RATE)


def _kind_of_sum(formula: Sum) -> Kind:
    if any(term.weight < 0 for term in formula.terms):
        return Kind.OPEN
    return Kind.GROWING if any(map(_is_distinct, formula.measures())) else Kind.SUMMED


def _is_distinct(measure: str) -> bool:
    found = BY_KEY.get(measure)
    return found is not None and found.fold is Fold.DISTINCT
