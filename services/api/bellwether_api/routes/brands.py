"""/v1/brands: the brands of the caller's tenant."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import (
    AlreadyExists,
    Conflict,
    Invalid,
    Malformed,
    MissingScope,
    StaleVersion,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
)
from bellwether_api.brands import parse_cursor
from bellwether_api.cache import Encoded, encoded
from bellwether_api.conditional import answer, version_tag
from bellwether_api.documentation import told
from bellwether_api.idempotency import parse_key
from bellwether_api.parts import BrandToChange, BrandToRead, IfNoneMatch, Reader, Running, Writer
from bellwether_api.queries import reads
from bellwether_api.requests import BrandChanges, NewBrand
from bellwether_api.shapes import BrandOut, BrandPage

router = APIRouter(tags=["brands"])
_REFUSALS = (Unauthenticated, MissingScope, Invalid, Unavailable)


class PageQuery(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=200, description="Most brands on the page.")] = 50
    cursor: Annotated[str, reads(parse_cursor), Field(max_length=100, description="`next` of the page before.")] = ""


def _one(brand: BrandOut, if_none_match: str | None = None) -> Response:
    return answer(Encoded(msgspec.json.encode(brand), version_tag(brand.version)), if_none_match)


@router.get(
    "/v1/brands",
    operation_id="list_brands",
    summary="Brands, by slug",
    response_class=Response,
    responses={**told(BrandPage, 200, "Link"), **problems(*_REFUSALS)},
)
async def list_brands(
    query: Annotated[PageQuery, Query()], who: Reader, parts: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """The brands that the key may see, a page at a time. `Link` names the next page, too."""
    page = await parts.brands.page(who, query.cursor, query.limit)
    link = {"Link": f'</v1/brands?limit={query.limit}&cursor={page.next}>; rel="next"'} if page.next else {}
    return answer(encoded(msgspec.json.encode(page)), if_none_match, link)


@router.post(
    "/v1/brands",
    operation_id="create_brand",
    summary="Make a brand",
    status_code=201,
    response_class=Response,
    responses={
        **told(BrandOut, 201, "Location", "Idempotency-Replayed"),
        **problems(*_REFUSALS, AlreadyExists, Malformed, TooLarge),
    },
)
async def create_brand(
    new: NewBrand,
    who: Writer,
    parts: Running,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A name of the caller's own for this request, kept for 24 hours: repeats of the same request "
            "get the first answer.",
            examples=['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
        ),
    ] = None,
) -> Response:
    """Events are taken within seconds. The slug is for ever, time zone and currency from the first event on."""
    made = await parts.brands.create(who, new, parse_key(idempotency_key))
    headers = {
        "ETag": version_tag(made.brand.version),
        "Location": f"/v1/brands/{made.brand.slug}",
        "Idempotency-Replayed": str(made.replayed).lower(),
    }
    return Response(made.body, status_code=201, media_type="application/json", headers=headers)


@router.get(
    "/v1/brands/{brand}",
    operation_id="read_brand",
    summary="One brand",
    response_class=Response,
    responses={**told(BrandOut), **problems(*_REFUSALS, UnknownBrand)},
)
async def read_brand(brand: BrandToRead, parts: Running, if_none_match: IfNoneMatch = None) -> Response:
    """One brand, with its version as ETag."""
    return _one(await parts.brands.read(brand), if_none_match)


@router.patch(
    "/v1/brands/{brand}",
    operation_id="change_brand",
    summary="Change a brand",
    response_class=Response,
    responses={
        **told(BrandOut),
        **problems(*_REFUSALS, UnknownBrand, Conflict, StaleVersion, Malformed, TooLarge),
    },
)
async def change_brand(
    changes: BrandChanges,
    brand: BrandToChange,
    parts: Running,
    if_match: Annotated[
        str | None,
        Header(alias="If-Match", description="The version that is meant, as its ETag: 412 if it is not current."),
    ] = None,
) -> Response:
    """What is left out stays as it is.

    Business hours, holidays, target and policy hold for answers that come from then on, within
    seconds: clocks that were told stay. The thread gap holds for a conversation from its next message on.

    The time zone and the currency can change only while nothing is counted for the brand, since its
    days, hours and money are counted in them: 409 afterwards.
    """
    return _one(await parts.brands.change(brand, changes, if_match))
