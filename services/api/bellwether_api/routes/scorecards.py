"""/v1/brands/{brand}/scorecards: the cards of roles."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Response

from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import (
    Invalid,
    MissingScope,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
    UnknownScorecard,
)
from bellwether_api.conditional import answer
from bellwether_api.documentation import told
from bellwether_api.parts import BrandToRead, IfNoneMatch, Running
from bellwether_api.queries import ScorecardQuery
from bellwether_api.scorecards import scorecard_of
from bellwether_api.shapes import ScorecardOut

router = APIRouter(tags=["scorecards"])


@router.get(
    "/v1/brands/{brand}/scorecards/{role}",
    operation_id="read_scorecard",
    summary="The scorecard of a role",
    response_class=Response,
    responses={
        **told(ScorecardOut),
        **problems(Unauthenticated, MissingScope, UnknownBrand, UnknownScorecard, Invalid, Unavailable),
    },
)
async def read_scorecard(
    brand: BrandToRead,
    role: Annotated[str, Path(description="The role.", examples=["social-media-manager"])],
    query: Annotated[ScorecardQuery, Query()],
    parts: Running,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The KPIs of a role by key result area, over a period of the brand's local calendar.

    Beside each stands what it was over the period before: up to the same point while the period
    runs, and as it stood at that point. A period that is over is shown as it stood at its end. A KPI
    without data is null with a reason, never 0.
    """
    card = scorecard_of(role)

    async def make() -> bytes:
        return msgspec.json.encode(await parts.scorecards.read(brand, card, query))

    return answer(await parts.cache.get((brand, card.role, query), make), if_none_match)
