"""From values, targets and benchmarks to the scored card of one cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bellwether.catalogue.evaluate import Value
from bellwether.catalogue.kpi import Area, Benchmark, Direction, Kpi, Line, Scorecard
from bellwether.domain import scoring
from bellwether.domain.scoring import AreaScore, LineScore, score_card, verdict
from bellwether.domain.targets import Level, Standing, attain
from bellwether_api.card_shapes import (
    Basis,
    BenchmarkLine,
    LineTarget,
    ScorecardArea,
    ScorecardCut,
    ScorecardLine,
    Trend,
)
from bellwether_api.cuts import shown
from bellwether_api.moments import moment_at

_PERCENT = 100.0


class Aim(NamedTuple):
    """A KPI's target as a card shows it, and the percent of it attained, None where undefined."""

    target: LineTarget
    attainment: float | None


class CutReadings(NamedTuple):
    """All that the card of one cut shows, by KPI key.

    fresh_to: when the last event in kept values was recorded, UTC seconds; None where they were evaluated
    kpis: the definitions that the values were computed by
    marks: by channel, for KPIs with published benchmarks
    """

    cut: str
    fresh_to: int | None
    kpis: Mapping[str, Kpi]
    values: Mapping[str, Value]
    before: Mapping[str, Value]
    aims: Mapping[str, Aim]
    marks: Mapping[str, Sequence[BenchmarkLine]]


class Attained(NamedTuple):
    """Percent attained and against what; None where there is nothing to tell it against, or no value."""

    basis: Basis | None
    percent: float | None


def card_of_cut(card: Scorecard, readings: CutReadings) -> ScorecardCut:
    """The card with its scores."""
    attained = {key: _attained(key, readings) for key in card.kpis()}
    scored = score_card([_to_score(area, attained) for area in card.areas])
    pairs = zip(card.areas, scored.areas, strict=True)
    return ScorecardCut(
        cut=shown(readings.cut),
        fresh_to=moment_at(readings.fresh_to) if readings.fresh_to else None,
        score=scored.score,
        rating=scored.rating,
        scored_weight=scored.scored_weight,
        left_out=list(scored.left_out),
        expression=scored.expression,
        areas=[_area(area, score, readings, attained) for area, score in pairs],
    )


def _to_score(area: Area, attained: Mapping[str, Attained]) -> scoring.Area:
    lines = (scoring.Line(line.kpi, line.weight, attained[line.kpi].percent) for line in area.lines)
    return scoring.Area(area.title, area.weight, tuple(lines))


def _attained(key: str, readings: CutReadings) -> Attained:
    """Against the target where there is one, else against the benchmarks."""
    aim, marks = readings.aims.get(key), readings.marks.get(key, ())
    if aim is not None:
        return Attained(Basis.TARGET, aim.attainment)
    percents = [_of_benchmark(mark.value, mark.good, readings.kpis[key]) for mark in marks if mark.value is not None]
    if readings.values[key].value is None or not percents:
        return Attained(None, None)
    return Attained(Basis.BENCHMARK, sum(percents) / len(percents))


def _of_benchmark(value: float, good: float, kpi: Kpi) -> float:
    """Percent attained of the band's lower bound, as if it were a target."""
    standing = Standing(value=value, baseline=None, elapsed=1.0)
    return attain(Level(good), kpi.better, standing).attainment or 0.0


def mark(benchmark: Benchmark, value: Value) -> BenchmarkLine:
    """A value on a channel beside what is published for it."""
    told = None if value.value is None else verdict(value.value, benchmark.good, benchmark.great)
    return BenchmarkLine(benchmark.channel, value.value, benchmark.good, benchmark.great, benchmark.source, told)


def _area(area: Area, scored: AreaScore, readings: CutReadings, attained: Mapping[str, Attained]) -> ScorecardArea:
    pairs = zip(area.lines, scored.lines, strict=True)
    return ScorecardArea(
        title=area.title,
        weight=area.weight,
        share=scored.share,
        score=scored.score,
        rating=scored.rating,
        scored_weight=scored.scored_weight,
        left_out=list(scored.left_out),
        expression=scored.expression,
        lines=[_line(line, score, readings, attained[line.kpi]) for line, score in pairs],
    )


def _line(line: Line, scored: LineScore, readings: CutReadings, attained: Attained) -> ScorecardLine:
    kpi, value, aim = readings.kpis[line.kpi], readings.values[line.kpi], readings.aims.get(line.kpi)
    return ScorecardLine(
        kpi=kpi.key,
        title=kpi.title,
        unit=kpi.unit,
        better=kpi.better,
        version=kpi.version,
        value=value.value,
        screened=value.screened,
        partial=value.partial,
        numerator=value.numerator,
        denominator=value.denominator,
        n=value.n,
        reason=value.reason,
        parts=value.parts,
        trend=trend(value, readings.before[line.kpi], kpi.better),
        target=aim.target if aim else None,
        benchmarks=list(readings.marks.get(line.kpi, ())),
        basis=attained.basis,
        attainment=attained.percent,
        weight=line.weight,
        share=scored.share,
        points=scored.points,
    )


def trend(value: Value, before: Value, better: Direction) -> Trend:
    """A value against the one before it; whatever cannot be told is None."""
    start, end = moment_at(before.start), moment_at(before.end)
    if value.value is None or before.value is None:
        return Trend(start, end, before.value, None, None, None)
    change = value.value - before.value
    percent = _PERCENT * change / abs(before.value) if before.value else None
    is_told = change != 0 and better is not Direction.BAND
    improved = (change > 0) == (better is Direction.UP) if is_told else None
    return Trend(start, end, before.value, change, percent, improved)
