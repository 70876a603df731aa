"""What the intake is measured beside: servers that do nothing, and the way that first comes to mind.

`python -m tests.bench.rivals NAME PORT KAFKA TOPIC`, each on the very server that the intake runs on.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from bellwether.adapters.http.probes import Readiness
from bellwether.adapters.http.server import Listening, serve
from bellwether_ingest.accept import Door, accept
from bellwether_ingest.intake import Accepted
from bellwether_ingest.media import mode_of
from tests.bench.load import BRANDS

Message = MutableMapping[str, Any]
Asgi = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
_EVERY = frozenset(BRANDS)
PATH, PATH_OF_ONE = "/v1/events", "/v1/event"


class _Author(BaseModel):
    id: str
    name: str | None = None


class _Body(BaseModel):
    brand: str = Field(min_length=1, max_length=64)
    channel: str = Field(min_length=1, max_length=64)
    campaign: str | None = None
    author: _Author | None = None


class _Interaction(_Body):
    content_id: str | None = None
    interaction_id: str | None = None
    kind: Literal["reaction", "comment", "share", "save", "click", "view", "vote"]
    text: str | None = None
    count: int = Field(1, ge=1)


class _Mention(_Body):
    of: str | None = None
    text: str | None = None
    reach: int | None = Field(None, ge=0)
    sentiment: float | None = Field(None, ge=-1, le=1)


class _Message(_Body):
    conversation_id: str
    message_id: str
    kind: Literal["query", "complaint", "feedback", "comment", "direct"]
    text: str | None = None


class _Metrics(_Body):
    content_id: str
    observed_at: AwareDatetime
    cumulative: dict[str, Annotated[int, Field(ge=0)]]


class _Published(_Body):
    content_id: str
    kind: str
    ugc: bool = False
    text: str | None = None


class _Envelope(BaseModel):
    specversion: Literal["1.0"]
    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    time: AwareDatetime | None = None


class InteractionEvent(_Envelope):
    type: Literal["social.interaction.v1"]
    data: _Interaction


class MentionEvent(_Envelope):
    type: Literal["social.mention.v1"]
    data: _Mention


class MessageEvent(_Envelope):
    type: Literal["social.message.received.v1", "social.message.sent.v1"]
    data: _Message


class MetricsEvent(_Envelope):
    type: Literal["social.content.metrics.v1"]
    data: _Metrics


class PublishedEvent(_Envelope):
    type: Literal["social.content.published.v1"]
    data: _Published


AnyEvent = Annotated[
    InteractionEvent | MentionEvent | MessageEvent | MetricsEvent | PublishedEvent, Field(discriminator="type")
]


def naive(bootstrap: str, topic: str) -> FastAPI:
    """Models as FastAPI's body, and a send to Kafka for each event. Checks no key, and tells only how many."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            app.state.producer = producer
            yield

    app = FastAPI(lifespan=running)

    async def send(event: AnyEvent) -> Awaitable[object]:
        value, key = event.model_dump_json(exclude_unset=True).encode(), f"acme/{event.data.brand}".encode()
        sent: Awaitable[object] = await app.state.producer.send(topic, value, key=key)
        return sent

    @app.post(PATH_OF_ONE, status_code=202)
    async def take_one(event: AnyEvent) -> dict[str, int]:
        await (await send(event))
        return {"accepted": 1}

    @app.post(PATH, status_code=202)
    async def take_many(events: list[AnyEvent]) -> dict[str, int]:
        await asyncio.gather(*[await send(event) for event in events])
        return {"accepted": len(events)}

    return app


def checks() -> Asgi:
    """The intake's own judgement and answer, without keys, limits, metrics and Kafka."""
    encoder = msgspec.json.Encoder()

    async def take(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Any]) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        door = Door(tenant="acme", may_write=_EVERY.__contains__, received_at=datetime.now(UTC))
        decision = accept(body, mode_of(_content_type(scope), has_attributes=False), scope["headers"], door)
        told = Accepted(len(decision.receipts), decision.receipts, decision.rejected)
        await _answer(send, encoder.encode(told))

    return take


def _content_type(scope: Message) -> str:
    found: bytes = next(value for name, value in scope["headers"] if name == b"content-type")
    return found.decode()


def empty_route() -> FastAPI:
    """A FastAPI route that reads the body and does nothing."""
    app = FastAPI()

    @app.post(PATH, status_code=202)
    async def take(request: Request) -> Response:
        await request.body()
        return Response(status_code=202)

    return app


def bare_asgi() -> Asgi:
    """The least that can be called a server: reads the body and does nothing."""

    async def take(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Any]) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        while (await receive()).get("more_body"):
            pass
        await _answer(send, b"")

    return take


async def _answer(send: Callable[..., Any], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 202, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Callable[[], Awaitable[Message]], send: Callable[..., Any]) -> None:
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


def main() -> None:
    """Serve the one that the command line names."""
    name, port, bootstrap, topic = sys.argv[1:]
    apps: dict[str, Callable[[], Any]] = {
        "bare": bare_asgi,
        "empty": empty_route,
        "checks": checks,
        "naive": lambda: naive(bootstrap, topic),
    }
    serve(apps[name](), Readiness(), Listening(host="127.0.0.1", port=int(port)))


if __name__ == "__main__":
    main()
