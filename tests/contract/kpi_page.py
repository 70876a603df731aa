"""docs/kpis.md: every KPI with its definition, its formula, the events it needs and a worked example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.formula import AnyFormula, Facts, Levels, Reading
from bellwether.catalogue.kpi import Kpi, Unit
from bellwether.catalogue.measures import MEASURES, Audience
from bellwether.catalogue.scorecards import SCORECARDS
from bellwether_api.definitions import WHOLE
from bellwether_api.shapes import KpiOut
from tests.contract import kpi_example
from tests.contract.markdown import page, table

_SUFFIX: Final = {
    Unit.PERCENT: " %",
    Unit.SECONDS: " s",
    Unit.MONEY: " EUR",
    Unit.POINTS: " points",
    Unit.NET_SENTIMENT: " points of 100",
    Unit.PAGES: " pages",
}
_MOST_EVENTS: Final = 8
_INTRODUCTION: Final = (
    "Each is kept in all windows (1h, 24h, 7d, 28d, 90d, day, week, month, quarter, year), in the total and in every",
    "cut that its events carry: channel, campaign, content_type, owner, influencer. `GET /v1/kpis` gives the same as",
    "JSON, and [operators.md](operators.md) says how operators work. A value without data is null with a reason,",
    "never 0.",
    "",
    "The examples are of one invented brand in April 2026, compared with March; it reports in EUR.",
)


def kpis_page() -> str:
    """Every KPI of the built-in catalogue by key result area, then the measures."""
    facts = kpi_example.facts()
    lines = [*_INTRODUCTION]
    for area in dict.fromkeys(kpi.kra for kpi in WHOLE.items):
        lines += ["", f"## {area}"]
        for kpi in WHOLE.items:
            if kpi.kra == area:
                lines += ["", *_kpi(kpi, facts)]
    return page("KPIs", "`bellwether.catalogue`", [*lines, *_measures()])


def _kpi(kpi: KpiOut, facts: Facts) -> Iterator[str]:
    declared = CATALOGUE[kpi.key]
    yield f"### `{kpi.key}`"
    yield ""
    yield f"**{kpi.title}.** {kpi.meaning}"
    yield ""
    yield f"- formula: `{kpi.formula.expression}`"
    yield f"- in words: {kpi.formula.words}"
    if kpi.screened:
        yield f"- without inauthentic activity: `{kpi.screened.expression}`"
    yield (
        f"- unit {kpi.unit}, better {kpi.better}, {kpi.kind}, {kpi.evidence}, control {kpi.control}; usually read over "
        f"{kpi.home_window}; version {kpi.version} from {kpi.valid_from}"
    )
    yield f"- events: {_events(kpi.events)}"
    if cards := _cards(kpi.key):
        yield f"- on the cards: {cards}"
    for band in kpi.benchmarks:
        yield f"- benchmark on {band.channel}: {band.good:g} good, {band.great:g} great. {band.source}"
    yield f"- example: {_example(declared, facts)}"


def _events(events: list[str]) -> str:
    told = ", ".join(f"`{event}`" for event in events[:_MOST_EVENTS])
    rest = len(events) - _MOST_EVENTS
    return f"{told} and {rest} more" if rest > 0 else told


def _cards(key: str) -> str:
    return "; ".join(
        f"{role} ({', '.join(area.title for area in card.areas if key in [line.kpi for line in area.lines])})"
        for role, card in SCORECARDS.items()
        if key in card.kpis()
    )


# --- examples ---------------------------------------------------------------------------------------------------------
def _example(kpi: Kpi, facts: Facts) -> str:
    reading = kpi.formula.read(facts)
    told = f"{', '.join(_inputs(kpi, facts))} → **{_shown(reading, kpi.unit)}**"
    if kpi.screened:
        told += f", without inauthentic activity {_shown(kpi.screened.read(facts), kpi.unit)}"
    return told


def _inputs(kpi: Kpi, facts: Facts) -> Iterator[str]:
    """What the value is worked out from, as far as it is of the window itself."""
    formula = kpi.formula
    name = type(formula).__name__
    if name in ("Uplift", "Recovered", "DuringCrises", "Regained", "RecoveryTime", "TrendCoverage"):
        yield _around(formula.read(facts), name)
        return
    for audience in _audiences(formula):
        yield _level(audience, facts.levels[audience])
    for measure in _measures_of(formula, facts):
        yield _measure(measure, facts, compared="Growth" in name or "Fall" in name or name == "Blend")
    if waiting := getattr(formula, "waiting", None):
        yield f"{len(facts.waiting[waiting])} still waiting"


def _audiences(formula: AnyFormula) -> tuple[Audience, ...]:
    one: Audience | None = getattr(formula, "audience", None)
    several: tuple[Audience, ...] = getattr(formula, "audiences", ())
    return (one,) if one else several


def _measures_of(formula: AnyFormula, facts: Facts) -> Iterator[str]:
    for measure in formula.measures():
        yield measure
        yield from (key for key in facts.amounts if key.startswith(f"{measure}@"))


def _measure(measure: str, facts: Facts, *, compared: bool) -> str:
    distribution = facts.totals.get(measure)
    if isinstance(distribution, dict):
        return f"{measure} {', '.join(f'{count} × {value:,}' for value, count in distribution.items())}"
    before = f" (before {facts.before[measure]:,})" if compared and measure in facts.before else ""
    return f"{measure} {facts.amounts.get(measure, 0):,}{before}"


def _level(audience: Audience, levels: Levels) -> str:
    return f"{audience} {sum(levels.start.values()):,} at the start and {sum(levels.end.values()):,} at the end"


_AROUND: Final = {
    "Uplift": "{numerator} in the 7 days after and {denominator} in the 7 before {n} marker",
    "Recovered": "{numerator} of {denominator} recovered from",
    "DuringCrises": "{numerator} of {denominator} while a crisis was open",
    "Regained": "{numerator} of {denominator} points regained after {n} crisis",
    "RecoveryTime": "{numerator} of {denominator} crises over and back at the baseline",
    "TrendCoverage": "{numerator} of {denominator} with data in both months",
}


def _around(reading: Reading, name: str) -> str:
    return _AROUND[name].format(
        numerator=_number(reading.numerator), denominator=_number(reading.denominator), n=reading.n
    )


def _shown(reading: Reading, unit: Unit) -> str:
    return f"{_number(reading.value)}{_SUFFIX.get(unit, '')}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{round(value, 2):,}".removesuffix(".0")


# --- measures ---------------------------------------------------------------------------------------------------------
def _measures() -> Iterable[str]:
    rows = (
        (f"`{measure.key}`", measure.title, measure.fold, ", ".join(f"`{event}`" for event in measure.events))
        for measure in MEASURES
    )
    lines = ["", "## Measures", "", "What events are folded into. Measures add up over time, KPIs do not.", ""]
    return [*lines, *table(("measure", "what", "fold", "events"), rows)]
