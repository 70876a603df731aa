"""Sums of measures, and measures as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bellwether.domain.totals import Total, Totals

Amounts = Mapping[str, int]
"""Totals as numbers by measure; one that is absent is 0."""

UNCONVERTED = ".unconverted"
"""What the measure is called that counts the amounts of another one for which there was no rate."""


class Term(msgspec.Struct, frozen=True):
    """A measure and its weight in a sum."""

    measure: str
    weight: int = 1


Terms = tuple[Term, ...]
"""A weighted sum."""


def total(*keys: str) -> Terms:
    """The plain sum of measures."""
    return tuple(Term(key) for key in keys)


def less(first: str, *others: str) -> Terms:
    """A measure less others."""
    return (Term(first), *(Term(key, -1) for key in others))


def sum_of(amounts: Amounts, terms: Sequence[Term]) -> int:
    """The weighted sum."""
    if len(terms) == 1:
        return terms[0].weight * amounts.get(terms[0].measure, 0)
    found = 0
    for term in terms:
        found += term.weight * amounts.get(term.measure, 0)
    return found


def added(parts: Iterable[Amounts]) -> dict[str, int]:
    """Numbers by measure over several stretches of time; what two of them share counts for both."""
    found: dict[str, int] = {}
    for part in parts:
        for measure, amount in part.items():
            found[measure] = found.get(measure, 0) + amount
    return found


def names(*groups: Sequence[Term]) -> tuple[str, ...]:
    """The measures of sums, each once, in order."""
    return tuple(dict.fromkeys(term.measure for group in groups for term in group))


def amounts_of(totals: Totals) -> dict[str, int]:
    """Totals as numbers: an integer itself, the count of a histogram or of a sketch."""
    return {measure: total if isinstance(total, int) else amount_of(total) for measure, total in totals.items()}


def amount_of(total: Total) -> int:
    """A total as a number."""
    if isinstance(total, int):
        return total
    return sum(total.values()) if isinstance(total, dict) else total.estimate()


def unpriced_in(amounts: Amounts) -> frozenset[str]:
    """The measures of money of which nothing at all could be converted."""
    left_out = (key.removesuffix(UNCONVERTED) for key, n in amounts.items() if n > 0 and key.endswith(UNCONVERTED))
    return frozenset(key for key in left_out if not amounts.get(key))
