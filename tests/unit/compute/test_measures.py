"""Measures as they are declared: which single events move them, and by how much."""

from __future__ import annotations

from typing import Any

import pytest

from bellwether.catalogue.measures import BY_KEY, MEASURES, Fold, measure_of
from bellwether.catalogue.measures.governance import ACTIVITIES, SUBJECTS, SURVEYS
from bellwether.catalogue.social_origins import CHANNELS
from bellwether.wire.events import EVENT_TYPES, NETWORKS
from tests.unit.compute.folding import NOW, iso
from tests.unit.compute.test_measuring import counted

ANN = {"id": "ann"}
HOUR = 3_600
COMPILED = [measure for measure in MEASURES if measure.fold in (Fold.COUNT, Fold.SUM, Fold.DISTINCT)]

_VISIT = {"session_id": "s", "pages": 3, "seconds": 90.6, "bounced": False}
_SALE = {"conversion_id": "c", "kind": "sale", "attribution": "organic"}

CASES: list[tuple[str, dict[str, Any], dict[str, int]]] = [
    ("social.content.published.v1", {"content_id": "p", "planned": True, "planned_at": iso(NOW + 24 * HOUR)},
     {"content_published": 1, "planned_content": 1, "content_on_plan": 1}),
    ("social.content.published.v1", {"content_id": "p", "planned": True, "planned_at": iso(NOW - 24 * HOUR)},
     {"content_published": 1, "planned_content": 1, "content_on_plan": 1}),
    ("social.content.published.v1", {"content_id": "p", "planned": True, "planned_at": iso(NOW - 24 * HOUR - 1)},
     {"content_published": 1, "planned_content": 1}),
    ("social.content.published.v1", {"content_id": "p", "planned": True},
     {"content_published": 1, "planned_content": 1}),
    ("social.content.published.v1", {"content_id": "p", "planned_at": iso(NOW)}, {"content_published": 1}),
    ("social.content.published.v1", {"content_id": "p", "ugc": True, "planned": True, "planned_at": iso(NOW)},
     {"ugc_submissions": 1}),
    ("social.content.published.v1", {"content_id": "p", "ugc": True, "kind": "testimonial"},
     {"ugc_submissions": 1, "testimonials": 1}),
    ("social.content.published.v1", {"content_id": "p", "kind": "review"}, {"content_published": 1, "testimonials": 1}),
    ("social.content.edited.v1", {"content_id": "p"}, {"content_edited": 1}),
    ("social.content.deleted.v1", {"content_id": "p"}, {"content_deleted": 1}),
    ("social.mention.v1", {"of": "aurora", "influencer": "mia"}, {"mentions": 1, "influencer_mentions": 1}),
    ("social.mention.v1", {"of": "rival", "influencer": "mia"}, {"competitor_mentions": 1}),
    ("social.message.received.v1", {"conversation_id": "c", "message_id": "m", "kind": "feedback", "sentiment": -1.0},
     {"messages_received": 1, "feedback_received": 1, "feedback_sentiment_n": 1, "feedback_negative_n": 1,
      "sentiment_n": 1, "negative_n": 1, "sentiment_sum": -10_000}),
    ("social.message.received.v1", {"conversation_id": "c", "message_id": "m", "kind": "feedback", "sentiment": 1.0},
     {"messages_received": 1, "feedback_received": 1, "feedback_sentiment_n": 1, "feedback_positive_n": 1,
      "sentiment_n": 1, "positive_n": 1, "sentiment_sum": 10_000}),
    ("social.audience.joined.v1", {"audience": "members", "member_id": "m"}, {"joined": 1, "joined_members": 1}),
    ("social.audience.joined.v1", {"audience": "followers", "member_id": "m"}, {"joined": 1, "joined_followers": 1}),
    ("social.audience.joined.v1", {"audience": "subscribers", "member_id": "m"},
     {"joined": 1, "joined_subscribers": 1}),
    ("social.audience.left.v1", {"audience": "members", "member_id": "m"}, {"left": 1, "left_members": 1}),
    ("social.audience.left.v1", {"audience": "followers", "member_id": "m"}, {"left": 1, "left_followers": 1}),
    ("social.audience.left.v1", {"audience": "subscribers", "member_id": "m"}, {"left": 1, "left_subscribers": 1}),
    ("social.community.visit.v1", {"visitor_id": "v"}, {"visits": 1, "community_visitors": 1}),
    ("web.session.v1", {**_VISIT, "target": True, "referrer": "https://l.facebook.com/l.php"},
     {"sessions": 1, "session_seconds": 91, "session_pages": 3, "target_sessions": 1, "referrals": 1}),
    ("web.session.v1", {**_VISIT, "bounced": True, "target": False},
     {"sessions": 1, "session_seconds": 91, "session_pages": 3, "bounces": 1}),
    ("search.interest.v1", {"term": "aurora", "count": 40, "from": iso(NOW - HOUR), "to": iso(NOW)},
     {"brand_searches": 40}),
    ("sales.lead.created.v1", {"lead_id": "l", "author": ANN}, {"leads": 1, "lead_visitors": 1}),
    ("sales.lead.qualified.v1", {"lead_id": "l", "author": ANN}, {"qualified_leads": 1}),
    ("sales.conversion.v1", _SALE, {"conversions": 1, "sales": 1}),
    ("sales.conversion.v1", {**_SALE, "kind": "signup", "content_id": "p", "influencer": "mia"},
     {"conversions": 1, "content_conversions": 1, "influencer_conversions": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "expected"), CASES)
def test_an_event_counts_in_the_measures_that_it_is_part_of_and_in_no_other(
    kind: str, body: dict[str, Any], expected: dict[str, int]
) -> None:
    assert counted(kind, **body) == expected


@pytest.mark.parametrize("survey", SURVEYS)
def test_an_answer_to_a_survey_is_its_place_on_its_own_scale(survey: str) -> None:
    answered = counted("survey.response.v1", survey=survey, score=4, scale_min=1, scale_max=5)
    assert answered == {f"survey_{survey}_sum": 750_000, f"survey_{survey}_n": 1}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_assessment_is_its_place_on_its_own_scale(subject: str) -> None:
    judged = counted("assessment.recorded.v1", subject=subject, score=2, scale_min=0, scale_max=3, assessor="bo")
    assert judged[f"assessment_{subject}_sum"] == 666_667
    assert judged[f"assessment_{subject}_n"] == 1
    assert all(key.startswith(f"assessment_{subject}_") for key in judged)


def test_what_is_compared_between_channels_is_kept_for_every_channel_beside_the_whole() -> None:
    judged = {"subject": "consistency", "score": 1, "scale_min": 0, "scale_max": 4, "assessor": "bo"}
    assert counted("assessment.recorded.v1", **judged, channel="vk") == {
        "assessment_consistency_sum": 250_000, "assessment_consistency_sum@vk": 250_000,
        "assessment_consistency_n": 1, "assessment_consistency_n@vk": 1,
    }  # fmt: skip


def test_scores_and_activities_of_other_kinds_count_nowhere() -> None:
    scale = {"score": 1, "scale_min": 0, "scale_max": 4}
    assert counted("survey.response.v1", survey="weather", **scale) == {}
    assert counted("assessment.recorded.v1", subject="weather", assessor="bo", **scale) == {}
    assert counted("activity.recorded.v1", activity="lunch", title="Lunch") == {}


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_an_activity_counts_as_what_it_is(activity: str) -> None:
    assert counted("activity.recorded.v1", activity=activity, title="T", people=7) == {f"activity_{activity}": 1}


@pytest.mark.parametrize(
    ("about", "social"),
    [
        ({}, False),
        ({"referrer": "https://www.google.com/search"}, False),
        ({"referrer": "https://t.co/abc"}, True),
        ({"referrer": "android-app://m.vk.com/"}, True),
        ({"referrer": "out.reddit.com/r/coffee"}, True),
        ({"referrer": "https://notfacebook.com/"}, False),
        ({"referrer": "https://facebook.com.evil.example/"}, False),
        ({"referrer": "http://[::1"}, False),
        ({"utm": {"source": "Instagram"}}, True),
        ({"utm": {"source": "newsletter", "medium": "email"}}, False),
        ({"utm": {"source": "spring", "medium": "Paid-Social"}}, True),
        ({"utm": {"source": "newsletter"}, "referrer": "https://lnkd.in/x"}, True),
        ({"channel": "linkedin"}, True),
        ({"channel": "other:forum"}, False),
    ],
)
def test_a_session_is_social_by_its_channel_its_utm_or_its_referrer(about: dict[str, Any], social: bool) -> None:
    assert ("sessions" in counted("web.session.v1", **{**_VISIT, "channel": "web", **about})) is social


def test_the_social_channels_are_the_networks_with_a_name_but_the_web_and_email() -> None:
    assert set(NETWORKS) - {"web", "email"} == CHANNELS


def test_every_measure_that_single_events_move_is_moved_by_one_of_these() -> None:
    scored = [f"{prefix}_{name}_{part}" for prefix, names in (("survey", SURVEYS), ("assessment", SUBJECTS))
              for name in names for part in ("sum", "n")]  # fmt: skip
    moved = {key for _, _, expected in CASES for key in expected} | set(scored)
    moved |= {f"activity_{activity}" for activity in ACTIVITIES}
    elsewhere = {
        "queries_received",
        "mention_authors",
        "ugc_authors",
        "interacting_members",
        "neutral_n",
    }  # test_measuring
    assert {measure.key for measure in COMPILED} == moved | elsewhere | {"community_comments"}


def test_measures_read_event_types_that_exist_and_have_keys_of_their_own() -> None:
    assert {event for measure in MEASURES for event in measure.events} <= EVENT_TYPES.keys()
    assert all(measure.events and measure.title for measure in MEASURES)
    assert len(BY_KEY) == len(MEASURES)


def test_a_measure_kept_by_a_field_is_found_under_its_values_and_another_is_not() -> None:
    assert measure_of("assessment_consistency_n@vk") is BY_KEY["assessment_consistency_n"]
    assert measure_of("assessment_consistency_n@") is None
    assert measure_of("assessment_tone_n@vk") is None
    assert measure_of("mansions") is None
