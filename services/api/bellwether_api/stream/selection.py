"""Which figures a listener is told of, and which of them have changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.news import KeptRow, Line
from bellwether.catalogue.evaluate import Value, current_spans, idle
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.own import TenantCatalogue
from bellwether.domain.clock import ceil_minute
from bellwether.domain.windows import ROLLING_S, Span, Window
from bellwether_api.cuts import shown
from bellwether_api.figures import figure
from bellwether_api.moments import moment_at
from bellwether_api.values import clock_of

_rows = msgspec.json.Decoder(dict[str, dict[Window, msgspec.Raw]]).decode
_value = msgspec.json.Decoder(Value).decode

Marks = dict[tuple[str, Window], int]
"""What was last seen of each figure, as a number that changes with it."""
Encoded = dict[str, dict[Window, msgspec.Raw]]


class Selection(NamedTuple):
    """KPIs (None: all of the tenant's) in windows (None: of each the one in which it is usually read)."""

    keys: tuple[str, ...] | None = None
    windows: tuple[Window, ...] | None = None

    def of(self, catalogue: TenantCatalogue) -> Iterator[tuple[Kpi, Window]]:
        """Each figure."""
        keys = catalogue.kpis if self.keys is None else self.keys
        for kpi in (catalogue.kpis[key] for key in keys if key in catalogue.kpis):
            for window in self.windows or (kpi.home,):
                yield kpi, window


class Update(msgspec.Struct, frozen=True, dict=True):
    """Figures of a brand and cut at a moment (UTC seconds), encoded; all of a selection if `whole`."""

    line: Line
    brand: str
    as_of: int
    fresh_to: int
    whole: bool
    figures: Encoded

    @cached_property
    def size(self) -> int:
        """About how many bytes it takes to tell."""
        return sum(len(bytes(raw)) for windows in self.figures.values() for raw in windows.values())

    @cached_property
    def told(self) -> str:
        """As JSON, on one line; made once for all who are told it."""
        return msgspec.json.encode(
            {
                "brand": self.brand,
                "cut": shown(self.line[1]),
                "as_of": moment_at(self.as_of),
                "fresh_to": moment_at(self.fresh_to) if self.fresh_to else None,
                "whole": self.whole,
                "kpis": self.figures,
            }
        ).decode()

    def then(self, later: Update) -> Update:
        """Both as one, of which the other is the later one of the same brand and cut."""
        if later.whole:
            return later
        figures = {key: dict(windows) for key, windows in self.figures.items()}
        for key, windows in later.figures.items():
            figures.setdefault(key, {}).update(windows)
        return Update(later.line, later.brand, later.as_of, later.fresh_to, self.whole, figures)


class Reading:
    """One version of a row, read for any number of selections."""

    def __init__(self, row: KeptRow, brand: Brand) -> None:
        self._row = row
        self._brand = brand
        self._clock = clock_of(brand.time_zone)
        minute = ceil_minute(row.version.as_of)
        self._spans: Mapping[Window, Span] = current_spans(minute, self._clock, minute)
        self._values = _rows(row.body)

    def whole(self, catalogue: TenantCatalogue, selection: Selection) -> tuple[Update, Marks]:
        """All figures of a selection, and what to compare the next version with."""
        marks: Marks = {}
        return self._update(catalogue, selection, marks), marks

    def changes(self, catalogue: TenantCatalogue, selection: Selection, marks: Marks) -> Update | None:
        """The figures that differ from the marks, which then follow; None where none does.

        That a window has moved on is no difference, that another day, week or month has begun is one.
        """
        if not marks:
            return self._update(catalogue, selection, marks)
        update = self._update(catalogue, selection, marks, whole=False)
        return update if update.figures else None

    def _update(self, catalogue: TenantCatalogue, selection: Selection, marks: Marks, *, whole: bool = True) -> Update:
        figures: Encoded = {}
        for kpi, window in selection.of(catalogue):
            if kpi.key not in self._values:  # defined since, and not counted yet
                continue
            raw, span, place = self._values[kpi.key].get(window), self._spans[window], (kpi.key, window)
            value = None if raw is None else _value(raw)
            mark = _mark(value, window, span)
            if not whole and marks.get(place) == mark:
                continue
            marks[place] = mark
            told = figure(idle(kpi, span, self._clock) if value is None else value)
            figures.setdefault(kpi.key, {})[window] = msgspec.Raw(msgspec.json.encode(told))
        row = self._row
        return Update((row.brand_id, row.cut), self._brand.slug, row.version.as_of, row.fresh_to, whole, figures)


def _mark(value: Value | None, window: Window, span: Span) -> int:
    period = None if window in ROLLING_S else span.start
    if value is None:
        return hash(period)
    parts = tuple(sorted(value.parts.items()))
    told = (value.value, value.numerator, value.denominator, value.n, value.reason, value.screened, parts)
    return hash((period, value.partial, *told))
