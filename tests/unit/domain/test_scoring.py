"""Scores are means of what was attained: bounded, monotone, and blind to what is not known."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.scoring import (
    Area,
    CardScore,
    Line,
    LineScore,
    Verdict,
    points_of,
    rating_of,
    score_card,
    verdict,
)

WEIGHTS = st.floats(0.1, 10)
ATTAINMENTS = st.none() | st.floats(-50, 500)
LINES = st.builds(Line, st.sampled_from("abcdef"), WEIGHTS, ATTAINMENTS)
AREAS = st.builds(Area, st.sampled_from("XYZ"), WEIGHTS, st.lists(LINES, min_size=1, max_size=5).map(tuple))
CARDS = st.lists(AREAS, min_size=1, max_size=5)

BY_HAND = [
    Area("Content", 1, (Line("reach", 2, 80.0), Line("clicks", 1, 140.0), Line("saves", 5, None))),
    Area("Community", 3, (Line("replies", 1, 50.0),)),
    Area("Crises", 4, (Line("recovery", 1, None),)),
]


def _lines(card: CardScore) -> list[LineScore]:
    return [line for area in card.areas for line in area.lines]


def test_a_card_is_scored_as_by_hand() -> None:
    card = score_card(BY_HAND)
    content, community, crises = card.areas
    # Content: (2 × 80 + 1 × 100) / 3, since nothing earns more than 100; saves are left out.
    assert (content.score, content.rating, content.share) == (86.666667, 4, 0.25)
    assert content.expression == "(2 × 80 [reach] + 1 × 100 [clicks]) / 3 = 86.67"
    assert (content.scored_weight, content.left_out) == (3 / 8, ("saves",))
    assert [line.share for line in content.lines] == [2 / 3, 1 / 3, None]
    assert [line.points for line in content.lines] == [80, 100, None]
    assert (community.score, community.rating, community.share) == (50, 2, 0.75)
    assert (crises.score, crises.rating, crises.share, crises.expression) == (None, None, None, "nothing is scored")
    # The card: (1 × 86.666667 + 3 × 50) / 4; scored weight: (1 × 3/8 + 3 × 1 + 4 × 0) / 8.
    assert (card.score, card.rating) == (59.166667, 2)
    assert card.expression == "(1 × 86.67 [Content] + 3 × 50 [Community]) / 4 = 59.17"
    assert (card.scored_weight, card.left_out) == (27 / 64, ("saves", "recovery"))


def test_a_card_of_which_nothing_is_known_has_no_score_rather_than_zero() -> None:
    card = score_card([Area("Content", 1, (Line("reach", 1, None),))])
    assert (card.score, card.rating, card.scored_weight, card.left_out) == (None, None, 0, ("reach",))


@pytest.mark.parametrize(
    ("score", "rating"),
    [(0, 1), (39.99, 1), (40, 2), (59.99, 2), (60, 3), (74.99, 3), (75, 4), (89.99, 4), (90, 5), (100, 5)],
)
def test_a_rating_begins_on_its_bound(score: float, rating: int) -> None:
    assert rating_of(score) == rating


def test_a_score_on_a_bound_is_not_lost_to_its_last_digit() -> None:
    lines = tuple(Line(str(weight), weight, 60.0) for weight in (0.1, 0.2, 0.3, 0.7))
    card = score_card([Area("A", 1, lines)])
    assert (card.score, card.rating) == (60, 3)


@given(CARDS)
def test_scores_lie_between_their_parts(areas: list[Area]) -> None:
    card = score_card(areas)
    for area in card.areas:
        points = [line.points for line in area.lines if line.points is not None]
        assert all(0 <= earned <= 100 for earned in points)
        assert (area.score is None) == (not points)
        if area.score is not None:
            assert min(points) - 1e-6 <= area.score <= max(points) + 1e-6
    scores = [area.score for area in card.areas if area.score is not None]
    assert (card.score is None) == (not scores)
    if card.score is not None:
        assert min(scores) - 1e-6 <= card.score <= max(scores) + 1e-6
        assert 0 <= card.score <= 100
    assert 0 <= card.scored_weight <= 1 + 1e-12


@given(CARDS)
def test_the_shares_of_what_is_scored_make_one_and_the_arithmetic_is_the_score(areas: list[Area]) -> None:
    card = score_card(areas)
    for area in card.areas:
        shares = [(line.share, line.points) for line in area.lines if line.share is not None]
        if area.score is not None:
            assert sum(share for share, _ in shares) == pytest.approx(1)
            assert sum(share * (points or 0) for share, points in shares) == pytest.approx(area.score, abs=1e-5)
    if card.score is not None:
        parts = [(area.share, area.score) for area in card.areas if area.share is not None]
        assert sum(share for share, _ in parts) == pytest.approx(1)
        assert sum(share * (score or 0) for share, score in parts) == pytest.approx(card.score, abs=1e-5)


@given(CARDS, st.data())
def test_more_attained_never_scores_less(areas: list[Area], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(areas) - 1))
    lines = list(areas[at].lines)
    which = data.draw(st.integers(0, len(lines) - 1))
    lines[which] = msgspec.structs.replace(lines[which], attainment=data.draw(st.floats(-50, 500)))
    more = msgspec.structs.replace(
        lines[which], attainment=(lines[which].attainment or 0) + data.draw(st.floats(0, 99))
    )
    less_areas, more_areas = list(areas), list(areas)
    less_areas[at] = msgspec.structs.replace(areas[at], lines=tuple(lines))
    lines[which] = more
    more_areas[at] = msgspec.structs.replace(areas[at], lines=tuple(lines))
    before, after = score_card(less_areas).score, score_card(more_areas).score
    assert before is not None
    assert after is not None
    assert before <= after


@given(CARDS, st.floats(0.01, 100), st.floats(0.01, 100))
def test_weights_count_in_proportion_only(areas: list[Area], of_lines: float, of_areas: float) -> None:
    scaled = [
        Area(
            area.name,
            area.weight * of_areas,
            tuple(msgspec.structs.replace(line, weight=line.weight * of_lines) for line in area.lines),
        )
        for area in areas
    ]
    before, after = score_card(areas), score_card(scaled)
    assert after.score == pytest.approx(before.score, abs=2e-6)
    assert after.scored_weight == pytest.approx(before.scored_weight)


@given(CARDS)
def test_what_has_no_data_changes_no_score(areas: list[Area]) -> None:
    known = [
        Area(area.name, area.weight, lines)
        for area in areas
        if (lines := tuple(line for line in area.lines if line.attainment is not None))
    ]
    card, without = score_card(areas), score_card(known)
    assert (card.score, card.rating) == (without.score, without.rating)
    assert [a.score for a in card.areas if a.score is not None] == [a.score for a in without.areas]
    assert [line.points for line in _lines(card) if line.points is not None] == [p.points for p in _lines(without)]


def test_points_are_percent_attained_between_nothing_and_a_hundred() -> None:
    assert [points_of(attained) for attained in (-20, 0, 33.5, 100, 250)] == [0, 0, 33.5, 100, 100]


@pytest.mark.parametrize(
    ("value", "good", "great", "expected"),
    [
        (1.9, 2, 3, Verdict.BELOW),
        (2, 2, 3, Verdict.GOOD),
        (3, 2, 3, Verdict.GREAT),
        (90, 60, 30, Verdict.BELOW),
        (60, 60, 30, Verdict.GOOD),
        (29, 60, 30, Verdict.GREAT),
    ],
)
def test_a_value_is_judged_by_the_band_whichever_way_is_better(
    value: float, good: float, great: float, expected: Verdict
) -> None:
    assert verdict(value, good, great) is expected
