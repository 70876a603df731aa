"""/v1/brands/{brand}/targets: what KPIs are to be, and how far they are."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security
from pydantic import BaseModel, ConfigDict, Field

from bellwether.adapters.http.auth import caller, directory, visible_brand
from bellwether.adapters.http.problems import problems
from bellwether.adapters.postgres.directory import Brand, Directory
from bellwether.domain.errors import (
    Invalid,
    Malformed,
    MissingScope,
    StaleVersion,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
    UnknownTarget,
)
from bellwether.domain.keys import Caller, Scope
from bellwether_api.brands import parse_cursor
from bellwether_api.cache import Encoded, encoded
from bellwether_api.conditional import answer
from bellwether_api.documentation import told
from bellwether_api.parts import BrandToRead, IfNoneMatch, Running
from bellwether_api.queries import AsOf, KnownAt, reads
from bellwether_api.target_requests import decode_target
from bellwether_api.target_shapes import TargetHistory, TargetOut, TargetPage

router = APIRouter(tags=["targets"])
_REFUSALS = (Unauthenticated, MissingScope, Invalid, Unavailable, UnknownBrand)

Setter = Annotated[Caller, Security(caller(Scope.TARGETS_WRITE), scopes=[Scope.TARGETS_WRITE.value])]
TargetId = Annotated[
    str,
    Path(
        description="The target's id, of the caller's choosing.",
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        examples=["new-subscribers"],
    ),
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The version that is meant, as an ETag of it: 412 if it is not current."),
]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TargetIn"}}},
    }
}


async def _brand_to_aim(
    brand: Annotated[str, Path(description="The brand's slug.", examples=["acme-coffee"])],
    who: Setter,
    known: Annotated[Directory, Depends(directory)],
) -> Brand:
    return await visible_brand(known, who, brand)


BrandToAim = Annotated[Brand, Depends(_brand_to_aim)]


class MomentQuery(BaseModel):
    """At which moment, with what was known when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: AsOf = None
    known_at: KnownAt = None


class TargetsQuery(MomentQuery):
    """Which page, at which moment."""

    limit: Annotated[int, Field(ge=1, le=200, description="Most targets on the page.")] = 50
    cursor: Annotated[str, reads(parse_cursor), Field(max_length=100, description="`next` of the page before.")] = ""


def _one(target: TargetOut, if_none_match: str | None = None) -> Response:
    body = msgspec.json.encode(target)
    return answer(Encoded(body, _tag(target, body)), if_none_match)


def _tag(target: TargetOut, body: bytes) -> str:
    """Of one version there are many answers, since its progress moves."""
    return f'"{target.version}-{encoded(body).etag[1:]}'


def _versions(header: str) -> set[str]:
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in header.split(","))
    return {tag.partition("-")[0] for tag in tags}


def _names(if_match: str | None, if_none_match: str | None) -> Callable[[int], bool]:
    """Whether the headers of a change mean a version; 0 stands for no target."""

    def names(version: int) -> bool:
        if if_none_match is not None and version > 0 and _versions(if_none_match) & {"*", str(version)}:
            return False
        return if_match is None or (version > 0 and bool(_versions(if_match) & {"*", str(version)}))

    return names


@router.get(
    "/v1/brands/{brand}/targets",
    operation_id="list_targets",
    summary="Targets, by id",
    response_class=Response,
    responses={**told(TargetPage, 200, "Link"), **problems(*_REFUSALS)},
)
async def list_targets(
    brand: BrandToRead, query: Annotated[TargetsQuery, Query()], parts: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """The targets of a brand with how they stand, a page at a time. `Link` names the next page, too."""
    page = await parts.targets.page(brand, query.cursor, query.limit, query.as_of, query.known_at)
    path = f"/v1/brands/{brand.slug}/targets?limit={query.limit}&cursor={page.next}"
    link = {"Link": f'<{path}>; rel="next"'} if page.next else {}
    return answer(encoded(msgspec.json.encode(page)), if_none_match, link)


@router.get(
    "/v1/brands/{brand}/targets/{target_id}",
    operation_id="read_target",
    summary="One target, and how it stands",
    response_class=Response,
    responses={**told(TargetOut), **problems(*_REFUSALS, UnknownTarget)},
)
async def read_target(
    brand: BrandToRead,
    target_id: TargetId,
    query: Annotated[MomentQuery, Query()],
    parts: Running,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The target with its SMART check, and at a moment: attainment, status, and where it will stand at the deadline.

    With `known_at` the target is the one of that day, else the present one. The ETag begins with the
    version, so that it serves for `If-Match`, too.
    """
    return _one(await parts.targets.read(brand, target_id, query.as_of, query.known_at), if_none_match)


@router.get(
    "/v1/brands/{brand}/targets/{target_id}/versions",
    operation_id="read_target_versions",
    summary="What a target was",
    response_class=Response,
    responses={**told(TargetHistory), **problems(*_REFUSALS, UnknownTarget)},
)
async def read_target_versions(
    brand: BrandToRead, target_id: TargetId, parts: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Every version, the latest first: who changed it when, and what was found about it then."""
    return answer(encoded(msgspec.json.encode(await parts.targets.history(brand, target_id))), if_none_match)


@router.put(
    "/v1/brands/{brand}/targets/{target_id}",
    operation_id="put_target",
    summary="Set a target",
    response_class=Response,
    responses={
        **told(TargetOut, 200),
        **told(TargetOut, 201, "Location"),
        **problems(*_REFUSALS, StaleVersion, Malformed, TooLarge),
    },
    openapi_extra=_BODY,
)
async def put_target(
    brand: BrandToAim,
    target_id: TargetId,
    request: Request,
    who: Setter,
    parts: Running,
    if_match: IfMatch = None,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="`*`: only where there is no such target yet.")
    ] = None,
) -> Response:
    """Set or replace a target: 201 where it is new. The same request again changes nothing.

    What is against the catalogue's direction is refused. What history does not support is set, with
    a warning in `smart`.
    """
    given = decode_target(await request.body())
    target, is_new = await parts.targets.put(brand, who, target_id, given, _names(if_match, if_none_match))
    made = _one(target)
    if is_new:
        made.status_code = 201
        made.headers["Location"] = f"/v1/brands/{brand.slug}/targets/{target_id}"
    return made


@router.delete(
    "/v1/brands/{brand}/targets/{target_id}",
    operation_id="delete_target",
    summary="Delete a target",
    status_code=204,
    response_class=Response,
    responses={**problems(*_REFUSALS, UnknownTarget, StaleVersion)},
)
async def delete_target(
    brand: BrandToAim, target_id: TargetId, who: Setter, parts: Running, if_match: IfMatch = None
) -> Response:
    """Scorecards no longer show it. Its versions can still be read."""
    await parts.targets.delete(brand, who, target_id, _names(if_match, None))
    return Response(status_code=204)
