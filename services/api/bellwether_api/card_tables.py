"""A scorecard and a series as tables, for CSV and workbooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bellwether.catalogue.kpi import Unit
from bellwether_api.card_shapes import ScorecardArea, ScorecardCut, ScorecardLine, ScorecardOut
from bellwether_api.exports import Cell, Sheet
from bellwether_api.shapes import Figure, Series

_TOTAL = "total"


def _benchmarks(line: ScorecardLine) -> Cell:
    told = (f"{mark.channel}: {mark.verdict.value}" for mark in line.benchmarks if mark.verdict is not None)
    return "; ".join(told) or None


LINE_COLUMNS: tuple[tuple[str, Callable[[ScorecardLine], Cell]], ...] = (
    ("kpi", lambda line: line.kpi),
    ("title", lambda line: line.title),
    ("unit", lambda line: line.unit.value),
    ("better", lambda line: line.better.value),
    ("definition_version", lambda line: line.version),
    ("value", lambda line: line.value),
    ("value_screened", lambda line: line.screened),
    ("reason", lambda line: line.reason.value if line.reason else None),
    ("partial", lambda line: line.partial),
    ("numerator", lambda line: line.numerator),
    ("denominator", lambda line: line.denominator),
    ("n", lambda line: line.n),
    ("before", lambda line: line.trend.before),
    ("change", lambda line: line.trend.change),
    ("change_percent", lambda line: line.trend.change_percent),
    ("improved", lambda line: line.trend.improved),
    ("target", lambda line: line.target.words if line.target else None),
    ("status", lambda line: line.target.status.value if line.target else None),
    ("projected", lambda line: line.target.projected if line.target else None),
    ("projected_low", lambda line: line.target.projected_low if line.target else None),
    ("projected_high", lambda line: line.target.projected_high if line.target else None),
    ("deadline", lambda line: line.target.deadline if line.target else None),
    ("benchmark", _benchmarks),
    ("attained_against", lambda line: line.basis.value if line.basis else None),
    ("attainment_percent", lambda line: line.attainment),
    ("weight", lambda line: line.weight),
    ("share_of_area", lambda line: line.share),
    ("points", lambda line: line.points),
)
"""What a row of a card holds beside its cut and area, and how it is read from the line."""

_FIGURE_COLUMNS: tuple[tuple[str, Callable[[Figure], Cell]], ...] = (
    ("start", lambda figure: figure.start),
    ("end", lambda figure: figure.end),
    ("value", lambda figure: figure.value),
    ("reason", lambda figure: figure.reason.value if figure.reason else None),
    ("partial", lambda figure: figure.partial),
    ("numerator", lambda figure: figure.numerator),
    ("denominator", lambda figure: figure.denominator),
    ("n", lambda figure: figure.n),
)


def card_sheets(card: ScorecardOut) -> list[Sheet]:
    """The lines, the arithmetic of the scores, and what the card is."""
    return [_lines(card), _scores(card), _about(card)]


def _areas(card: ScorecardOut) -> Iterator[tuple[ScorecardCut, ScorecardArea]]:
    return ((cut, area) for cut in card.cuts for area in cut.areas)


def _lines(card: ScorecardOut) -> Sheet:
    rows = [
        (
            *(cut.cut or _TOTAL, area.title),
            *(read(line) for _, read in LINE_COLUMNS),
            card.currency if line.unit is Unit.MONEY else None,
        )
        for cut, area in _areas(card)
        for line in area.lines
    ]
    return Sheet("Scorecard", ("cut", "area", *(title for title, _ in LINE_COLUMNS), "currency"), rows)


def _scores(card: ScorecardOut) -> Sheet:
    head = ("cut", "area", "weight", "share", "score", "rating", "scored_weight", "left_out", "arithmetic")
    rows: list[tuple[Cell, ...]] = []
    for cut in card.cuts:
        name = cut.cut or _TOTAL
        rows += [(name, area.title, area.weight, area.share, *_score(area)) for area in cut.areas]
        rows.append((name, "Whole card", None, None, *_score(cut)))
    return Sheet("Scores", head, rows)


def _score(scored: ScorecardArea | ScorecardCut) -> tuple[Cell, ...]:
    return (scored.score, scored.rating, scored.scored_weight, "; ".join(scored.left_out), scored.expression)


def _about(card: ScorecardOut) -> Sheet:
    rows: list[tuple[Cell, ...]] = [
        ("brand", card.brand),
        ("role", card.role),
        ("period", card.period),
        ("partial", card.partial),
        ("start (UTC)", card.start),
        ("end (UTC)", card.end),
        ("as of (UTC)", card.as_of),
        ("time zone", card.time_zone),
        ("currency", card.currency),
    ]
    return Sheet("About", ("name", "value"), rows)


def series_sheets(series: Series) -> list[Sheet]:
    """The points of all cuts, one below the other."""
    rows = [
        (cut.cut or _TOTAL, *(read(point) for _, read in _FIGURE_COLUMNS))
        for cut in series.cuts
        for point in cut.points
    ]
    return [Sheet("Series", ("cut", *(title for title, _ in _FIGURE_COLUMNS)), rows)]
