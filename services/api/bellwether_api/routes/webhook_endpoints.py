"""/v1/webhook-endpoints: where alerts are sent to, and how they got there."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Header, Path, Query, Response, Security
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from bellwether.adapters.http.auth import caller
from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import (
    Conflict,
    Invalid,
    Malformed,
    MissingScope,
    StaleVersion,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownEndpoint,
    UnknownMessage,
)
from bellwether.domain.keys import Caller, Scope
from bellwether_api.alert_messages import Which, parse_place
from bellwether_api.alert_requests import EndpointChanges, NewEndpoint, Rotation
from bellwether_api.alert_shapes import (
    EndpointList,
    EndpointMade,
    EndpointOut,
    MessageOut,
    MessagePage,
    MessageState,
    Replayed,
    Written,
)
from bellwether_api.cache import Encoded, encoded
from bellwether_api.conditional import answer, version_tag
from bellwether_api.documentation import told
from bellwether_api.idempotency import parse_key
from bellwether_api.parts import IfNoneMatch, Running
from bellwether_api.queries import reads

router = APIRouter(tags=["alerts"])
_REFUSALS = (Unauthenticated, MissingScope, Invalid, Unavailable)
_PATH = "/v1/webhook-endpoints/{endpoint}"

Admin = Annotated[Caller, Security(caller(Scope.ADMIN), scopes=[Scope.ADMIN.value])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="A name of the caller's own for this request, kept for 24 hours: repeats of the same request "
        "get the first answer.",
        examples=['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
    ),
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The version that is meant, as its ETag: 412 if it is not current."),
]
EndpointId = Annotated[
    str, Path(pattern="^whe_[0-9A-Za-z]{1,60}$", description="The endpoint's id.", examples=["whe_4fZq81aLwc0M"])
]
MessageId = Annotated[
    str,
    Path(
        pattern="^[0-9a-z_]{1,80}$",
        description="The message's id, as receivers see it.",
        examples=["alr_2f5d0c1b9a874c3e8d6f1a2b3c4d5e6f"],
    ),
]


class MessagesQuery(BaseModel):
    """Which messages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Annotated[MessageState | None, Field(description="Only in this state; `dead` for the dead letters.")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Most messages on the page.")] = 50
    cursor: Annotated[
        int | None,
        reads(parse_place),
        WithJsonSchema({"type": "string", "description": "`next` of the page before."}),
    ] = None


def _one(endpoint: EndpointOut, if_none_match: str | None = None) -> Response:
    return answer(Encoded(msgspec.json.encode(endpoint), version_tag(endpoint.version)), if_none_match)


def _secret(made: EndpointMade, status: int = 200, **headers: str) -> Response:
    told = {"ETag": version_tag(made.endpoint.version), "Cache-Control": "no-store", **headers}
    return Response(msgspec.json.encode(made), status_code=status, media_type="application/json", headers=told)


@router.get(
    "/v1/webhook-endpoints",
    operation_id="list_webhook_endpoints",
    summary="Endpoints of alerts",
    response_class=Response,
    responses={**told(EndpointList), **problems(*_REFUSALS)},
)
async def list_webhook_endpoints(who: Admin, parts: Running, if_none_match: IfNoneMatch = None) -> Response:
    """All endpoints that alerts can be sent to: webhooks, Alertmanagers, and services of chat, mail and paging."""
    return answer(encoded(msgspec.json.encode(await parts.endpoints.all(who))), if_none_match)


@router.post(
    "/v1/webhook-endpoints",
    operation_id="create_webhook_endpoint",
    summary="Make an endpoint",
    status_code=201,
    response_class=Response,
    responses={
        **told(EndpointMade, 201, "Location", "Idempotency-Replayed"),
        **problems(*_REFUSALS, Conflict, Malformed, TooLarge),
    },
)
async def create_webhook_endpoint(
    new: NewEndpoint, who: Admin, parts: Running, idempotency_key: IdempotencyKey = None
) -> Response:
    """The secret that webhooks are signed with is shown this once. No alert is sent until a route names the endpoint.

    Only public addresses are taken, and those in networks that the operator allows.
    """
    made, replayed = await parts.endpoints.create(who, new, parse_key(idempotency_key))
    location = f"/v1/webhook-endpoints/{made.endpoint.id}"
    return _secret(made, 201, **{"Location": location, "Idempotency-Replayed": str(replayed).lower()})


@router.get(
    _PATH,
    operation_id="read_webhook_endpoint",
    summary="One endpoint",
    response_class=Response,
    responses={**told(EndpointOut), **problems(*_REFUSALS, UnknownEndpoint)},
)
async def read_webhook_endpoint(
    endpoint: EndpointId, who: Admin, parts: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """One endpoint, with its version as ETag."""
    return _one(await parts.endpoints.read(who, endpoint), if_none_match)


@router.patch(
    _PATH,
    operation_id="change_webhook_endpoint",
    summary="Change an endpoint, or enable it again",
    response_class=Response,
    responses={**told(EndpointOut), **problems(*_REFUSALS, UnknownEndpoint, StaleVersion, Malformed, TooLarge)},
)
async def change_webhook_endpoint(
    endpoint: EndpointId, changes: EndpointChanges, who: Admin, parts: Running, if_match: IfMatch = None
) -> Response:
    """What is left out stays. An endpoint that failed for days is disabled, until `disabled` is set to false."""
    return _one(await parts.endpoints.change(who, endpoint, changes, if_match))


@router.delete(
    _PATH,
    operation_id="delete_webhook_endpoint",
    summary="Delete an endpoint",
    status_code=204,
    response_class=Response,
    responses={**problems(*_REFUSALS, UnknownEndpoint, Conflict)},
)
async def delete_webhook_endpoint(endpoint: EndpointId, who: Admin, parts: Running) -> Response:
    """What still waits for it is not sent. Refused while a route names it."""
    await parts.endpoints.delete(who, endpoint)
    return Response(status_code=204)


@router.post(
    f"{_PATH}/secret",
    operation_id="rotate_webhook_secret",
    summary="Replace a webhook's secret",
    response_class=Response,
    responses={**told(EndpointMade), **problems(*_REFUSALS, UnknownEndpoint, Conflict, Malformed, TooLarge)},
)
async def rotate_webhook_secret(
    endpoint: EndpointId, who: Admin, parts: Running, rotation: Rotation | None = None
) -> Response:
    """A new secret, shown this once. Until the old one ends, messages carry both signatures."""
    return _secret(await parts.endpoints.rotate(who, endpoint, rotation or Rotation()))


@router.post(
    f"{_PATH}/test",
    operation_id="test_webhook_endpoint",
    summary="Send a test to an endpoint",
    response_class=Response,
    responses={**told(Written), **problems(*_REFUSALS, UnknownEndpoint)},
)
async def test_webhook_endpoint(endpoint: EndpointId, who: Admin, parts: Running) -> Response:
    """An alert of the kind `test` goes to this endpoint alone, the way of all others; its message tells how it went."""
    return answer(encoded(msgspec.json.encode(await parts.endpoints.test(who, endpoint))), None)


@router.get(
    f"{_PATH}/messages",
    operation_id="list_alert_messages",
    summary="What was sent, and what was not",
    response_class=Response,
    responses={**told(MessagePage, 200, "Link"), **problems(*_REFUSALS, UnknownEndpoint)},
)
async def list_alert_messages(
    endpoint: EndpointId,
    query: Annotated[MessagesQuery, Query()],
    who: Admin,
    parts: Running,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Messages to an endpoint with their alerts, the latest first, a page at a time."""
    page = await parts.messages.page(who, endpoint, Which(query.state, query.cursor, query.limit))
    following = query.model_dump(exclude={"cursor"}, exclude_none=True) | {"cursor": page.next}
    path = f"/v1/webhook-endpoints/{endpoint}/messages?{urlencode(following)}"
    link = {"Link": f'<{path}>; rel="next"'} if page.next else {}
    return answer(encoded(msgspec.json.encode(page)), if_none_match, link)


@router.post(
    f"{_PATH}/messages/{{message}}/replay",
    operation_id="replay_alert_message",
    summary="Send a message once more",
    response_class=Response,
    responses={**told(MessageOut), **problems(*_REFUSALS, UnknownEndpoint, UnknownMessage, Conflict)},
)
async def replay_alert_message(endpoint: EndpointId, message: MessageId, who: Admin, parts: Running) -> Response:
    """At once, under its id and with a fresh schedule, whatever became of it before."""
    return answer(encoded(msgspec.json.encode(await parts.messages.replay(who, endpoint, message))), None)


@router.post(
    f"{_PATH}/replay",
    operation_id="replay_dead_alert_messages",
    summary="Send all dead letters once more",
    response_class=Response,
    responses={**told(Replayed), **problems(*_REFUSALS, UnknownEndpoint, Conflict)},
)
async def replay_dead_alert_messages(endpoint: EndpointId, who: Admin, parts: Running) -> Response:
    """All messages that were given up, at once, under their ids."""
    return answer(encoded(msgspec.json.encode(await parts.messages.replay_dead(who, endpoint))), None)
