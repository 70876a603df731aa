"""Money: amounts in any currency, and what they are in the reporting currency of a brand.

An amount is converted with the rate that was valid at its moment: the latest one of its pair of currencies, told
directly or the other way round. The arithmetic is exact, and each amount is rounded once.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec

from bellwether.domain.totals import Totals

MICROS = 1_000_000
"""Measures of money are whole millionths of the reporting currency."""
MOST_MICROS = 10**18
"""An amount beyond this either way is shown as unconverted: sums of such are more than a rollup can hold."""


class Amount(msgspec.Struct, array_like=True, frozen=True, order=True):
    """Money that counts under some measures.

    currency: ISO 4217
    """

    value: Decimal
    currency: str
    measures: tuple[str, ...]


class Rate(NamedTuple):
    """One unit of `base` is worth `rate` units of `quote` from a moment on (UTC seconds).

    told_at: the time of the event, UTC seconds
    """

    base: str
    quote: str
    valid_from: int
    told_at: int
    rate: Decimal


class _Standing(NamedTuple):
    """What stands for a currency from a moment on; the greater one wins."""

    is_direct: bool
    told_at: int
    rate: Decimal


class Rates:
    """The rates between a reporting currency and others.

    Of two that are valid from the same moment the direct one stands, then the one told of later, then the larger.

    told: all rates, also those between other currencies, which are of no use here
    """

    def __init__(self, reporting: str, told: Iterable[Rate] = ()) -> None:
        self.reporting = reporting
        self.told: list[Rate] = []
        self._starts: dict[str, list[int]] = {}
        self._standing: dict[tuple[str, int], _Standing] = {}
        for rate in told:
            self.put(rate)

    def currency_of(self, base: str, quote: str) -> str | None:
        """The currency that a rate between these two tells about; None where it is not the reporting one's."""
        if self.reporting not in (base, quote):
            return None
        return base if quote == self.reporting else quote

    def put(self, rate: Rate) -> None:
        """Take a rate."""
        self.told.append(rate)
        currency = self.currency_of(rate.base, rate.quote)
        if currency is None:
            return
        told = _Standing(rate.quote == self.reporting, rate.told_at, rate.rate)
        known = self._standing.get((currency, rate.valid_from))
        if known is None:
            insort(self._starts.setdefault(currency, []), rate.valid_from)
        self._standing[currency, rate.valid_from] = max(told, known) if known else told

    def next_after(self, currency: str, moment: int) -> int | None:
        """From when on another rate of a currency is valid than at this moment."""
        starts = self._starts.get(currency, [])
        at = bisect_right(starts, moment)
        return starts[at] if at < len(starts) else None

    def micros(self, value: Decimal, currency: str, moment: int) -> int | None:
        """An amount at a moment, in millionths of the reporting currency, rounded half to even.

        None without a rate that is valid then, and beyond MOST_MICROS; nothing is nothing in every currency.
        """
        factor = Fraction(1) if currency == self.reporting or not value else self._factor(currency, moment)
        if factor is None:
            return None
        found = round(Fraction(value) * factor * MICROS)
        return found if abs(found) <= MOST_MICROS else None

    def _factor(self, currency: str, moment: int) -> Fraction | None:
        starts = self._starts.get(currency, [])
        at = bisect_right(starts, moment)
        if not at:
            return None
        is_direct, _, rate = self._standing[currency, starts[at - 1]]
        return Fraction(rate) if is_direct else 1 / Fraction(rate)

    def totals(self, amount: Amount, moment: int) -> Totals:
        """What an amount counts: itself, or one that could not be converted."""
        micros = self.micros(amount.value, amount.currency, moment)
        if micros is None:
            return {f"{measure}.unconverted": 1 for measure in amount.measures}
        return dict.fromkeys(amount.measures, micros)
