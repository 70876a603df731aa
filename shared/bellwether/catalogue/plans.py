"""What is known of a KPI before it is evaluated: what it shows, and what its formulas read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bellwether.catalogue.formula import (
    Blend,
    DuringCrises,
    Formula,
    Latest,
    LevelGrowth,
    NetChange,
    Percentile,
    PerLevel,
    Recovered,
    RecoveryTime,
    Regained,
    Retention,
    TrendCoverage,
    Uplift,
)
from bellwether.catalogue.formula.terms import UNCONVERTED
from bellwether.catalogue.kpi import Kpi


class Plan(NamedTuple):
    """What is known of a KPI before it is evaluated.

    shown: the measures that are given beside its value
    watched: if nothing of these is in a window and the one before it, the KPI is idle there ...
    reads: what else its formulas read: if it is anything, the KPI is idle only if there is nothing else to be read
    """

    kpi: Kpi
    shown: tuple[str, ...]
    watched: frozenset[str]
    reads: frozenset[str]


_PLANS: dict[int, Plan] = {}
"""By identity, since a KPI is hashed whole."""
_MOST_PLANS = 10_000
READS_MORE: dict[type, str] = {
    Latest: "levels",
    LevelGrowth: "levels",
    NetChange: "levels",
    PerLevel: "levels",
    Retention: "levels",
    DuringCrises: "moments",
    RecoveryTime: "moments",
    Recovered: "moments",
    Regained: "moments",
    Uplift: "moments",
    TrendCoverage: "levels",
}
"""What formulas read besides the sums that they name, or in place of them."""
EVERYTHING_ELSE = frozenset({*READS_MORE.values(), "waiting"})
"""All of it."""


def plan_of(kpi: Kpi) -> Plan:
    """The plan of a KPI, made once."""
    found = _PLANS.get(id(kpi))
    if found is None or found.kpi is not kpi:
        if len(_PLANS) >= _MOST_PLANS:  # definitions of tenants come and go
            _PLANS.clear()
        found = _PLANS[id(kpi)] = _planned(kpi)
    return found


def _planned(kpi: Kpi) -> Plan:
    versions = [kpi, *kpi.earlier]
    formulas = [f for version in versions for f in (version.formula, version.screened) if f is not None]
    measures = {m for f in formulas for m in _read_by(f)} | {m for version in versions for m in version.shown()}
    watched = frozenset(measures | {measure + UNCONVERTED for measure in measures})
    return Plan(kpi, kpi.shown(), watched, frozenset(name for formula in formulas for name in _reads_more(formula)))


def _read_by(formula: Formula) -> Iterator[str]:
    """The measures that a formula reads, of which it need not show all."""
    if isinstance(formula, Blend):
        for part in formula.parts:
            yield from _read_by(part)
    elif isinstance(formula, TrendCoverage):
        yield from (measure for group in formula.groups for measure in group)
    else:
        yield from formula.measures()


def _reads_more(formula: Formula) -> Iterator[str]:
    if isinstance(formula, Blend):
        for part in formula.parts:
            yield from _reads_more(part)
    elif name := READS_MORE.get(type(formula)):
        yield name
    elif isinstance(formula, Percentile) and formula.waiting is not None:
        yield "waiting"
