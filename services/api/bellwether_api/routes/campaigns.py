"""/v1/brands/{brand}/campaigns: when more talk than usual is welcome, and no crisis."""

from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Path, Response

from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import (
    Invalid,
    Malformed,
    MissingScope,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
)
from bellwether_api.cache import encoded
from bellwether_api.campaign_shapes import CampaignIn, CampaignList, CampaignOut
from bellwether_api.conditional import answer
from bellwether_api.documentation import told
from bellwether_api.parts import BrandToChange, BrandToRead, IfNoneMatch, Reader, Running, Writer

router = APIRouter(tags=["incidents"])
_REFUSALS = (Unauthenticated, MissingScope, Invalid, Unavailable, UnknownBrand)
_PATH = "/v1/brands/{brand}/campaigns"

Name = Annotated[str, Path(min_length=1, max_length=256, description="The campaign's name.", examples=["spring"])]


@router.get(
    _PATH,
    operation_id="list_campaigns",
    summary="Declared campaigns",
    response_class=Response,
    responses={**told(CampaignList), **problems(*_REFUSALS)},
)
async def list_campaigns(
    brand: BrandToRead, who: Reader, parts: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """All of them, the earliest first."""
    return answer(encoded(msgspec.json.encode(await parts.campaigns.all(who, brand))), if_none_match)


@router.post(
    _PATH,
    operation_id="declare_campaign",
    summary="Declare a campaign, or move one",
    status_code=201,
    response_class=Response,
    responses={**told(CampaignOut, 201, "Location"), **problems(*_REFUSALS, Malformed, TooLarge)},
)
async def declare_campaign(brand: BrandToChange, new: CampaignIn, who: Writer, parts: Running) -> Response:
    """The one of that name, if there is one, is moved: repeats do no harm. The detector knows of it within seconds."""
    made = encoded(msgspec.json.encode(await parts.campaigns.declare(who, brand, new)))
    place = f"/v1/brands/{brand.slug}/campaigns/{quote(new.name, safe='')}"
    return Response(made.body, 201, {"Location": place, "ETag": made.etag}, "application/json")


@router.delete(
    f"{_PATH}/{{name:path}}",
    operation_id="withdraw_campaign",
    summary="Withdraw a campaign",
    status_code=204,
    response_class=Response,
    responses={**problems(*_REFUSALS, NotFound)},
)
async def withdraw_campaign(brand: BrandToChange, name: Name, who: Writer, parts: Running) -> Response:
    """From now on volume in that time is judged as ever."""
    await parts.campaigns.withdraw(who, brand, name)
    return Response(status_code=204)
