"""The query parameters of the reading routes: parsed, bounded, and refused by name when unknown."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.cuts import DIMENSIONS
from bellwether.catalogue.own import PREFIX
from bellwether.domain.windows import Window
from bellwether_api.buckets import SeriesGrain
from bellwether_api.cuts import Cut, parse_cut
from bellwether_api.formats import CardFormat, TableFormat
from bellwether_api.moments import parse_moment
from bellwether_api.periods import FORMS, Period, parse_period
from bellwether_api.receipt_shapes import Place, parse_place

UNKNOWN_KEYS = "must be keys of the catalogue, by commas; GET /v1/kpis lists them"


def reads(parse: Callable[[str], object]) -> PlainValidator:
    """A parser whose ValueError becomes the detail of the refusal. It must not repeat its input."""

    def read(given: object) -> object:
        if not isinstance(given, str):
            return given
        try:
            return parse(given)
        except ValueError as error:
            raise PydanticCustomError("value", "{detail}", {"detail": str(error)}) from None

    return PlainValidator(read)


class Windows(msgspec.Struct, frozen=True):
    """A choice of windows. A struct, since a bare tuple would be read from repeated parameters."""

    each: tuple[Window, ...]


class Keys(msgspec.Struct, frozen=True):
    """A choice of KPIs."""

    each: tuple[str, ...]


def parse_windows(text: str) -> Windows:
    """Windows by commas, each once. Raises ValueError where one is unknown or none is named."""
    try:
        return Windows(tuple(dict.fromkeys(Window(name) for name in text.split(","))))
    except ValueError:
        raise ValueError(f"must be one or more, by commas, of {', '.join(Window)}") from None


def parse_keys(text: str) -> Keys:
    """KPI keys by commas, each once; own ones are known to whoever reads for a tenant.

    Raises ValueError where another one is not in the catalogue.
    """
    keys = tuple(dict.fromkeys(text.split(",")))
    if any(key not in CATALOGUE and not key.startswith(PREFIX) for key in keys):
        raise ValueError(UNKNOWN_KEYS)
    return Keys(keys)


def _text(description: str, *examples: str, form: str | None = None) -> WithJsonSchema:
    schema = {"type": "string", "description": description, "examples": list(examples)}
    return WithJsonSchema(schema if form is None else {**schema, "format": form})


Moment = Annotated[int, reads(parse_moment)]
CutQuery = Annotated[
    Cut | None,
    reads(parse_cut),
    _text(
        "`channel=instagram` for one value of a dimension, `channel` for each of its values by itself; nothing for the "
        f"total. Dimensions: {', '.join(DIMENSIONS)}.",
        "channel",
        "channel=instagram",
    ),
    Field(description="Which part of the brand's events; nothing for all of them."),
]
AsOf = Annotated[
    Moment | None,
    _text(
        "The moment to be read at, RFC 3339 with an offset, at most a minute ahead. Nothing means now.",
        "2026-10-01T00:00:00Z",
        form="date-time",
    ),
]
KnownAt = Annotated[
    Moment | None,
    _text(
        "Leave out what was recorded later than the brand's local day that holds this moment: what the answer "
        "would have been at that day's end. Nothing means everything known today. `as_of`, which is this moment "
        "unless given, cannot lie after that day.",
        "2026-10-01T00:00:00Z",
        form="date-time",
    ),
]


_FORMAT = "The format of the answer. Nothing means what the header Accept prefers, else JSON."
FormatQuery = Annotated[CardFormat | None, Field(description=_FORMAT)]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class At(_Query):
    """Which cut, at which moment, with what was known when."""

    cut: CutQuery = None
    as_of: AsOf = None
    known_at: KnownAt = None


class CurrentQuery(At):
    """Parameters of the current values."""

    window: Annotated[
        Windows | None,
        reads(parse_windows),
        _text(f"Windows by commas, of {', '.join(Window)}. Nothing means all.", "24h", "7d,28d"),
    ] = None
    keys: Annotated[
        Keys | None,
        reads(parse_keys),
        _text("KPI keys by commas. Nothing means all.", "brand_mentions,share_of_voice"),
    ] = None


class LabelQuery(At):
    """Parameters of a label."""

    window: Annotated[
        Window | None,
        Field(description="The window of the number. Nothing means the one in which the KPI is usually read."),
    ] = None


class ReceiptsQuery(At):
    """Parameters of the receipts behind a number."""

    window: Annotated[
        Window | None,
        Field(description="The window of the number. Nothing means the one in which the KPI is usually read."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Most receipts on the page.")] = 50
    cursor: Annotated[
        Place | None,
        reads(parse_place),
        _text("`next` of the page before; `as_of` should be that of the page, too."),
        Field(description="Where the page begins."),
    ] = None


class SeriesQuery(At):
    """Parameters of a series."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=False)

    grain: Annotated[SeriesGrain, Field(description="Length of a bucket, in the brand's local time.")] = SeriesGrain.DAY
    start: Annotated[
        Moment | None,
        _text(
            "Start with the bucket that holds this moment, RFC 3339. Nothing means 2, 28, 84 or 365 days before `to` "
            "for hours, days, weeks or months.",
            "2026-10-01T00:00:00Z",
            form="date-time",
        ),
        Field(alias="from"),
    ] = None
    to: Annotated[
        Moment | None,
        _text(
            "End with the bucket before or around this moment, RFC 3339. Nothing means `as_of`.",
            "2026-11-01T00:00:00Z",
            form="date-time",
        ),
    ] = None
    format: Annotated[TableFormat | None, Field(description=_FORMAT)] = None


class ScorecardQuery(At):
    """Parameters of a scorecard."""

    format: FormatQuery = None

    period: Annotated[
        Period | None,
        reads(parse_period),
        _text(
            f"A calendar period in the brand's local time: {FORMS}. Nothing means the month of `as_of`.",
            "2026-10",
            "2026-W45",
            "2026-Q4",
            "2026",
            "2026-10-31",
        ),
    ] = None
