"""What a KPI and a scorecard are: values, not classes of their own."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from bellwether.catalogue.formula import (
    Average,
    Growth,
    Latest,
    LevelGrowth,
    NetChange,
    Percentile,
    Ratio,
    Sum,
)
from bellwether.domain.windows import Window

AnyFormula = Sum | Ratio | Average | Percentile | Growth | Latest | NetChange | LevelGrowth


class Unit(StrEnum):
    """What a value is counted in."""

    COUNT = "count"
    PERCENT = "percent"
    SECONDS = "seconds"
    NET_SENTIMENT = "net_sentiment"
    """Points from −100 to 100."""


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"


class Kind(StrEnum):
    """Whether it runs ahead of the outcome or follows it."""

    LEADING = "leading"
    LAGGING = "lagging"


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """One KPI. Bump `version` whenever the number changes its meaning.

    also_shown: measures that are no part of the formula but explain the value
    home: the window in which the KPI is usually read
    """

    key: str
    title: str
    meaning: str
    formula: AnyFormula
    unit: Unit
    better: Direction = Direction.UP
    kind: Kind = Kind.LEADING
    kra: str
    version: int = 1
    valid_from: date = date(2026, 1, 1)
    also_shown: tuple[str, ...] = ()
    home: Window = Window.DAYS_7

    def shown(self) -> tuple[str, ...]:
        """The measures that are given beside the value."""
        return tuple(dict.fromkeys((*self.formula.measures(), *self.also_shown)))


class Line(msgspec.Struct, frozen=True):
    """A KPI on a scorecard and its weight within its area, > 0."""

    kpi: str
    weight: float = 1.0


class Area(msgspec.Struct, frozen=True):
    """A key result area of a role."""

    title: str
    lines: tuple[Line, ...]


class Scorecard(msgspec.Struct, frozen=True):
    """The card of a role; areas weigh alike unless their lines say otherwise."""

    role: str
    title: str
    areas: tuple[Area, ...]

    def kpis(self) -> tuple[str, ...]:
        """The keys of its lines, in order, each once."""
        return tuple(dict.fromkeys(line.kpi for area in self.areas for line in area.lines))
