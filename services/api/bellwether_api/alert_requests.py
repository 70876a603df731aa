"""What callers send about alerts: endpoints and routes, with their bounds."""

from datetime import time
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from bellwether.domain.business_hours import WEEKDAYS
from bellwether_api.alert_shapes import KINDS, EndpointType
from bellwether_api.requests import Name, Slug

_STRICT = ConfigDict(extra="forbid", frozen=True)
_Clock = Annotated[
    str,
    StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"),
    Field(description="By the clock on the wall of the brand.", examples=["22:00"]),
]
_Url = Annotated[
    SecretStr,
    Field(
        max_length=2048,
        description="An https address; for `alertmanager` its base, for `apprise` an address as that library reads it. "
        "It may hold credentials of a service, and is not shown again.",
        examples=["https://hooks.example.org/bellwether"],
    ),
]
_AtOnce = Annotated[int, Field(strict=True, ge=1, le=32, description="Most requests open at once.")]
_PerMinute = Annotated[int, Field(strict=True, ge=1, le=6_000, description="Most requests in a minute.")]
_EndpointId = Annotated[str, StringConstraints(max_length=64)]


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise PydanticCustomError("each_once", "must name each once")
    return names


class NewEndpoint(BaseModel):
    """An endpoint to be made."""

    model_config = _STRICT

    name: Name
    url: _Url
    type: EndpointType = "webhook"
    at_once: _AtOnce = 4
    per_minute: _PerMinute = 600


class EndpointChanges(BaseModel):
    """What is to change of an endpoint; what is left out stays."""

    model_config = _STRICT

    name: Name = Field(default_factory=str)
    url: _Url = Field(default_factory=lambda: SecretStr(""))
    at_once: _AtOnce = Field(default_factory=int)
    per_minute: _PerMinute = Field(default_factory=int)
    disabled: Annotated[bool, Field(description="False lets alerts be sent to it again.")] = Field(default_factory=bool)


class Rotation(BaseModel):
    """A new secret."""

    model_config = _STRICT

    keep_old_s: Annotated[
        int, Field(strict=True, ge=0, le=604_800, description="For so long messages carry the old signature, too.")
    ] = 86_400


class QuietIn(BaseModel):
    """A stretch of quiet; it goes over midnight where it does not end after it starts."""

    model_config = _STRICT

    start: _Clock
    end: _Clock
    days: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=f"^(?:{'|'.join(WEEKDAYS)})$")], ...],
        Field(max_length=7, description="On which it starts; all where there are none.", examples=[["sat", "sun"]]),
        AfterValidator(_each_once),
    ] = ()

    def told(self) -> dict[str, Any]:
        """As `bellwether.domain.alerts.Quiet`."""
        clocks = {name: time.fromisoformat(getattr(self, name)).isoformat() for name in ("start", "end")}
        return {**clocks, "days": [WEEKDAYS.index(day) for day in self.days]}


class AlertRouteIn(BaseModel):
    """A route, all of it."""

    model_config = _STRICT

    name: Name
    endpoints: Annotated[
        tuple[_EndpointId, ...],
        Field(min_length=1, max_length=20, description="Ids of endpoints.", examples=[["whe_4fZq81aLwc0M"]]),
        AfterValidator(_each_once),
    ]
    brand: Annotated[Slug | None, Field(description="Only alerts of this brand.")] = None
    min_severity: Annotated[
        float, Field(ge=0, le=10, description="Least severity of what opens, grows or reopens; the rest follows that.")
    ] = 0.0
    kinds: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=f"^(?:{'|'.join(KINDS)})$")], ...],
        Field(max_length=len(KINDS), description=f"Only these, of {', '.join(KINDS)}."),
        AfterValidator(_each_once),
    ] = ()
    quiet: Annotated[
        tuple[QuietIn, ...], Field(max_length=14, description="When calls wait for the end of quiet.")
    ] = ()
    quiet_below: Annotated[float, Field(ge=0, le=10, description="Calls of this severity or more never wait.")] = 10.0
    group_s: Annotated[
        int, Field(strict=True, ge=0, le=3600, description="Calls of a brand within so many seconds go out together.")
    ] = 0
    cool_down_s: Annotated[
        int,
        Field(
            strict=True,
            ge=0,
            le=604_800,
            description="So long after a call others of the brand and cut are left out, unless they are more severe.",
        ),
    ] = 0
    escalate_after_s: (
        Annotated[
            int,
            Field(strict=True, ge=1, le=86_400, description="Where nobody acknowledged by then, the next are called."),
        ]
        | None
    ) = None
    escalate_to: Annotated[
        tuple[_EndpointId, ...], Field(max_length=20, description="Ids of endpoints."), AfterValidator(_each_once)
    ] = ()

    @model_validator(mode="after")
    def _escalates_to_somebody(self) -> Self:
        if (self.escalate_after_s is None) is not (not self.escalate_to):
            raise PydanticCustomError("escalation", "escalate_after_s and escalate_to need one another")
        return self

    def document(self) -> dict[str, Any]:
        """As `bellwether.domain.alerts.Route`, without its id and brand."""
        told = self.model_dump(mode="json", exclude={"name", "brand", "quiet"})
        return {**told, "quiet": [one.told() for one in self.quiet]}
