"""The shapes of all answers, defined once: they are encoded from these types, and OpenAPI describes the same types."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from bellwether.catalogue.formula import Reason
from bellwether.catalogue.kpi import Control, Direction, Evidence, Kind, Unit
from bellwether.catalogue.measures import Fold
from bellwether.domain.business_hours import ClosedAnswer
from bellwether.domain.windows import Window
from bellwether_api.buckets import SeriesGrain

Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339, in UTC.")]
FreshTo = Annotated[
    datetime | None,
    Meta(description="When the last event in the values was recorded; null where they were evaluated for this answer."),
]
CutName = Annotated[str | None, Meta(description="The cut, as `channel=instagram`; null is the total.")]
KpiKey = Annotated[str, Meta(description="Key of a KPI in the catalogue.", examples=["brand_mentions"])]
ValueField = Annotated[float | None, Meta(description="In the KPI's unit; null where it is undefined, with a reason.")]
PartialField = Annotated[bool, Meta(description="True while the period was still running.")]
Numerator = Annotated[float | None, Meta(description="What was divided, or the whole of a sum.")]
Denominator = Annotated[float | None, Meta(description="What it was divided by; null where nothing is divided.")]
Count = Annotated[int, Meta(description="How many observations the value rests on.")]
ReasonField = Annotated[Reason | None, Meta(description="Why there is no value; null where there is one.")]
Screened = Annotated[
    float | None,
    Meta(
        description="The same without activity that the integrity screen marks; null where the screen cannot change it."
    ),
]
Parts = Annotated[dict[str, int], Meta(description="The measures behind the value, by key.")]


HoursOut = Annotated[list[str], Meta(description="Stretches of the day, as `09:00-17:00`.")]


class HolidayOut(Struct, frozen=True):
    """A local date with hours of its own instead of those of its weekday."""

    date: date
    hours: HoursOut


class BrandOut(Struct, frozen=True):
    """A brand."""

    slug: Annotated[str, Meta(description="Its name in paths and events; never changes.", examples=["acme-coffee"])]
    name: Annotated[str, Meta(examples=["Acme Coffee"])]
    time_zone: Annotated[str, Meta(description="IANA name; its days, weeks and months are local to it.")]
    currency: Annotated[str, Meta(description="ISO 4217 code of its reports.", examples=["EUR"])]
    competitors: Annotated[list[str], Meta(description="Those its share of voice is told against.")]
    business_hours: Annotated[
        dict[str, HoursOut] | None,
        Meta(description="When answers are expected, by weekday from `mon` to `sun`; null for around the clock."),
    ]
    holidays: Annotated[list[HolidayOut], Meta(description="Dates that differ from their weekday.")]
    closed_answer_policy: Annotated[
        ClosedAnswer,
        Meta(description="What the business clock shows for an answer within one closed period."),
    ]
    response_target_s: Annotated[int, Meta(ge=1, description="How soon an answer should come, in business seconds.")]
    thread_gap_s: Annotated[int, Meta(ge=1, description="After how many seconds a conversation starts anew.")]
    version: Annotated[int, Meta(ge=1, description="Grows with every change; the ETag holds it.")]
    created_at: Moment
    updated_at: Moment


class BrandPage(Struct, frozen=True):
    """A page of brands, by slug."""

    items: list[BrandOut]
    next: Annotated[str | None, Meta(description="`cursor` of the next page; null at the end.")]


class MeasureOut(Struct, frozen=True):
    """A measure: what events are folded into. Measures add up over time, KPIs do not."""

    key: str
    title: str
    fold: Fold


class FormulaOut(Struct, frozen=True):
    """How a KPI is computed."""

    operator: Annotated[str, Meta(examples=["ratio"])]
    expression: Annotated[str, Meta(description="Over measure keys.", examples=["100 * clicks / impressions"])]
    words: Annotated[str, Meta(description="The same in words, with where it is undefined.")]


class BenchmarkOut(Struct, frozen=True):
    """What is usual on a channel: a public rule of thumb, not a target."""

    channel: Annotated[str, Meta(examples=["instagram"])]
    good: Annotated[float, Meta(description="In the KPI's unit.")]
    great: float
    source: Annotated[str, Meta(description="Where it was published.")]


class KpiVersionOut(Struct, frozen=True):
    """What a KPI meant from one date to the next."""

    version: Annotated[int, Meta(ge=1)]
    valid_from: date
    valid_until: Annotated[date | None, Meta(description="The date of the next version; null for the present one.")]
    title: str
    meaning: str
    formula: FormulaOut


class KpiOut(Struct, frozen=True):
    """The definition of a KPI."""

    key: KpiKey
    title: str
    meaning: str
    formula: FormulaOut
    unit: Unit
    better: Annotated[Direction, Meta(description="Which way is better.")]
    kind: Annotated[Kind, Meta(description="Whether it runs ahead of the outcome or follows it.")]
    kra: Annotated[str, Meta(description="The key result area it belongs to.")]
    version: Annotated[int, Meta(ge=1, description="Grows when the number changes its meaning.")]
    valid_from: Annotated[date, Meta(description="The date from which this version holds.")]
    home_window: Annotated[Window, Meta(description="The window in which it is usually read.")]
    measures: Annotated[list[MeasureOut], Meta(description="What is shown as `parts` beside its values.")]
    evidence: Annotated[Evidence, Meta(description="What the value rests on.")]
    control: Annotated[Control, Meta(description="How far the person whose card it is on decides the value.")]
    screened: Annotated[
        FormulaOut | None,
        Meta(description="How it is read without inauthentic activity; null where that makes no difference."),
    ]
    benchmarks: list[BenchmarkOut]
    events: Annotated[list[str], Meta(description="The types of the events that move it.")]
    versions: Annotated[list[KpiVersionOut], Meta(description="All that it ever meant, oldest first; the last holds.")]


class Catalogue(Struct, frozen=True):
    """Every KPI."""

    items: list[KpiOut]


class Figure(Struct, frozen=True):
    """A KPI over a stretch of time [start, end)."""

    value: ValueField
    start: Moment
    end: Moment
    partial: PartialField
    numerator: Numerator
    denominator: Denominator
    n: Count
    reason: ReasonField
    parts: Parts
    screened: Screened = None


Figures = dict[str, dict[Window, Figure]]


class CutValues(Struct, frozen=True):
    """The KPIs of one cut at one moment, by key and window."""

    cut: CutName
    as_of: Annotated[datetime, Meta(tz=True, description="The moment the values are read at.")]
    fresh_to: FreshTo
    kpis: Figures


class CurrentValues(Struct, frozen=True):
    """KPIs of a brand: one entry, or one per value of the dimension asked for."""

    brand: str
    time_zone: str
    cuts: list[CutValues]


class KpiCut(Struct, frozen=True):
    """One KPI in one cut, in all windows."""

    cut: CutName
    as_of: Moment
    fresh_to: FreshTo
    windows: dict[Window, Figure]


class KpiReading(Struct, frozen=True):
    """One KPI of a brand with its definition."""

    brand: str
    time_zone: str
    kpi: KpiOut
    cuts: list[KpiCut]


class SeriesCut(Struct, frozen=True):
    """The points of one cut, oldest first, one per bucket without a gap."""

    cut: CutName
    points: list[Figure]


class Series(Struct, frozen=True):
    """The curve of one KPI."""

    brand: str
    time_zone: str
    kpi: KpiKey
    unit: Unit
    grain: SeriesGrain
    cuts: list[SeriesCut]


ANSWERS = (BrandOut, BrandPage, Catalogue, KpiOut, CurrentValues, KpiReading, Series)
"""The shapes of whole answers."""
