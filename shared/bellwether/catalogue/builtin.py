"""The built-in catalogue, checked when it is imported."""

from __future__ import annotations

from bellwether.catalogue.families import (
    activities,
    audience,
    community,
    content,
    coverage,
    incidents,
    integrity,
    judgements,
    money,
    partners,
    responses,
    traffic,
)
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import measure_of
from bellwether.catalogue.scorecards import SCORECARDS

_FAMILIES = (
    *content.KPIS,
    *community.KPIS,
    *responses.KPIS,
    *audience.KPIS,
    *traffic.KPIS,
    *money.KPIS,
    *partners.KPIS,
    *incidents.KPIS,
    *judgements.KPIS,
    *activities.KPIS,
    *integrity.KPIS,
)


def _checked(kpis: tuple[Kpi, ...]) -> dict[str, Kpi]:
    """KPIs by key. Raises ValueError for a key given twice, a name that does not exist and versions out of order."""
    by_key = {kpi.key: kpi for kpi in kpis}
    if len(by_key) != len(kpis):
        raise ValueError("a KPI key is given twice")
    unknown = {m for kpi in kpis for version in kpi.versions() for m in _named(version) if measure_of(m) is None}
    unknown |= {key for card in SCORECARDS.values() for key in card.kpis() if key not in by_key}
    if unknown:
        raise ValueError(f"the catalogue names what it does not have: {sorted(unknown)}")
    for kpi in kpis:
        _check_versions(kpi)
    return by_key


def _named(kpi: Kpi) -> tuple[str, ...]:
    return (*kpi.shown(), *(kpi.screened.measures() if kpi.screened else ()))


def _check_versions(kpi: Kpi) -> None:
    numbers, days = [v.version for v in kpi.versions()], [v.valid_from for v in kpi.versions()]
    if numbers != list(range(1, len(numbers) + 1)) or days != sorted(set(days)):
        raise ValueError(f"{kpi.key}: versions must be numbered from 1 on, each valid from a later date")


CATALOGUE: dict[str, Kpi] = _checked((*_FAMILIES, coverage.trend_coverage(_FAMILIES)))
"""Every built-in KPI by key."""
