"""The shapes of events of the stream, and how they are written."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from fastapi.sse import format_sse_event
from msgspec import Meta, Struct

from bellwether.observability import metrics
from bellwether_api.incident_shapes import IncidentOut, StepOut
from bellwether_api.shapes import CutName, Figures, FreshTo, Moment

RETRY_MS: Final = 2_000
KEEP_ALIVE: Final = format_sse_event(comment="keep-alive")
BrandSlug = Annotated[str, Meta(description="The brand's slug.")]


class Topic(StrEnum):
    """What a listener may be told of."""

    KPIS = "kpis"
    INCIDENTS = "incidents"


class Event(StrEnum):
    """The names of events."""

    KPIS = "kpis"
    INCIDENT = "incident"
    READY = "ready"
    RESYNC = "resync"


class Lost(StrEnum):
    """Why a listener has to begin anew."""

    UNKNOWN = "unknown"
    TOO_MUCH = "too_much"
    TOO_SLOW = "too_slow"


class KpiUpdate(Struct, frozen=True):
    """`event: kpis`: what has changed of a brand and cut. Of several that waited to be sent, one with the latest."""

    brand: BrandSlug
    cut: CutName
    as_of: Annotated[datetime, Meta(tz=True, description="The moment the values are read at.")]
    fresh_to: FreshTo
    whole: Annotated[
        bool, Meta(description="True: these are all the figures asked for. False: those that are not here stay.")
    ]
    kpis: Figures


class IncidentUpdate(Struct, frozen=True):
    """`event: incident`: a step in the life of a crisis, and the crisis as it stands; each step once, in order."""

    brand: BrandSlug
    incident: Annotated[
        IncidentOut | None, Meta(description="As it stands now, maybe after later steps; null before it is opened.")
    ]
    step: StepOut


class Ready(Struct, frozen=True):
    """`event: ready`: all that was before is told; what follows happens now."""

    at: Moment
    brands: Annotated[list[str], Meta(description="Slugs of the brands that are listened to.")]
    topics: list[Topic]


class Resync(Struct, frozen=True):
    """`event: resync`: something is missing. Current values follow whole; crises have to be read anew."""

    reason: Annotated[
        Literal["unknown", "too_much", "too_slow"],
        Meta(
            description="`unknown`: the Last-Event-ID is none of this database, or it was restored to an earlier "
            "state; `too_much`: there are too many steps of crises since; `too_slow`: the reader was."
        ),
    ]
    read: Annotated[str, Meta(description="What to read once `ready` has come.")]


class Frame(Struct, frozen=True):
    """An event to be written."""

    event: Event
    data: str
    id: str | None = None

    def written(self) -> bytes:
        """Its bytes; counted as sent."""
        metrics.STREAM_EVENTS.labels(event=self.event.value).inc()
        return format_sse_event(event=self.event.value, data_str=self.data, id=self.id)


def resync(reason: Lost) -> bytes:
    """Tell a listener to begin anew."""
    told = Resync(reason.value, "/v1/brands/{brand}/incidents")
    return Frame(Event.RESYNC, msgspec.json.encode(told).decode()).written()


STREAM_SHAPES = (KpiUpdate, IncidentUpdate, Ready, Resync)
