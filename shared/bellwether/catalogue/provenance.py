"""Which events a KPI is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bellwether.catalogue.formula import (
    Blend,
    DuringCrises,
    Formula,
    Latest,
    LevelGrowth,
    NetChange,
    PerLevel,
    Recovered,
    RecoveryTime,
    Regained,
    Retention,
    TrendCoverage,
    Uplift,
)
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import Measure, event_types, measure_of

MARKED_BY: dict[str, tuple[str, ...]] = {
    "collaboration_started": (event_types.COLLABORATION,),
    "campaign_started": (event_types.PUBLISHED,),
    "training": (event_types.ACTIVITY,),
    "partner_event": (event_types.ACTIVITY,),
    "platform_change": (event_types.ACTIVITY,),
}
"""The events that set a marker, by its name."""

_OVER_LEVELS = (Latest, NetChange, LevelGrowth, PerLevel, Retention, TrendCoverage)
_OVER_CRISES = (DuringCrises, Regained, RecoveryTime)


def events_behind(kpi: Kpi) -> tuple[str, ...]:
    """The types of the events that move a KPI, each once, the most telling first."""
    own = {measure.key: measure for measure in kpi.own}
    return tuple(dict.fromkeys(_events(kpi.formula, own)))


def _events(formula: Formula, own: Mapping[str, Measure]) -> Iterator[str]:
    if isinstance(formula, Blend):
        for part in formula.parts:
            yield from _events(part, own)
        return
    groups = formula.groups if isinstance(formula, TrendCoverage) else (formula.measures(),)
    for measure in (name for group in groups for name in group):
        if found := own.get(measure) or measure_of(measure):
            yield from found.events
    if isinstance(formula, Uplift | Recovered):
        yield from MARKED_BY[formula.marker]
    if isinstance(formula, _OVER_LEVELS):
        yield event_types.SNAPSHOT
    if isinstance(formula, _OVER_CRISES):
        yield event_types.CRISIS
