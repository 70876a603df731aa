"""Business hours as callers send them: by weekday, with the dates that differ."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from bellwether.domain.business_hours import parse_hours

_MOST_A_DAY = 12
_MOST_HOLIDAYS = 1_000
_YEARS = range(1970, 2200)


def _readable(text: str) -> str:
    try:
        parse_hours(text)
    except ValueError as error:
        raise PydanticCustomError("hours", "{detail}", {"detail": str(error)}) from None
    return text


def _apart(texts: Sequence[str]) -> Sequence[str]:
    if any(before.end > after.start for before, after in pairwise(sorted(map(parse_hours, texts)))):
        raise PydanticCustomError("hours", "must not overlap")
    return texts


def _existing(text: str) -> str:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("date", "must be a date that exists, as in 2026-12-25") from None
    if found.year not in _YEARS:
        raise PydanticCustomError("date", "must lie between 1970 and 2200")
    return text


HoursOfDay = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=11), AfterValidator(_readable)], ...],
    Field(
        max_length=_MOST_A_DAY,
        description="Stretches of the day, none for closed. `22:00-06:00` ends on the next day, `00:00-24:00` is the "
        "whole day.",
        examples=[["09:00-12:00", "13:00-17:00"]],
    ),
    AfterValidator(_apart),
]


class WeekIn(BaseModel):
    """Hours by weekday, in the brand's time zone; a day that is left out is closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mon: HoursOfDay = ()
    tue: HoursOfDay = ()
    wed: HoursOfDay = ()
    thu: HoursOfDay = ()
    fri: HoursOfDay = ()
    sat: HoursOfDay = ()
    sun: HoursOfDay = ()


class HolidayIn(BaseModel):
    """A local date with hours of its own instead of those of its weekday. What was open the evening before closes
    at its midnight.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: Annotated[
        str,
        StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$"),
        AfterValidator(_existing),
        Field(examples=["2026-12-25"], json_schema_extra={"format": "date"}),
    ]
    hours: HoursOfDay = ()


def _each_once(holidays: tuple[HolidayIn, ...]) -> tuple[HolidayIn, ...]:
    if len({holiday.date for holiday in holidays}) != len(holidays):
        raise PydanticCustomError("holidays", "must name each date once")
    return holidays


Week = Annotated[
    WeekIn | None,
    Field(description="When answers are expected; null for around the clock. It pauses the business clock."),
]
Holidays = Annotated[
    tuple[HolidayIn, ...],
    Field(max_length=_MOST_HOLIDAYS, description="Dates that differ from their weekday."),
    AfterValidator(_each_once),
]
