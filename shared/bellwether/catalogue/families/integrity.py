"""How much of what is counted is not genuine, as the screen marks it and a person may overrule."""

from __future__ import annotations

from bellwether.catalogue.areas import INTEGRITY
from bellwether.catalogue.formula import Ratio, total
from bellwether.catalogue.kpi import Control, Direction, Kpi, Unit
from bellwether.domain.windows import Window

KPIS = (
    Kpi(
        key="inauthentic_engagement_share",
        title="Share of inauthentic engagement",
        meaning="Interactions that the screen marks as inauthentic, per interaction. Only what comes as single "
        "interactions can be screened; what platforms report as totals is in the divisor alone.",
        formula=Ratio(total("suspect_interactions"), total("interactions")),
        unit=Unit.PERCENT,
        better=Direction.DOWN,
        control=Control.INFLUENCED,
        kra=INTEGRITY,
        home=Window.MONTH,
    ),
    Kpi(
        key="inauthentic_follower_share",
        title="Share of inauthentic joins",
        meaning="Joins that the screen marks as inauthentic, per join of any audience.",
        formula=Ratio(total("suspect_joins"), total("joined")),
        unit=Unit.PERCENT,
        better=Direction.DOWN,
        control=Control.INFLUENCED,
        kra=INTEGRITY,
        home=Window.MONTH,
    ),
)
