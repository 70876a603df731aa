"""The shapes of scorecards: live, scored, issued, and restated."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from bellwether.catalogue.kpi import Direction, Unit
from bellwether.domain.scoring import Verdict
from bellwether.domain.targets import Status
from bellwether_api.shapes import (
    Count,
    CutName,
    Denominator,
    FreshTo,
    KpiKey,
    KpiOut,
    Moment,
    Numerator,
    PartialField,
    Parts,
    ReasonField,
    ValueField,
)

Score = Annotated[
    Annotated[float, Meta(ge=0, le=100)] | None, Meta(description="0 to 100; null where nothing is scored.")
]
Rating = Annotated[
    Annotated[int, Meta(ge=1, le=5)] | None,
    Meta(description="1 (below 40), 2 (below 60), 3 (below 75), 4 (below 90) or 5."),
]
ScoredWeight = Annotated[
    float, Meta(ge=0, le=1, description="Share of the weight that the score rests on; the rest is left out.")
]
LeftOut = Annotated[
    list[str], Meta(description="KPIs without data, or without a target and a benchmark. They never count as zero.")
]
Expression = Annotated[
    str, Meta(description="The arithmetic as by hand.", examples=["(2 × 80 [a] + 1 × 50 [b]) / 3 = 70"])
]
Period = Annotated[str, Meta(examples=["2026-10", "2026-W45", "2026-Q4"])]


class Trend(Struct, frozen=True):
    """A KPI against the same stretch of the period before, as it stood at the end of that stretch."""

    start: Moment
    end: Moment
    before: Annotated[float | None, Meta(description="The value then; null where it was undefined.")]
    change: Annotated[float | None, Meta(description="The value less `before`, in the KPI's unit.")]
    change_percent: Annotated[
        float | None, Meta(description="100 × change / |before|; null where `before` is 0 or undefined.")
    ]
    improved: Annotated[
        bool | None,
        Meta(description="Whether it moved the better way; null where it did not move, or is to stay within a band."),
    ]


class Basis(StrEnum):
    """What an attainment is told against."""

    TARGET = "target"
    BENCHMARK = "benchmark"


class BenchmarkLine(Struct, frozen=True):
    """A KPI on one channel beside what is published for it."""

    channel: str
    value: ValueField
    good: Annotated[float, Meta(description="From here on a value counts as good.")]
    great: Annotated[float, Meta(description="From here on a value counts as great.")]
    source: Annotated[str, Meta(description="Where the bounds are published.")]
    verdict: Annotated[Verdict | None, Meta(description="null where there is no value.")]


class LineTarget(Struct, frozen=True, kw_only=True):
    """The target of a KPI on a card, and how it stands."""

    id: str
    words: Annotated[str, Meta(description="What is aimed at.", examples=["from 5 % to 6 % by 2026-12-31"])]
    deadline: Annotated[datetime, Meta(tz=True, description="The end of the target's period.")]
    status: Annotated[Status, Meta(description="How it stands at the end of the card.")]
    projected: Annotated[
        float | None, Meta(description="Where the value will stand at the deadline, in its unit; null where unknown.")
    ]
    projected_low: Annotated[float | None, Meta(description="The lower end of the projection's interval.")]
    projected_high: Annotated[float | None, Meta(description="The upper end of the projection's interval.")]


class ScorecardLine(Struct, frozen=True, kw_only=True):
    """A KPI on a scorecard."""

    kpi: KpiKey
    title: str
    unit: Unit
    better: Direction
    version: Annotated[int, Meta(ge=1, description="Of the definition that the value was computed by.")]
    value: ValueField
    screened: Annotated[
        float | None, Meta(description="The value without inauthentic activity; null where the KPI has no such form.")
    ]
    partial: PartialField
    numerator: Numerator
    denominator: Denominator
    n: Count
    reason: ReasonField
    parts: Parts
    trend: Trend
    target: Annotated[LineTarget | None, Meta(description="The target of this KPI and cut; null where none is set.")]
    benchmarks: Annotated[list[BenchmarkLine], Meta(description="By channel; empty where none is published.")]
    basis: Annotated[Basis | None, Meta(description="What the attainment is told against; null where it is not.")]
    attainment: Annotated[
        float | None,
        Meta(
            description="Percent of the target attained; without one, of `good` of the channel's benchmark as if it "
            "were the target, the mean over channels. Not bounded."
        ),
    ]
    weight: Annotated[float, Meta(gt=0, description="Its weight within the area.")]
    share: Annotated[
        float | None, Meta(description="Its weight as a share of what is scored in the area; null where left out.")
    ]
    points: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="The attainment between 0 and 100; null where left out."),
    ]


class ScorecardArea(Struct, frozen=True, kw_only=True):
    """A key result area. Its score is the mean of its lines' points by weight."""

    title: str
    weight: Annotated[float, Meta(gt=0, description="Its weight within the card.")]
    share: Annotated[float | None, Meta(description="Its weight as a share of the scored areas; null where left out.")]
    score: Score
    rating: Rating
    scored_weight: ScoredWeight
    left_out: LeftOut
    expression: Expression
    lines: list[ScorecardLine]


class ScorecardCut(Struct, frozen=True, kw_only=True):
    """The card over one cut. Its score is the mean of its areas' scores by weight."""

    cut: CutName
    fresh_to: FreshTo
    score: Score
    rating: Rating
    scored_weight: ScoredWeight
    left_out: LeftOut
    expression: Expression
    areas: list[ScorecardArea]


class ScorecardOut(Struct, frozen=True, kw_only=True):
    """The scorecard of a role over a period of the brand's local calendar."""

    brand: str
    time_zone: str
    currency: Annotated[str, Meta(description="ISO 4217 code of what is money.", examples=["EUR"])]
    role: str
    title: str
    period: Period
    start: Moment
    end: Annotated[datetime, Meta(tz=True, description="Where the card ends: `as_of` while the period runs.")]
    partial: PartialField
    as_of: Moment
    cuts: list[ScorecardCut]


class Cause(StrEnum):
    """Why a number of an issued card is another one today."""

    LATE_EVENTS = "late_events"
    """Events of the period that were recorded after the day of issue."""
    SAME_DAY_EVENTS = "same_day_events"
    """Events of the period that were recorded on the day of issue, but after it."""
    DEFINITION_CHANGED = "definition_changed"
    """The KPI has another version today."""
    TARGET_CHANGED = "target_changed"
    """The aim is another one today, or there is one now, or none any more."""
    SHORTER_SPAN = "shorter_span"
    """A card of a running period, whose minutes are no longer kept: it is read up to the full hour before."""
    NO_LONGER_DEFINED = "no_longer_defined"
    """The KPI is no longer on the card."""


class RestatedLine(Struct, frozen=True, kw_only=True):
    """A KPI of an issued card as it would be issued today."""

    kpi: KpiKey
    issued: Annotated[float | None, Meta(description="The value on the card.")]
    today: Annotated[float | None, Meta(description="The value that the same card would show today.")]
    difference: Annotated[float | None, Meta(description="Today less issued; null where one of them is undefined.")]
    issued_attainment: float | None
    today_attainment: float | None
    causes: Annotated[list[Cause], Meta(description="Why they differ, as far as it is known; empty where they do not.")]


class Restatement(Struct, frozen=True, kw_only=True):
    """An issued card beside the same card of the same moment with all that is known today."""

    known_at: Moment
    issued_score: Score
    score: Score
    rating: Rating
    changed: Annotated[int, Meta(ge=0, description="How many of the lines differ.")]
    lines: list[RestatedLine]


class IssuedHead(Struct, frozen=True, kw_only=True):
    """What an issued card is."""

    id: UUID
    brand: str
    role: str
    period: Period
    cut: CutName
    partial: Annotated[bool, Meta(description="True where the period was still running.")]
    score: Score
    rating: Rating
    issued_at: Annotated[datetime, Meta(tz=True, description="The moment it was read at, with all known by then.")]
    issued_by: Annotated[str, Meta(description="The id of the API key.", examples=["4bLkH0q1Zx2P"])]
    note: str
    content_hash: Annotated[str, Meta(description="SHA-256 of the frozen card with its definitions, in hex.")]


class IssuedPage(Struct, frozen=True):
    """A page of issued cards, the latest first."""

    items: list[IssuedHead]
    next: Annotated[str | None, Meta(description="`cursor` of the next page; null at the end.")]


class IssuedOut(Struct, frozen=True, kw_only=True):
    """An issued card: as it was, for ever, and what it would be today."""

    issued: IssuedHead
    card: Annotated[ScorecardOut, Meta(description="The card as it was issued.")]
    definitions: Annotated[list[KpiOut], Meta(description="The definitions that it was computed by.")]
    restatement: Annotated[
        Restatement | None, Meta(description="The card today; null where there is no such card any more.")
    ]


CARD_ANSWERS = (ScorecardOut, IssuedHead, IssuedPage, IssuedOut)
"""The shapes of whole answers."""
