"""Totals: what a stream folds into. Whatever is in them adds up; ratios do not.

A total is an integer (a count, or a sum in a fixed unit, so that sums are exact in any
order), a histogram of whole seconds, or a sketch of distinct values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, Self, runtime_checkable

Histogram = dict[int, int]
"""Count by bin (see `bin_of`). Counts may be taken back, which sketches cannot."""


@runtime_checkable
class Distinct(Protocol):
    """A mergeable sketch that counts distinct values."""

    def add(self, value: str) -> None:
        """Count a value, once however often it comes."""

    def merge(self, other: Self) -> None:
        """Count all that the other one has counted."""

    def copy(self) -> Self:
        """A sketch of the same values that can grow on its own."""

    def estimate(self) -> int:
        """How many different values it has seen, rounded; the same for any order."""


Total = int | Histogram | Distinct
Totals = dict[str, Total]
"""Total by measure key. A measure that is absent is zero."""

_EXACT_BITS = 11


def bin_of(value: int) -> int:
    """The bin of a whole number ≥ 0: itself below 2048, then 11 significant bits.

    The lower bound of the bin is its name; the error is below 1/1024 of the value. Bins add
    up and can be taken back exactly (the layout of HdrHistogram, Tene 2012).
    """
    shift = max(0, value.bit_length() - _EXACT_BITS)
    return value >> shift << shift


def add_histogram(target: Histogram, source: Mapping[int, int]) -> None:
    """Add counts by bin, in place; a bin that falls to zero goes."""
    for bin_, count in source.items():
        total = target.get(bin_, 0) + count
        if total:
            target[bin_] = total
        else:
            target.pop(bin_, None)


def add_totals(target: Totals, source: Mapping[str, Total]) -> None:
    """Add the source to the target, in place, in any order and any grouping.

    Raises TypeError where one measure is of two kinds: the sum would mean nothing.
    """
    for key, value in source.items():
        have = target.get(key)
        if have is None:
            target[key] = value if type(value) is int else _own(value)
        elif type(value) is int and type(have) is int:
            target[key] = have + value
        else:
            _add_total(key, have, value)


def _add_total(key: str, have: Total, value: Total) -> None:
    if isinstance(value, dict) and isinstance(have, dict):
        add_histogram(have, value)
    elif isinstance(value, int | dict) or isinstance(have, int | dict):
        raise TypeError(f"measure {key!r} is of two kinds")
    else:
        have.merge(value)


def _own(value: Total) -> Total:
    if isinstance(value, int):
        return value
    return dict(value) if isinstance(value, dict) else value.copy()


def merged(parts: Iterable[Mapping[str, Total]]) -> Totals:
    """The sum of all parts, sharing nothing with them."""
    total: Totals = {}
    for part in parts:
        add_totals(total, part)
    return total
