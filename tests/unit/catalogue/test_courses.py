"""How the value of a KPI comes about over time."""

from __future__ import annotations

import pytest

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.courses import Course, Kind, course_of
from bellwether.catalogue.formula import Sum, total


@pytest.mark.parametrize(
    ("key", "course"),
    [
        ("brand_mentions", Course(Kind.SUMMED)),
        ("subscriber_growth", Course(Kind.SUMMED)),
        ("membership_growth", Course(Kind.GROWING)),
        ("audience_churn_rate", Course(Kind.GROWING)),
        ("audience_retention_rate", Course(Kind.GROWING, origin=100.0)),
        ("content_engagement_rate", Course(Kind.RATE)),
        ("message_response_time", Course(Kind.RATE)),
        ("unanswered_questions", Course(Kind.OPEN)),
        ("subscribers", Course(Kind.STOCK)),
        ("engagement_growth", Course(Kind.COMPARED)),
        ("influencer_awareness_impact", Course(Kind.COMPARED)),
    ],
)
def test_the_course_of_a_kpi_follows_from_its_formula(key: str, course: Course) -> None:
    assert course_of(CATALOGUE[key].formula) == course


def test_distinct_counts_build_up_but_their_days_do_not_add_up() -> None:
    assert course_of(Sum(total("community_visitors"))) == Course(Kind.GROWING)
    assert course_of(Sum(total("mentions", "community_visitors"))) == Course(Kind.GROWING)


def test_only_sums_and_shares_of_a_size_build_up() -> None:
    assert {kind for kind in Kind if Course(kind).builds_up} == {Kind.SUMMED, Kind.GROWING}
