"""Advertising and money: what was spent, and what came back. Amounts are in the reporting currency."""

from __future__ import annotations

from bellwether.catalogue.areas import ADVERTISING, GENERAL, PERFORMANCE
from bellwether.catalogue.formula import Ratio, less, total
from bellwether.catalogue.kpi import Control, Direction, Kind, Kpi, Unit
from bellwether.domain.windows import Window

_MILLION = 1_000_000
"""Money and conversions of advertising are kept in millionths."""
_UNCONVERTED = "Amounts without a rate are left out and counted beside it."
_COST = "Cost is recorded costs, the fees of collaborations and what was spent on advertising."

ADS = (
    Kpi(
        key="cost_per_click",
        title="Cost per click",
        meaning=f"Spent on advertising per click on it, pooled over campaigns. {_UNCONVERTED}",
        formula=Ratio(total("ad_spend"), total("ad_clicks"), scale=1, unit=_MILLION),
        unit=Unit.MONEY,
        better=Direction.DOWN,
        kra=ADVERTISING,
        also_shown=("ad_spend.unconverted",),
    ),
    Kpi(
        key="paid_conversion_rate",
        title="Conversion rate of advertising",
        meaning="Conversions from advertising, as the networks report them, per click on it; pooled over campaigns.",
        formula=Ratio(total("ad_conversions"), total("ad_clicks"), unit=_MILLION),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=ADVERTISING,
        also_shown=("ad_impressions",),
    ),
    Kpi(
        key="return_on_ad_spend",
        title="Return on advertising",
        meaning=f"Revenue from advertising per unit of money spent on it; 1 means that it came back. {_UNCONVERTED}",
        formula=Ratio(total("ad_revenue"), total("ad_spend"), scale=1, unit=_MILLION, denominator_unit=_MILLION),
        unit=Unit.RATIO,
        kind=Kind.LAGGING,
        kra=ADVERTISING,
        also_shown=("ad_revenue.unconverted", "ad_spend.unconverted"),
    ),
    Kpi(
        key="ad_engagement_rate",
        title="Engagement rate of advertising",
        meaning="Engagements with advertising per display of it; pooled over campaigns.",
        formula=Ratio(total("ad_engagements"), total("ad_impressions")),
        unit=Unit.PERCENT,
        kra=ADVERTISING,
    ),
    Kpi(
        key="click_through_rate.paid",
        title="Click-through rate of advertising",
        meaning="Clicks on advertising per display of it; pooled over campaigns.",
        formula=Ratio(total("ad_clicks"), total("ad_impressions")),
        unit=Unit.PERCENT,
        kra=ADVERTISING,
    ),
)

RETURNS = (
    Kpi(
        key="campaign_roi",
        title="Return on campaigns",
        meaning="Value of conversions less cost, per cost: 0 means that the cost came back, 100 that twice of it did. "
        f"Read it in a cut by campaign; the total holds cost that belongs to none, too. {_COST} {_UNCONVERTED}",
        formula=Ratio(less("conversion_value", "cost"), total("cost"), unit=_MILLION, denominator_unit=_MILLION),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=PERFORMANCE,
        also_shown=("conversion_value.unconverted", "cost.unconverted"),
        home=Window.MONTH,
    ),
    Kpi(
        key="social_roi",
        title="Return on social",
        meaning="Value of conversions attributed to social, per cost of social: 100 means that the cost came back. "
        f"{_COST} {_UNCONVERTED}",
        formula=Ratio(total("conversion_value"), total("cost"), unit=_MILLION, denominator_unit=_MILLION),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=GENERAL,
        also_shown=("conversion_value.unconverted", "cost.unconverted"),
        home=Window.MONTH,
    ),
    Kpi(
        key="cost_per_lead",
        title="Cost per lead",
        meaning=f"Cost of social per lead. {_COST} {_UNCONVERTED}",
        formula=Ratio(total("cost"), total("leads"), scale=1, unit=_MILLION),
        unit=Unit.MONEY,
        better=Direction.DOWN,
        kind=Kind.LAGGING,
        kra=GENERAL,
        also_shown=("cost.unconverted",),
        home=Window.MONTH,
    ),
    Kpi(
        key="cost_per_acquisition",
        title="Cost per acquisition",
        meaning=f"Cost of social per conversion of any kind. {_COST} {_UNCONVERTED}",
        formula=Ratio(total("cost"), total("conversions"), scale=1, unit=_MILLION),
        unit=Unit.MONEY,
        better=Direction.DOWN,
        kind=Kind.LAGGING,
        kra=GENERAL,
        also_shown=("cost.unconverted",),
        home=Window.MONTH,
    ),
)

KPIS = (*ADS, *RETURNS)
