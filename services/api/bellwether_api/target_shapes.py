"""The shapes of targets: as they are sent, as they are told, and how they stand."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from bellwether.catalogue.kpi import Direction, Unit
from bellwether.domain.targets import Aim, Bounds, Check, Lack, Method, Status
from bellwether_api.shapes import CutName, Figure, KpiKey, Moment

_TITLE = Meta(max_length=200, description="A name of the caller's own; nothing is read from it.")


class CalendarPeriod(StrEnum):
    """A period of the brand's local calendar."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class RollingWindow(StrEnum):
    """A window that ends at the moment."""

    HOURS_24 = "24h"
    DAYS_7 = "7d"
    DAYS_28 = "28d"
    DAYS_90 = "90d"


class EveryTime(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="every"):
    """Anew in every calendar period."""

    period: CalendarPeriod
    since: Annotated[
        date | None, Meta(description="From the period that holds this local date; nothing means today.")
    ] = None
    until: Annotated[date | None, Meta(description="To the period that holds it; nothing means for ever.")] = None


class DuringTime(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="in"):
    """Over one calendar period."""

    period: Annotated[str, Meta(max_length=10, examples=["2026-11", "2026-Q4"])]


class ByTime(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="by",
    rename={"day": "date", "start": "from"},
):
    """At the end of a local day."""

    day: Annotated[date, Meta(description="The last day.")]
    start: Annotated[
        date | None, Meta(description="The day at whose start the way there begins; nothing means today.")
    ] = None


Time = Annotated[EveryTime | DuringTime | ByTime, Meta(description="When it is to be met.")]
AimField = Annotated[
    Aim,
    Meta(
        description="What is aimed at, in the KPI's unit: a `level` in the direction that is better, a `maximum`, a "
        "`band`, a `change` in percent against the period before, or a way `from_to`."
    ),
]
Kra = Annotated[
    Annotated[str, Meta(max_length=200)] | None, Meta(description="The key result area; nothing means the KPI's.")
]
WindowField = Annotated[
    RollingWindow | None,
    Meta(
        description="For a date: the window that ends at the moment, over which the KPI is read. Nothing means the "
        "KPI's own; but what adds up is then counted since `from`, for a level, a maximum and a band."
    ),
]


class TargetIn(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A target to be set."""

    kpi: Annotated[str, Meta(description="Key of a KPI.", examples=["subscriber_growth"])]
    aim: AimField
    time: Time
    cut: Annotated[str | None, Meta(description="One cut, as `channel=instagram`; nothing means the total.")] = None
    kra: Kra = None
    window: WindowField = None
    title: Annotated[str, _TITLE] = ""


class ProjectionOut(Struct, frozen=True):
    """Where the value will stand at the deadline."""

    value: Annotated[float, Meta(description="In the KPI's unit.")]
    low: Annotated[float, Meta(description="The lower end of the interval.")]
    high: Annotated[float, Meta(description="The upper end of the interval.")]
    coverage: Annotated[
        float,
        Meta(description="The share of cases in which the interval holds the value, if days go on as the last ones."),
    ]
    method: Annotated[
        Method,
        Meta(
            description="`drift`: as much a day as over the days seen; `trend`: a straight line through them; `ended`: "
            "the deadline is over, this is the value."
        ),
    ]
    days: Annotated[int, Meta(description="How many whole local days it was made from, 28 at most.")]


class ProgressOut(Struct, frozen=True, kw_only=True):
    """How a target stands at a moment."""

    as_of: Moment
    start: Annotated[Moment | None, Meta(description="Where its stretch begins; null where that lies ahead.")]
    deadline: Annotated[Moment | None, Meta(description="Where its stretch ends; null as `start`.")]
    elapsed: Annotated[float | None, Meta(description="The share of the stretch that is over, 0 to 1.")]
    figure: Annotated[Figure | None, Meta(description="The KPI over the stretch so far, or over its window.")]
    baseline: Annotated[
        float | None,
        Meta(description="The KPI over the whole period before; for a date, where the way began. Null if undefined."),
    ]
    goal: Annotated[Bounds | None, Meta(description="What the value is to be at the deadline.")]
    expected: Annotated[Bounds | None, Meta(description="What it should be at this moment to be on track.")]
    attainment: Annotated[
        float | None,
        Meta(
            description="Percent: 100 × value / goal for at least, 100 at or below and else 100 × goal / value for at "
            "most, both for a band, 100 × (value − from) / (to − from) for a way."
        ),
    ]
    behind: Annotated[
        float | None,
        Meta(description="What the value lacks to what is expected, in percent of the way; negative if it is ahead."),
    ]
    status: Annotated[
        Status,
        Meta(
            description="`on_track` up to 5 percent behind, `at_risk` up to 20, both times the share of the time that "
            "is left; else `off_track`. `no_data` with a reason."
        ),
    ]
    reason: Annotated[Lack | None, Meta(description="Why attainment or status cannot be told.")]
    projection: ProjectionOut | None
    projection_reason: Annotated[Lack | None, Meta(description="Why there is no projection.")]


class TargetOut(Struct, frozen=True, kw_only=True):
    """A target, whether it is SMART, and how it stands."""

    id: Annotated[str, Meta(examples=["new-subscribers"])]
    brand: str
    kpi: KpiKey
    kpi_title: str
    unit: Unit
    currency: Annotated[
        str | None, Meta(description="ISO 4217 code of what is money; null for any other unit.", examples=["EUR"])
    ]
    better: Direction
    cut: CutName
    kra: str
    title: str
    aim: AimField
    time: Time
    window: WindowField
    words: Annotated[str, Meta(description="The target as one would say it.", examples=["at least 1,000 every month"])]
    version: Annotated[int, Meta(ge=1, description="Grows with every change; the ETag begins with it.")]
    changed_at: Moment
    changed_by: Annotated[str, Meta(description="The id of the API key.", examples=["4bLkH0q1Zx2P"])]
    smart: Annotated[
        list[Check],
        Meta(description="Specific, measurable, achievable, relevant, time-bound: as found when it was set."),
    ]
    progress: ProgressOut


class TargetPage(Struct, frozen=True):
    """A page of targets, by id."""

    items: list[TargetOut]
    next: Annotated[str | None, Meta(description="`cursor` of the next page; null at the end.")]


class TargetVersion(Struct, frozen=True, kw_only=True):
    """What a target was from a moment on."""

    version: Annotated[int, Meta(ge=1)]
    changed_at: Moment
    changed_by: Annotated[str, Meta(description="The id of the API key.")]
    target: Annotated[TargetIn | None, Meta(description="Null where it was deleted.")]
    smart: list[Check]


class TargetHistory(Struct, frozen=True):
    """All versions of a target, the latest first."""

    id: str
    versions: list[TargetVersion]


TARGET_ANSWERS = (TargetOut, TargetPage, TargetHistory, TargetIn)
"""The shapes of whole answers, and of what is sent."""
