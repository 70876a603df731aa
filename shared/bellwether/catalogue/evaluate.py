"""Evaluation: from the rollups of a brand and cut to the values of its KPIs.

Compute keeps current values with it, and the API answers `as_of` with it, so that both are
the same number to the last digit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.formula import Facts, Levels, Reason, amounts_of
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import Audience
from bellwether.domain.clock import LocalClock
from bellwether.domain.timeline import Timeline
from bellwether.domain.totals import Totals, add_totals
from bellwether.domain.windows import MINUTES_KEPT_S, Span, Window, span_at

TOTAL = ""
"""The cut that holds everything. Another is named `dimension=value`."""


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """A KPI in one window.

    value: in the KPI's unit, None where undefined, with a reason
    start, end: what the window covers, in UTC seconds; partial: the period still runs
    parts: the measures behind it
    """

    value: float | int | None
    start: int
    end: int
    numerator: float | int | None = None
    denominator: float | int | None = None
    n: int = 0
    reason: Reason | None = None
    partial: bool = False
    parts: dict[str, int] = {}


Values = dict[str, dict[Window, Value]]
"""Value by KPI key and window."""


class LevelHistory(msgspec.Struct):
    """The snapshots of one account's audience, by moment of observation, ascending."""

    moments: list[int]
    counts: list[int]

    def put(self, moment: int, count: int) -> None:
        """Take a snapshot; of two at one moment the larger stands, whichever comes first."""
        at = bisect_left(self.moments, moment)
        if at < len(self.moments) and self.moments[at] == moment:
            self.counts[at] = max(self.counts[at], count)
        else:
            self.moments.insert(at, moment)
            self.counts.insert(at, count)

    def at(self, moment: int) -> int | None:
        """The last count observed before a moment; None before the first."""
        found = bisect_left(self.moments, moment)
        return self.counts[found - 1] if found else None

    def next_after(self, moment: int) -> int | None:
        """The moment of the next snapshot after this one."""
        found = bisect_right(self.moments, moment)
        return self.moments[found] if found < len(self.moments) else None


Audiences = Mapping[Audience, Mapping[str, LevelHistory]]
"""Snapshots by audience and account."""


class Undone(msgspec.Struct, frozen=True):
    """What came about at or after the end of a past span and must not count in it.

    cohort: the moment of the message or publication it is counted under, UTC seconds
    totals: what to take back there
    """

    cohort: int
    totals: Totals


class Sources(msgspec.Struct, frozen=True):
    """Everything about one brand and cut from which its KPIs are evaluated.

    waiting: moments of reception, ascending, of what was unanswered at the evaluated moment
    undone: what is counted by cohort but came about later than the evaluated moment
    """

    timeline: Timeline
    audiences: Audiences
    waiting: Mapping[str, Sequence[int]]
    undone: Sequence[Undone] = ()


def current_spans(as_of: int, clock: LocalClock, recorded: int) -> dict[Window, Span]:
    """The span of every window at a moment.

    recorded: the present moment; minutes older than `MINUTES_KEPT_S` before it are gone
    """
    minutes_from = recorded - MINUTES_KEPT_S
    return {window: span_at(window, as_of, clock, minutes_from) for window in Window}


def facts_of(sources: Sources, span: Span) -> Facts:
    """All that formulas may read about a span."""
    totals = sources.timeline.total(span.start, span.end)
    for undone in sources.undone:
        if span.start <= undone.cohort < span.end:
            add_totals(totals, undone.totals)
    levels = {audience: _levels(accounts, span) for audience, accounts in sources.audiences.items()}
    waiting = {name: _ages(moments, span) for name, moments in sources.waiting.items()}
    before = sources.timeline.total(span.before_start, span.before_end)
    return Facts(span, totals, amounts_of(totals), amounts_of(before), levels, waiting)


def _levels(accounts: Mapping[str, LevelHistory], span: Span) -> Levels:
    start = {a: c for a, h in accounts.items() if (c := h.at(span.start)) is not None}
    end = {a: c for a, h in accounts.items() if (c := h.at(span.end)) is not None}
    return Levels(start, end)


def _ages(moments: Sequence[int], span: Span) -> list[int]:
    inside = moments[bisect_left(moments, span.start) : bisect_left(moments, span.end)]
    return [span.end - moment for moment in reversed(inside)]


def value_of(kpi: Kpi, facts: Facts) -> Value:
    """One KPI over one span."""
    return _value(kpi, kpi.shown(), facts)


def _value(kpi: Kpi, shown: Sequence[str], facts: Facts) -> Value:
    reading, span = kpi.formula.read(facts), facts.span
    return Value(
        reading.value,
        span.start,
        span.end,
        reading.numerator,
        reading.denominator,
        reading.n,
        reading.reason,
        span.partial,
        {measure: facts.amounts.get(measure, 0) for measure in shown},
    )


def evaluate(sources: Sources, spans: Mapping[Window, Span], kpis: Iterable[Kpi] | None = None) -> Values:
    """The values of KPIs (default: the whole catalogue) in windows."""
    chosen = [(kpi, kpi.shown()) for kpi in (CATALOGUE.values() if kpis is None else kpis)]
    values: Values = {kpi.key: {} for kpi, _ in chosen}
    for window, span in spans.items():
        facts = facts_of(sources, span)
        for kpi, shown in chosen:
            values[kpi.key][window] = _value(kpi, shown, facts)
    return values
