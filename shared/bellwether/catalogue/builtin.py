"""The built-in catalogue, checked when it is imported."""

from __future__ import annotations

from bellwether.catalogue.families import community, engagement
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import BY_KEY
from bellwether.catalogue.scorecards import SCORECARDS


def _checked(kpis: tuple[Kpi, ...]) -> dict[str, Kpi]:
    """KPIs by key. Raises ValueError for a key given twice or a name that does not exist."""
    by_key = {kpi.key: kpi for kpi in kpis}
    if len(by_key) != len(kpis):
        raise ValueError("a KPI key is given twice")
    unknown = {m for kpi in kpis for m in kpi.shown() if m not in BY_KEY}
    unknown |= {key for card in SCORECARDS.values() for key in card.kpis() if key not in by_key}
    if unknown:
        raise ValueError(f"the catalogue names what it does not have: {sorted(unknown)}")
    return by_key


CATALOGUE: dict[str, Kpi] = _checked((*engagement.KPIS, *community.KPIS))
"""Every built-in KPI by key."""
