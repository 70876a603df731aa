"""Scores of a card: from the attainment of its lines to its areas to one number, laid open.

A line earns a point for every percent of its aim that it attained, `MOST_POINTS` at most: what
is beyond an aim cannot hide what is short of another. An area's score is the mean of its lines'
points by their weights, the card's that of its areas' scores by theirs.

A line without attainment is left out of the mean and named; it never counts as zero. What it
weighs is told: `scored_weight` is the share of all weight that the score rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

MOST_POINTS = 100.0

RATINGS: tuple[tuple[float, int], ...] = ((40.0, 1), (60.0, 2), (75.0, 3), (90.0, 4))
"""A score below the first bound that is above it is rated so; `BEST_RATING` from the last bound on."""

BEST_RATING = 5
_DIGITS = 6


class Line(msgspec.Struct, frozen=True):
    """What a line brings into a score.

    weight: within its area, > 0
    attainment: percent of its aim, None where there is no aim or no data
    """

    name: str
    weight: float
    attainment: float | None


class Area(msgspec.Struct, frozen=True):
    """The lines of a key result area; weight: within the card, > 0."""

    name: str
    weight: float
    lines: tuple[Line, ...]


class LineScore(msgspec.Struct, frozen=True):
    """What a line earned; all None where it is left out.

    share: of the scored weight of its area, 0 to 1; the shares of an area make 1
    points: 0 to 100
    """

    name: str
    weight: float
    attainment: float | None
    share: float | None
    points: float | None


class AreaScore(msgspec.Struct, frozen=True):
    """The score of an area, None where none of its lines is scored.

    share: of the scored areas' weight, 0 to 1, None where it is left out
    score: 0 to 100; rating: 1 to 5
    scored_weight: share of its lines' weight that the score rests on, 0 to 1
    expression: the arithmetic, as it would be written by hand
    """

    name: str
    weight: float
    share: float | None
    score: float | None
    rating: int | None
    scored_weight: float
    left_out: tuple[str, ...]
    expression: str
    lines: tuple[LineScore, ...]


class CardScore(msgspec.Struct, frozen=True):
    """The score of a card; as for `AreaScore`. `left_out` names lines, each once."""

    score: float | None
    rating: int | None
    scored_weight: float
    left_out: tuple[str, ...]
    expression: str
    areas: tuple[AreaScore, ...]


class _Weighed(msgspec.Struct, frozen=True):
    """Something with a weight and points, 0 to 100, None where it is left out."""

    name: str
    weight: float
    points: float | None


def points_of(attainment: float) -> float:
    """The points of an attainment in percent: itself between 0 and `MOST_POINTS`."""
    return min(max(attainment, 0.0), MOST_POINTS)


def rating_of(score: float) -> int:
    """The rating of a score: 1 (worst) to 5."""
    return next((rating for bound, rating in RATINGS if score < bound), BEST_RATING)


def score_card(areas: Sequence[Area]) -> CardScore:
    """The score of a card with its arithmetic. Weights count in proportion only."""
    scored = [_score_area(area) for area in areas]
    parts = [_Weighed(area.name, area.weight, area.score) for area in scored]
    score = _mean(parts)
    whole = sum(area.weight for area in areas)
    covered = sum(area.weight * area.scored_weight for area in scored)
    return CardScore(
        score=score,
        rating=None if score is None else rating_of(score),
        scored_weight=covered / whole if whole else 0.0,
        left_out=tuple(dict.fromkeys(name for area in scored for name in area.left_out)),
        expression=_expression(parts, score),
        areas=tuple(
            msgspec.structs.replace(area, share=_share(parts, part)) for area, part in zip(scored, parts, strict=True)
        ),
    )


def _score_area(area: Area) -> AreaScore:
    parts = [_weighed(line) for line in area.lines]
    score = _mean(parts)
    whole = sum(part.weight for part in parts)
    lines = zip(area.lines, parts, strict=True)
    return AreaScore(
        name=area.name,
        weight=area.weight,
        share=None,
        score=score,
        rating=None if score is None else rating_of(score),
        scored_weight=_weight(parts) / whole if whole else 0.0,
        left_out=tuple(part.name for part in parts if part.points is None),
        expression=_expression(parts, score),
        lines=tuple(
            LineScore(line.name, line.weight, line.attainment, _share(parts, part), part.points) for line, part in lines
        ),
    )


def _weighed(line: Line) -> _Weighed:
    return _Weighed(line.name, line.weight, None if line.attainment is None else points_of(line.attainment))


def _weight(parts: Iterable[_Weighed]) -> float:
    return sum(part.weight for part in parts if part.points is not None)


def _share(parts: Sequence[_Weighed], part: _Weighed) -> float | None:
    return None if part.points is None else part.weight / _weight(parts)


def _mean(parts: Sequence[_Weighed]) -> float | None:
    """The mean by weight, to `_DIGITS` decimals: a score on a bound is not lost to its last binary digit."""
    points = [(part.weight, part.points) for part in parts if part.points is not None]
    if not points:
        return None
    mean = sum(weight * earned for weight, earned in points) / sum(weight for weight, _ in points)
    return round(min(mean, MOST_POINTS), _DIGITS)


def _expression(parts: Sequence[_Weighed], score: float | None) -> str:
    """As `(2 × 80 [a] + 1 × 50 [b]) / 3 = 70`."""
    counted = [f"{part.weight:g} × {part.points:.4g} [{part.name}]" for part in parts if part.points is not None]
    if score is None:
        return "nothing is scored"
    return f"({' + '.join(counted)}) / {_weight(parts):g} = {score:.4g}"


class Verdict(StrEnum):
    """Where a value lies among published ones."""

    BELOW = "below"
    GOOD = "good"
    GREAT = "great"


def verdict(value: float, good: float, great: float) -> Verdict:
    """Where a value lies in a band. Less is better where `great` is less than `good`."""
    sign = 1 if great >= good else -1
    if sign * value >= sign * great:
        return Verdict.GREAT
    return Verdict.GOOD if sign * value >= sign * good else Verdict.BELOW
