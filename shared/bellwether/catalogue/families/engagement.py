"""Content and what it earns."""

from __future__ import annotations

from bellwether.catalogue.formula import Growth, Ratio, Sum, total
from bellwether.catalogue.kpi import Kpi, Unit
from bellwether.catalogue.measures import INTERACTION_COUNTERS
from bellwether.domain.windows import Window

_CONTENT = "Content strategy and creation"

KPIS = (
    Kpi(
        key="content_engagement_rate",
        title="Engagement rate by followers",
        meaning="Interactions that the items published in the window have earned so far, per "
        "follower that their channel had when they were posted. Items posted before the "
        "channel's followers were first known are left out of both sums.",
        formula=Ratio(total("item_interactions_followed"), total("item_followers")),
        unit=Unit.PERCENT,
        kra=_CONTENT,
        also_shown=("items", "item_interactions"),
    ),
    Kpi(
        key="content_engagement_rate.by_reach",
        title="Engagement rate by reach",
        meaning="Interactions that the items published in the window have earned so far, per person they reached.",
        formula=Ratio(total("item_interactions"), total("item_reach")),
        unit=Unit.PERCENT,
        kra=_CONTENT,
        also_shown=("items",),
    ),
    Kpi(
        key="content_engagement_rate.by_impressions",
        title="Engagement rate by impressions",
        meaning="Interactions that the items published in the window have earned so far, per display.",
        formula=Ratio(total("item_interactions"), total("item_impressions")),
        unit=Unit.PERCENT,
        kra=_CONTENT,
        also_shown=("items",),
    ),
    Kpi(
        key="content_reach",
        title="Reach",
        meaning="People reached, as the platforms count them for each item. The same person "
        "on two items or networks counts on each.",
        formula=Sum(total("reach")),
        unit=Unit.COUNT,
        kra=_CONTENT,
    ),
    Kpi(
        key="content_impressions",
        title="Impressions",
        meaning="Displays of content, repeated displays to one person included.",
        formula=Sum(total("impressions")),
        unit=Unit.COUNT,
        kra=_CONTENT,
    ),
    Kpi(
        key="click_through_rate",
        title="Click-through rate",
        meaning="Clicks on content per display of it.",
        formula=Ratio(total("clicks"), total("impressions")),
        unit=Unit.PERCENT,
        kra="Performance analytics",
    ),
    Kpi(
        key="engagement_growth",
        title="Engagement growth",
        meaning="Growth of interactions against the window before.",
        formula=Growth(total("interactions")),
        unit=Unit.PERCENT,
        kra="Performance analytics",
    ),
    Kpi(
        key="weekly_interactions",
        title="Interactions",
        meaning="Reactions, comments, shares, saves, clicks and votes; what is taken back counts off.",
        formula=Sum(total("interactions")),
        unit=Unit.COUNT,
        kra="Community engagement",
        also_shown=INTERACTION_COUNTERS,
        home=Window.WEEK,
    ),
    Kpi(
        key="content_pieces_monthly",
        title="Content published",
        meaning="Content items that the brand published itself.",
        formula=Sum(total("content_published")),
        unit=Unit.COUNT,
        kra="Content creation",
        home=Window.MONTH,
    ),
    Kpi(
        key="coverage_growth",
        title="Coverage growth",
        meaning="Growth of reach against the window before.",
        formula=Growth(total("reach")),
        unit=Unit.PERCENT,
        kra="Coverage",
    ),
)
