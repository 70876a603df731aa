"""/v1/kpis, the catalogue, and /v1/brands/{brand}/kpis, what it reads for a brand."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Response

from bellwether.adapters.http.problems import problems
from bellwether.catalogue.kpi import Kpi
from bellwether.domain.errors import Invalid, MissingScope, Unauthenticated, Unavailable, UnknownBrand, UnknownKpi
from bellwether_api.cache import encoded
from bellwether_api.conditional import answer
from bellwether_api.definitions import DEFINITIONS, WHOLE, definition, kpi_of
from bellwether_api.documentation import told
from bellwether_api.formats import Accept, TableFormat, asked_format, content_headers, told_formats
from bellwether_api.parts import BrandToRead, IfNoneMatch, Reader, Running
from bellwether_api.queries import At, CurrentQuery, SeriesQuery
from bellwether_api.rendering import SERIES_RENDERERS
from bellwether_api.shapes import Catalogue, CurrentValues, KpiOut, KpiReading, Series

router = APIRouter()
_REFUSALS = (Unauthenticated, MissingScope, Invalid, Unavailable)

_CATALOGUE = encoded(msgspec.json.encode(WHOLE))
_DEFINITIONS = {key: encoded(msgspec.json.encode(definition)) for key, definition in DEFINITIONS.items()}


async def _kpi(
    key: Annotated[str, Path(description="The KPI's key.", examples=["brand_mentions"])], who: Reader, parts: Running
) -> Kpi:
    return kpi_of(key, parts.definitions.of(who.tenant_id))


def _definition(kpi: Kpi) -> KpiOut:
    return DEFINITIONS.get(kpi.key) or definition(kpi)


KpiInPath = Annotated[Kpi, Depends(_kpi)]


@router.get(
    "/v1/kpis",
    tags=["catalogue"],
    operation_id="list_kpis",
    summary="The catalogue",
    response_class=Response,
    responses={**told(Catalogue), **problems(*_REFUSALS)},
)
async def list_kpis(who: Reader, parts: Running, if_none_match: IfNoneMatch = None) -> Response:
    """Every KPI with its formula, unit, direction and version; the tenant's own last."""
    own = parts.definitions.of(who.tenant_id)
    if not own.version:
        return answer(_CATALOGUE, if_none_match)

    async def make() -> bytes:
        return msgspec.json.encode(Catalogue([_definition(kpi) for kpi in own.kpis.values()]))

    return answer(await parts.cache.get(("catalogue", who.tenant_id, own.version), make), if_none_match)


@router.get(
    "/v1/kpis/{key}",
    tags=["catalogue"],
    operation_id="read_kpi_definition",
    summary="One definition",
    response_class=Response,
    responses={**told(KpiOut), **problems(*_REFUSALS, UnknownKpi)},
)
async def read_kpi_definition(_who: Reader, kpi: KpiInPath, if_none_match: IfNoneMatch = None) -> Response:
    """What one KPI means and how it is computed."""
    return answer(_DEFINITIONS.get(kpi.key) or encoded(msgspec.json.encode(definition(kpi))), if_none_match)


@router.get(
    "/v1/brands/{brand}/kpis",
    tags=["values"],
    operation_id="read_values",
    summary="KPIs now, or at another moment",
    response_class=Response,
    responses={**told(CurrentValues), **problems(*_REFUSALS, UnknownBrand)},
)
async def read_values(
    brand: BrandToRead, query: Annotated[CurrentQuery, Query()], parts: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Values of all KPIs in all windows, or of those chosen.

    Without `as_of` these are the kept values, at most about a second old while events flow. With it
    they are evaluated for that moment, with late events counted where they happened. A KPI without
    data is null with a reason, never 0.
    """

    async def make() -> bytes:
        return msgspec.json.encode(await parts.values.current(brand, query))

    return answer(await parts.cache.get((brand, query), make), if_none_match)


@router.get(
    "/v1/brands/{brand}/kpis/{key}",
    tags=["values"],
    operation_id="read_kpi",
    summary="One KPI in all windows",
    response_class=Response,
    responses={**told(KpiReading), **problems(*_REFUSALS, UnknownBrand, UnknownKpi)},
)
async def read_kpi(
    brand: BrandToRead,
    kpi: KpiInPath,
    query: Annotated[At, Query()],
    parts: Running,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One KPI with its definition, in all windows."""

    async def make() -> bytes:
        return msgspec.json.encode(await parts.values.one(brand, kpi, query))

    return answer(await parts.cache.get((brand, kpi.key, query), make), if_none_match)


@router.get(
    "/v1/brands/{brand}/kpis/{key}/series",
    tags=["values"],
    operation_id="read_series",
    summary="The curve of a KPI",
    response_class=Response,
    responses={**told_formats(told(Series), tuple(TableFormat)), **problems(*_REFUSALS, UnknownBrand, UnknownKpi)},
)
async def read_series(
    brand: BrandToRead,
    kpi: KpiInPath,
    query: Annotated[SeriesQuery, Query()],
    parts: Running,
    if_none_match: IfNoneMatch = None,
    accept: Accept = None,
) -> Response:
    """A point for every whole local hour, day, week or month from the one that holds `from` to `to`, 2,000 at most.

    Each is the KPI over its bucket; growth is against the bucket before. What came after the last
    bucket, such as a late answer to one of its messages, is not in it. With `as_of` it is the series
    as it was read at that moment: no bucket ends later, and the one that ran then is partial.

    As CSV or as a workbook with `format`, or with the header Accept.
    """
    chosen = asked_format(query.format, accept, tuple(TableFormat))

    async def make() -> bytes:
        found = await parts.series.read(brand, kpi, query)
        return await asyncio.to_thread(SERIES_RENDERERS[chosen], found)

    kept = await parts.cache.get((brand, kpi.key, query, chosen), make)
    return answer(kept, if_none_match, content_headers(chosen, brand.slug, kpi.key, query.grain))
