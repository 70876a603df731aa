"""What something that consists of several events contributes, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import msgspec

from bellwether.domain.totals import Totals, add_totals
from bellwether_compute.money import Amount, Rates

Cuts = tuple[str, ...]


class Contribution(NamedTuple):
    """What counts at a moment (UTC seconds) in some cuts.

    It may depend on nothing that happened later, so that a reading of the past needs no correction.
    """

    moment: int
    cuts: Cuts
    totals: Totals
    amounts: tuple[Amount, ...] = ()


class Told(msgspec.Struct, array_like=True, frozen=True, order=True):
    """When something happened (UTC seconds), and the cuts of the event that says so."""

    at: int
    cuts: Cuts


class Contributor(Protocol):
    """A state that is a function of the set of its events, whatever their order."""

    def contributions(self) -> Iterator[Contribution]:
        """All that it contributes now."""


Counted = dict[tuple[int, Cuts], Totals]
"""Totals by moment and cuts."""


def counted(contributions: Iterable[Contribution], rates: Rates) -> Counted:
    """What contributions count, their money in the reporting currency."""
    found: Counted = {}
    for moment, cuts, totals, amounts in contributions:
        at = found.setdefault((moment, cuts), {})
        add_totals(at, totals)
        for amount in amounts:
            add_totals(at, rates.totals(amount, moment))
    return found


class Extent(NamedTuple):
    """Which rates matter to a contributor: of which currencies, and from when to when (UTC seconds)."""

    currencies: frozenset[str]
    first: int
    last: int


NO_EXTENT = Extent(frozenset(), 0, 0)


def extent(contributor: Contributor, reporting: str) -> Extent:
    """The extent of a contributor's money that is not in the reporting currency."""
    priced = [
        (contribution.moment, amount.currency)
        for contribution in contributor.contributions()
        for amount in contribution.amounts
        if amount.currency != reporting
    ]
    if not priced:
        return NO_EXTENT
    moments = [moment for moment, _ in priced]
    return Extent(frozenset(currency for _, currency in priced), min(moments), max(moments))
