"""The values that a card shows: those that compute keeps where it is of now, else evaluated from the rollups."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.adapters.postgres.readings import read_sources
from bellwether.catalogue.evaluate import Sources, Value, current_spans, facts_of, idle, value_of
from bellwether.catalogue.kpi import Kpi
from bellwether.domain.clock import LocalClock, ceil_minute
from bellwether.domain.windows import Span
from bellwether_api.periods import Period
from bellwether_api.values import clock_of
from bellwether_api.viewpoint import Viewpoint

CardValues = dict[str, Value]
"""Value by KPI key."""

# A row that did not change since it was read is not sent again: its version is who wrote it, and for which moment.
_KEPT = """
    SELECT cut, as_of, fresh_to, kept.xmin::text AS writer,
        CASE WHEN kept.xmin::text = known_writer AND as_of = known_as_of THEN NULL ELSE body END AS body,
        EXISTS (SELECT FROM target_version WHERE brand_id = $1) AS has_targets
    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS asked (cut, known_writer, known_as_of)
    JOIN kpi_current kept USING (cut)
    WHERE kept.brand_id = $1
"""
_MOST_ROWS = 512
_MOST_FRAMES = 64
_by_key = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder(Value).decode


class CardFrame(NamedTuple):
    """What a card is read over: a period, its span, the span before it, and the definitions that held at its end.

    last_day: the local date that holds the end
    name: equal ones stand for equal periods and definitions of one brand
    """

    period: Period
    span: Span
    before: Span
    last_day: date
    kpis: Mapping[str, Kpi]
    name: Hashable


class KeptValues(NamedTuple):
    """Values that compute keeps, and when the last event in them was recorded, in UTC seconds."""

    values: CardValues
    fresh_to: int


class _Row:
    """A row of kept values, and what cards have shown of it."""

    __slots__ = ("_by_key", "_shown", "as_of", "fresh_to", "writer")

    def __init__(self, row: Row) -> None:
        self.writer: str = row["writer"]
        self.as_of: int = row["as_of"]
        self.fresh_to: int = row["fresh_to"]
        self._by_key = _by_key(row["body"])
        self._shown: dict[Hashable, KeptValues | None] = {}

    def shown(self, frame: CardFrame, clock: LocalClock) -> KeptValues | None:
        """The values of a card; None if they are not of its period."""
        key = (frame.name, frame.span.start)
        if key not in self._shown:
            if len(self._shown) >= _MOST_FRAMES:
                self._shown.clear()
            values = _kept_values(self._by_key, ceil_minute(self.as_of), frame, clock)
            self._shown[key] = None if values is None else KeptValues(values, self.fresh_to)
        return self._shown[key]


class Kept(NamedTuple):
    """Kept values by cut, of those cuts for which all of the card's are kept; whether the brand ever had a target."""

    by_cut: dict[str, KeptValues]
    has_targets: bool


class KeptReader:
    """Reads kept values; remembers the rows that were asked for last."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[int, str], _Row] = OrderedDict()

    async def read(self, connection: Connection, brand: Brand, cuts: Collection[str], frame: CardFrame) -> Kept:
        """The kept values, over the period of the card, as they are now."""
        known = {cut: self._rows.get((brand.brand_id, cut)) for cut in cuts}
        writers, moments = zip(*((row and row.writer, row and row.as_of) for row in known.values()), strict=True)
        rows = await connection.fetch(_KEPT, brand.brand_id, list(known), list(writers), list(moments))
        clock = clock_of(brand.time_zone)
        shown = ((row["cut"], self._row(brand.brand_id, row, known).shown(frame, clock)) for row in rows)
        return Kept({cut: values for cut, values in shown if values is not None}, any(r["has_targets"] for r in rows))

    def _row(self, brand_id: int, row: Row, known: Mapping[str, _Row | None]) -> _Row:
        """The row as it was sent, or the known one where it is still that."""
        before = known[row["cut"]] if row["body"] is None else None
        found = before or _Row(row)
        key = (brand_id, row["cut"])
        self._rows[key] = found
        self._rows.move_to_end(key)
        while len(self._rows) > _MOST_ROWS:
            self._rows.popitem(last=False)
        return found


def _kept_values(
    by_key: Mapping[str, msgspec.Raw], minute: int, frame: CardFrame, clock: LocalClock
) -> CardValues | None:
    """The values of a row whose windows end at a minute; None if they are not of the card's period."""
    span = current_spans(minute, clock, minute)[frame.period.window]
    if span.start != frame.span.start or not by_key.keys() >= frame.kpis.keys():
        return None
    # Only what the card shows is decoded: a row holds every KPI in ten windows.
    kept = {key: _by_key(by_key[key]).get(frame.period.window) for key in frame.kpis}
    return {key: _value(raw) if raw else idle(frame.kpis[key], span, clock) for key, raw in kept.items()}


async def read_evaluable(
    connection: Connection, brand: Brand, cuts: Iterable[str], span: Span, view: Viewpoint, kpis: Collection[Kpi]
) -> dict[str, Sources]:
    """What KPIs are evaluated from over a span, by cut.

    Spans that end apart are read apart, each as it stood at its end.
    """
    clock = clock_of(brand.time_zone)
    return {
        cut: await read_sources(connection, brand, cut, [span], clock, view.known_on, view.known_before, kpis)
        for cut in cuts
    }


def evaluated(sources: Mapping[str, Sources], span: Span, kpis: Collection[Kpi]) -> dict[str, CardValues]:
    """Values by cut. Pure, and takes tens of milliseconds for a long span."""
    found = {}
    for cut, of_cut in sources.items():
        facts = facts_of(of_cut, span)
        found[cut] = {kpi.key: value_of(kpi, facts) for kpi in kpis}
    return found
