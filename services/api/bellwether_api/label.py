"""Reads the label of a KPI: its number, and what that rests on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.adapters.postgres.readings import read_sources
from bellwether.catalogue.cuts import TOTAL, cut_name
from bellwether.catalogue.evaluate import Sources, Value, facts_of, value_of
from bellwether.catalogue.kpi import Kpi
from bellwether.domain.clock import HOUR_S, LocalClock, date_of
from bellwether.domain.errors import Fault, Invalid
from bellwether.domain.windows import MINUTES_KEPT_S, Span, span_at
from bellwether_api.cuts import Cut, shown, stored_cuts
from bellwether_api.database import reading
from bellwether_api.definitions import definition
from bellwether_api.figures import figure
from bellwether_api.label_shapes import (
    ChannelCoverage,
    Coverage,
    Freshness,
    Gap,
    Label,
    Screening,
    Sentiment,
    SentimentMethod,
    TimeQuality,
    Unconverted,
    Unknown,
)
from bellwether_api.moments import moment_at
from bellwether_api.queries import LabelQuery
from bellwether_api.values import clock_of
from bellwether_api.viewpoint import Viewpoint, viewpoint

_CHANNEL = "channel"
_FIRST = "SELECT min(bucket) FROM rollup_hour WHERE brand_id = $1 AND cut = ''"
_HEARD = """
    SELECT cut, count(DISTINCT bucket) AS hours FROM rollup_hour
    WHERE brand_id = $1 AND cut = any($2) AND bucket >= $3 AND bucket < $4 AND known_on <= $5 GROUP BY cut
"""
_LONGEST_GAP = """
    WITH edge(bucket, after) AS (
        SELECT DISTINCT bucket, bucket + 3600 FROM rollup_hour
        WHERE brand_id = $1 AND cut = $2 AND bucket >= $3 AND bucket < $4 AND known_on <= $5
        UNION SELECT NULL, $3::bigint
    ), gap(starts, ends) AS (SELECT after, lead(bucket, 1, $4) OVER (ORDER BY after) FROM edge)
    SELECT starts, ends FROM gap WHERE ends > starts ORDER BY ends - starts DESC, starts LIMIT 1
"""
_FRESH_TO = "SELECT fresh_to FROM kpi_current WHERE brand_id = $1 AND cut = $2"

SCREENED_OF: Mapping[str, str] = {"suspect_interactions": "interactions", "suspect_joins": "joined"}
"""What the screen marks, and what it marks it among."""

SENTIMENT_METHOD = SentimentMethod(
    method="VADER lexicon (vaderSentiment)",
    version="3.3.2",
    note="Texts whose source gives a score keep that one. Above 0.05 a text is positive, below −0.05 negative.",
)
_SENTIMENT_COUNTS = ("sentiment_sum", "sentiment_n", "positive_n", "neutral_n", "negative_n")
_UNCONVERTED = ".unconverted"


class _Read(NamedTuple):
    """All that a label is made of. heard: hours with events by cut; first: the brand's first hour, UTC seconds."""

    sources: Sources
    first: int | None
    heard: Mapping[str, int]
    gap: Row | None
    fresh_to: int | None


class LabelReader:
    """Reads labels. `now` gives the present moment in seconds since 1970."""

    def __init__(self, pool: Pool, now: Callable[[], float] = time.time) -> None:
        self._pool = pool
        self._now = now

    async def read(self, brand: Brand, kpi: Kpi, query: LabelQuery) -> Label:
        """The label of one number. Raises Invalid for moments that cannot be and for several cuts, Unavailable."""
        cut = _one_cut(query.cut)
        now, clock = int(self._now()), clock_of(brand.time_zone)
        view = viewpoint(query.as_of, query.known_at, clock, now)
        window = query.window or kpi.home
        span = span_at(window, view.as_of, clock, now - MINUTES_KEPT_S)
        held = kpi.on(date_of(clock.day(span.end - 1)))
        async with reading(self._pool) as connection:
            read = await _read(connection, brand, held, cut, span, view)
        # In a thread: a long window takes tens of milliseconds, and others are waiting.
        value = await asyncio.to_thread(lambda: value_of(held, facts_of(read.sources, span)))
        is_current = query.as_of is None and query.known_at is None
        return Label(
            brand=brand.slug,
            time_zone=brand.time_zone,
            kpi=definition(held),
            cut=shown(cut),
            window=window,
            as_of=moment_at(view.as_of),
            figure=figure(value),
            coverage=_coverage(read, cut, span, clock),
            freshness=_freshness(read.fresh_to, now) if is_current else Freshness(None, None, Unknown.NOT_CURRENT),
            time_quality=TimeQuality(None, Unknown.NOT_RECORDED),
            screening=_screening(held, value, read.sources, span),
            sentiment=_sentiment(held),
            unconverted=_unconverted(value),
        )


def _one_cut(cut: Cut | None) -> str:
    if cut is None:
        return TOTAL
    if cut.value is None:
        fault = Fault("/cut", "must name one value of its dimension, as in channel=instagram")
        raise Invalid("Some values are not valid.", faults=(fault,))
    return cut_name(cut.dimension, cut.value)


async def _read(connection: Connection, brand: Brand, kpi: Kpi, cut: str, span: Span, view: Viewpoint) -> _Read:
    clock = clock_of(brand.time_zone)
    sources = await read_sources(connection, brand, cut, [span], clock, view.known_on, view.known_before, [kpi])
    first = await connection.fetchval(_FIRST, brand.brand_id)
    channels = await stored_cuts(connection, brand.brand_id, Cut(_CHANNEL, None)) if cut == TOTAL else []
    start = clock.hour(span.start if first is None else max(first, span.start))
    rows = await connection.fetch(_HEARD, brand.brand_id, [cut, *channels], start, span.end, view.known_on)
    heard = dict.fromkeys([cut, *channels], 0) | {row["cut"]: row["hours"] for row in rows}
    gap = await connection.fetchrow(_LONGEST_GAP, brand.brand_id, cut, start, span.end, view.known_on)
    return _Read(sources, first, heard, gap, await connection.fetchval(_FRESH_TO, brand.brand_id, cut))


def _coverage(read: _Read, cut: str, span: Span, clock: LocalClock) -> Coverage:
    if read.first is None or read.first >= span.end:
        return Coverage(
            share=None,
            reason=Unknown.NO_EVENTS,
            since=None,
            hours=0,
            hours_with_events=0,
            longest_gap=None,
            channels=[],
        )
    hours = -(-(span.end - clock.hour(max(read.first, span.start))) // HOUR_S)
    heard = {name: min(count, hours) for name, count in read.heard.items()}
    prefix = cut_name(_CHANNEL, "")
    return Coverage(
        share=heard[cut] / hours,
        reason=None,
        since=moment_at(read.first),
        hours=hours,
        hours_with_events=heard[cut],
        longest_gap=Gap(moment_at(read.gap["starts"]), moment_at(read.gap["ends"])) if read.gap else None,
        channels=[
            ChannelCoverage(name.removeprefix(prefix), count, count / hours)
            for name, count in heard.items()
            if name != cut
        ],
    )


def _freshness(fresh_to: int | None, now: int) -> Freshness:
    if not fresh_to:
        return Freshness(None, None, Unknown.NO_EVENTS)
    return Freshness(moment_at(fresh_to), float(max(0, now - fresh_to)), None)


def _screening(kpi: Kpi, value: Value, sources: Sources, span: Span) -> Screening:
    named = (*kpi.formula.measures(), *(kpi.screened.measures() if kpi.screened else ()))
    marks = next((measure for measure in named if measure in SCREENED_OF), None)
    if marks is None:
        return Screening(share=None, suspect=None, all=None, screened_value=None, reason=Unknown.NOT_APPLICABLE)
    amounts = facts_of(sources, span).amounts
    suspect, whole = amounts.get(marks, 0), amounts.get(SCREENED_OF[marks], 0)
    return Screening(
        share=suspect / whole if whole else None,
        suspect=suspect,
        all=whole,
        screened_value=value.screened,
        reason=None if whole else Unknown.NO_EVENTS,
    )


def _sentiment(kpi: Kpi) -> Sentiment:
    if any(measure.endswith(_SENTIMENT_COUNTS) for measure in kpi.shown()):
        return Sentiment(SENTIMENT_METHOD, None)
    return Sentiment(None, Unknown.NOT_APPLICABLE)


def _unconverted(value: Value) -> Unconverted:
    found = {
        measure.removesuffix(_UNCONVERTED): count
        for measure, count in value.parts.items()
        if measure.endswith(_UNCONVERTED)
    }
    return Unconverted(found, None) if found else Unconverted(None, Unknown.NOT_APPLICABLE)
