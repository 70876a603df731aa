"""The shapes of answers about where alerts go and how they got there, and an example of each."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from bellwether.domain.alerts import Kind
from bellwether_api.shapes import Moment

EndpointType = Literal["webhook", "alertmanager", "apprise"]
MessageState = Literal["waiting", "delivered", "dead", "unneeded"]
KINDS: tuple[str, ...] = tuple(kind.value for kind in Kind if kind not in (Kind.TEST, Kind.CANARY))
"""Kinds of alerts that routes decide about."""
_Version = Annotated[int, Meta(description="Moves with every change; the ETag.")]


class EndpointOut(Struct, frozen=True):
    """Where alerts are sent to. Its address and secrets are kept sealed, and not shown again."""

    id: str
    name: str
    type: EndpointType
    shown: Annotated[str, Meta(description="What may be seen of the address: scheme and host.")]
    at_once: Annotated[int, Meta(description="Most requests open at once.")]
    per_minute: Annotated[int, Meta(description="Most requests in a minute.")]
    disabled: Annotated[bool, Meta(description="Nothing is sent to it.")]
    disabled_why: Annotated[str | None, Meta(description="Why, in words, where it is disabled.")]
    delivered_at: Annotated[datetime | None, Meta(description="When it last took an alert.")]
    failed_at: Annotated[datetime | None, Meta(description="Since it last took an alert: when it last did not.")]
    version: _Version
    created_at: Moment
    updated_at: Moment


class EndpointMade(Struct, frozen=True):
    """An endpoint with a secret that is shown this once."""

    endpoint: EndpointOut
    secret: Annotated[
        str | None,
        Meta(
            description="Key of the signatures (Standard Webhooks, `whsec_…`). Null where the type has none, and where "
            "this repeats an earlier answer."
        ),
    ]


class EndpointList(Struct, frozen=True):
    """All endpoints of the tenant, the oldest first."""

    items: list[EndpointOut]


class QuietOut(Struct, frozen=True):
    """A stretch of quiet, by the clock on the wall of the brand."""

    start: str
    end: str
    days: Annotated[list[str], Meta(description="On which it starts; all where there are none.")]


class AlertRouteOut(Struct, frozen=True):
    """Which alerts go to which endpoints."""

    id: str
    name: str
    brand: Annotated[str | None, Meta(description="Slug; null for all brands.")]
    endpoints: list[str]
    min_severity: float
    kinds: list[str]
    quiet: list[QuietOut]
    quiet_below: float
    group_s: int
    cool_down_s: int
    escalate_after_s: int | None
    escalate_to: list[str]
    version: _Version
    created_at: Moment
    updated_at: Moment


class AlertRouteList(Struct, frozen=True):
    """All routes of the tenant, the oldest first."""

    items: list[AlertRouteOut]


class ToldOut(Struct, frozen=True):
    """An alert that a message tells."""

    id: str
    kind: str
    brand: str | None
    incident: str
    severity: float
    title: str
    at: Moment


class MessageOut(Struct, frozen=True):
    """A message to an endpoint, and how it got there."""

    id: Annotated[str, Meta(description="What receivers know repeats by: `webhook-id`.")]
    endpoint: str
    state: Annotated[MessageState, Meta(description="`dead`: given up; `unneeded`: somebody acknowledged in time.")]
    attempts: int
    status: Annotated[int | None, Meta(description="HTTP status of the last attempt.")]
    error: Annotated[str | None, Meta(description="Why the last attempt failed.")]
    wanted_at: Annotated[datetime, Meta(description="When it was first due.")]
    due_at: Annotated[datetime, Meta(description="When it is due next.")]
    delivered_at: datetime | None
    alerts: list[ToldOut]


class MessagePage(Struct, frozen=True):
    """Messages, the latest first."""

    items: list[MessageOut]
    next: Annotated[str | None, Meta(description="Cursor of the next page.")]


class Replayed(Struct, frozen=True):
    """How many messages are sent again."""

    messages: int


class Written(Struct, frozen=True):
    """An alert that was written to the outbox."""

    alert: str


_AT = datetime(2026, 10, 13, 12, tzinfo=UTC)
_ENDPOINT = EndpointOut(
    *(
        "whe_4fZq81aLwc0M",
        "On call",
        "webhook",
        "https://hooks.example.org",
        4,
        600,
        False,
        None,
        _AT,
        None,
        1,
        _AT,
        _AT,
    )
)
_ROUTE = AlertRouteOut(
    id="art_81aLwc0M4fZq",
    name="Severe crises",
    brand="acme-coffee",
    endpoints=[_ENDPOINT.id],
    min_severity=6.0,
    kinds=[],
    quiet=[QuietOut("22:00", "07:00", [])],
    quiet_below=8.0,
    group_s=0,
    cool_down_s=900,
    escalate_after_s=None,
    escalate_to=[],
    version=1,
    created_at=_AT,
    updated_at=_AT,
)
_TOLD = ToldOut(
    "alr_2f5d0c1b9a874c3e8d6f1a2b3c4d5e6f", "opened", "acme-coffee", "cr-1042", 7.4, "Negative mentions on X", _AT
)
_MESSAGE = MessageOut(_TOLD.id, _ENDPOINT.id, "delivered", 1, 204, None, _AT, _AT, _AT, [_TOLD])
ALERT_EXAMPLES: tuple[Struct, ...] = (
    EndpointMade(_ENDPOINT, "whsec_plJ3nmyCDGBKInavdOK15jsl"),
    EndpointList([_ENDPOINT]),
    _ENDPOINT,
    AlertRouteList([_ROUTE]),
    _ROUTE,
    MessagePage([_MESSAGE], None),
    _MESSAGE,
    Replayed(3),
    Written(_TOLD.id),
)
ALERT_ANSWERS = tuple(type(example) for example in ALERT_EXAMPLES)
