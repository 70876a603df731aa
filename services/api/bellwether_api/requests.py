"""What callers send: the bodies of control-plane requests, with their bounds."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bellwether.domain.business_hours import ClosedAnswer
from bellwether.domain.response_times import RESPONSE_TARGET_S, THREAD_GAP_S
from bellwether_api.cuts import parse_cut
from bellwether_api.hours import Holidays, Week, WeekIn
from bellwether_api.periods import FORMS, parse_period

_SLUG = r"^[a-z0-9][a-z0-9-]{0,62}$"
_MOST_COMPETITORS = 100
_LONGEST_S = 31_622_400  # a leap year


@cache
def time_zones() -> frozenset[str]:
    """The names of the tz database, as the tzdata package lists them; the same on every machine."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - {"Factory"}


def _known_zone(name: str) -> str:
    if name not in time_zones():
        raise PydanticCustomError("time_zone", "must be an IANA name, as in Europe/Berlin")
    return name


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("name", "must not hold control characters")
    return text


def _each_once(slugs: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(slugs)) != len(slugs):
        raise PydanticCustomError("competitors", "must name each once")
    return slugs


Slug = Annotated[
    str,
    StringConstraints(pattern=_SLUG),
    Field(description="Lower-case letters, digits and hyphens; never changes.", examples=["acme-coffee"]),
]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_printable),
    Field(examples=["Acme Coffee"]),
]
TimeZone = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_known_zone),
    Field(description="IANA name; days, weeks and months are local to it.", examples=["Europe/Berlin"]),
]
Currency = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217 code of its reports.", examples=["EUR"])
]
Competitors = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=_SLUG)], ...],
    Field(
        max_length=_MOST_COMPETITORS,
        description="Slugs that mentions of competitors carry in `of`.",
        examples=[["bean-there"]],
    ),
    AfterValidator(_each_once),
]


ClosedAnswerPolicy = Annotated[
    ClosedAnswer,
    Field(
        description="What the business clock shows for a message received and answered in the same closed period: "
        "`zero` seconds, the time on the `wall`, or nothing (`leave_out`)."
    ),
]
_Duration = Annotated[int, Field(strict=True, ge=1, le=_LONGEST_S)]
ResponseTarget = Annotated[
    _Duration, Field(description="How soon an answer should come, in seconds of the business clock.", examples=[1800])
]
ThreadGap = Annotated[
    _Duration,
    Field(
        description="A message of the brand that does not say what it answers answers nothing that is older than so "
        "many seconds; messages farther apart are not of one turn."
    ),
]


class NewBrand(BaseModel):
    """A brand to be made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Slug
    name: Name
    time_zone: TimeZone = "UTC"
    currency: Currency = "USD"
    competitors: Competitors = ()
    business_hours: Week = None
    holidays: Holidays = ()
    closed_answer_policy: ClosedAnswerPolicy = ClosedAnswer.ZERO
    response_target_s: ResponseTarget = RESPONSE_TARGET_S
    thread_gap_s: ThreadGap = THREAD_GAP_S

    @model_validator(mode="after")
    def _not_its_own_competitor(self) -> Self:
        if self.slug in self.competitors:
            raise PydanticCustomError("competitors", "a brand cannot be its own competitor")
        return self


class BrandChanges(BaseModel):
    """What is to change of a brand; what is left out stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Made anew, so that the schema shows no default: what is left out has none, it stays.
    name: Name = Field(default_factory=str)
    time_zone: TimeZone = Field(default_factory=str)
    currency: Currency = Field(default_factory=str)
    competitors: Competitors = Field(default_factory=tuple)
    business_hours: Week = Field(default_factory=WeekIn)
    holidays: Holidays = Field(default_factory=tuple)
    closed_answer_policy: ClosedAnswerPolicy = Field(default_factory=lambda: ClosedAnswer.ZERO)
    response_target_s: ResponseTarget = Field(default_factory=int)
    thread_gap_s: ThreadGap = Field(default_factory=int)

    def changes(self) -> dict[str, object]:
        """The fields that were sent."""
        return self.model_dump(mode="json", exclude_unset=True)


def _period(text: str) -> str:
    try:
        parse_period(text)
    except ValueError as error:
        raise PydanticCustomError("period", "{detail}", {"detail": str(error)}) from None
    return text


def _one_cut(text: str) -> str:
    try:
        is_one = parse_cut(text).value is not None
    except ValueError as error:
        raise PydanticCustomError("cut", "{detail}", {"detail": str(error)}) from None
    if not is_one:
        raise PydanticCustomError("cut", "must name one value of its dimension, as in channel=instagram")
    return text


class CardToIssue(BaseModel):
    """A scorecard to be frozen as it reads now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    period: Annotated[
        str,
        StringConstraints(max_length=20),
        AfterValidator(_period),
        Field(description=f"A calendar period in the brand's local time: {FORMS}.", examples=["2026-10"]),
    ]
    cut: Annotated[
        Annotated[str, StringConstraints(max_length=300), AfterValidator(_one_cut)] | None,
        Field(description="One cut; nothing for the total.", examples=["channel=instagram"]),
    ] = None
    note: Annotated[
        str,
        StringConstraints(max_length=1_000, strip_whitespace=True),
        AfterValidator(_printable),
        Field(description="Whatever is to be remembered with the card.", examples=["Agreed with the board"]),
    ] = ""
