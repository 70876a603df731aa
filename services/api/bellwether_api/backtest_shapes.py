"""The shape of what a backtest tells, and an example of it."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from bellwether.domain.detection import DEFAULTS, DetectorSettings, Signal, SimpleRule, ZScore
from bellwether.domain.incidents import Reason
from bellwether_api.shapes import Moment

Missing = Literal["nothing_stored", "warm_up"]


class FiredOut(Struct, frozen=True):
    """A crisis that would have been opened."""

    opened_at: Annotated[datetime, Meta(description="The start of the five minutes in which it would have opened.")]
    onset: Annotated[datetime, Meta(description="When it would have been thought to have begun.")]
    closed_at: Annotated[datetime | None, Meta(description="Null where it would still be open at the end.")]
    signal: Signal
    severity: Annotated[float | None, Meta(description="The highest, 0 to 10; null for a rule that has none.")]
    told: Annotated[int, Meta(description="How often it would have been told of: the opening, and each step up.")]
    incidents: Annotated[list[str], Meta(description="Ids of the known crises that it overlaps.")]


class CaughtOut(Struct, frozen=True):
    """A known crisis that would have been noticed."""

    incident: str
    reason: Annotated[Reason | None, Meta(description="Why it is over; null where nobody said.")]
    delay_s: Annotated[
        int, Meta(description="Seconds from when it began, by its onset or opening, to the first opening; may be < 0.")
    ]


class MissedOut(Struct, frozen=True):
    """A known crisis that would not have been noticed."""

    incident: str
    reason: Annotated[Reason | None, Meta(description="Why it is over; null where nobody said.")]


class OutcomeOut(Struct, frozen=True, kw_only=True):
    """What the detector would have told with these settings, or another rule in its place."""

    settings: Annotated[DetectorSettings | None, Meta(description="Of the detector; null for another rule.")]
    rule: Annotated[SimpleRule | None, Meta(description="Null for the detector.")]
    fired: list[FiredOut]
    judged_from: Annotated[datetime | None, Meta(description="The first moment that is judged; null without any.")]
    weeks: Annotated[float, Meta(description="How much of the stretch was judged.")]
    per_week: Annotated[float | None, Meta(description="Openings in a judged week; null with a reason.")]
    unknown_per_week: Annotated[
        float | None, Meta(description="Of these, the ones that overlap no known crisis; null with a reason.")
    ]
    reason: Annotated[
        Missing | None, Meta(description="Why nothing was judged: nothing is stored, or too little to know the usual.")
    ]
    by_hour: Annotated[list[int], Meta(description="Openings by local hour of the day, 0 to 23.")]
    by_weekday: Annotated[list[int], Meta(description="Openings by local day of the week, from Monday on.")]
    caught: list[CaughtOut]
    missed: list[MissedOut]


class CoverageOut(Struct, frozen=True):
    """What is stored of the stretch. Hours in which nothing was heard are not told apart from gaps in collection."""

    hours: Annotated[int, Meta(description="Hours of the stretch.")]
    heard_hours: Annotated[int, Meta(description="Those in which something was heard.")]
    first: Annotated[Moment | None, Meta(description="The first hour heard, with what was read before the stretch.")]
    last: Annotated[Moment | None, Meta(description="The last hour heard.")]
    longest_silence_hours: Annotated[
        int | None, Meta(description="Most hours in a row, between two that were heard, without anything.")
    ]


class BacktestOut(Struct, frozen=True, kw_only=True):
    """When the detector would have fired with other settings, beside those that are armed."""

    brand: str
    time_zone: str
    cut: Annotated[str | None, Meta(description="Null for the total.")]
    start: Annotated[datetime, Meta(description="As asked for, a whole minute or not.")] = field(name="from")
    to: Annotated[datetime, Meta(description="As asked for, or now where that is earlier.")]
    resolution_s: Annotated[int, Meta(description="What is kept are counts: moments are to so many seconds.")]
    coverage: CoverageOut
    tried: OutcomeOut
    armed: OutcomeOut
    rules: Annotated[list[OutcomeOut], Meta(description="The other rules that were asked for, in that order.")]


_AT = datetime(2026, 10, 13, 12, tzinfo=UTC)
_OUTCOME = OutcomeOut(
    settings=DEFAULTS,
    rule=None,
    fired=[FiredOut(_AT, _AT.replace(hour=11), _AT.replace(day=14), Signal.NEGATIVE_VOLUME, 5.2, 2, ["inc-1"])],
    judged_from=_AT.replace(day=1),
    weeks=4.0,
    per_week=0.25,
    unknown_per_week=0.0,
    reason=None,
    by_hour=[0] * 14 + [1] + [0] * 9,
    by_weekday=[0, 1, 0, 0, 0, 0, 0],
    caught=[CaughtOut("inc-1", "real", 600)],
    missed=[],
)
BACKTEST_EXAMPLE = BacktestOut(
    brand="acme-coffee",
    time_zone="Europe/Berlin",
    cut=None,
    start=_AT.replace(day=1),
    to=_AT.replace(day=29),
    resolution_s=300,
    coverage=CoverageOut(672, 650, datetime(2026, 9, 3, tzinfo=UTC), _AT.replace(day=29), 3),
    tried=_OUTCOME,
    armed=_OUTCOME,
    rules=[replace(_OUTCOME, settings=None, rule=ZScore(), fired=[replace(_OUTCOME.fired[0], severity=None, told=1)])],
)
