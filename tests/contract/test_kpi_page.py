"""The examples of docs/kpis.md: worked out by the formulas, and checked by hand."""

from __future__ import annotations

import pytest

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.kpi import Kpi
from tests.contract.kpi_example import facts
from tests.contract.kpi_page import kpis_page

PAGE = kpis_page()
BY_HAND = {
    "content_engagement_rate": 100 * 4_400 / 220_000,
    "content_engagement_rate.item_median": 1.8,
    "click_through_rate": 3.0,
    "engagement_growth": 10.0,
    "community_sentiment": 27.5,
    "community_sentiment.to_polar": 44.0,
    "advocacy_sentiment_impact": 100 * (38 / 50 - (110 - 38) / 350),
    "negative_sentiment_reduction": 7.5,
    "message_response_time": 600,
    "community_retention_rate": 99.0,
    "view_engagement_rate": 800.0,
    "cost_per_click": 0.5,
    "return_on_ad_spend": 3.5,
    "paid_conversion_rate": 2.5,
    "campaign_roi": 150.0,
    "social_roi": 250.0,
    "social_sales_volume": 5_200,
    "influencer_awareness_impact": 30.0,
    "messaging_brand_impact": 10.0,
    "learning_performance_impact": 15.0,
    "algorithm_adaptation_rate": 100.0,
    "crisis_sentiment": -20.0,
    "sentiment_recovery": 100 * ((23 * 3 + 4) / 240 + 0.2) / (0.4 + 0.2),
    "sentiment_recovery.time": 9_600,
    "messaging_consistency": 75.0,
    "brand_voice_alignment": 75.0,
    "trust_safety_improvement": (10 + (3 - 2)) / 2,
}


@pytest.mark.parametrize(("key", "expected"), BY_HAND.items())
def test_an_example_is_what_it_is_by_hand(key: str, expected: float) -> None:
    assert CATALOGUE[key].formula.read(facts()).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kpi", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_kpi_stands_on_the_page_with_a_value_events_and_formula(kpi: Kpi) -> None:
    (section,) = (part for part in PAGE.split("\n### ") if part.startswith(f"`{kpi.key}`\n"))
    assert kpi.formula.read(facts()).value not in (None, 0)
    for said in ("- formula: `", "- in words: ", "- events: `", "- example: ", " → **"):
        assert said in section
    assert "none" not in section.partition("- example:")[2].splitlines()[0]


def test_what_is_screened_differs_in_the_example_or_it_would_show_nothing() -> None:
    told = facts()
    for kpi in CATALOGUE.values():
        if kpi.screened:
            assert kpi.screened.read(told).value != kpi.formula.read(told).value
