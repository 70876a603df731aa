"""Formulas: how a KPI is read from the totals of a span.

Each operator says its formula and where it is undefined. An undefined value is None with a
reason, never 0 and never NaN.
"""

from __future__ import annotations

from bellwether.catalogue.formula.around import Recovered, Uplift
from bellwether.catalogue.formula.blend import Blend
from bellwether.catalogue.formula.crises import DuringCrises, RecoveryTime, Regained
from bellwether.catalogue.formula.facts import Facts, Formula, Levels, Reading, Reason
from bellwether.catalogue.formula.growth import Growth, RatioFall, RatioGrowth, TrendCoverage
from bellwether.catalogue.formula.levels import Latest, LevelGrowth, NetChange, PerLevel, Retention
from bellwether.catalogue.formula.moments import Markers, Moments, Undone
from bellwether.catalogue.formula.sums import Average, Contrast, Lowest, Percentile, Ratio, Sum
from bellwether.catalogue.formula.terms import Amounts, Term, Terms, amounts_of, less, total

AnyFormula = (
    Sum
    | Ratio
    | Average
    | Percentile
    | Contrast
    | Lowest
    | Growth
    | RatioGrowth
    | RatioFall
    | TrendCoverage
    | Latest
    | NetChange
    | LevelGrowth
    | PerLevel
    | Retention
    | Uplift
    | Recovered
    | DuringCrises
    | Regained
    | RecoveryTime
    | Blend
)
"""Every operator."""

__all__ = [
    "Amounts",
    "AnyFormula",
    "Average",
    "Blend",
    "Contrast",
    "DuringCrises",
    "Facts",
    "Formula",
    "Growth",
    "Latest",
    "LevelGrowth",
    "Levels",
    "Lowest",
    "Markers",
    "Moments",
    "NetChange",
    "PerLevel",
    "Percentile",
    "Ratio",
    "RatioFall",
    "RatioGrowth",
    "Reading",
    "Reason",
    "Recovered",
    "RecoveryTime",
    "Regained",
    "Retention",
    "Sum",
    "Term",
    "Terms",
    "TrendCoverage",
    "Undone",
    "Uplift",
    "amounts_of",
    "less",
    "total",
]
