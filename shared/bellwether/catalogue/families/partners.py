"""Influencers and partners: what they bring."""

from __future__ import annotations

from bellwether.catalogue.areas import CROSS_FUNCTIONAL, INFLUENCERS, PARTNERSHIPS
from bellwether.catalogue.formula import Contrast, Ratio, Sum, Uplift, less, total
from bellwether.catalogue.kpi import Kind, Kpi, Unit
from bellwether.domain.windows import Window

_INFLUENCER = "Influencer content is what names an influencer when it is published."

INFLUENCER = (
    Kpi(
        key="influencer_reach",
        title="Reach of influencers",
        meaning=f"People reached by influencer content, as the platforms count them for each item. {_INFLUENCER}",
        formula=Sum(total("influencer_reach")),
        unit=Unit.COUNT,
        kra=INFLUENCERS,
        also_shown=("influencer_impressions", "influencer_mentions"),
        home=Window.MONTH,
    ),
    Kpi(
        key="influencer_engagement_rate",
        title="Engagement rate of influencers",
        meaning=f"Interactions with influencer content per person it reached; pooled. {_INFLUENCER}",
        formula=Ratio(total("influencer_interactions"), total("influencer_reach")),
        unit=Unit.PERCENT,
        kra=INFLUENCERS,
        home=Window.MONTH,
    ),
    Kpi(
        key="influencer_awareness_impact",
        title="Awareness by collaborations",
        meaning="Mentions of the brand in the 7 days after a collaboration began, against the 7 days before; pooled "
        "over the collaborations whose 7 days were over within the window.",
        formula=Uplift(total("mentions"), None, marker="collaboration_started"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=INFLUENCERS,
        also_shown=("influencer_mentions",),
        home=Window.MONTH,
    ),
    Kpi(
        key="influencer_content_performance",
        title="Influencer content against other content",
        meaning="Interactions per impression of influencer content, against those of all other content: 0 means that "
        f"both do alike. {_INFLUENCER}",
        formula=Contrast(
            total("influencer_interactions"),
            total("influencer_impressions"),
            less("interactions", "influencer_interactions"),
            less("impressions", "influencer_impressions"),
        ),
        unit=Unit.PERCENT,
        kra=INFLUENCERS,
        home=Window.MONTH,
    ),
    Kpi(
        key="influencer_conversion_rate",
        title="Conversion rate of influencers",
        meaning=f"Conversions that name an influencer, per click on influencer content. {_INFLUENCER}",
        formula=Ratio(total("influencer_conversions"), total("influencer_clicks")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=INFLUENCERS,
        also_shown=("influencer_cost", "influencer_cost.unconverted"),
        home=Window.MONTH,
    ),
)

PARTNER = (
    Kpi(
        key="collaboration_campaign_impact",
        title="Campaigns with a partner team against other content",
        meaning="Engagement rate by followers of items that name a campaign and a partner team when they are "
        "published, against that of all other items; pooled.",
        formula=Contrast(
            total("item_partnered_interactions_followed"),
            total("item_partnered_followers"),
            less("item_interactions_followed", "item_partnered_interactions_followed"),
            less("item_followers", "item_partnered_followers"),
        ),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=CROSS_FUNCTIONAL,
        home=Window.MONTH,
    ),
    Kpi(
        key="collaboration_engagement_lift",
        title="Engagement by partner events",
        meaning="Interactions in the 7 days after a partner event, against the 7 days before; pooled over the events "
        "whose 7 days were over within the window.",
        formula=Uplift(total("interactions"), None, marker="partner_event"),
        screened=Uplift(less("interactions", "suspect_interactions"), None, marker="partner_event"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=PARTNERSHIPS,
        also_shown=("activity_partner_event",),
        home=Window.QUARTER,
    ),
)

KPIS = (*INFLUENCER, *PARTNER)
