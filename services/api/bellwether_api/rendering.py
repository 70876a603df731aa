"""Cards and series in every format that they are given in."""

from collections.abc import Callable, Mapping

import msgspec

from bellwether_api.card_shapes import ScorecardOut
from bellwether_api.card_tables import card_sheets, series_sheets
from bellwether_api.exports import csv_of, xlsx_of
from bellwether_api.moments import moment_at
from bellwether_api.pages import card_page
from bellwether_api.shapes import Series

_LONG_AGO = moment_at(0)


def _card_book(card: ScorecardOut) -> bytes:
    return xlsx_of(card_sheets(card), f"{card.title}, {card.brand}, {card.period}", card.as_of)


def _series_book(series: Series) -> bytes:
    ends = [point.end for cut in series.cuts for point in cut.points]
    return xlsx_of(series_sheets(series), f"{series.kpi}, {series.brand}", max(ends, default=_LONG_AGO))


CARD_RENDERERS: Mapping[str, Callable[[ScorecardOut], bytes]] = {
    "json": msgspec.json.encode,
    "csv": lambda card: csv_of(card_sheets(card)[0]),
    "xlsx": _card_book,
    "html": card_page,
}
SERIES_RENDERERS: Mapping[str, Callable[[Series], bytes]] = {
    "json": msgspec.json.encode,
    "csv": lambda series: csv_of(series_sheets(series)[0]),
    "xlsx": _series_book,
}
"""By format; all of them work on the same answer."""
