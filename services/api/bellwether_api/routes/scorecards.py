"""/v1/brands/{brand}/scorecards: the cards of roles, live and issued."""

import asyncio
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import (
    Invalid,
    Malformed,
    MissingScope,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
    UnknownIssuedCard,
    UnknownScorecard,
)
from bellwether_api.cache import encoded
from bellwether_api.card_answers import CardAsked, export_headers
from bellwether_api.card_shapes import IssuedHead, IssuedOut, IssuedPage, ScorecardOut
from bellwether_api.conditional import answer
from bellwether_api.documentation import told
from bellwether_api.formats import Accept, CardFormat, asked_format, told_formats
from bellwether_api.idempotency import parse_key
from bellwether_api.parts import BrandToChange, BrandToRead, IfNoneMatch, Running, Writer
from bellwether_api.queries import FormatQuery, ScorecardQuery
from bellwether_api.rendering import CARD_RENDERERS
from bellwether_api.requests import CardToIssue

router = APIRouter(tags=["scorecards"])
_REFUSALS = (Unauthenticated, MissingScope, UnknownBrand, Invalid, Unavailable)

Role = Annotated[
    str, Path(description="The role.", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["social-media-manager"])
]


class IssuedCardQuery(BaseModel):
    """In which format."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: FormatQuery = None


class IssuedQuery(BaseModel):
    """Which page of the issued cards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=200, description="Most cards on the page.")] = 50
    cursor: Annotated[UUID | None, Field(description="`next` of the page before.")] = None


@router.get(
    "/v1/brands/{brand}/scorecards/{role}",
    operation_id="read_scorecard",
    summary="The scorecard of a role",
    response_class=Response,
    responses={
        **told_formats(told(ScorecardOut), tuple(CardFormat)),
        **problems(*_REFUSALS, UnknownScorecard),
    },
)
async def read_scorecard(
    request: Request,
    brand: BrandToRead,
    role: Role,
    query: Annotated[ScorecardQuery, Query()],
    parts: Running,
    if_none_match: IfNoneMatch = None,
    accept: Accept = None,
) -> Response:
    """The KPIs of a role by key result area, over a period of the brand's local calendar, with scores.

    Beside each stands what it was over the period before: up to the same point while the period
    runs, and as it stood at that point. A period that is over is shown as it stood at its end. A KPI
    without data is null with a reason, never 0.

    A line's points are percent attained of its target, or of a published benchmark where it has no
    target, 100 at most. An area's score is the mean of its lines' points by weight, the card's that
    of its areas' scores. What has no data, or neither target nor benchmark, is left out and named.

    As CSV, as a workbook or as a printable page with `format`, or with the header Accept.
    """
    asked = CardAsked(role, query, asked_format(query.format, accept, tuple(CardFormat)))
    made = await parts.cards.get(brand, asked)
    parts.shortcut.learn(request.scope, brand.slug, asked)
    return answer(made.encoded, if_none_match, made.headers)


@router.post(
    "/v1/brands/{brand}/scorecards/{role}/issue",
    operation_id="issue_scorecard",
    summary="Issue a scorecard",
    status_code=201,
    response_class=Response,
    responses={
        **told(IssuedHead, 201, "Location", "Idempotency-Replayed"),
        **problems(*_REFUSALS, UnknownScorecard, Malformed, TooLarge),
    },
)
async def issue_scorecard(
    asked: CardToIssue,
    brand: BrandToChange,
    role: Role,
    who: Writer,
    parts: Running,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A name of the caller's own for this request, kept for 24 hours: repeats of the same request "
            "get the first answer.",
        ),
    ] = None,
) -> Response:
    """The card as it reads now, with its inputs and definitions, is frozen for ever.

    Later readings show what it would be today beside it.
    """
    issue = await parts.issued.issue(
        brand, who, parts.scorecards.of_role(brand, role), asked, parse_key(idempotency_key)
    )
    headers = {
        "ETag": f'"{issue.head.content_hash}"',
        "Location": f"/v1/brands/{brand.slug}/scorecards/{role}/issued/{issue.head.id}",
        "Idempotency-Replayed": str(issue.replayed).lower(),
    }
    return Response(issue.body, status_code=201, media_type="application/json", headers=headers)


@router.get(
    "/v1/brands/{brand}/scorecards/{role}/issued",
    operation_id="list_issued_scorecards",
    summary="The cards issued for a role",
    response_class=Response,
    responses={**told(IssuedPage, 200, "Link"), **problems(*_REFUSALS)},
)
async def list_issued_scorecards(
    brand: BrandToRead,
    role: Role,
    query: Annotated[IssuedQuery, Query()],
    parts: Running,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The issued cards, the latest first, a page at a time. `Link` names the next page, too."""
    page = await parts.issued.page(brand, role, query.cursor, query.limit)
    path = f"/v1/brands/{brand.slug}/scorecards/{role}/issued?limit={query.limit}&cursor={page.next}"
    link = {"Link": f'<{path}>; rel="next"'} if page.next else {}
    return answer(encoded(msgspec.json.encode(page)), if_none_match, link)


@router.get(
    "/v1/brands/{brand}/scorecards/{role}/issued/{issued_id}",
    operation_id="read_issued_scorecard",
    summary="An issued card, and the same card today",
    response_class=Response,
    responses={**told_formats(told(IssuedOut), tuple(CardFormat)), **problems(*_REFUSALS, UnknownIssuedCard)},
)
async def read_issued_scorecard(
    brand: BrandToRead,
    role: Role,
    issued_id: Annotated[UUID, Path(description="The issued card's id.")],
    query: Annotated[IssuedCardQuery, Query()],
    parts: Running,
    if_none_match: IfNoneMatch = None,
    accept: Accept = None,
) -> Response:
    """The card as it was issued, and beside each line what it would be today.

    Today's is the same period as of the moment of issue, with all that is known now: late events
    count where they happened. Where a line differs, the causes say why.

    As CSV, as a workbook or as a printable page it is the card as it was issued.
    """
    chosen = asked_format(query.format, accept, tuple(CardFormat))
    headers = export_headers(chosen, brand.slug, role, "issued", str(issued_id))
    if chosen == CardFormat.JSON:
        body = msgspec.json.encode(await parts.issued.read(brand, role, issued_id))
    else:
        card = await parts.issued.card(brand, role, issued_id)
        body = await asyncio.to_thread(CARD_RENDERERS[chosen], card)
    return answer(encoded(body), if_none_match, headers)
