"""Reads KPI values: the current ones as compute keeps them, those of another moment from the rollups.

Both come from the same evaluator, so that they are the same number to the last digit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.adapters.postgres.readings import read_sources
from bellwether.catalogue.evaluate import Sources, Value, Values, current_spans, evaluate, filled
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.own import TenantCatalogue
from bellwether.domain.clock import LocalClock, ceil_minute
from bellwether.domain.errors import Fault, Invalid
from bellwether.domain.windows import Span, Window
from bellwether_api.cuts import shown, stored_cuts
from bellwether_api.database import reading
from bellwether_api.definitions import DEFINITIONS, definition
from bellwether_api.figures import figure
from bellwether_api.moments import moment_at
from bellwether_api.queries import UNKNOWN_KEYS, At, CurrentQuery, Keys
from bellwether_api.shapes import CurrentValues, CutValues, Figure, Figures, KpiCut, KpiReading
from bellwether_api.viewpoint import Viewpoint, viewpoint

_CURRENT = "SELECT cut, as_of, fresh_to, body FROM kpi_current WHERE brand_id = $1 AND cut = any($2)"
_by_key = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode = msgspec.json.Decoder(dict[Window, Value]).decode
_EVERY_WINDOW = tuple(Window)


@lru_cache(maxsize=32)
def clock_of(time_zone: str) -> LocalClock:
    """The clock of a zone, shared by all requests so that it remembers its hours and days."""
    return LocalClock(time_zone)


class _Read(NamedTuple):
    """The values of one cut; moments in UTC seconds."""

    cut: str
    as_of: int
    fresh_to: int | None
    values: Values


class _Alike(NamedTuple):
    """Windows that end at the same moment, and what they are evaluated from."""

    spans: Mapping[Window, Span]
    sources: Sources


class ValueReader:
    """Reads values of a brand. `now` gives the present moment in seconds since 1970."""

    def __init__(self, pool: Pool, definitions: Definitions, now: Callable[[], float] = time.time) -> None:
        self._pool = pool
        self._definitions = definitions
        self._now = now

    async def current(self, brand: Brand, query: CurrentQuery) -> CurrentValues:
        """KPIs in windows, as the query chooses. Raises Invalid for moments that cannot be, Unavailable."""
        kpis = chosen_kpis(self._definitions.of(brand.tenant_id), query.keys)
        windows = query.window.each if query.window else _EVERY_WINDOW
        cuts = [
            CutValues(shown(read.cut), moment_at(read.as_of), _moment(read.fresh_to), _figures(read, kpis, windows))
            for read in await self._read(brand, query, kpis, windows)
        ]
        return CurrentValues(brand.slug, brand.time_zone, cuts)

    async def one(self, brand: Brand, kpi: Kpi, query: At) -> KpiReading:
        """One KPI in all windows. Raises as `current` does."""
        cuts = [
            KpiCut(
                shown(read.cut),
                moment_at(read.as_of),
                _moment(read.fresh_to),
                _figures(read, [kpi], _EVERY_WINDOW)[kpi.key],
            )
            for read in await self._read(brand, query, [kpi], _EVERY_WINDOW)
        ]
        return KpiReading(brand.slug, brand.time_zone, DEFINITIONS.get(kpi.key) or definition(kpi), cuts)

    async def _read(self, brand: Brand, query: At, kpis: Collection[Kpi], windows: Sequence[Window]) -> list[_Read]:
        now, clock = int(self._now()), clock_of(brand.time_zone)
        view = viewpoint(query.as_of, query.known_at, clock, now)
        of_now = query.as_of is None and query.known_at is None
        spans = {window: span for window, span in current_spans(view.as_of, clock, now).items() if window in windows}
        async with reading(self._pool) as connection:
            cuts = await stored_cuts(connection, brand.brand_id, query.cut)
            kept = await _kept(connection, brand, cuts, kpis, windows) if of_now else {}
            others = [cut for cut in cuts if cut not in kept]
            sources = {cut: await _sources(connection, brand, cut, spans, view, kpis) for cut in others}
        # In a thread: a long window takes tens of milliseconds, and others are waiting.
        evaluated = await asyncio.to_thread(_evaluated, sources, view.as_of, kpis) if sources else {}
        return [kept.get(cut) or evaluated[cut] for cut in cuts]


def chosen_kpis(catalogue: TenantCatalogue, keys: Keys | None) -> list[Kpi]:
    """The KPIs that a query chooses, all of them without a choice. Raises Invalid where the tenant has no such one."""
    if keys is None:
        return list(catalogue.kpis.values())
    if not catalogue.kpis.keys() >= set(keys.each):
        raise Invalid("Some values are not valid.", faults=(Fault("/keys", UNKNOWN_KEYS),))
    return [catalogue.kpis[key] for key in keys.each]


async def _kept(
    connection: Connection, brand: Brand, cuts: Sequence[str], kpis: Collection[Kpi], windows: Collection[Window]
) -> dict[str, _Read]:
    """The kept values by cut, as far as they hold all that is asked for."""
    rows = await connection.fetch(_CURRENT, brand.brand_id, cuts)
    found = ((row, _by_key(row["body"])) for row in rows)
    return {
        row["cut"]: _kept_row(row, by_key, clock_of(brand.time_zone), kpis, windows)
        for row, by_key in found
        if all(kpi.key in by_key for kpi in kpis)
    }


def _kept_row(
    row: Row,
    by_key: Mapping[str, msgspec.Raw],
    clock: LocalClock,
    kpis: Collection[Kpi],
    windows: Collection[Window],
) -> _Read:
    # Only what is asked for is decoded: a row holds every KPI in ten windows.
    values: Values = {kpi.key: _decode(by_key[kpi.key]) for kpi in kpis}
    minute = ceil_minute(row["as_of"])
    spans = {window: span for window, span in current_spans(minute, clock, minute).items() if window in windows}
    return _Read(row["cut"], row["as_of"], row["fresh_to"], filled(values, spans, kpis, clock))


async def _sources(
    connection: Connection,
    brand: Brand,
    cut: str,
    spans: Mapping[Window, Span],
    view: Viewpoint,
    kpis: Collection[Kpi],
) -> list[_Alike]:
    # A reading takes back what came after its end: windows that end at different moments are read apart.
    found = []
    for end in sorted({span.end for span in spans.values()}):
        alike = {window: span for window, span in spans.items() if span.end == end}
        sources = await read_sources(
            connection, brand, cut, alike.values(), clock_of(brand.time_zone), view.known_on, view.known_before, kpis
        )
        found.append(_Alike(alike, sources))
    return found


def _evaluated(sources: Mapping[str, Iterable[_Alike]], as_of: int, kpis: Collection[Kpi]) -> dict[str, _Read]:
    found = {cut: _Read(cut, as_of, None, {kpi.key: {} for kpi in kpis}) for cut in sources}
    for cut, parts in sources.items():
        for part in parts:
            for key, by_window in evaluate(part.sources, part.spans, kpis).items():
                found[cut].values[key].update(by_window)
    return found


def _figures(read: _Read, kpis: Collection[Kpi], windows: Sequence[Window]) -> Figures:
    return {kpi.key: _by_window(read.values[kpi.key], windows) for kpi in kpis}


def _by_window(values: Mapping[Window, Value], windows: Sequence[Window]) -> dict[Window, Figure]:
    return {window: figure(values[window]) for window in windows if window in values}


def _moment(seconds: int | None) -> datetime | None:
    return moment_at(seconds) if seconds else None
