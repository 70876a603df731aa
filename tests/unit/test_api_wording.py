"""Every operator, told as an expression and in words."""

from __future__ import annotations

from typing import get_args

import pytest

from bellwether.catalogue.formula import (
    AnyFormula,
    Average,
    Blend,
    Contrast,
    DuringCrises,
    Growth,
    Latest,
    LevelGrowth,
    Lowest,
    NetChange,
    Percentile,
    PerLevel,
    Ratio,
    RatioFall,
    RatioGrowth,
    Recovered,
    RecoveryTime,
    Regained,
    Retention,
    Sum,
    Term,
    TrendCoverage,
    Uplift,
    less,
    total,
)
from bellwether_api.wording import wording

A, B = total("clicks"), total("impressions")
BOTH, NET = total("clicks", "shares"), less("positive_n", "negative_n")

TOLD: list[tuple[AnyFormula, str, str]] = [
    (Sum(BOTH), "sum", "clicks + shares"),
    (Sum((Term("shares", 3), Term("clicks", -1))), "sum", "3 * shares - clicks"),
    (Sum(total("sale_value"), unit=1_000_000), "sum", "sale_value / 1000000"),
    (Ratio(NET, B), "ratio", "100 * (positive_n - negative_n) / impressions"),
    (Ratio(A, B, scale=1), "ratio", "clicks / impressions"),
    (Ratio(A, B, unit=1_000_000), "ratio", "100 * clicks / 1000000 / impressions"),
    (Ratio(A, B, scale=1, unit=10, denominator_unit=10), "ratio", "clicks / impressions"),
    (Average("clicks", "items", unit=10), "average", "clicks / 10 / items"),
    (Percentile("response_time", 0.5), "percentile", "quantile(0.5, response_time)"),
    (Percentile("item_rate", 0.9, unit=10), "percentile", "quantile(0.9, item_rate) / 10"),
    (Percentile("response_time", 0.9, "messages.business"), "percentile",
     "kaplan_meier(0.9, response_time, waiting=messages.business)"),
    (Contrast(A, B, BOTH, B), "contrast", "100 * ((clicks / impressions) / ((clicks + shares) / impressions) - 1)"),
    (Contrast(A, B, A, B, points=True), "contrast", "100 * (clicks / impressions - clicks / impressions)"),
    (Lowest("clicks", "items"), "lowest", "100 * min(clicks@channel / items@channel) / (clicks / items)"),
    (Growth(BOTH), "growth", "100 * ((clicks + shares) - before(clicks + shares)) / before(clicks + shares)"),
    (RatioGrowth(A, B), "ratio_growth",
     "100 * (clicks / impressions - before(clicks / impressions)) / before(clicks / impressions)"),
    (RatioFall(A, B), "ratio_fall", "100 * (before(clicks / impressions) - clicks / impressions)"),
    (TrendCoverage((("clicks",), ("shares",)), ("members",)), "trend_coverage",
     "100 * with_trend(2 KPIs + members) / 3"),
    (Latest(("members",)), "latest", "latest(members)"),
    (NetChange(("members",)), "net_change", "end(members) - start(members)"),
    (LevelGrowth(("members",)), "level_growth", "100 * (end(members) - start(members)) / start(members)"),
    (PerLevel(A, ("members",), at="start"), "per_level", "100 * clicks / start(members)"),
    (Retention("members", "joined_members"), "retention", "100 * (end(members) - joined_members) / start(members)"),
    (Uplift(A, None, "training"), "uplift", "uplift(clicks, training, 7d)"),
    (Uplift(NET, B, "training", points=True), "uplift",
     "uplift_points((positive_n - negative_n) / impressions, training, 7d)"),
    (Recovered(A, "platform_change"), "recovered", "recovered(clicks, platform_change, 7d)"),
    (DuringCrises(A, B), "during_crises", "100 * during_crises(clicks / impressions)"),
    (Regained(A, total("items")), "regained",
     "100 * (after(clicks / items) - during(clicks / items)) / (ahead(clicks / items) - during(clicks / items))"),
    (RecoveryTime(A, B), "recovery_time", "recovery_time(clicks / impressions)"),
    (Blend((Sum(A), Ratio(A, B))), "blend", "mean(clicks, 100 * clicks / impressions)"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "operator", "expression"), TOLD)
def test_a_formula_is_told_as_an_expression(formula: AnyFormula, operator: str, expression: str) -> None:
    told = wording(formula)
    assert (told.operator, told.expression) == (operator, expression)


@pytest.mark.parametrize(("formula", "operator", "expression"), TOLD)
def test_words_name_measures_by_their_titles_and_end_with_where_it_is_undefined(
    formula: AnyFormula, operator: str, expression: str
) -> None:
    words = wording(formula).words
    assert words.endswith(".")
    assert "undefined" in words.lower() or isinstance(formula, Sum | TrendCoverage)
    assert not [name for name in formula.measures() if "_" in name and name in words]


def test_every_operator_is_told() -> None:
    assert {type(formula) for formula, _, _ in TOLD} == set(get_args(AnyFormula))


def test_only_formulas_over_money_speak_of_rates() -> None:
    assert "no_rate" in wording(Ratio(total("cost"), total("leads"))).words
    assert "no_rate" not in wording(Ratio(A, B)).words
