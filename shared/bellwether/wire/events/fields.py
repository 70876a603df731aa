"""The field types that event bodies are made of, with their bounds, and the rules that no bound can say.

A rule that fails raises ValueError with the field in front, "`scale_max`: must be …"; msgspec adds the path
of the object, and `explain` makes one JSON pointer of both.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Final, Literal

from msgspec import Meta

NETWORKS: Final = (
    "facebook",
    "instagram",
    "x",
    "linkedin",
    "youtube",
    "tiktok",
    "vk",
    "telegram",
    "zen",
    "pinterest",
    "reddit",
    "mastodon",
    "bluesky",
    "discord",
    "slack",
    "web",
    "email",
)
"""The channels with a name of their own. Any other is written `other:<slug>`."""

LARGEST_COUNT: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""No instant inside a body may lie outside [EARLIEST, LATEST): beyond are defaults and slips, and year 1
breaks every conversion of time zones."""

_SLUG: Final = "[a-z0-9][a-z0-9-]{0,62}"
_CHANNEL: Final = f"(?:{'|'.join(NETWORKS)}|other:{_SLUG})"
# What a URI-reference is written with (RFC 3986, section 2): ASCII, so a source never outgrows an index row.
_URI_REFERENCE: Final = r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"

# These three stand in every event, and a pattern in Meta costs the decoder 0.4 µs each: the schema states
# them, `check_address` enforces them behind a cache.
Slug = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=63,
        extra_json_schema={"pattern": f"^{_SLUG}$"},
        description="Lower-case letters, digits and hyphens, not beginning with a hyphen.",
    ),
]
Channel = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=69,
        extra_json_schema={"pattern": f"^{_CHANNEL}$"},
        description="The network or medium; one that has no name of its own is `other:<slug>`.",
    ),
]
Source = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        extra_json_schema={"format": "uri-reference", "pattern": f"^{_URI_REFERENCE}$"},
        description="URI-reference of the origin, for example `/facebook/pages/1234`.",
    ),
]

# 256 characters are at most 1,024 bytes of UTF-8: with the longest source still below the 2,704 bytes that an
# index row of PostgreSQL may have.
Identifier = Annotated[str, Meta(min_length=1, max_length=256)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Term = Annotated[str, Meta(min_length=1, max_length=64, description="A short name from an open list.")]
Text = Annotated[str, Meta(max_length=65536)]
Note = Annotated[str, Meta(max_length=4096)]
Url = Annotated[str, Meta(min_length=1, max_length=2048)]
Language = Annotated[str, Meta(min_length=2, max_length=35, description="BCP 47 tag, as `en` or `pt-BR`.")]
Labels = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=64)], Annotated[str, Meta(max_length=256)]],
    Meta(max_length=32, description="Free cuts of the caller's own."),
]

Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset.")]
Count = Annotated[int, Meta(ge=0, le=LARGEST_COUNT)]
Positive = Annotated[int, Meta(ge=1, le=LARGEST_COUNT)]
Sentiment = Annotated[float, Meta(ge=-1, le=1, description="From -1 (negative) to 1 (positive).")]
Score = Annotated[float, Meta(ge=-1e9, le=1e9)]
Quantity = Annotated[float, Meta(ge=0, le=1e15, description="A count that may have a fraction.")]
Seconds = Annotated[float, Meta(ge=0, le=31_622_400, description="Seconds, at most 366 days.")]

LARGEST_AMOUNT: Final = Decimal(10) ** 15
MOST_DECIMAL_PLACES: Final = 18
Amount = Annotated[
    Decimal,
    Meta(
        description="A decimal as a string or a number, read exactly, to 10^15 and 18 decimal places.",
        extra_json_schema={
            "pattern": r"^[+-]?[0-9]{1,16}(\.[0-9]{1,18})?$",
            "minimum": -(10**15),
            "maximum": 10**15,
        },
    ),
]
NonNegativeAmount = Annotated[
    Decimal,
    Meta(
        description="An amount that is not negative.",
        extra_json_schema={
            "pattern": r"^[+]?[0-9]{1,16}(\.[0-9]{1,18})?$",
            "minimum": 0,
            "maximum": 10**15,
        },
    ),
]
Currency = Annotated[
    str, Meta(min_length=3, max_length=3, pattern="^[A-Z]{3}$", description="ISO 4217 code in capitals.")
]

Audience = Literal["followers", "subscribers", "members"]

_slug = re.compile(_SLUG).fullmatch
_channel = re.compile(_CHANNEL).fullmatch
_uri_reference = re.compile(_URI_REFERENCE).fullmatch


@lru_cache(maxsize=4096)
def check_address(source: str, brand: str, channel: str) -> None:
    """Refuse a source that is no URI-reference, a brand that is no slug and an unknown channel."""
    if not _uri_reference(source):
        raise ValueError("`source`: must be a URI-reference in ASCII")
    if not _slug(brand):
        raise ValueError("`data.brand`: must be lower-case letters, digits and hyphens, as in acme-coffee")
    check_channel("data.channel", channel)


def check_channel(field: str, channel: str) -> None:
    """Refuse a channel that is neither one of NETWORKS nor `other:<slug>`."""
    if not _channel(channel):
        raise ValueError(f"`{field}`: must be one of {', '.join(NETWORKS)} or other:<slug>")


@lru_cache(maxsize=4096)
def check_slug(field: str, slug: str) -> None:
    """Refuse what could not be a brand or a competitor."""
    if not _slug(slug):
        raise ValueError(f"`{field}`: must be lower-case letters, digits and hyphens, as in acme-coffee")


def check_instant(field: str, instant: datetime | None) -> None:
    """Refuse an instant outside [EARLIEST, LATEST)."""
    if instant is not None and not EARLIEST <= instant < LATEST:
        raise ValueError(f"`{field}`: must lie between 1970 and 2200")


def check_period(start: datetime, end: datetime) -> None:
    """Refuse a period that ends before it begins; an empty one is legal."""
    check_instant("from", start)
    check_instant("to", end)
    if start > end:
        raise ValueError("`to`: must not lie before `from`")


def any_of(*fields: str) -> Meta:
    """How the schema says what `check_one_of` enforces."""
    return Meta(extra_json_schema={"anyOf": [_given(field) for field in fields]})


def with_currency(field: str) -> Meta:
    """How the schema says that an amount comes with its currency, as `check_money` enforces."""
    return Meta(extra_json_schema={"if": _given(field), "then": _given("currency")})


def _given(field: str) -> dict[str, object]:
    return {"required": [field], "properties": {field: {"not": {"type": "null"}}}}


def check_amount(field: str, amount: Decimal | None, *, least: Decimal | None = None) -> None:
    """Refuse an amount that is not finite, too large, too fine or below `least`."""
    if amount is None:
        return
    if not amount.is_finite() or not -LARGEST_AMOUNT <= amount <= LARGEST_AMOUNT:
        raise ValueError(f"`{field}`: must be a finite decimal of at most 10^15 either way")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MOST_DECIMAL_PLACES:
        raise ValueError(f"`{field}`: must have at most {MOST_DECIMAL_PLACES} decimal places")
    if least is not None and amount < least:
        raise ValueError(f"`{field}`: must be at least {least}")


def check_money(field: str, amount: Decimal | None, currency: str | None) -> None:
    """Refuse a bad amount, and an amount without its currency."""
    check_amount(field, amount)
    if amount is not None and currency is None:
        raise ValueError(f"`currency`: must be given with `{field}`")


def check_score(score: float, scale_min: float, scale_max: float) -> None:
    """Refuse an empty scale and a score that lies outside its scale."""
    if scale_min >= scale_max:
        raise ValueError("`scale_max`: must be greater than `scale_min`")
    if not scale_min <= score <= scale_max:
        raise ValueError("`score`: must lie within the scale")


def check_one_of(*fields: str, given: bool) -> None:
    """Refuse a body in which none of these optional fields is given."""
    if not given:
        raise ValueError(f"must have at least one of {', '.join(fields)}")
