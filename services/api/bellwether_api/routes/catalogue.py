"""/v1/catalogue: what a tenant defines itself."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import (
    Invalid,
    Malformed,
    MissingScope,
    Refused,
    StaleVersion,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    VersionRequired,
)
from bellwether_api.cache import Encoded
from bellwether_api.conditional import answer, version_tag
from bellwether_api.documentation import told
from bellwether_api.own_shapes import OWN_EXAMPLE, OwnCatalogue
from bellwether_api.parts import IfNoneMatch, Reader, Running, Writer

router = APIRouter(tags=["catalogue"])
_REFUSALS = (Unauthenticated, MissingScope, Invalid, Unavailable)
_YAML = ("application/yaml", "application/x-yaml", "text/yaml")
_TEXT = {"schema": {"type": "string"}, "example": OWN_EXAMPLE.document}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The whole document, in the form that docs/own-kpis.md describes. JSON is YAML, too.",
        "content": {"application/yaml": _TEXT, "application/json": {"schema": {"type": "object"}}},
    }
}


class PutQuery(BaseModel):
    """What is to be done with the document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: Annotated[bool, Field(description="Only say whether it is right, and what it would come to.")] = False


def _one(own: OwnCatalogue, if_none_match: str | None = None) -> Response:
    return answer(Encoded(msgspec.json.encode(own), version_tag(own.version)), if_none_match)


@router.get(
    "/v1/catalogue",
    operation_id="read_own_definitions",
    summary="Own measures, KPIs and roles",
    response_class=Response,
    responses={**told(OwnCatalogue), **problems(*_REFUSALS)},
)
async def read_own_definitions(who: Reader, parts: Running, if_none_match: IfNoneMatch = None) -> Response:
    """What the tenant defines beside the built-in catalogue: the document as it was sent, and its versions."""
    return _one(await parts.own.read(who), if_none_match)


@router.put(
    "/v1/catalogue",
    operation_id="replace_own_definitions",
    summary="Replace own measures, KPIs and roles",
    response_class=Response,
    responses={
        **told(OwnCatalogue),
        **problems(*_REFUSALS, Refused, StaleVersion, VersionRequired, Malformed, TooLarge, UnsupportedMediaType),
    },
    openapi_extra=_BODY,
)
async def replace_own_definitions(
    request: Request,
    who: Writer,
    parts: Running,
    query: Annotated[PutQuery, Query()],
    if_match: Annotated[
        str | None, Header(alias="If-Match", description="The version that is replaced, as its ETag.")
    ] = None,
) -> Response:
    """Put a document in place of the present one, all of it or nothing.

    Everything that is wrong is told at once, each with line and column. A formula that changed is a
    new version from today on, or from the `valid_from` that is given; what was before goes on to be
    read as it was. New measures count from now on; `bellwether rebuild` fills them for the past.
    """
    text = await _text(request)
    if query.check:
        return _one(await parts.own.check(who, text))
    return _one(await parts.own.replace(who, text, if_match))


async def _text(request: Request) -> str:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (*_YAML, "application/json"):
        raise UnsupportedMediaType("Send application/yaml or application/json.")
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError:
        raise Malformed("The document is not UTF-8.") from None
