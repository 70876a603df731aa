"""Expressions become the formulas that they mean, and nothing else."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.catalogue.expressions import OPERATORS, ExpressionError, parse_formula
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
    Uplift,
    less,
    total,
)
from bellwether.catalogue.measures import Fold, Measure

OWN = {"own.a": Measure(key="own.a#2", title="A", fold=Fold.COUNT)}
LEADS, SESSIONS = total("leads"), total("sessions")


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("leads", Sum(LEADS)),
        ("leads + sessions - 2 * visits", Sum((Term("leads"), Term("sessions"), Term("visits", -2)))),
        ("leads / 2", Sum(LEADS, 2)),
        ("own.a / leads", Ratio(total("own.a#2"), LEADS, 1)),
        ("100 * leads / sessions", Ratio(LEADS, SESSIONS, 100)),
        ("leads / sessions * 100", Ratio(LEADS, SESSIONS, 100)),
        ("100 * (leads / sessions)", Ratio(LEADS, SESSIONS, 100)),
        ("-100 * leads / sessions", Ratio(LEADS, SESSIONS, -100)),
        ("0.5 * leads / sessions", Ratio(LEADS, SESSIONS, 1, 2)),
        ("100 * (1 - leads / sessions)", Ratio(less("sessions", "leads"), SESSIONS, 100)),
        ("leads / sessions - 1", Ratio((Term("sessions", -1), Term("leads")), SESSIONS, 1)),
        ("ad_spend / ad_clicks", Ratio(total("ad_spend"), total("ad_clicks"), 1, 1_000_000)),
        ("ad_revenue / ad_spend", Ratio(total("ad_revenue"), total("ad_spend"), 1, 1_000_000, 1_000_000)),
        ("ad_spend + leads", Sum((Term("ad_spend"), Term("leads", 1_000_000)), 1_000_000)),
        ("assessment_tone_sum / assessment_tone_n",
         Ratio(total("assessment_tone_sum"), total("assessment_tone_n"), 1, 1_000_000)),
        ("sum(leads + visits)", Sum(total("leads", "visits"))),
        ("sum([leads, visits])", Sum(total("leads", "visits"))),
        ("ratio(leads, sessions)", Ratio(LEADS, SESSIONS)),
        ("ratio(denominator=sessions, numerator=leads, scale=1)", Ratio(LEADS, SESSIONS, 1)),
        ("average(session_seconds, sessions)", Average("session_seconds", "sessions")),
        ("average(survey_csat_sum, survey_csat_n)", Average("survey_csat_sum", "survey_csat_n", 1_000_000)),
        ("median(response_time, waiting=messages)", Percentile("response_time", 0.5, "messages")),
        ("percentile(response_time, 0.9)", Percentile("response_time", 0.9)),
        ("contrast(leads, sessions, conversions, visits, points=true)",
         Contrast(LEADS, SESSIONS, total("conversions"), total("visits"), points=True)),
        ("lowest(assessment_tone_sum, assessment_tone_n)",
         Lowest("assessment_tone_sum", "assessment_tone_n", 1_000_000)),
        ("growth(leads + sessions)", Growth(total("leads", "sessions"))),
        ("growth(ad_spend)", Growth(total("ad_spend"))),
        ("growth(leads / sessions)", RatioGrowth(LEADS, SESSIONS, 1)),
        ("ratio_fall(100 * leads / sessions)", RatioFall(LEADS, SESSIONS, 100)),
        ("latest(followers + members)", Latest(("followers", "members"))),
        ("net_change([followers])", NetChange(("followers",))),
        ("level_growth(subscribers)", LevelGrowth(("subscribers",))),
        ("per_level(views, subscribers, at=start)", PerLevel(total("views"), ("subscribers",), "start")),
        ("retention(members, joined_members)", Retention("members", "joined_members")),
        ("uplift(mentions, marker=training)", Uplift(total("mentions"), None, "training")),
        ("uplift(leads / sessions, training, days=3)", Uplift(LEADS, SESSIONS, "training", days=3)),
        ("recovered(reach, platform_change)", Recovered(total("reach"), "platform_change")),
        ("during_crises(100 * (positive_n - negative_n) / sentiment_n)",
         DuringCrises(less("positive_n", "negative_n"), total("sentiment_n"))),
        ("regained(positive_n / sentiment_n)", Regained(total("positive_n"), total("sentiment_n"))),
        ("recovery_time(positive_n / sentiment_n)", RecoveryTime(total("positive_n"), total("sentiment_n"))),
        ("blend([100 * leads / sessions, growth(leads)])", Blend((Ratio(LEADS, SESSIONS), Growth(LEADS)))),
    ],
)  # fmt: skip
def test_an_expression_means_its_formula(text: str, formula: AnyFormula) -> None:
    assert parse_formula(text, OWN) == formula


def test_every_operator_can_be_written_but_the_one_over_the_whole_catalogue() -> None:
    written = {one.formula for one in OPERATORS.values()}
    assert {kind.__name__ for kind in AnyFormula.__args__} - {kind.__name__ for kind in written} == {"TrendCoverage"}


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 0, "cannot be read"),
        ("leads +", None, "cannot be read"),
        ("7", 0, "must name a measure"),
        ("leads - leads", 0, "cancel out"),
        ("100 * leeds", 6, "did you mean leads?"),
        ("growht(leads)", 0, "did you mean growth?"),
        ("leads * sessions", 0, "multiplied"),
        ("leads / sessions / visits", 0, "once"),
        ("100 / leads", 0, "once"),
        ("leads / 0", 0, "division by zero"),
        ("1 + leads", 0, "cannot be added"),
        ("leads / sessions + leads / visits", 0, "cannot be added"),
        ("100 * growth(leads)", 6, "stands alone"),
        ("growth(growth(leads))", 7, "stands alone"),
        ("leads ** 2", 0, "must be a name"),
        ("leads if sessions else visits", 0, "must be a name"),
        ("leads.real", 0, "is not a measure"),
        ("True * leads", 0, "must be a number"),
        ("'a' + leads", 0, "must be a number"),
        ("1e99 * leads", 0, "at most"),
        ("median(leads)", 7, "distribution"),
        ("percentile(response_time, 2)", 26, "between 0 and 1"),
        ("uplift(leads, marker=launch)", 21, "must be one of campaign_started"),
        ("uplift(leads, marker=training, days=90)", 36, "1 to 31"),
        ("uplift(ad_spend, marker=training, points=true)", 0, "kept in parts"),
        ("ratio(leads)", 0, "needs denominator"),
        ("ratio(leads, sessions, unit=2)", 28, "is no parameter"),
        ("ratio(leads, sessions, numerator=leads)", 33, "given twice"),
        ("latest(leads)", 7, "must be one of followers"),
        ("blend([blend([leads])])", 6, "cannot be part of another"),
        ("__import__('os').system('true')", 0, "must be a name"),
        ("(lambda: leads)()", 1, "must be a name"),
        ("[leads for leads in sessions]", 0, "must be a name"),
        ("(" * 250 + "leads" + ")" * 250, None, ""),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_at_its_place(text: str, column: int | None, words: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse_formula(text, OWN)
    assert words in refused.value.detail
    assert column in {None, refused.value.column}


AMOUNTS = {"leads": 7, "sessions": 11, "visits": 13, "conversions": 17}
SUMS = st.recursive(
    st.sampled_from(sorted(AMOUNTS)),
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} - {})".format, inner, inner),
        st.builds("{} * {}".format, st.integers(1, 9), inner),
        st.builds("({} / {})".format, inner, st.integers(1, 9)),
    ),
    max_leaves=6,
)
QUOTIENTS = st.one_of(
    SUMS,
    st.builds("{} * ({}) / ({})".format, st.integers(1, 100), SUMS, SUMS),
    st.builds("1 - ({}) / ({})".format, SUMS, SUMS),
)


@given(QUOTIENTS)
def test_the_number_of_a_formula_is_that_of_its_expression(text: str) -> None:
    try:
        formula = parse_formula(text, {})
    except ExpressionError as error:
        assert "cancel out" in error.detail  # noqa: PT017
        return
    assert reckoned(formula) == exact(ast.parse(text, mode="eval").body)


def reckoned(formula: AnyFormula) -> Fraction | None:
    def weigh(terms: tuple[Term, ...]) -> Fraction:
        return Fraction(sum(term.weight * AMOUNTS[term.measure] for term in terms))

    if isinstance(formula, Sum):
        return weigh(formula.terms) / formula.unit
    assert isinstance(formula, Ratio)
    bottom = weigh(formula.denominator) / formula.denominator_unit
    return formula.scale * weigh(formula.numerator) / formula.unit / bottom if bottom else None


_ARITHMETIC: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def exact(node: ast.expr) -> Fraction | None:
    """The expression reckoned in fractions, None where it divides by nothing."""
    if isinstance(node, ast.Name):
        return Fraction(AMOUNTS[node.id])
    if isinstance(node, ast.Constant):
        return Fraction(str(node.value))
    assert isinstance(node, ast.BinOp)
    left, right = exact(node.left), exact(node.right)
    if left is None or right is None or (isinstance(node.op, ast.Div) and right == 0):
        return None
    return _ARITHMETIC[type(node.op)](left, right)
