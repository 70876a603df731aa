"""What callers send about crises: the bodies of steps, with their bounds."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from bellwether.domain.incidents import Reason, Severity
from bellwether.wire.events.fields import check_channel
from bellwether_api.incident_steps import Said
from bellwether_api.queries import Moment

_Id = StringConstraints(min_length=1, max_length=256)


def _a_channel(text: str) -> str:
    try:
        check_channel("channel", text)
    except ValueError as error:
        raise PydanticCustomError("channel", "{detail}", {"detail": str(error).partition(": ")[2]}) from None
    return text


Score = Annotated[float, Field(ge=0, le=10, description="Severity as a number.", examples=[7.5])]


class Remark(BaseModel):
    """Who does it, and why; both may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Annotated[str, _Id, Field(description="Who; nothing for the id of the key.", examples=["Dana"])] | None = None
    note: (
        Annotated[str, StringConstraints(min_length=1, max_length=4096), Field(examples=["Called the shop"])] | None
    ) = None

    def said(self) -> Said:
        """The same for the log."""
        return Said(**self.model_dump(exclude_unset=True))


class Note(Remark):
    """What is to be remembered."""

    note: Annotated[str, StringConstraints(min_length=1, max_length=4096), Field(examples=["The shop is closed"])]


class Resolution(Remark):
    """Why it is over."""

    reason: Annotated[
        Reason,
        Field(description="`real`: it was a crisis; `benign`: there was something, and no harm; `false`: nothing."),
    ]


class Merge(Remark):
    """Which crisis it is a part of."""

    into: Annotated[str, _Id, Field(description="Id of the crisis that goes on.", examples=["inc-1"])]


class Escalation(Remark):
    """How severe it is now."""

    severity: Severity
    score: Score | None = None


class Flare(Remark):
    """How severe it is now, where that is known."""

    severity: Severity | None = None
    score: Score | None = None


class Opening(Remark):
    """A crisis that somebody noticed."""

    channel: Annotated[
        str,
        StringConstraints(max_length=69),
        AfterValidator(_a_channel),
        Field(description="The network where it shows; it counts there and in the total.", examples=["x"]),
    ]
    campaign: Annotated[str, _Id, Field(description="The campaign that it is about, if any.")] | None = None
    severity: Severity = "warning"
    score: Score | None = None
    onset: Annotated[
        Moment | None,
        PlainSerializer(lambda moment: moment),
        WithJsonSchema(
            {"type": "string", "format": "date-time", "description": "When it is thought to have begun, RFC 3339."}
        ),
    ] = None
