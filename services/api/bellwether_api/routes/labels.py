"""/v1/brands/{brand}/kpis/{key}/label: what a number rests on."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import Invalid, MissingScope, Unauthenticated, Unavailable, UnknownBrand, UnknownKpi
from bellwether_api.conditional import answer
from bellwether_api.documentation import told
from bellwether_api.label_shapes import Label
from bellwether_api.parts import BrandToRead, IfNoneMatch, Running
from bellwether_api.queries import LabelQuery
from bellwether_api.routes.kpis import KpiInPath

router = APIRouter(tags=["values"])


@router.get(
    "/v1/brands/{brand}/kpis/{key}/label",
    operation_id="read_label",
    summary="The label of a number",
    response_class=Response,
    responses={
        **told(Label),
        **problems(Unauthenticated, MissingScope, UnknownBrand, UnknownKpi, Invalid, Unavailable),
    },
)
async def read_label(
    brand: BrandToRead,
    kpi: KpiInPath,
    query: Annotated[LabelQuery, Query()],
    parts: Running,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A KPI in one window and cut, with what the number rests on.

    The definition and its version, the formula, numerator, denominator and n; how much of the window
    was heard, how fresh the values are, what the screen leaves out, how sentiment was scored, and
    which amounts of money had no rate. What is not known is null with a reason.
    """

    async def make() -> bytes:
        return msgspec.json.encode(await parts.labels.read(brand, kpi, query))

    return answer(await parts.cache.get((brand, kpi.key, query), make), if_none_match)
