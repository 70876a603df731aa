"""What single events cost or bring in: conversions and costs."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bellwether.wire.events import Conversion, Cost, Event
from bellwether_compute.contributions import Contribution, Told
from bellwether_compute.money import Amount


def price_of(event: Event) -> Amount | None:
    """The amount that an event counts once, where it has one."""
    if isinstance(event, Cost):
        measures = ("cost", "influencer_cost") if event.data.influencer else ("cost",)
        return Amount(event.data.amount, event.data.currency, measures)
    if isinstance(event, Conversion) and event.data.value is not None and event.data.currency is not None:
        is_sale = event.data.kind == "sale"
        measures = ("conversion_value", "sale_value") if is_sale else ("conversion_value",)
        return Amount(event.data.value, event.data.currency, measures)
    return None


class Entry(msgspec.Struct, array_like=True, eq=False):
    """An event with an amount in another currency, kept for the rates that may yet come."""

    told: Told | None = None
    amount: Amount | None = None

    def take(self, event: Event, told: Told, _recorded: int) -> None:
        """Take the event; there is only one."""
        self.told, self.amount = told, price_of(event)

    def contributions(self) -> Iterator[Contribution]:
        """Its amount, at its moment."""
        if self.told and self.amount:
            yield Contribution(self.told.at, self.told.cuts, {}, (self.amount,))
