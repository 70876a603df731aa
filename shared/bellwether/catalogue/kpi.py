"""What a KPI and a scorecard are: values, not classes of their own."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from bellwether.catalogue.formula import AnyFormula
from bellwether.catalogue.measures import Measure
from bellwether.domain.windows import Window


class Unit(StrEnum):
    """What a value is counted in."""

    COUNT = "count"
    PERCENT = "percent"
    SECONDS = "seconds"
    NET_SENTIMENT = "net_sentiment"
    """Points from −100 to 100."""
    POINTS = "points"
    """The difference of two values in percent or in net sentiment."""
    MONEY = "money"
    """Units of the brand's reporting currency."""
    RATIO = "ratio"
    """How many of one there are to one of another."""
    PAGES = "pages"


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"
    BAND = "band"
    """Neither: it is to stay within a band."""


class Kind(StrEnum):
    """Whether it runs ahead of the outcome or follows it."""

    LEADING = "leading"
    LAGGING = "lagging"


class Evidence(StrEnum):
    """What a value rests on."""

    COMPUTED = "computed"
    """Events of platforms and systems."""
    SURVEYED = "surveyed"
    """What people answered when they were asked."""
    ATTESTED = "attested"
    """What a person judged or recorded: a rating, an activity, a case."""


class Control(StrEnum):
    """How far the person whose card it is on decides the value."""

    DIRECT = "direct"
    SHARED = "shared"
    """They and others: the public, the platform, a partner."""
    INFLUENCED = "influenced"
    """Mostly others; their own work shows in it, but does not explain it."""


class Benchmark(msgspec.Struct, frozen=True):
    """What is usual on a channel, in the unit of the KPI. source: where that was published."""

    channel: str
    good: float
    great: float
    source: str


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """One KPI. Bump `version` whenever the number changes its meaning, and keep what it was in `earlier`.

    formula, screened: how it is read; `screened` is the same number without inauthentic activity
    kra: the key result area that it mainly belongs to; scorecards may show it in others, too
    valid_from: the local date from which this version holds
    also_shown: measures that are no part of the formula but explain the value
    home: the window in which the KPI is usually read
    earlier: what it was before, oldest first
    own: the tenant's own measures in its formula
    """

    key: str
    title: str
    meaning: str
    formula: AnyFormula
    screened: AnyFormula | None = None
    unit: Unit
    better: Direction = Direction.UP
    kind: Kind = Kind.LEADING
    evidence: Evidence = Evidence.COMPUTED
    control: Control = Control.SHARED
    kra: str
    version: int = 1
    valid_from: date = date(2026, 1, 1)
    also_shown: tuple[str, ...] = ()
    home: Window = Window.DAYS_7
    benchmarks: tuple[Benchmark, ...] = ()
    earlier: tuple[Kpi, ...] = ()
    own: tuple[Measure, ...] = ()

    def shown(self) -> tuple[str, ...]:
        """The measures that are given beside the value."""
        return tuple(dict.fromkeys((*self.formula.measures(), *self.also_shown)))

    def versions(self) -> tuple[Kpi, ...]:
        """All that it ever was, oldest first; the last is this one."""
        return (*self.earlier, self)

    def on(self, day: date) -> Kpi:
        """The version that held on a local date; before the first one holds, that one."""
        held = [version for version in self.versions() if version.valid_from <= day]
        return held[-1] if held else self.versions()[0]


class Line(msgspec.Struct, frozen=True):
    """A KPI on a scorecard and its weight within its area, > 0."""

    kpi: str
    weight: float = 1.0


class Area(msgspec.Struct, frozen=True):
    """A key result area of a role and its weight within the card, > 0."""

    title: str
    lines: tuple[Line, ...]
    weight: float = 1.0


class Scorecard(msgspec.Struct, frozen=True):
    """The card of a role; areas weigh alike unless their lines say otherwise."""

    role: str
    title: str
    areas: tuple[Area, ...]

    def kpis(self) -> tuple[str, ...]:
        """The keys of its lines, in order, each once."""
        return tuple(dict.fromkeys(line.kpi for area in self.areas for line in area.lines))
