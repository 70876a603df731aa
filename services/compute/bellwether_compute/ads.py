"""Advertising: what campaigns delivered, from deltas or from snapshots of a period.

A period of a campaign counts from one of the two, never from both: where a snapshot has shown it, snapshots are its
truth. Each snapshot counts the difference to the one before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from decimal import Context, Decimal

import msgspec

from bellwether.wire.events import AdsDelivery
from bellwether_compute.contributions import Contribution, Cuts, Told
from bellwether_compute.money import Amount

MILLION = 1_000_000
_FIGURES = ("ad_impressions", "ad_clicks", "ad_engagements", "ad_conversions")
_SPEND = ("ad_spend", "cost")
_INFLUENCER = "influencer="
_EXACT = Context(prec=64)
"""The difference of two amounts is exact: they have at most 34 digits."""


class Delivery(msgspec.Struct, array_like=True, frozen=True):
    """What a delivery says.

    moment: the last second of its period, at which it counts, or when the intake took it where that is earlier
    told_at: the time of the event; both in UTC seconds
    figures: as _FIGURES, conversions in millionths; None is not reported
    """

    moment: int
    told_at: int
    cuts: Cuts
    currency: str
    spend: Decimal
    revenue: Decimal | None
    figures: tuple[int | None, ...]

    def rank(self) -> tuple[object, ...]:
        """Of two snapshots at one moment the greater stands: told of later, then larger."""
        figures = tuple(-1 if figure is None else figure for figure in self.figures)
        revenue = (self.revenue is not None, self.revenue or Decimal(0))
        return self.told_at, figures, self.spend, revenue, self.currency, self.cuts


def _delivery_of(event: AdsDelivery, told: Told, recorded: int) -> Delivery:
    data = event.data
    last = max(int(data.from_.timestamp()), int(data.to.timestamp()) - 1)
    conversions = None if data.conversions is None else round(data.conversions * MILLION)
    return Delivery(
        min(last, recorded),
        told.at,
        told.cuts,
        data.currency,
        data.spend,
        data.revenue,
        (data.impressions, data.clicks, data.engagements, conversions),
    )


class AdsPeriod(msgspec.Struct, array_like=True, eq=False):
    """All deliveries of one campaign that begin at one moment, from one source; snapshots ascending."""

    deltas: list[Delivery] = []
    snapshots: list[Delivery] = []

    def take(self, event: AdsDelivery, told: Told, recorded: int) -> None:
        """Take a delivery; `recorded` is when the intake took it."""
        delivery = _delivery_of(event, told, recorded)
        if not event.data.cumulative:
            self.deltas.append(delivery)
            return
        at = bisect_left(self.snapshots, delivery.moment, key=lambda snapshot: snapshot.moment)
        if at < len(self.snapshots) and self.snapshots[at].moment == delivery.moment:
            self.snapshots[at] = max(self.snapshots[at], delivery, key=Delivery.rank)
        else:
            self.snapshots.insert(at, delivery)

    def contributions(self) -> Iterator[Contribution]:
        """What it delivered, at the end of every delta or as the difference of snapshots."""
        if self.snapshots:
            yield from _differences(self.snapshots)
        else:
            for delta in self.deltas:
                yield _contribution(delta, _reported(delta), _prices(delta).values())


def _differences(snapshots: list[Delivery]) -> Iterator[Contribution]:
    """What snapshots add to the one before each; a figure that one does not report is what it was."""
    shown: dict[str, int] = {}
    paid: dict[str, Amount] = {}
    for snapshot in snapshots:
        reported, prices = _reported(snapshot), _prices(snapshot)
        gained = {figure: count - shown.get(figure, 0) for figure, count in reported.items()}
        grown = [part for kind, price in prices.items() for part in _growth(price, paid.get(kind))]
        shown |= reported
        paid |= prices
        yield _contribution(snapshot, gained, grown)


def _growth(now: Amount, before: Amount | None) -> Iterator[Amount]:
    """By how much an amount grew; one that was in another currency is taken back whole."""
    if before is not None and before.currency == now.currency:
        yield msgspec.structs.replace(now, value=_EXACT.subtract(now.value, before.value))
        return
    yield now
    if before is not None:
        yield msgspec.structs.replace(now, value=before.value.copy_negate(), currency=before.currency)


def _reported(delivery: Delivery) -> dict[str, int]:
    return {name: figure for name, figure in zip(_FIGURES, delivery.figures, strict=True) if figure is not None}


def _prices(delivery: Delivery) -> dict[str, Amount]:
    by_influencer = any(cut.startswith(_INFLUENCER) for cut in delivery.cuts)
    spend = (*_SPEND, "influencer_cost") if by_influencer else _SPEND
    found = {"spend": Amount(delivery.spend, delivery.currency, spend)}
    if delivery.revenue is not None:
        found["revenue"] = Amount(delivery.revenue, delivery.currency, ("ad_revenue",))
    return found


def _contribution(delivery: Delivery, counts: Mapping[str, int], amounts: Iterable[Amount]) -> Contribution:
    priced = tuple(amount for amount in amounts if amount.value)
    return Contribution(delivery.moment, delivery.cuts, dict(counts), priced)
