"""/v1/brands/{brand}/kpis/{key}/receipts: the rows behind a number."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query, Response

from bellwether.adapters.http.problems import problems
from bellwether.domain.errors import (
    Invalid,
    MissingScope,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
    UnknownKpi,
)
from bellwether_api.cache import encoded
from bellwether_api.conditional import answer
from bellwether_api.documentation import told
from bellwether_api.moments import moment_at
from bellwether_api.parts import BrandToRead, IfNoneMatch, Running
from bellwether_api.queries import ReceiptsQuery
from bellwether_api.receipt_shapes import ReceiptPage
from bellwether_api.routes.kpis import KpiInPath

router = APIRouter(tags=["values"])


@router.get(
    "/v1/brands/{brand}/kpis/{key}/receipts",
    operation_id="list_receipts",
    summary="The rows behind a number",
    response_class=Response,
    responses={
        **told(ReceiptPage, 200, "Link"),
        **problems(Unauthenticated, MissingScope, UnknownBrand, UnknownKpi, Invalid, Unavailable),
    },
)
async def list_receipts(
    brand: BrandToRead,
    kpi: KpiInPath,
    query: Annotated[ReceiptsQuery, Query()],
    parts: Running,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """What the value of the window is made of, the latest first, a page at a time.

    Response times and answers: every message that was received in the window, with its first answer
    by a person, what both clocks show, and which intervals counted, were paused, and why. Who still
    waits is listed, too, with what was waited so far.

    All other KPIs: the measures by local hour or day, which over all pages add up to the `parts` of
    the value, but for those that count distinct values; and the audiences that are read, by account.
    What a KPI reads beside its window (the window before, days around a marker) is not listed.

    `Link` names the next page as of the same moment.
    """
    page = await parts.receipts.page(brand, kpi, query)
    return answer(encoded(msgspec.json.encode(page)), if_none_match, _link(page, query))


def _link(page: ReceiptPage, query: ReceiptsQuery) -> dict[str, str]:
    if page.next is None:
        return {}
    same = {"window": page.window.value, "limit": query.limit, "as_of": page.as_of.isoformat(), "cursor": page.next}
    if page.cut is not None:
        same["cut"] = page.cut
    if query.known_at is not None:
        same["known_at"] = moment_at(query.known_at).isoformat()
    return {"Link": f'</v1/brands/{page.brand}/kpis/{page.kpi}/receipts?{urlencode(same)}>; rel="next"'}
