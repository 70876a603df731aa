"""How much of a scorecard has a trend at all. It looks at the other KPIs, so it comes after them."""

from __future__ import annotations

from collections.abc import Iterable

from bellwether.catalogue.areas import REPORTING
from bellwether.catalogue.formula import LevelGrowth, TrendCoverage
from bellwether.catalogue.kpi import Control, Kpi, Unit
from bellwether.catalogue.scorecards import COMMUNITY_MANAGER
from bellwether.domain.windows import Window

KEY = "kpi_trend_coverage"


def trend_coverage(kpis: Iterable[Kpi]) -> Kpi:
    """The coverage of the community manager's card, of whose KPIs these are the definitions."""
    on_card = frozenset(COMMUNITY_MANAGER.kpis())
    formulas = [kpi.formula for kpi in kpis if kpi.key in on_card]
    groups = tuple(formula.measures() for formula in formulas if formula.measures())
    levels = (formula.audiences for formula in formulas if isinstance(formula, LevelGrowth))
    return Kpi(
        key=KEY,
        title="KPIs with a trend",
        meaning="The share of what the community manager's card is made of that has a trend: KPIs with data both in "
        "the window and in the one before, and audiences whose size is known at both ends of the window.",
        formula=TrendCoverage(groups, tuple(dict.fromkeys(audience for level in levels for audience in level))),
        unit=Unit.PERCENT,
        control=Control.DIRECT,
        kra=REPORTING,
        home=Window.MONTH,
    )
