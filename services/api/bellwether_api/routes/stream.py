"""/v1/stream: who listens is told."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, WithJsonSchema

from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import Invalid, MissingScope, RateLimited, Unauthenticated, Unavailable, UnknownBrand
from bellwether_api.cuts import one_cut
from bellwether_api.metering import STREAM
from bellwether_api.parts import Reader, Running
from bellwether_api.queries import CutQuery, Keys, Windows, parse_keys, parse_windows, reads
from bellwether_api.stream.selection import Selection
from bellwether_api.stream.shapes import Topic
from bellwether_api.stream.subscription import Asked
from bellwether_api.values import chosen_kpis

router = APIRouter()
_MOST_BRANDS = 200
_EXAMPLE = """retry: 2000

event: kpis
data: {"brand":"acme-coffee","cut":null,"as_of":"2026-10-13T12:00:00Z","fresh_to":"2026-10-13T11:59:58Z","whole":true,\
"kpis":{"brand_mentions":{"24h":{"value":57.0,"start":"2026-10-12T12:00:00Z","end":"2026-10-13T12:00:00Z",\
"partial":false,"numerator":57.0,"denominator":null,"n":57,"reason":null,"parts":{"mentions":57},"screened":57.0}}}}

event: ready
data: {"at":"2026-10-13T12:00:00Z","brands":["acme-coffee"],"topics":["incidents","kpis"]}
id: 5f3a9c21;731:731:

"""
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, for as long as the listener stays",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


def _text(description: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, "examples": list(examples)})


class Names(msgspec.Struct, frozen=True):
    """Slugs of brands. A struct, since a bare tuple would be read from repeated parameters."""

    each: tuple[str, ...]


class Topics(msgspec.Struct, frozen=True):
    """A choice of topics."""

    each: tuple[Topic, ...]


def parse_names(text: str) -> Names:
    """Names by commas, each once. Raises ValueError for too many."""
    names = tuple(dict.fromkeys(text.split(",")))
    if len(names) > _MOST_BRANDS:
        raise ValueError(f"must be {_MOST_BRANDS} slugs at most, by commas")
    return Names(names)


def parse_topics(text: str) -> Topics:
    """Topics by commas. Raises ValueError where one is unknown."""
    try:
        return Topics(tuple(Topic(name) for name in text.split(",")))
    except ValueError:
        raise ValueError(f"must be one or more, by commas, of {', '.join(Topic)}") from None


class StreamQuery(BaseModel):
    """What to listen to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    brands: Annotated[
        Names | None,
        reads(parse_names),
        _text("Slugs by commas. Nothing means all that the key may see.", "acme-coffee"),
    ] = None
    topics: Annotated[
        Topics | None,
        reads(parse_topics),
        _text(f"Topics by commas, of {', '.join(Topic)}. Nothing means all.", "incidents"),
    ] = None
    cut: CutQuery = None
    window: Annotated[
        Windows | None,
        reads(parse_windows),
        _text("Windows by commas. Nothing means of each KPI the one in which it is usually read.", "24h"),
    ] = None
    keys: Annotated[
        Keys | None,
        reads(parse_keys),
        _text("KPI keys by commas. Nothing means all.", "brand_mentions,share_of_voice"),
    ] = None

    def asked(self) -> Asked:
        """The same for the stream. Raises Invalid for a whole dimension as cut."""
        keys, windows = self.keys.each if self.keys else None, self.window.each if self.window else None
        brands, topics = self.brands.each if self.brands else None, self.topics.each if self.topics else Topic
        return Asked(brands, frozenset(topics), one_cut(self.cut), Selection(keys, windows))


@router.get(
    STREAM,
    tags=["stream"],
    operation_id="read_stream",
    summary="What changes, as it changes",
    response_class=Response,
    responses={
        **_ANSWER,
        **problems(Unauthenticated, MissingScope, Invalid, Unavailable, UnknownBrand, RateLimited),
    },
)
async def read_stream(
    query: Annotated[StreamQuery, Query()],
    who: Reader,
    parts: Running,
    last_event_id: Annotated[
        str, Header(alias="Last-Event-ID", description="The id of the last event that was received.")
    ] = "",
) -> Response:
    """Server-sent events: `kpis` (values of a brand and cut), `incident` (a step of a crisis), `ready`, `resync`.

    At first come the current values, whole, and `ready`; then what changes, within about half a second of being
    stored. Of values that wait to be sent only the latest are; steps of crises are told one by one, each once. With
    `Last-Event-ID` a stream goes on where another one ended, whichever server had it. `resync` says that something
    is missing. A comment is sent after 15 seconds of silence.
    """
    chosen_kpis(parts.definitions.of(who.tenant_id), query.keys)
    return await parts.streams.open(who, query.asked(), last_event_id)
