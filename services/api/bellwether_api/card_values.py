"""The values that a card shows: those that compute keeps where it is of now, else evaluated from the rollups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection
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

_KEPT = "SELECT cut, as_of, fresh_to, body FROM kpi_current WHERE brand_id = $1 AND cut = any($2)"
_by_key = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder(Value).decode


class CardFrame(NamedTuple):
    """What a card is read over: a period, its span, the span before it, and the definitions that held at its end.

    last_day: the local date that holds the end
    """

    period: Period
    span: Span
    before: Span
    last_day: date
    kpis: Mapping[str, Kpi]


class KeptValues(NamedTuple):
    """Values that compute keeps, and when the last event in them was recorded, in UTC seconds."""

    values: CardValues
    fresh_to: int


async def read_kept(
    connection: Connection, brand: Brand, cuts: Collection[str], frame: CardFrame
) -> dict[str, KeptValues]:
    """The kept values by cut, of those cuts for which all of the card's are kept over its period."""
    rows = await connection.fetch(_KEPT, brand.brand_id, list(cuts))
    clock = clock_of(brand.time_zone)
    found = ((row, _kept_values(row["body"], ceil_minute(row["as_of"]), frame, clock)) for row in rows)
    return {row["cut"]: KeptValues(values, row["fresh_to"]) for row, values in found if values is not None}


def _kept_values(body: bytes, minute: int, frame: CardFrame, clock: LocalClock) -> CardValues | None:
    """The values of a row whose windows end at a minute; None if they are not of the card's period."""
    span = current_spans(minute, clock, minute)[frame.period.window]
    by_key = _by_key(body)
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
