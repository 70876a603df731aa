"""The functions of expressions: every operator of `bellwether.catalogue.formula` under its own name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from bellwether.catalogue.formula import (
    AnyFormula,
    Average,
    Blend,
    Contrast,
    DuringCrises,
    Growth,
    Latest,
    LevelGrowth,
    Lowest,
    NetChange,
    Percentile,
    PerLevel,
    Ratio,
    RatioFall,
    RatioGrowth,
    Recovered,
    RecoveryTime,
    Regained,
    Retention,
    Sum,
    Uplift,
)


class Operator(NamedTuple):
    """A function: the formula it makes, and what it sets itself."""

    formula: type[AnyFormula]
    sets: Mapping[str, Any] = MappingProxyType({})

    def parameters(self) -> tuple[str, ...]:
        """What may be given, in order. Units are never given: they follow from the measures."""
        fields = self.formula.__struct_fields__
        return tuple(field for field in fields if field not in self.sets and field not in _DERIVED)

    def required(self) -> tuple[str, ...]:
        """What must be given."""
        fields, defaults = self.formula.__struct_fields__, self.formula.__struct_defaults__
        without_default = fields[: len(fields) - len(defaults)]
        return tuple(field for field in self.parameters() if field in without_default)


_DERIVED = frozenset({"unit", "denominator_unit"})

OPERATORS: dict[str, Operator] = {
    "sum": Operator(Sum),
    "ratio": Operator(Ratio),
    "average": Operator(Average),
    "percentile": Operator(Percentile),
    "median": Operator(Percentile, {"quantile": 0.5}),
    "contrast": Operator(Contrast),
    "lowest": Operator(Lowest),
    "growth": Operator(Growth),
    "ratio_growth": Operator(RatioGrowth),
    "ratio_fall": Operator(RatioFall),
    "latest": Operator(Latest),
    "net_change": Operator(NetChange),
    "level_growth": Operator(LevelGrowth),
    "per_level": Operator(PerLevel),
    "retention": Operator(Retention),
    "uplift": Operator(Uplift),
    "recovered": Operator(Recovered),
    "during_crises": Operator(DuringCrises),
    "regained": Operator(Regained),
    "recovery_time": Operator(RecoveryTime),
    "blend": Operator(Blend),
}
