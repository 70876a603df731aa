"""The role scorecards: which KPIs stand in which key result area."""

from __future__ import annotations

from bellwether.catalogue import areas
from bellwether.catalogue.kpi import Area, Line, Scorecard


def _area(title: str, *kpis: str) -> Area:
    return Area(title, tuple(Line(kpi) for kpi in kpis))


_GENERAL = _area(
    areas.GENERAL,
    "social_roi",
    "content_engagement_rate",
    "share_of_voice",
    "referrals",
    "message_response_time",
    "response_rate",
    "cost_per_lead",
    "cost_per_acquisition",
    "content_reach",
    "content_impressions",
)
"""On every card."""

SOCIAL_MEDIA_MANAGER = Scorecard(
    role="social-media-manager",
    title="Social media manager",
    areas=(
        _area(
            areas.CONTENT_STRATEGY,
            "content_engagement_rate",
            "content_engagement_rate.by_reach",
            "content_engagement_rate.by_impressions",
            "content_engagement_rate.by_views",
            "content_engagement_rate.item_mean",
            "content_engagement_rate.item_median",
            "content_reach",
            "content_impressions",
            "content_conversion_rate",
            "content_feedback",
        ),
        _area(
            areas.COMMUNITY_ENGAGEMENT,
            "message_response_time",
            "message_response_time.p90",
            "community_growth_rate",
            "ugc_participation",
            "community_sentiment",
        ),
        _area(
            areas.PERFORMANCE,
            "campaign_roi",
            "click_through_rate",
            "social_traffic_conversion_rate",
            "engagement_growth",
        ),
        _area(
            areas.INFLUENCERS,
            "influencer_reach",
            "influencer_engagement_rate",
            "influencer_awareness_impact",
            "influencer_content_performance",
            "influencer_conversion_rate",
        ),
        _area(
            areas.CRISIS,
            "crisis_response_time",
            "crisis_sentiment",
            "crisis_resolution_rate",
            "sentiment_recovery",
            "sentiment_recovery.time",
        ),
        _area(
            areas.ADVERTISING,
            "cost_per_click",
            "paid_conversion_rate",
            "return_on_ad_spend",
            "ad_engagement_rate",
        ),
        _area(
            areas.PLATFORMS,
            "platform_engagement_rate",
            "features_and_tools_implemented",
            "algorithm_adaptation_rate",
            "platform_follower_growth_rate",
        ),
        _area(
            areas.BRAND_VOICE,
            "brand_voice_alignment",
            "tone_appropriateness",
            "messaging_brand_impact",
            "messaging_consistency",
        ),
        _area(
            areas.CROSS_FUNCTIONAL,
            "marketing_integration",
            "campaign_alignment",
            "collaboration_campaign_impact",
            "messaging_consistency",
        ),
        _area(
            areas.LEARNING,
            "industry_event_participation",
            "new_tool_adoption",
            "skill_development",
            "learning_performance_impact",
        ),
        _area(
            areas.AWARENESS,
            "social_website_traffic",
            "social_website_traffic.growth",
            "lead_conversion_rate",
            "brand_mentions",
            "brand_mention_growth",
        ),
        _GENERAL,
    ),
)

COMMUNITY_MANAGER = Scorecard(
    role="community-manager",
    title="Community manager",
    areas=(
        _area(
            areas.COMMUNITY_ENGAGEMENT,
            "weekly_interactions",
            "participation_growth",
            "query_response_time",
            "query_response_time.median",
            "query_response_time.p90",
            "ugc_submissions",
        ),
        _area(
            areas.CONTENT_CREATION,
            "content_pieces_monthly",
            "shared_content_engagement_rate",
            "content_reach",
            "content_impressions",
            "content_action_conversion_rate",
        ),
        _area(
            areas.CRISIS,
            "conflict_resolution_time",
            "negative_sentiment_reduction",
            "conflicts_resolved_unescalated",
            "community_satisfaction",
        ),
        _area(
            areas.COMMUNITY_GROWTH,
            "membership_growth",
            "visitor_conversion_rate",
            "follower_growth_rate",
            "community_retention_rate",
        ),
        _area(
            areas.DATA_ANALYSIS,
            "engagement_reports",
            "feedback_response_rate",
            "feedback_response_rate.sentiment",
            "trends_identified",
            "data_driven_initiatives",
        ),
        _area(
            areas.PARTNERSHIPS,
            "partnerships_secured",
            "collaboration_engagement_lift",
            "partner_events",
            "partner_satisfaction",
        ),
        _area(
            areas.ADVOCACY,
            "testimonials",
            "brand_mention_growth",
            "advocate_engagement",
            "advocacy_sentiment_impact",
        ),
        _area(
            areas.COMPLIANCE,
            "guideline_compliance",
            "violations_addressed",
            "violations_addressed.count",
            "standards_feedback",
            "trust_safety_improvement",
        ),
        _area(
            areas.REPORTING,
            "report_frequency",
            "report_accuracy",
            "kpi_trend_coverage",
            "recommendations_made",
            "insight_usage",
        ),
        _area(
            areas.LEARNING,
            "training_participation",
            "techniques_implemented",
            "growth_feedback",
            "learning_application",
        ),
        _GENERAL,
    ),
)

SMM_SPECIALIST = Scorecard(
    role="smm-specialist",
    title="SMM specialist",
    areas=(
        _area(
            areas.AUDIENCE,
            "subscriber_growth",
            "subscriber_growth.rate",
            "audience_retention_rate",
            "audience_churn_rate",
            "view_engagement_rate",
        ),
        _area(
            areas.LEADS_AND_SALES,
            "social_leads",
            "social_leads.growth",
            "qualified_lead_share",
            "social_sales",
            "social_sales_volume",
        ),
        _area(
            areas.TRAFFIC,
            "social_traffic",
            "social_traffic.growth",
            "visit_duration",
            "visit_depth",
            "bounce_rate",
            "target_audience_share",
        ),
        _area(areas.BRAND, "brand_search_growth"),
        _area(
            areas.COMMUNICATION,
            "content_plan_completion",
            "response_rate",
            "unanswered_questions",
        ),
        _area(areas.COVERAGE, "coverage_growth"),
        _area(
            areas.INTEGRITY,
            "inauthentic_engagement_share",
            "inauthentic_follower_share",
        ),
        _GENERAL,
    ),
)

SCORECARDS: dict[str, Scorecard] = {
    card.role: card for card in (SOCIAL_MEDIA_MANAGER, COMMUNITY_MANAGER, SMM_SPECIALIST)
}
