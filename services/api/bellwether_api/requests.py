"""What callers send: the bodies of control-plane requests, with their bounds."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

_SLUG = r"^[a-z0-9][a-z0-9-]{0,62}$"
_MOST_COMPETITORS = 100


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


class NewBrand(BaseModel):
    """A brand to be made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Slug
    name: Name
    time_zone: TimeZone = "UTC"
    currency: Currency = "USD"
    competitors: Competitors = ()

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

    def changes(self) -> dict[str, object]:
        """The fields that were sent."""
        return self.model_dump(mode="json", exclude_unset=True)
