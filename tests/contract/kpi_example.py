"""One invented brand in one month: the facts from which the examples of docs/kpis.md are worked out.

The numbers are small and round on purpose, so that a reader can check a formula in the head.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from bellwether.catalogue.formula import Facts, Levels, Moments, amounts_of
from bellwether.catalogue.measures import Audience
from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock
from bellwether.domain.incidents import Interval
from bellwether.domain.timeline import ON_TIME, Grain, Timeline
from bellwether.domain.totals import Totals
from bellwether.domain.windows import Span

_MONEY: Final = 1_000_000


def _at(month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(2026, month, day, hour, minute, tzinfo=UTC).timestamp())


APRIL: Final = Span(_at(4, 1), _at(5, 1), _at(3, 1), _at(4, 1))
_MARKER: Final = _at(4, 10, 9)
_CRISIS: Final = Interval(_at(4, 25, 10), _at(4, 25, 15, 20))
MARKERS: Final = ("collaboration_started", "campaign_started", "training", "partner_event", "platform_change")

NOW: Final[Totals] = {
    "content_published": 24, "planned_content": 20, "content_on_plan": 18, "content_edited": 5, "content_deleted": 1,
    "ugc_submissions": 45, "ugc_authors": 36, "testimonials": 6,
    "impressions": 61_000, "reach": 40_000, "views": 12_360, "video_views": 7_000, "reactions": 2_100, "comments": 420,
    "shares": 260, "saves": 190, "clicks": 1_830, "votes": 40, "interactions": 4_840, "suspect_interactions": 242,
    "interacting_members": 1_200, "community_comments": 405,
    "items": 24, "item_interactions": 4_400, "item_reach": 40_000, "item_impressions": 55_000, "item_views": 11_000,
    "item_interactions_reached": 4_400, "item_interactions_displayed": 4_400, "item_interactions_viewed": 1_100,
    "item_followers": 220_000, "item_interactions_followed": 4_400, "item_rate": {18_000: 12, 24_000: 10},
    "item_rate_sum": 456_000, "item_rate_n": 22, "item_partnered_interactions_followed": 1_500,
    "item_partnered_followers": 60_000,
    "influencer_reach": 8_000, "influencer_impressions": 11_000, "influencer_interactions": 1_320,
    "influencer_clicks": 400, "influencer_conversions": 12, "influencer_cost": 600 * _MONEY,
    "mentions": 250, "competitor_mentions": 150, "mention_authors": 180, "influencer_mentions": 14,
    "positive_n": 180, "neutral_n": 150, "negative_n": 70, "sentiment_n": 400, "sentiment_sum": 450_000,
    "advocates": 20, "advocate_interactions": 130, "advocate_sentiment_n": 50, "advocate_positive_n": 40,
    "advocate_negative_n": 2,
    "messages_received": 120, "messages_answered": 108, "queries_received": 50, "queries_answered": 45,
    "query_response_seconds": 162_000, "response_time": {600: 60, 1_800: 30, 7_200: 18},
    "response_time_business": {600: 70, 1_500: 30, 5_400: 8}, "query_response_time": {900: 25, 3_600: 15, 14_400: 5},
    "query_response_time_business": {900: 30, 2_700: 15}, "answered_business": 108, "answered_within_target": 81,
    "feedback_received": 30, "feedback_answered": 24, "feedback_sentiment_n": 25, "feedback_positive_n": 15,
    "feedback_negative_n": 5,
    "joined": 320, "joined_members": 60, "joined_followers": 200, "joined_subscribers": 60, "left": 80,
    "left_members": 20, "left_followers": 45, "left_subscribers": 15, "suspect_joins": 16, "visits": 2_000,
    "community_visitors": 800,
    "sessions": 1_600, "session_seconds": 144_000, "session_pages": 4_000, "bounces": 640, "target_sessions": 960,
    "referrals": 1_100, "brand_searches": 5_250,
    "leads": 60, "qualified_leads": 24, "lead_visitors": 58, "conversions": 80, "content_conversions": 55, "sales": 32,
    "conversion_value": 6_000 * _MONEY, "sale_value": 5_200 * _MONEY,
    "ad_spend": 900 * _MONEY, "ad_revenue": 3_150 * _MONEY, "ad_impressions": 90_000, "ad_clicks": 1_800,
    "ad_engagements": 2_700, "ad_conversions": 45 * _MONEY, "cost": 2_400 * _MONEY,
    "crises_opened": 2, "crises_responded": 2, "crises_resolved": 1, "crisis_response_time": {900: 1, 2_700: 1},
    "crisis_resolution_time": {19_200: 1},
    "conflicts_opened": 6, "conflicts_escalated": 1, "conflicts_resolved": 5, "conflicts_resolved_unescalated": 4,
    "conflict_resolution_seconds": 90_000, "violations": 9, "violations_addressed": 8,
    "survey_csat_sum": 40 * 800_000, "survey_csat_n": 40, "survey_partner_sum": 5 * 900_000, "survey_partner_n": 5,
    "survey_standards_sum": 20 * 750_000, "survey_standards_n": 20, "survey_growth_sum": 4 * 700_000,
    "survey_growth_n": 4, "survey_perception_sum": 50 * 700_000, "survey_perception_n": 50,
    "survey_trust_sum": 30 * 770_000, "survey_trust_n": 30,
    "assessment_brand_voice_sum": 10 * 800_000, "assessment_brand_voice_n": 10,
    "assessment_tone_sum": 10 * 850_000, "assessment_tone_n": 10,
    "assessment_consistency_sum": 6_400_000, "assessment_consistency_n": 8,
    "assessment_consistency_sum@instagram": 4_000_000, "assessment_consistency_n@instagram": 4,
    "assessment_consistency_sum@x": 2_400_000, "assessment_consistency_n@x": 4,
    "assessment_integration_sum": 4 * 650_000, "assessment_integration_n": 4,
    "assessment_alignment_sum": 4 * 725_000, "assessment_alignment_n": 4,
    "assessment_report_accuracy_sum": 2 * 950_000, "assessment_report_accuracy_n": 2,
    "activity_industry_event": 1, "activity_workshop": 2, "activity_training": 4, "activity_tool_adopted": 2,
    "activity_feature_launched": 3, "activity_technique": 3, "activity_skill": 2, "activity_learning_applied": 3,
    "activity_initiative": 2, "activity_partnership_signed": 1, "activity_partner_event": 1, "activity_report": 4,
    "activity_recommendation": 10, "activity_insight_used": 6, "activity_trend": 3, "activity_platform_change": 1,
}  # fmt: skip

BEFORE: Final[Totals] = {
    "interactions": 4_400, "suspect_interactions": 22, "interacting_members": 1_000, "reach": 32_000, "clicks": 1_500,
    "mentions": 200, "negative_n": 100, "sentiment_n": 400, "sessions": 1_280, "leads": 50, "brand_searches": 5_000,
    "survey_trust_sum": 28 * 700_000, "survey_trust_n": 28, "violations": 12, "ugc_submissions": 40,
    "community_comments": 360, "content_published": 22, "items": 22, "item_interactions": 4_000, "item_reach": 39_000,
    "item_interactions_reached": 4_000,
    "queries_received": 40, "queries_answered": 38, "messages_received": 100, "messages_answered": 92,
}  # fmt: skip

LEVELS: Final[dict[Audience, Levels]] = {
    "members": Levels({"forum": 2_000}, {"forum": 2_040}),
    "followers": Levels({"page": 9_000, "profile": 4_000}, {"page": 9_155, "profile": 4_000}),
    "subscribers": Levels({"channel": 1_500}, {"channel": 1_545}),
}
WAITING: Final = {
    "messages": [1_200] * 6 + [90_000] * 6,
    "queries": [3_600] * 5,
    "messages.business": [1_200] * 6 + [28_800] * 6,
    "queries.business": [1_800] * 5,
}

_DAYS_BEFORE: Final[Totals] = {
    "mentions": 10, "interactions": 100, "suspect_interactions": 10, "reach": 1_000, "positive_n": 4, "negative_n": 2,
    "sentiment_n": 10, "item_interactions_followed": 200, "item_followers": 10_000,
}  # fmt: skip
_DAYS_AFTER: Final[Totals] = {
    **_DAYS_BEFORE, "mentions": 13, "interactions": 120, "suspect_interactions": 3, "positive_n": 5,
    "item_interactions_followed": 230,
}  # fmt: skip
_REACH_AFTER: Final = (800, 600, 700, 900, 1_000, 1_000, 950)
_CALM: Final[Totals] = {"positive_n": 6, "negative_n": 2, "sentiment_n": 10}
_UPSET: Final[Totals] = {"positive_n": 3, "negative_n": 5, "sentiment_n": 10}
_BETTER: Final[Totals] = {"positive_n": 5, "negative_n": 2, "sentiment_n": 10}


def _hours() -> Iterator[tuple[int, Totals]]:
    """What happened around the markers and the crisis, by hour."""
    for day in range(7):
        yield _MARKER - (day + 1) * DAY_S, _DAYS_BEFORE
        yield _MARKER + day * DAY_S, {**_DAYS_AFTER, "reach": _REACH_AFTER[day]}
    for hour in range(24):
        yield _at(4, 24, 10) + hour * HOUR_S, _CALM
        yield _at(4, 25, 16) + hour * HOUR_S, _CALM if hour == 1 else _BETTER
    for hour in range(10, 16):
        yield _at(4, 25, hour), _UPSET


def facts() -> Facts:
    """The facts of the month."""
    clock = LocalClock("UTC")
    timeline, days = Timeline(clock), defaultdict[int, list[Totals]](list)
    for moment, totals in _hours():
        timeline.put(Grain.HOUR, moment, ON_TIME, totals)
        days[clock.day(moment)].append(totals)
    for day, parts in days.items():
        for number, totals in enumerate(parts):
            timeline.put(Grain.DAY, day, number, totals)
    moments = Moments(timeline, {marker: [_MARKER] for marker in MARKERS}, [_CRISIS])
    return Facts(APRIL, NOW, amounts_of(NOW), amounts_of(BEFORE), LEVELS, WAITING, moments)
