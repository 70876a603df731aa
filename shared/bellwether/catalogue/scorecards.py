"""The role scorecards."""

from __future__ import annotations

from bellwether.catalogue.kpi import Area, Line, Scorecard

SOCIAL_MEDIA_MANAGER = Scorecard(
    role="social-media-manager",
    title="Social media manager",
    areas=(
        Area(
            "Content strategy and creation",
            (
                Line("content_engagement_rate"),
                Line("content_engagement_rate.by_reach"),
                Line("content_engagement_rate.by_impressions"),
                Line("content_reach"),
                Line("content_impressions"),
            ),
        ),
        Area(
            "Community engagement",
            (
                Line("message_response_time"),
                Line("message_response_time.p90"),
                Line("ugc_participation"),
                Line("community_sentiment"),
            ),
        ),
        Area(
            "Performance analytics",
            (Line("click_through_rate"), Line("engagement_growth")),
        ),
        Area(
            "Platform management",
            (Line("follower_growth_rate"),),
        ),
        Area(
            "General",
            (
                Line("brand_mentions"),
                Line("brand_mention_growth"),
                Line("share_of_voice"),
                Line("response_rate"),
            ),
        ),
    ),
)

SCORECARDS: dict[str, Scorecard] = {card.role: card for card in (SOCIAL_MEDIA_MANAGER,)}
