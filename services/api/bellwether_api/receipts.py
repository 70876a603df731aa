"""Reads the receipts behind numbers: messages and which of their time counted, or buckets and snapshots."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.knowledge import Knowledge
from bellwether.adapters.postgres.pool import Connection, Pool
from bellwether.adapters.postgres.readings import read_sources
from bellwether.adapters.postgres.readings_receipts import LATEST, Choice, Place, Receipt, read_page
from bellwether.catalogue.evaluate import Sources
from bellwether.catalogue.kpi import Kpi
from bellwether.domain.business_hours import BusinessHours, Kind, Stretch
from bellwether.domain.clock import date_of
from bellwether.domain.response_times import ResponseRules
from bellwether.domain.windows import MINUTES_KEPT_S, Span, Window, span_at
from bellwether_api.cuts import one_cut, shown
from bellwether_api.database import reading
from bellwether_api.moments import moment_at
from bellwether_api.queries import ReceiptsQuery
from bellwether_api.receipt_rows import bucket_spans, distinct_behind, rows_behind
from bellwether_api.receipt_shapes import IntervalOut, LevelReceipt, MessageReceipt, ReceiptPage, SumReceipt, cursor
from bellwether_api.values import clock_of
from bellwether_api.viewpoint import Viewpoint, viewpoint

MOST_INTERVALS = 100
"""So many intervals of one receipt are listed: a month and a half of working days."""

_KIND: Mapping[str, str | None] = {
    "query_response_time": "query",
    "query_response_time_business": "query",
    "queries_answered": "query",
    "feedback_answered": "feedback",
    "response_time": None,
    "response_time_business": None,
    "answered_business": None,
    "messages_answered": None,
}
"""The measures that messages stand behind, with the kind of message they count, most special first."""

_Row = tuple[Place, MessageReceipt | SumReceipt | LevelReceipt]


class _Asked(NamedTuple):
    """Which rows of a brand: so many at most, after a place."""

    brand: Brand
    kpi: Kpi
    cut: str
    window: Window
    span: Span
    view: Viewpoint
    after: Place
    limit: int


class ReceiptReader:
    """Reads receipts. `now` gives the present moment in seconds since 1970."""

    def __init__(self, pool: Pool, now: Callable[[], float] = time.time) -> None:
        self._pool = pool
        self._now = now

    async def page(self, brand: Brand, kpi: Kpi, query: ReceiptsQuery) -> ReceiptPage:
        """A page of the receipts behind one number. Raises Invalid, Unavailable."""
        cut, now, clock = one_cut(query.cut), int(self._now()), clock_of(brand.time_zone)
        view = viewpoint(query.as_of, query.known_at, clock, now)
        window = query.window or kpi.home
        span = span_at(window, view.as_of, clock, now - MINUTES_KEPT_S)
        held = kpi.on(date_of(clock.day(span.end - 1)))
        asked = _Asked(brand, held, cut, window, span, view, query.cursor or LATEST, query.limit + 1)
        found = await self._rows(asked)
        items = found[: query.limit]
        return ReceiptPage(
            brand=brand.slug,
            time_zone=brand.time_zone,
            kpi=kpi.key,
            cut=shown(cut),
            window=window,
            start=moment_at(span.start),
            end=moment_at(span.end),
            as_of=moment_at(view.as_of),
            distinct=[] if _message_measure(held) else distinct_behind(held),
            items=[row for _, row in items],
            next=cursor(items[-1][0]) if len(found) > query.limit else None,
        )

    async def _rows(self, asked: _Asked) -> Sequence[_Row]:
        measure = _message_measure(asked.kpi)
        async with reading(self._pool) as connection:
            if measure:
                rows = await _of_messages(connection, asked, _KIND[measure])
            else:
                rows = await _of_buckets(connection, asked)
        # In a thread: long windows, and the intervals of long waits, take milliseconds, and others are waiting.
        return await asyncio.to_thread(rows)


def _message_measure(kpi: Kpi) -> str | None:
    """The measure of messages and answers that a KPI is made of; None where it is made of something else."""
    measures = kpi.formula.measures()
    return next((measure for measure in _KIND if measure in measures), None)


async def _of_messages(connection: Connection, asked: _Asked, kind: str | None) -> Callable[[], Sequence[_Row]]:
    span, known = asked.span, Knowledge(clock_of(asked.brand.time_zone), asked.view.known_on)
    choice = Choice(asked.cut, span.start, span.end, kind, asked.after, asked.limit)
    found = await read_page(connection, asked.brand.brand_id, choice, known)
    return lambda: [(receipt.place, _told(receipt, asked.brand, span.end)) for receipt in found]


async def _of_buckets(connection: Connection, asked: _Asked) -> Callable[[], Sequence[_Row]]:
    view, clock = asked.view, clock_of(asked.brand.time_zone)
    # The whole window on every page: what is taken back depends on where it ends.
    spans = bucket_spans(asked.window, asked.span, clock)
    known = (view.known_on, view.known_before)
    sources = await read_sources(connection, asked.brand, asked.cut, spans, clock, *known, [asked.kpi])
    return partial(_after, asked, sources, spans)


def _after(asked: _Asked, sources: Sources, spans: Sequence[Span]) -> Sequence[_Row]:
    after = msgspec.structs.astuple(asked.after)
    rows = rows_behind(asked.kpi, sources, spans)
    return [(place, row) for place, row in rows if msgspec.structs.astuple(place) < after][: asked.limit]


def _told(receipt: Receipt, brand: Brand, end: int) -> MessageReceipt:
    place, rules = receipt.place, brand.response_rules
    until = end if receipt.answered_at is None else receipt.answered_at
    stretches = _stretches(rules.hours, place.received_at, until)
    wall, business = _seconds(receipt, rules, end)
    is_late_from = rules.late_from(place.received_at) if wall is not None else None
    return MessageReceipt(
        message_id=place.message_id,
        conversation_id=place.conversation_id,
        channel=place.channel,
        kind=receipt.kind,
        received_at=moment_at(place.received_at),
        answered_at=_moment(receipt.answered_at),
        answered_by=receipt.answered_by,
        waits=receipt.waits,
        turn_of=receipt.turn_of,
        wall_s=wall,
        business_s=business,
        within_target=receipt.clocks.within_target if receipt.clocks else None,
        late_from=_moment(is_late_from),
        closed_s=_of_kind(stretches, Kind.CLOSED),
        holiday_s=_of_kind(stretches, Kind.HOLIDAY),
        intervals=[_interval(stretch) for stretch in stretches[:MOST_INTERVALS]],
        intervals_left_out=max(0, len(stretches) - MOST_INTERVALS),
        by_present_rules=_is_by(rules, receipt),
    )


def _stretches(hours: BusinessHours | None, start: int, end: int) -> list[Stretch]:
    if hours is None:
        return [Stretch(start, end, Kind.OPEN)] if start < end else []
    return hours.intervals(start, end)


def _seconds(receipt: Receipt, rules: ResponseRules, end: int) -> tuple[int | None, int | None]:
    """What both clocks show: until the answer, or so far where it waits by itself."""
    received = receipt.place.received_at
    if receipt.waits:
        return end - received, rules.hours.seconds_between(received, end) if rules.hours else end - received
    return (receipt.clocks.wall, receipt.clocks.business) if receipt.clocks else (None, None)


def _is_by(rules: ResponseRules, receipt: Receipt) -> bool:
    clocks = receipt.clocks
    if receipt.answered_at is None or clocks is None or clocks.wall is None:
        return True
    return rules.clocks(receipt.place.received_at, receipt.answered_at) == clocks


def _of_kind(stretches: list[Stretch], kind: Kind) -> int:
    return sum(stretch.end - stretch.start for stretch in stretches if stretch.kind is kind)


def _interval(stretch: Stretch) -> IntervalOut:
    return IntervalOut(moment_at(stretch.start), moment_at(stretch.end), stretch.end - stretch.start, stretch.kind)


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else moment_at(seconds)
