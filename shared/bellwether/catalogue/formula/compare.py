"""One value against another. Exact to the end: whatever is divided is divided once, and rounded once."""

from __future__ import annotations

from fractions import Fraction

from bellwether.catalogue.formula.facts import Reading, Reason
from bellwether.catalogue.formula.terms import Amounts, Terms, sum_of


def ratio_of(amounts: Amounts, numerator: Terms, denominator: Terms) -> Fraction | None:
    """A ratio of sums; None where the denominator is 0, or less since removals outweigh what was added."""
    below = sum_of(amounts, denominator)
    return Fraction(sum_of(amounts, numerator), below) if below > 0 else None


def compared(
    now: Fraction | None,
    then: Fraction | None,
    n: int,
    *,
    scale: int = 100,
    points: bool = False,
    nothing_then: Reason = Reason.NOTHING_BEFORE,
) -> Reading:
    """How much larger `now` is than `then`: in percent of it, or in points as scale × the difference.

    Numerator and denominator are the two values times `scale`. Undefined: no_data without `now`,
    `nothing_then` without `then`, and, other than in points, where that is 0 or less.
    """
    shown = _shown(now, scale), _shown(then, scale)
    if now is None:
        return Reading(None, *shown, n, Reason.NO_DATA)
    if then is None or (then <= 0 and not points):
        return Reading(None, *shown, n, nothing_then)
    return Reading(float(scale * (now - then) if points else 100 * (now - then) / then), *shown, n)


def _shown(value: Fraction | None, scale: int) -> float | None:
    return None if value is None else float(scale * value)
