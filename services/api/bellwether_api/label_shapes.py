"""The label of a number: what it rests on, and how far it can be trusted."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from bellwether.domain.windows import Window
from bellwether_api.shapes import CutName, Figure, KpiOut, Moment

Share = Annotated[float, Meta(ge=0, le=1)] | None


class Unknown(StrEnum):
    """Why something is not on a label."""

    NO_EVENTS = "no_events"
    """The brand had no event before the end of the window."""
    NOT_RECORDED = "not_recorded"
    """Events are counted without it."""
    NOT_CURRENT = "not_current"
    """It is known of the present only, and the label is of another moment."""
    NOT_APPLICABLE = "not_applicable"
    """The KPI is not of this kind."""


Why = Annotated[Unknown | None, Meta(description="Why it is null; null where it is known.")]


class Gap(Struct, frozen=True):
    """A stretch without any event."""

    start: Moment
    end: Moment


class ChannelCoverage(Struct, frozen=True):
    """How much of the window a channel was heard in."""

    channel: str
    hours_with_events: int
    share: Share


class Coverage(Struct, frozen=True, kw_only=True):
    """How much of the window was heard.

    Hours are those of the window since the brand's first event. One counts as heard if any event of
    the cut happened in it. A quiet brand is heard less without anything amiss; a gap that is new is
    a connector to look at.
    """

    share: Share
    reason: Why
    since: Annotated[Moment | None, Meta(description="The hour of the brand's first event.")]
    hours: Annotated[int, Meta(ge=0, description="Hours of the window since then.")]
    hours_with_events: Annotated[int, Meta(ge=0)]
    longest_gap: Annotated[Gap | None, Meta(description="The longest stretch of hours without events.")]
    channels: Annotated[list[ChannelCoverage], Meta(description="For the total, each channel seen so far by itself.")]


class Freshness(Struct, frozen=True):
    """How fresh the kept values of the cut are."""

    fresh_to: Annotated[Moment | None, Meta(description="When the last event in them was recorded.")]
    lag_s: Annotated[float | None, Meta(description="Seconds from then to now; also grows while nothing happens.")]
    reason: Why


class TimeQuality(Struct, frozen=True):
    """How well the moments of events are known."""

    receipt_time_share: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(description="Share of events whose time is that of their receipt."),
    ]
    reason: Why


class Screening(Struct, frozen=True, kw_only=True):
    """What the integrity screen leaves out of the screened value."""

    share: Annotated[float | None, Meta(description="Suspect per all; null where there is nothing to screen.")]
    suspect: int | None
    all: int | None
    screened_value: Annotated[float | None, Meta(description="The KPI without what is suspect.")]
    reason: Why


class SentimentMethod(Struct, frozen=True):
    """How texts are scored that come without a score of their own."""

    method: str
    version: str
    note: str


class Sentiment(Struct, frozen=True):
    """The method, for KPIs made of sentiment."""

    scored_by: SentimentMethod | None
    reason: Why


class Unconverted(Struct, frozen=True):
    """How many amounts of money had no rate into the reporting currency, and are left out."""

    amounts: Annotated[dict[str, int] | None, Meta(description="By measure.")]
    reason: Why


class Label(Struct, frozen=True, kw_only=True):
    """A number's label."""

    brand: str
    time_zone: str
    kpi: Annotated[KpiOut, Meta(description="The definition that the value was computed by.")]
    cut: CutName
    window: Window
    as_of: Moment
    figure: Annotated[Figure, Meta(description="The value, with numerator, denominator, n and parts.")]
    coverage: Coverage
    freshness: Freshness
    time_quality: TimeQuality
    screening: Screening
    sentiment: Sentiment
    unconverted: Unconverted
