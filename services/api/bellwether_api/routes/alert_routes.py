"""/v1/alert-routes: which alerts go to which endpoints."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Response

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
    UnknownRoute,
)
from bellwether_api.alert_requests import AlertRouteIn
from bellwether_api.alert_shapes import AlertRouteList, AlertRouteOut
from bellwether_api.cache import Encoded, encoded
from bellwether_api.conditional import answer, version_tag
from bellwether_api.documentation import told
from bellwether_api.idempotency import parse_key
from bellwether_api.parts import IfNoneMatch, Running
from bellwether_api.routes.webhook_endpoints import Admin, IdempotencyKey, IfMatch

router = APIRouter(tags=["alerts"])
_REFUSALS = (Unauthenticated, MissingScope, Invalid, Unavailable)
_PATH = "/v1/alert-routes/{route}"

RouteId = Annotated[
    str, Path(pattern="^art_[0-9A-Za-z]{1,60}$", description="The route's id.", examples=["art_81aLwc0M4fZq"])
]


def _one(route: AlertRouteOut, if_none_match: str | None = None) -> Response:
    return answer(Encoded(msgspec.json.encode(route), version_tag(route.version)), if_none_match)


@router.get(
    "/v1/alert-routes",
    operation_id="list_alert_routes",
    summary="Routes of alerts",
    response_class=Response,
    responses={**told(AlertRouteList), **problems(*_REFUSALS)},
)
async def list_alert_routes(who: Admin, parts: Running, if_none_match: IfNoneMatch = None) -> Response:
    """All routes. An alert takes every one that matches, and reaches each endpoint once."""
    return answer(encoded(msgspec.json.encode(await parts.alert_routes.all(who))), if_none_match)


@router.post(
    "/v1/alert-routes",
    operation_id="create_alert_route",
    summary="Make a route",
    status_code=201,
    response_class=Response,
    responses={
        **told(AlertRouteOut, 201, "Location", "Idempotency-Replayed"),
        **problems(*_REFUSALS, Conflict, Malformed, TooLarge),
    },
)
async def create_alert_route(
    new: AlertRouteIn, who: Admin, parts: Running, idempotency_key: IdempotencyKey = None
) -> Response:
    """It holds for alerts that are written from now on."""
    made = await parts.alert_routes.create(who, new, parse_key(idempotency_key))
    headers = {
        "ETag": version_tag(made.route.version),
        "Location": f"/v1/alert-routes/{made.route.id}",
        "Idempotency-Replayed": str(made.replayed).lower(),
    }
    return Response(made.body, status_code=201, media_type="application/json", headers=headers)


@router.get(
    _PATH,
    operation_id="read_alert_route",
    summary="One route",
    response_class=Response,
    responses={**told(AlertRouteOut), **problems(*_REFUSALS, UnknownRoute)},
)
async def read_alert_route(route: RouteId, who: Admin, parts: Running, if_none_match: IfNoneMatch = None) -> Response:
    """One route, with its version as ETag."""
    return _one(await parts.alert_routes.read(who, route), if_none_match)


@router.put(
    _PATH,
    operation_id="replace_alert_route",
    summary="Replace a route",
    response_class=Response,
    responses={**told(AlertRouteOut), **problems(*_REFUSALS, UnknownRoute, StaleVersion, Malformed, TooLarge)},
)
async def replace_alert_route(
    route: RouteId, new: AlertRouteIn, who: Admin, parts: Running, if_match: IfMatch = None
) -> Response:
    """All of it: what is left out is as in a new route. What was routed before stays so."""
    return _one(await parts.alert_routes.replace(who, route, new, if_match))


@router.delete(
    _PATH,
    operation_id="delete_alert_route",
    summary="Delete a route",
    status_code=204,
    response_class=Response,
    responses={**problems(*_REFUSALS, UnknownRoute)},
)
async def delete_alert_route(route: RouteId, who: Admin, parts: Running) -> Response:
    """What was routed before is still sent; what follows on its incidents is not."""
    await parts.alert_routes.delete(who, route)
    return Response(status_code=204)
