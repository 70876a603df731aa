"""The curve of a KPI: every bucket evaluated as a span of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Pool
from bellwether.adapters.postgres.readings import read_sources
from bellwether.catalogue.evaluate import Sources, facts_of, value_of
from bellwether.catalogue.kpi import Kpi
from bellwether.domain.errors import Fault, Invalid
from bellwether.domain.windows import Span
from bellwether_api.buckets import DEFAULT_LENGTH_S, MOST_POINTS, buckets
from bellwether_api.cuts import Cut, shown, stored_cuts
from bellwether_api.database import reading
from bellwether_api.figures import figure
from bellwether_api.queries import SeriesQuery
from bellwether_api.shapes import Figure, Series, SeriesCut
from bellwether_api.values import clock_of
from bellwether_api.viewpoint import Viewpoint, viewpoint


class SeriesReader:
    """Reads series. `now` gives the present moment in seconds since 1970."""

    def __init__(self, pool: Pool, now: Callable[[], float] = time.time) -> None:
        self._pool = pool
        self._now = now

    async def read(self, brand: Brand, kpi: Kpi, query: SeriesQuery) -> Series:
        """The series of one KPI.

        Raises Invalid for a range that is empty or too long and for moments that cannot be, Unavailable.
        """
        now = int(self._now())
        view = viewpoint(query.as_of, query.known_at, clock_of(brand.time_zone), now)
        spans = _spans(brand, query, view.as_of, now)
        cuts = [
            # In a thread: two thousand points take a while, and others are waiting.
            SeriesCut(shown(cut), await asyncio.to_thread(_points, kpi, sources, spans))
            for cut, sources in await self._sources(brand, kpi, query.cut, spans, view)
        ]
        return Series(brand.slug, brand.time_zone, kpi.key, kpi.unit, query.grain, cuts)

    async def _sources(
        self, brand: Brand, kpi: Kpi, cut: Cut | None, spans: Sequence[Span], view: Viewpoint
    ) -> list[tuple[str, Sources]]:
        told = (spans, clock_of(brand.time_zone), view.known_on, view.known_before, [kpi])
        async with reading(self._pool) as connection:
            cuts = await stored_cuts(connection, brand.brand_id, cut)
            _check_length(len(spans) * len(cuts))
            return [(cut, await read_sources(connection, brand, cut, *told)) for cut in cuts]


def _spans(brand: Brand, query: SeriesQuery, as_of: int, now: int) -> list[Span]:
    end = as_of if query.to is None else query.to
    start = max(0, end - DEFAULT_LENGTH_S[query.grain]) if query.start is None else query.start
    if start >= min(end, as_of):
        raise _invalid("must lie before `to`, before `as_of` and before now")
    spans = buckets(query.grain, start, end, clock_of(brand.time_zone), as_of, now)
    if not spans:
        raise _invalid("must lie before the whole hour before `as_of`, since minutes of that time are no longer kept")
    _check_length(len(spans))
    return spans


def _invalid(detail: str) -> Invalid:
    return Invalid("Some values are not valid.", faults=(Fault("/from", detail),))


def _check_length(points: int) -> None:
    if points > MOST_POINTS:
        detail = f"gives more than {MOST_POINTS} points over all cuts: take a shorter range or a coarser grain"
        raise Invalid("The series is too long.", faults=(Fault("/from", detail),))


def _points(kpi: Kpi, sources: Sources, spans: Sequence[Span]) -> list[Figure]:
    moments = sources.moments()
    return [figure(value_of(kpi, facts_of(sources, span, moments))) for span in spans]
