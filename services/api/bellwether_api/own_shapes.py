"""What the API tells of a tenant's own definitions."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec

from bellwether.catalogue.kpi import Unit
from bellwether.catalogue.measures import Fold
from bellwether.catalogue.own import LIMITS, Edition, Limits


class OwnMeasureOut(msgspec.Struct, frozen=True):
    """An own measure. `counted_as` names it beside values; it changes when what is counted changes."""

    key: str
    title: str
    version: int
    counted_as: str
    fold: Fold


class OwnKpiVersionOut(msgspec.Struct, frozen=True):
    """What an own KPI was or is, from a local date on."""

    version: int
    valid_from: date
    formula: str
    unit: Unit


class OwnKpiOut(msgspec.Struct, frozen=True):
    """An own KPI and all its versions, oldest first."""

    key: str
    title: str
    versions: list[OwnKpiVersionOut]


class OwnRoleOut(msgspec.Struct, frozen=True):
    """An own scorecard and the keys of its KPIs."""

    role: str
    title: str
    kpis: list[str]


class OwnCatalogue(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant defines itself.

    version: of the whole, 0 where nothing is defined; stored: false for what was only checked
    document: as it was sent, YAML or JSON
    limits: the most of everything
    """

    version: int
    stored: bool
    created_at: datetime | None
    document: str
    measures: list[OwnMeasureOut]
    kpis: list[OwnKpiOut]
    roles: list[OwnRoleOut]
    limits: Limits


def shown(edition: Edition, version: int, document: str, created_at: datetime | None) -> OwnCatalogue:
    """An edition as the API shows it; without a moment it is one that was only checked."""
    return OwnCatalogue(
        version=version,
        stored=created_at is not None or version == 0,
        created_at=created_at,
        document=document,
        measures=[
            OwnMeasureOut(of.written.key, of.written.title, of.version, of.stored_as, of.written.fold)
            for of in edition.measures
        ],
        kpis=[
            OwnKpiOut(
                versions[-1].written.key,
                versions[-1].written.title,
                [OwnKpiVersionOut(v.version, v.valid_from, v.written.formula, v.written.unit) for v in versions],
            )
            for versions in edition.kpis
        ],
        roles=[OwnRoleOut(card.role, card.title, list(card.kpis())) for card in edition.document.roles],
        limits=LIMITS,
    )


OWN_EXAMPLE = OwnCatalogue(
    version=1,
    stored=True,
    created_at=datetime(2026, 10, 13, 12, tzinfo=UTC),
    document="measures:\n  own.signups:\n    title: Newsletter sign-ups\n    events: sales.conversion.v1\n"
    "    where: {kind: signup}\n",
    measures=[OwnMeasureOut("own.signups", "Newsletter sign-ups", 1, "own.signups", Fold.COUNT)],
    kpis=[],
    roles=[],
    limits=LIMITS,
)
