"""A tenant's own definitions as they were written, after they were found to be right."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import msgspec

from bellwether.catalogue.kpi import Control, Direction, Evidence, Kind, Scorecard, Unit
from bellwether.catalogue.measures import Measure
from bellwether.domain.windows import Window

PREFIX: Final = "own."
"""What the keys of own measures and KPIs begin with, so that none can be a built-in one, now or later."""
ROLE_PREFIX: Final = "own-"
KEY: Final = re.compile(r"own\.[a-z][a-z0-9_]{0,58}")
ROLE: Final = re.compile(r"own-[a-z0-9][a-z0-9-]{0,58}")


class Limits(msgspec.Struct, frozen=True):
    """The most of everything, since all of it costs: every own measure is kept in every cut and minute.

    distinct: measures that count distinct values, each up to 4 KiB in every cut and minute
    counted: measures that are counted at all, with those that only earlier versions of KPIs need
    """

    bytes: int = 64 * 1024
    measures: int = 100
    distinct: int = 10
    counted: int = 200
    event_types: int = 10
    conditions: int = 10
    values: int = 50
    kpis: int = 200
    measures_in_formula: int = 20
    roles: int = 20
    areas: int = 20
    lines: int = 100


LIMITS: Final = Limits()


class OwnKpi(msgspec.Struct, frozen=True, kw_only=True):
    """A KPI as it was written. `formula` is an expression; the other fields are as in `Kpi`.

    restate: past periods are to be read by this formula, too: all, or those from `valid_from` on
    """

    key: str
    title: str
    meaning: str
    formula: str
    unit: Unit
    kra: str
    better: Direction = Direction.UP
    kind: Kind = Kind.LEADING
    evidence: Evidence = Evidence.COMPUTED
    control: Control = Control.SHARED
    home: Window = Window.DAYS_7
    valid_from: date | None = None
    restate: bool = False


class Document(msgspec.Struct, frozen=True):
    """All that a tenant defines. Measures stand under the keys they were written with."""

    measures: tuple[Measure, ...] = ()
    kpis: tuple[OwnKpi, ...] = ()
    roles: tuple[Scorecard, ...] = ()
