"""Evaluation: from the rollups of a brand and cut to the values of its KPIs.

Compute keeps current values with it, and the API answers `as_of` with it, so that both are
the same number to the last digit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.formula import (
    Facts,
    Levels,
    Markers,
    Moments,
    Reason,
    Undone,
    amounts_of,
)
from bellwether.catalogue.formula.terms import Amounts, unpriced_in
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import Audience
from bellwether.catalogue.plans import Plan, plan_of
from bellwether.domain.business_hours import BusinessHours
from bellwether.domain.clock import LocalClock, date_of
from bellwether.domain.incidents import Interval
from bellwether.domain.timeline import Timeline
from bellwether.domain.totals import Totals
from bellwether.domain.windows import MINUTES_KEPT_S, Span, Window, span_at

__all__ = [
    "TOTAL",
    "Audiences",
    "LevelHistory",
    "Markers",
    "Sources",
    "Undone",
    "Value",
    "Values",
    "current_spans",
    "evaluate",
    "evaluate_window",
    "facts_from",
    "facts_of",
    "filled",
    "idle",
    "is_quiet",
    "plans_of",
    "value_of",
]

TOTAL = ""
"""The cut that holds everything. Another is named `dimension=value`."""

BUSINESS = ".business"
"""What the name of a queue ends with whose waiting times are told in open hours."""


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """A KPI in one window.

    value: in the KPI's unit, None where undefined, with a reason
    start, end: what the window covers, in UTC seconds; partial: the period still runs
    parts: the measures behind it, as they are stored: money and scores in millionths
    screened: the same value without inauthentic activity, of those KPIs that it can change
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
    screened: float | int | None = None


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


class Sources(msgspec.Struct, frozen=True):
    """Everything about one brand and cut from which its KPIs are evaluated.

    waiting: moments of reception, ascending, of what was unanswered at the evaluated moment
    undone: what is counted by cohort but came about later than the evaluated moment
    markers: moments at which something began, by its name, ascending
    crises: when crises were open, by opening, ascending
    hours: the business hours of the brand, None where it is always open
    """

    timeline: Timeline
    audiences: Audiences
    waiting: Mapping[str, Sequence[int]]
    undone: Sequence[Undone] = ()
    markers: Markers = {}
    crises: Sequence[Interval] = ()
    hours: BusinessHours | None = None

    def moments(self) -> Moments:
        """Markers and crises with the sums around them; one is enough for all spans."""
        return Moments(self.timeline, self.markers, self.crises, self.undone)


def current_spans(as_of: int, clock: LocalClock, recorded: int) -> dict[Window, Span]:
    """The span of every window at a moment.

    recorded: the present moment; minutes older than `MINUTES_KEPT_S` before it are gone
    """
    minutes_from = recorded - MINUTES_KEPT_S
    return {window: span_at(window, as_of, clock, minutes_from) for window in Window}


def facts_of(sources: Sources, span: Span, moments: Moments | None = None) -> Facts:
    """All that formulas may read about a span.

    moments: those of the sources, where several spans are evaluated
    """
    moments = moments or sources.moments()
    totals = moments.total(span.start, span.end)
    before = amounts_of(moments.total(span.before_start, span.before_end))
    return facts_from(sources, span, moments, totals, amounts_of(totals), before)


def facts_from(
    sources: Sources, span: Span, moments: Moments, totals: Totals, amounts: Amounts, before: Amounts
) -> Facts:
    """All that formulas may read about a span of which the sums are known."""
    return Facts(
        span,
        totals,
        amounts,
        before,
        {audience: _levels(accounts, span) for audience, accounts in sources.audiences.items()},
        _waiting(sources, span),
        moments,
        unpriced_in(amounts),
        date_of(sources.timeline.clock.day(span.end - 1)),
    )


def _levels(accounts: Mapping[str, LevelHistory], span: Span) -> Levels:
    start = {a: c for a, h in accounts.items() if (c := h.at(span.start)) is not None}
    end = {a: c for a, h in accounts.items() if (c := h.at(span.end)) is not None}
    return Levels(start, end)


def _waiting(sources: Sources, span: Span) -> dict[str, list[int]]:
    """Seconds waited so far by name of the queue, and once more in open hours."""
    found = {}
    for name, moments in sources.waiting.items():
        inside = moments[bisect_left(moments, span.start) : bisect_left(moments, span.end)]
        found[name] = wall = [span.end - moment for moment in reversed(inside)]
        found[name + BUSINESS] = _open_ages(inside, span.end, sources.hours) if sources.hours else wall
    return found


def _open_ages(moments: Sequence[int], end: int, hours: BusinessHours) -> list[int]:
    opened = hours.opened(end)
    return [opened - hours.opened(moment) for moment in reversed(moments)]


def value_of(kpi: Kpi, facts: Facts, *, restated: bool = False) -> Value:
    """One KPI over one span, as it was defined on the last day of the span.

    restated: as it is defined today instead
    """
    held = kpi if restated or not kpi.earlier or facts.last_day is None else kpi.on(facts.last_day)
    return _value(held, held.shown(), facts)


def _value(kpi: Kpi, shown: Sequence[str], facts: Facts) -> Value:
    reading, span, amounts = kpi.formula.read(facts), facts.span, facts.amounts
    return Value(
        reading.value,
        span.start,
        span.end,
        reading.numerator,
        reading.denominator,
        reading.n,
        reading.reason,
        span.partial,
        {measure: amounts.get(measure, 0) for measure in shown},
        kpi.screened.read(facts).value if kpi.screened else None,
    )


def evaluate(
    sources: Sources,
    spans: Mapping[Window, Span],
    kpis: Iterable[Kpi] | None = None,
    *,
    restated: bool = False,
    sparse: bool = False,
) -> Values:
    """The values of KPIs (default: the whole catalogue) in windows, as `value_of`.

    sparse: leave out the windows in which a KPI is idle: nothing of what it is made of happened
        in them. `filled` puts them back.
    """
    plans, moments = plans_of(kpis), sources.moments()
    values: Values = {plan.kpi.key: {} for plan in plans}
    for window, span in spans.items():
        evaluate_window(plans, window, facts_of(sources, span, moments), values, restated=restated, sparse=sparse)
    return values


def plans_of(kpis: Iterable[Kpi] | None) -> list[Plan]:
    """What is known of KPIs (default: the whole catalogue) before they are evaluated."""
    return [plan_of(kpi) for kpi in (CATALOGUE.values() if kpis is None else kpis)]


def evaluate_window(
    plans: Iterable[Plan], window: Window, facts: Facts, values: Values, *, restated: bool = False, sparse: bool = False
) -> None:
    """Put the values of KPIs in one window to the others, as `evaluate` does."""
    there, quiet = _there(facts), is_quiet(facts)
    for kpi, shown, watched, reads in plans:
        if sparse and (quiet or not reads) and watched.isdisjoint(there):
            continue
        is_as_today = restated or not kpi.earlier
        values[kpi.key][window] = _value(kpi, shown, facts) if is_as_today else value_of(kpi, facts)


def is_quiet(facts: Facts) -> bool:
    """Whether formulas that read more than sums find nothing of that."""
    moments = facts.moments
    has_moments = moments is not None and (moments.markers or moments.crises)
    return not (facts.levels or any(facts.waiting.values()) or has_moments)


def _there(facts: Facts) -> set[str]:
    """The measures of which there is anything in a window or in the one before it."""
    return {m for amounts in (facts.amounts, facts.before) for m, amount in amounts.items() if amount}


def filled(values: Values, spans: Mapping[Window, Span], kpis: Iterable[Kpi], clock: LocalClock) -> Values:
    """Values of KPIs in windows, with those that `evaluate` left out since the KPI was idle."""
    return {
        kpi.key: {window: values[kpi.key].get(window) or idle(kpi, span, clock) for window, span in spans.items()}
        for kpi in kpis
    }


def idle(kpi: Kpi, span: Span, clock: LocalClock) -> Value:
    """One KPI over a span in which nothing happened of what it is made of."""
    return value_of(kpi, Facts(span, {}, {}, {}, {}, {}, last_day=date_of(clock.day(span.end - 1))))
