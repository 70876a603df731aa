"""/v1/brands/{brand}/backtests: what the crisis detector would have told of the past, with other settings."""

import msgspec
from fastapi import APIRouter, Request, Response

from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import (
    Invalid,
    Malformed,
    MissingScope,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
)
from bellwether_api.backtest_requests import BacktestIn
from bellwether_api.backtest_shapes import BacktestOut
from bellwether_api.documentation import told
from bellwether_api.leaving import while_asked
from bellwether_api.parts import BrandToRead, Running

router = APIRouter(tags=["incidents"])
_NOBODY_ASKS = 499
"""What web servers note where the client has gone; nobody reads it."""


@router.post(
    "/v1/brands/{brand}/backtests",
    operation_id="run_backtest",
    summary="Try settings of the crisis detector on the past",
    response_class=Response,
    responses={
        **told(BacktestOut),
        **problems(
            *(Unauthenticated, MissingScope, Invalid, Unavailable, UnknownBrand, Malformed, TooLarge, RateLimited)
        ),
    },
)
async def run_backtest(request: Request, brand: BrandToRead, asked: BacktestIn, parts: Running) -> Response:
    """When it would have fired, beside the settings that are armed; nothing is changed or kept.

    It reads the counts that the detector keeps for 92 days, in bins of five minutes: moments are to five minutes, what
    came late counts where it happened, and a bin is judged with all that is in it. One backtest runs at a time; while
    another one does, the answer is 429. It ends with whoever asked.
    """
    found = await while_asked(request, parts.backtests.run(brand, asked))
    if found is None:
        return Response(status_code=_NOBODY_ASKS)
    return Response(msgspec.json.encode(found), media_type="application/json")
