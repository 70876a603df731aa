"""Content: how much of it, how far it goes, and what it earns."""

from __future__ import annotations

from bellwether.catalogue.areas import (
    COMMUNICATION,
    CONTENT_CREATION,
    CONTENT_STRATEGY,
    COVERAGE,
    PERFORMANCE,
    PLATFORMS,
)
from bellwether.catalogue.benchmarks import ENGAGEMENT_BY_FOLLOWERS
from bellwether.catalogue.formula import Average, Growth, Percentile, Ratio, Recovered, Sum, total
from bellwether.catalogue.kpi import Control, Kind, Kpi, Unit
from bellwether.domain.windows import Window

_ONE_PERCENT = 10_000
"""Of an item's engagement rate, which is kept in ten-thousandths of a percent."""
_BY_FOLLOWERS = Ratio(total("item_interactions_followed"), total("item_followers"))

ENGAGEMENT_RATES = (
    Kpi(
        key="content_engagement_rate",
        title="Engagement rate by followers",
        meaning="Interactions that the items published in the window have earned so far, per follower that their "
        "channel had when they were posted; pooled: sum over sum, so that a large channel weighs more than a small "
        "one. Items posted before the channel's followers were first known are left out of both sums.",
        formula=_BY_FOLLOWERS,
        unit=Unit.PERCENT,
        kra=CONTENT_STRATEGY,
        also_shown=("items", "item_interactions"),
        benchmarks=ENGAGEMENT_BY_FOLLOWERS,
    ),
    Kpi(
        key="content_engagement_rate.by_reach",
        title="Engagement rate by reach",
        meaning="Interactions that the items published in the window have earned so far, per person they reached; "
        "pooled. Items whose reach nobody reports are left out of both sums.",
        formula=Ratio(total("item_interactions_reached"), total("item_reach")),
        unit=Unit.PERCENT,
        kra=CONTENT_STRATEGY,
        also_shown=("items",),
    ),
    Kpi(
        key="content_engagement_rate.by_impressions",
        title="Engagement rate by impressions",
        meaning="Interactions that the items published in the window have earned so far, per display; pooled. Items "
        "whose impressions nobody reports are left out of both sums.",
        formula=Ratio(total("item_interactions_displayed"), total("item_impressions")),
        unit=Unit.PERCENT,
        kra=CONTENT_STRATEGY,
        also_shown=("items",),
    ),
    Kpi(
        key="content_engagement_rate.by_views",
        title="Engagement rate by views",
        meaning="Interactions that the items published in the window have earned so far, per view; pooled. Items that "
        "nobody reports views of, as pictures, are left out of both sums.",
        formula=Ratio(total("item_interactions_viewed"), total("item_views")),
        unit=Unit.PERCENT,
        kra=CONTENT_STRATEGY,
        also_shown=("items",),
    ),
    Kpi(
        key="content_engagement_rate.item_mean",
        title="Engagement rate of the average item",
        meaning="The mean of the engagement rates by followers of the items published in the window, each item "
        "weighing the same. Items whose channel's followers were not known when they were posted are left out.",
        formula=Average("item_rate_sum", "item_rate_n", unit=_ONE_PERCENT),
        unit=Unit.PERCENT,
        kra=CONTENT_STRATEGY,
        also_shown=("items",),
    ),
    Kpi(
        key="content_engagement_rate.item_median",
        title="Engagement rate of the median item",
        meaning="The engagement rate by followers that half of the items published in the window do not exceed. One "
        "item that went viral does not move it.",
        formula=Percentile("item_rate", 0.5, unit=_ONE_PERCENT),
        unit=Unit.PERCENT,
        kra=CONTENT_STRATEGY,
        also_shown=("items",),
    ),
    Kpi(
        key="shared_content_engagement_rate",
        title="Engagement rate of shared content",
        meaning="Interactions that the items published in the window have earned so far, per person they reached; "
        "pooled. Items whose reach nobody reports are left out of both sums.",
        formula=Ratio(total("item_interactions_reached"), total("item_reach")),
        unit=Unit.PERCENT,
        kra=CONTENT_CREATION,
        also_shown=("items",),
        home=Window.MONTH,
    ),
    Kpi(
        key="platform_engagement_rate",
        title="Engagement rate of a platform",
        meaning="The engagement rate by followers, read in a cut by channel; the total is that of all channels pooled.",
        formula=_BY_FOLLOWERS,
        unit=Unit.PERCENT,
        kra=PLATFORMS,
        also_shown=("items",),
        benchmarks=ENGAGEMENT_BY_FOLLOWERS,
    ),
)

DISPLAYS = (
    Kpi(
        key="content_reach",
        title="Reach",
        meaning="People reached, as the platforms count them for each item: whoever sees an item three times counts "
        "once on it. The same person on two items or networks counts on each, so this is no number of people of the "
        "brand as a whole.",
        formula=Sum(total("reach")),
        unit=Unit.COUNT,
        kra=CONTENT_STRATEGY,
        also_shown=("impressions",),
    ),
    Kpi(
        key="content_impressions",
        title="Impressions",
        meaning="Displays of content: whoever sees an item three times counts three times. Unlike reach it adds up "
        "over days and networks.",
        formula=Sum(total("impressions")),
        unit=Unit.COUNT,
        kra=CONTENT_STRATEGY,
        also_shown=("reach",),
    ),
    Kpi(
        key="click_through_rate",
        title="Click-through rate",
        meaning="Clicks on content per display of it; pooled over all content that was displayed in the window.",
        formula=Ratio(total("clicks"), total("impressions")),
        unit=Unit.PERCENT,
        kra=PERFORMANCE,
    ),
    Kpi(
        key="coverage_growth",
        title="Coverage growth",
        meaning="Growth of reach against the window before.",
        formula=Growth(total("reach")),
        unit=Unit.PERCENT,
        kra=COVERAGE,
        home=Window.MONTH,
    ),
    Kpi(
        key="algorithm_adaptation_rate",
        title="Adaptation to changes of algorithms",
        meaning="Of the changes of a platform's algorithm that were recorded as an activity, the share after which "
        "reach was back within 7 days: from its weakest 24 hours on some 24 hours reached at least as many as an "
        "average day of the 7 before the change.",
        formula=Recovered(total("reach"), marker="platform_change"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=PLATFORMS,
        also_shown=("activity_platform_change",),
        home=Window.QUARTER,
    ),
)

ACTIONS = (
    Kpi(
        key="content_conversion_rate",
        title="Conversion rate of content",
        meaning="Conversions that name the content they came from, per click on content.",
        formula=Ratio(total("content_conversions"), total("clicks")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=CONTENT_STRATEGY,
    ),
    Kpi(
        key="content_action_conversion_rate",
        title="Actions per click on content",
        meaning="Conversions of every kind that are attributed to social, per click on content.",
        formula=Ratio(total("conversions"), total("clicks")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=CONTENT_CREATION,
        home=Window.MONTH,
    ),
    Kpi(
        key="content_feedback",
        title="Feedback per item",
        meaning="Comments on content and feedback messages of the window, per item that the brand published in it.",
        formula=Ratio(total("comments", "feedback_received"), total("content_published"), scale=1),
        unit=Unit.RATIO,
        kra=CONTENT_STRATEGY,
    ),
)

OUTPUT = (
    Kpi(
        key="content_pieces_monthly",
        title="Content published",
        meaning="Content items that the brand published itself; user-generated content is not in it.",
        formula=Sum(total("content_published")),
        unit=Unit.COUNT,
        control=Control.DIRECT,
        kra=CONTENT_CREATION,
        also_shown=("content_edited", "content_deleted"),
        home=Window.MONTH,
    ),
    Kpi(
        key="content_plan_completion",
        title="Completion of the content plan",
        meaning="Of the items of the content plan that were published in the window, the share published within 24 "
        "hours of the moment planned. An item whose moment was not told cannot be shown to be on time and is not.",
        formula=Ratio(total("content_on_plan"), total("planned_content")),
        unit=Unit.PERCENT,
        control=Control.DIRECT,
        kra=COMMUNICATION,
        home=Window.MONTH,
    ),
)

KPIS = (*ENGAGEMENT_RATES, *DISPLAYS, *ACTIONS, *OUTPUT)
