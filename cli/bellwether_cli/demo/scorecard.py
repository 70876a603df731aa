"""The scorecard in the terminal: key result areas as sections, brands as columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

Card = Mapping[str, Any]
"""A scorecard as the API gives it, of one cut."""

_MINUTE = 60
_HOUR = 3600
_SMALL = 100
_IN_POINTS = frozenset({"percent", "net_sentiment"})
_TREND_WIDTH = 9


def drawn(cards: Sequence[Card]) -> Table:
    """One table of the same card for several brands."""
    table = Table(title=_title(cards), title_justify="left", header_style="bold", expand=False)
    table.add_column("KPI")
    for card in cards:
        table.add_column(str(card["brand"]), justify="right", no_wrap=True)
    for area, lines in _areas(cards):
        table.add_row(Text(area, style="bold cyan"))
        for cells in lines:
            table.add_row(Text("  " + cells[0].get("title", "")), *(_cell(line) for line in cells))
        table.add_section()
    return table


def _title(cards: Sequence[Card]) -> str:
    first = cards[0]
    running = " (still running)" if first.get("partial") else ""
    return f"{first['title']}, {first['period']}{running}, as of {str(first['as_of'])[:19].replace('T', ' ')} UTC"


def _areas(cards: Sequence[Card]) -> list[tuple[str, list[list[Mapping[str, Any]]]]]:
    """Per area the lines that all cards have in common, side by side."""
    found = []
    for area in cards[0]["cuts"][0]["areas"]:
        rows = [[_line(card, area["title"], line["kpi"]) for card in cards] for line in area["lines"]]
        found.append((str(area["title"]), rows))
    return found


def _line(card: Card, area: str, kpi: str) -> Mapping[str, Any]:
    for part in card["cuts"][0]["areas"]:
        for line in part["lines"] if part["title"] == area else ():
            if line["kpi"] == kpi:
                return dict(line)
    return {}


def _cell(line: Mapping[str, Any]) -> Text:
    value = line.get("value")
    if value is None:
        return Text(str(line.get("reason") or "–").replace("_", " "), style="dim")
    unit = str(line.get("unit"))
    return Text.assemble(figure(value, unit), "  ", _trend(line.get("trend") or {}, unit))


def _trend(trend: Mapping[str, Any], unit: str) -> Text:
    """The change against the same stretch of the period before: its arrow tells up or down, its colour how good.

    Shares and sentiment change by points, the rest by percent.
    """
    in_points = unit in _IN_POINTS
    change, improved = trend.get("change" if in_points else "change_percent"), trend.get("improved")
    if change is None or improved is None:
        return Text(" " * _TREND_WIDTH)
    told = f"{abs(change):.1f} pt" if in_points else f"{abs(change):.0f} %"
    arrow = "▲" if change > 0 else "▼"
    return Text(f"{arrow}{told:>{_TREND_WIDTH - 1}}", style="green" if improved else "red")


def figure(value: float, unit: str) -> str:
    """A value as people write it: 12,345 · 3.2 % · 12.7 min · +41."""
    if unit == "seconds":
        return duration(value)
    if unit == "percent":
        return f"{value:,.1f} %" if abs(value) < _SMALL else f"{value:,.0f} %"
    if unit == "net_sentiment":
        return f"{value:+.1f}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever reads best."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.1f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"
