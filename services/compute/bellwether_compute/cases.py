"""Conflicts, breaches of the rules and paid collaborations: of every phase the earliest word counts."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bellwether.wire.events import Collaboration, Conflict, Moderation
from bellwether_compute.contributions import Contribution, Cuts, Told
from bellwether_compute.money import Amount


class ConflictCase(msgspec.Struct, array_like=True, eq=False):
    """A conflict between members, by phase. It counts where it was opened."""

    told: dict[str, Told] = {}

    def take(self, event: Conflict, told: Told, _recorded: int) -> None:
        """Take a step of it; of two of one phase the earlier stands."""
        _keep_earlier(self.told, event.data.phase, told)

    def contributions(self) -> Iterator[Contribution]:
        """Opened, escalated and resolved, each at its moment; only what was opened can be resolved."""
        opened, escalated, resolved = (self.told.get(phase) for phase in ("opened", "escalated", "resolved"))
        if opened:
            yield Contribution(opened.at, opened.cuts, {"conflicts_opened": 1})
        if escalated:
            yield Contribution(escalated.at, _cuts(opened, escalated), {"conflicts_escalated": 1})
        if opened and resolved:
            at = max(opened.at, resolved.at)
            calmly = escalated is None or escalated.at > at
            yield Contribution(
                at,
                opened.cuts,
                {
                    "conflicts_resolved": 1,
                    "conflict_resolution_seconds": at - opened.at,
                    **({"conflicts_resolved_unescalated": 1} if calmly else {}),
                },
            )


_MODERATION = {"violation": "violations", "addressed": "violations_addressed"}


class ModerationCase(msgspec.Struct, array_like=True, eq=False):
    """A breach of the community's rules, by phase. It counts where it was found."""

    told: dict[str, Told] = {}

    def take(self, event: Moderation, told: Told, _recorded: int) -> None:
        """Take a step of it; of two of one phase the earlier stands."""
        _keep_earlier(self.told, event.data.phase, told)

    def contributions(self) -> Iterator[Contribution]:
        """Found and dealt with, each once."""
        found = self.told.get("violation")
        for phase, told in self.told.items():
            yield Contribution(told.at, _cuts(found, told), {_MODERATION[phase]: 1})


class Price(msgspec.Struct, array_like=True, frozen=True, order=True):
    """What a collaboration costs, and the event that says so."""

    told: Told
    amount: Amount


class PaidCollaboration(msgspec.Struct, array_like=True, eq=False):
    """A collaboration that costs money: what it was said to cost first counts, once."""

    price: Price | None = None

    def take(self, event: Collaboration, told: Told, _recorded: int) -> None:
        """Take a start with its cost."""
        data = event.data
        if data.cost is None or data.currency is None:
            return
        measures = ("cost", "influencer_cost") if data.influencer else ("cost",)
        price = Price(told, Amount(data.cost, data.currency, measures))
        self.price = min(self.price, price) if self.price else price

    def contributions(self) -> Iterator[Contribution]:
        """Its cost, at its start."""
        if self.price:
            told, amount = self.price.told, self.price.amount
            yield Contribution(told.at, told.cuts, {}, (amount,))


def _cuts(beginning: Told | None, told: Told) -> Cuts:
    """Where something counts: where it began, unless that was not yet told."""
    return beginning.cuts if beginning and beginning.at <= told.at else told.cuts


def _keep_earlier(told: dict[str, Told], phase: str, new: Told) -> None:
    known = told.get(phase)
    told[phase] = min(known, new) if known else new
