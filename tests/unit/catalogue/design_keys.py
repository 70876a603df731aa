"""The KPIs that the platform was commissioned for: by role and key result area, in the order of the design page.

Other systems call these keys. One that is missing from the catalogue or from its card is a broken promise.
"""

from __future__ import annotations

GENERAL = (
    "social_roi", "content_engagement_rate", "share_of_voice", "referrals", "message_response_time", "response_rate",
    "cost_per_lead", "cost_per_acquisition", "content_reach", "content_impressions",
)  # fmt: skip
"""On every card."""

CARDS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "social-media-manager": (
        ("Content strategy and creation", (
            "content_engagement_rate", "content_engagement_rate.by_reach", "content_engagement_rate.by_impressions",
            "content_engagement_rate.by_views", "content_engagement_rate.item_mean",
            "content_engagement_rate.item_median", "content_reach", "content_impressions", "content_conversion_rate",
            "content_feedback",
        )),
        ("Community engagement", (
            "message_response_time", "community_growth_rate", "ugc_participation", "community_sentiment",
        )),
        ("Performance analytics", (
            "campaign_roi", "click_through_rate", "social_traffic_conversion_rate", "engagement_growth",
        )),
        ("Influencer partnerships", (
            "influencer_reach", "influencer_engagement_rate", "influencer_awareness_impact",
            "influencer_content_performance", "influencer_conversion_rate",
        )),
        ("Crisis management", (
            "crisis_response_time", "crisis_sentiment", "crisis_resolution_rate", "sentiment_recovery",
        )),
        ("Paid advertising", (
            "cost_per_click", "paid_conversion_rate", "return_on_ad_spend", "ad_engagement_rate",
        )),
        ("Platform management and innovation", (
            "platform_engagement_rate", "features_and_tools_implemented", "algorithm_adaptation_rate",
            "platform_follower_growth_rate",
        )),
        ("Brand voice and tone", (
            "brand_voice_alignment", "tone_appropriateness", "messaging_brand_impact", "messaging_consistency",
        )),
        ("Cross-functional collaboration", (
            "marketing_integration", "campaign_alignment", "collaboration_campaign_impact", "messaging_consistency",
        )),
        ("Learning and development", (
            "industry_event_participation", "new_tool_adoption", "skill_development", "learning_performance_impact",
        )),
        ("Traffic, leads and mentions", ("social_website_traffic", "lead_conversion_rate", "brand_mentions")),
        ("General", GENERAL),
    ),
    "community-manager": (
        ("Community engagement", (
            "weekly_interactions", "participation_growth", "query_response_time", "ugc_submissions",
        )),
        ("Content creation", (
            "content_pieces_monthly", "shared_content_engagement_rate", "content_reach", "content_impressions",
            "content_action_conversion_rate",
        )),
        ("Crisis management", (
            "conflict_resolution_time", "negative_sentiment_reduction", "conflicts_resolved_unescalated",
            "community_satisfaction",
        )),
        ("Community growth", (
            "membership_growth", "visitor_conversion_rate", "follower_growth_rate", "community_retention_rate",
        )),
        ("Data analysis", (
            "engagement_reports", "feedback_response_rate", "trends_identified", "data_driven_initiatives",
        )),
        ("Collaboration and partnerships", (
            "partnerships_secured", "collaboration_engagement_lift", "partner_events", "partner_satisfaction",
        )),
        ("Brand advocacy", (
            "testimonials", "brand_mention_growth", "advocate_engagement", "advocacy_sentiment_impact",
        )),
        ("Guidelines compliance", (
            "guideline_compliance", "violations_addressed", "standards_feedback", "trust_safety_improvement",
        )),
        ("Insights reporting", (
            "report_frequency", "report_accuracy", "kpi_trend_coverage", "recommendations_made", "insight_usage",
        )),
        ("Learning and development", (
            "training_participation", "techniques_implemented", "growth_feedback", "learning_application",
        )),
        ("General", GENERAL),
    ),
    "smm-specialist": (
        ("Audience", (
            "subscriber_growth", "audience_retention_rate", "audience_churn_rate", "view_engagement_rate",
        )),
        ("Leads and sales", ("social_leads", "qualified_lead_share", "social_sales", "social_sales_volume")),
        ("Traffic", ("social_traffic", "visit_duration", "visit_depth", "bounce_rate", "target_audience_share")),
        ("Brand", ("brand_search_growth",)),
        ("Content and communication", ("content_plan_completion", "response_rate", "unanswered_questions")),
        ("Coverage", ("coverage_growth",)),
        ("Integrity", ("inauthentic_engagement_share", "inauthentic_follower_share")),
        ("General", GENERAL),
    ),
}  # fmt: skip

VARIANTS = (
    "message_response_time.p90", "message_response_time.answered", "message_response_time.business",
    "message_response_time.within_target", "query_response_time.median", "query_response_time.p90",
    "community_sentiment.positive_share", "community_sentiment.to_polar", "sentiment_recovery.time",
    "subscriber_growth.rate", "social_leads.growth", "social_traffic.growth", "social_website_traffic.growth",
    "violations_addressed.count", "feedback_response_rate.sentiment",
)  # fmt: skip
"""Other readings of a KPI that the page asks for: another quantile, the growth beside the number."""

WINDOWS = {"weekly_interactions": "week", "content_pieces_monthly": "month", "partnerships_secured": "quarter"}
"""The windows that the page names."""

LAGGING = ("content_conversion_rate", "campaign_roi")
DOWN = (
    "message_response_time", "crisis_response_time", "cost_per_click", "query_response_time",
    "conflict_resolution_time", "audience_churn_rate", "bounce_rate", "unanswered_questions",
    "inauthentic_engagement_share", "inauthentic_follower_share", "cost_per_lead", "cost_per_acquisition",
)  # fmt: skip
"""All that is better when it is lower; everything else on the page is better when it is higher."""

RATED = (
    "brand_voice_alignment", "tone_appropriateness", "messaging_consistency", "marketing_integration",
    "campaign_alignment", "community_satisfaction", "partner_satisfaction", "standards_feedback", "report_accuracy",
    "growth_feedback",
)  # fmt: skip
"""Judgements that were rated: surveyed or attested, never computed."""


def every_key() -> tuple[str, ...]:
    """Every key of the page, each once."""
    on_cards = (key for areas in CARDS.values() for _, listed in areas for key in listed)
    return tuple(dict.fromkeys((*on_cards, *VARIANTS)))
