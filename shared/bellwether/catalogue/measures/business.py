"""Measures of what social brings to the business: traffic, leads, conversions, and money.

Money is in millionths of the brand's reporting currency. An amount without a rate is in none
of the sums; `<measure>.unconverted` says how many such amounts there are.
"""

from __future__ import annotations

from bellwether.catalogue.measures.event_types import (
    ADS,
    COLLABORATION,
    CONVERSION,
    COST,
    CURRENCY_RATE,
    LEAD,
    QUALIFIED,
    SEARCH,
    SESSION,
)
from bellwether.catalogue.measures.measure import Measure, Where, counted, distinct, joined, summed

_SOCIAL = Where("@social", (True,))


def _money(key: str, title: str, *events: str) -> tuple[Measure, Measure]:
    return (
        joined(key, f"{title}, in millionths of the reporting currency", (*events, CURRENCY_RATE)),
        joined(f"{key}.unconverted", f"{title}: amounts without a rate", events),
    )


_TRAFFIC = (
    counted("sessions", "Sessions from social", SESSION, _SOCIAL),
    summed("session_seconds", "Time of sessions from social, in whole seconds each", SESSION, "seconds", _SOCIAL),
    summed("session_pages", "Pages of sessions from social", SESSION, "pages", _SOCIAL),
    counted("bounces", "Sessions from social that bounced", SESSION, _SOCIAL, Where("bounced", (True,))),
    counted("target_sessions", "Sessions of the target audience", SESSION, _SOCIAL, Where("target", (True,))),
    counted("referrals", "Sessions referred by a link", SESSION, _SOCIAL, Where("referrer", present=True)),
    summed("brand_searches", "Searches for the brand", SEARCH, "count"),
)

_SALES = (
    counted("leads", "Leads", LEAD),
    counted("qualified_leads", "Qualified leads", QUALIFIED),
    distinct("lead_visitors", "People who became leads", LEAD),
    counted("conversions", "Conversions", CONVERSION),
    counted("content_conversions", "Conversions by content", CONVERSION, Where("content_id", present=True)),
    counted("influencer_conversions", "Conversions by influencers", CONVERSION, Where("influencer", present=True)),
    counted("sales", "Sales", CONVERSION, Where("kind", ("sale",))),
    *_money("conversion_value", "Value of conversions", CONVERSION),
    *_money("sale_value", "Value of sales", CONVERSION),
)

_ADVERTISING = (
    *_money("ad_spend", "Spent on advertising", ADS),
    *_money("ad_revenue", "Revenue from advertising", ADS),
    joined("ad_impressions", "Impressions of advertising", ADS),
    joined("ad_clicks", "Clicks on advertising", ADS),
    joined("ad_engagements", "Engagements with advertising", ADS),
    joined("ad_conversions", "Conversions from advertising, in millionths", ADS),
)

_COST = (
    *_money("cost", "Cost of social", COST, COLLABORATION, ADS),
    *_money("influencer_cost", "Cost of influencers", COLLABORATION, COST, ADS),
)

MEASURES: tuple[Measure, ...] = (*_TRAFFIC, *_SALES, *_ADVERTISING, *_COST)
