"""Leads, conversions, advertising and money."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from bellwether.wire.events.envelope import Body, Envelope
from bellwether.wire.events.fields import (
    Amount,
    Channel,
    Count,
    Currency,
    Identifier,
    Instant,
    NonNegativeAmount,
    Quantity,
    Term,
    any_of,
    check_amount,
    check_channel,
    check_instant,
    check_money,
    check_one_of,
    check_period,
    with_currency,
)

_ZERO = Decimal(0)


class LeadData(Body, frozen=True, gc=False, kw_only=True):
    """Somebody who may become a customer."""

    lead_id: Identifier


class LeadCreatedData(LeadData, frozen=True, gc=False, kw_only=True):
    """Somebody left an address or asked for an offer."""


class LeadQualifiedData(LeadData, frozen=True, gc=False, kw_only=True):
    """Sales found the lead worth following."""


class LeadCreated(Envelope, frozen=True, gc=False, kw_only=True, tag="sales.lead.created.v1"):
    """A lead came in."""

    data: LeadCreatedData


class LeadQualified(Envelope, frozen=True, gc=False, kw_only=True, tag="sales.lead.qualified.v1"):
    """A lead was found worth following."""

    data: LeadQualifiedData


class Touch(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One contact on the way to a conversion."""

    channel: Channel
    campaign: Identifier | None = None
    content_id: Identifier | None = None
    at: Instant | None = None

    def __post_init__(self) -> None:
        check_channel("channel", self.channel)
        check_instant("at", self.at)


class ConversionData(Body, frozen=True, gc=False, kw_only=True):
    """A sale, sign-up, download or another goal. A value comes with its currency; a refund is negative."""

    conversion_id: Identifier
    kind: Term
    value: Amount | None = None
    currency: Currency | None = None
    content_id: Identifier | None = None
    attribution: Literal["organic", "paid", "influencer"]
    touches: Annotated[tuple[Touch, ...], Meta(max_length=64, description="Oldest first.")] | None = None

    def __post_init__(self) -> None:
        check_money("value", self.value, self.currency)


class Conversion(Envelope, frozen=True, gc=False, kw_only=True, tag="sales.conversion.v1"):
    """A conversion attributed to social."""

    data: Annotated[ConversionData, with_currency("value")]


class AdsDeliveryData(Body, frozen=True, gc=False, kw_only=True):
    """What one campaign delivered in [from, to). A missing figure was not reported: it is not zero."""

    campaign: Identifier
    from_: Instant = msgspec.field(name="from")
    to: Instant
    cumulative: Annotated[
        bool, Meta(description="A snapshot of the period, which replaces the one before; else a delta.")
    ] = False
    spend: NonNegativeAmount
    currency: Currency
    impressions: Count | None = None
    clicks: Count | None = None
    engagements: Count | None = None
    conversions: Quantity | None = None
    revenue: Amount | None = None

    def __post_init__(self) -> None:
        check_period(self.from_, self.to)
        check_amount("spend", self.spend, least=_ZERO)
        check_amount("revenue", self.revenue)


class AdsDelivery(Envelope, frozen=True, gc=False, kw_only=True, tag="ads.delivery.v1"):
    """Delivery and cost of an advertising campaign over a period."""

    data: AdsDeliveryData


class CostData(Body, frozen=True, gc=False, kw_only=True):
    """Money spent on social. A credit note is negative."""

    amount: Amount
    currency: Currency
    reason: Term

    def __post_init__(self) -> None:
        check_amount("amount", self.amount)


class Cost(Envelope, frozen=True, gc=False, kw_only=True, tag="finance.cost.v1"):
    """Money spent on social."""

    data: CostData


class CurrencyRateData(Body, frozen=True, gc=False, kw_only=True):
    """One unit of `base` is worth `rate` units of `quote`, from `valid_from` until the pair's next rate."""

    base: Currency
    quote: Currency
    rate: Amount
    valid_from: Annotated[Instant, Meta(description="Missing: the time of the event.")] | None = None

    def __post_init__(self) -> None:
        check_amount("rate", self.rate)
        check_instant("valid_from", self.valid_from)
        if self.rate <= 0:
            raise ValueError("`rate`: must be greater than 0")
        if self.base == self.quote:
            raise ValueError("`quote`: must differ from `base`")


class CurrencyRate(Envelope, frozen=True, gc=False, kw_only=True, tag="finance.rate.v1"):
    """A conversion rate. An amount without one is kept and shown as unconverted."""

    data: CurrencyRateData


class CollaborationData(Body, frozen=True, gc=False, kw_only=True):
    """Work with an influencer or another partner; one of both is named. A cost comes with its currency."""

    collaboration_id: Identifier
    partner: Identifier | None = None
    phase: Literal["started", "ended"]
    cost: Amount | None = None
    currency: Currency | None = None

    def __post_init__(self) -> None:
        check_one_of("influencer", "partner", given=bool(self.influencer or self.partner))
        check_money("cost", self.cost, self.currency)


class Collaboration(Envelope, frozen=True, gc=False, kw_only=True, tag="social.collaboration.v1"):
    """A collaboration began or ended: influencer KPIs, and a marker for uplifts."""

    data: Annotated[CollaborationData, any_of("influencer", "partner"), with_currency("cost")]


class SearchInterestData(Body, frozen=True, gc=False, kw_only=True):
    """How often a term was searched for in [from, to)."""

    term: Annotated[str, Meta(min_length=1, max_length=256)]
    count: Count
    from_: Instant = msgspec.field(name="from")
    to: Instant

    def __post_init__(self) -> None:
        check_period(self.from_, self.to)


class SearchInterest(Envelope, frozen=True, gc=False, kw_only=True, tag="search.interest.v1"):
    """Searches for the brand."""

    data: SearchInterestData
