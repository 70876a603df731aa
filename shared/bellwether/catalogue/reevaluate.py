"""Evaluation while windows stand still: what has not moved since the last time is not evaluated again.

Windows end at whole minutes, and much happens in one. A value is a function of what its formulas read, and most events
move little of that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from bellwether.catalogue.evaluate import (
    Sources,
    Values,
    evaluate_window,
    facts_from,
    facts_of,
    is_quiet,
    plans_of,
)
from bellwether.catalogue.formula import Amounts, Facts, Levels, Markers, Moments, amounts_of
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import Audience
from bellwether.catalogue.plans import EVERYTHING_ELSE, Plan
from bellwether.domain.timeline import Touched
from bellwether.domain.totals import Histogram
from bellwether.domain.windows import Span, Window


class Seen(NamedTuple):
    """What formulas have read in a window."""

    amounts: Amounts
    before: Amounts
    histograms: Mapping[str, Histogram]
    levels: Mapping[Audience, Levels]
    waiting: Mapping[str, Sequence[int]]
    quiet: bool


class _Plans(NamedTuple):
    """What is known of KPIs before they are evaluated.

    plans: by the key of the KPI
    readers: the keys of the KPIs that read something, by its name: of a measure, or of what `plans.READS_MORE` names
    """

    kpis: Collection[Kpi] | None
    plans: Mapping[str, Plan]
    readers: Mapping[str, frozenset[str]]


_PLANNED: dict[int, _Plans] = {}
"""By the identity of the KPIs, by which evaluations compare them, too."""
_MOST_PLANNED = 256


class Evaluation(NamedTuple):
    """The values of KPIs in windows, and what they were made of.

    plain: nothing was taken back, and there were no crises
    values: nothing in them is ever changed; of a KPI that was taken over they are the very same object as then
    """

    spans: Mapping[Window, Span]
    kpis: Collection[Kpi] | None
    plain: bool
    markers: Markers
    seen: dict[Window, Seen]
    values: Values


def reevaluate(
    sources: Sources, spans: Mapping[Window, Span], kpis: Collection[Kpi] | None = None, last: Evaluation | None = None
) -> Evaluation:
    """What a sparse `evaluate` gives, with the help of the last evaluation of the same brand and cut.

    That is of no help where the spans or the KPIs are not the very same objects as then, nor around crises and where
    something is taken back.
    """
    touched, planned = sources.timeline.take_touched(), _planned(kpis)
    markers = {name: tuple(moments) for name, moments in sources.markers.items()}
    plain = not (sources.undone or sources.crises)
    if last is None or last.spans is not spans or last.kpis is not kpis or not (plain and last.plain):
        found = Evaluation(spans, kpis, plain, markers, {}, {key: {} for key in planned.plans})
        _evaluate(sources, planned.plans.values(), found)
        return found
    found = Evaluation(spans, kpis, plain, markers, {}, {**last.values})
    _evaluate_again(sources, planned, touched, last, found)
    return found


def _planned(kpis: Collection[Kpi] | None) -> _Plans:
    """Made once for the same object, which stands for the same KPIs as long as it lives."""
    found = _PLANNED.get(id(kpis))
    if found is None or found.kpis is not kpis:
        if len(_PLANNED) >= _MOST_PLANNED:  # definitions of tenants come and go
            _PLANNED.clear()
        plans = plans_of(kpis)
        found = _PLANNED[id(kpis)] = _Plans(kpis, {plan.kpi.key: plan for plan in plans}, _readers(plans))
    return found


def _evaluate(sources: Sources, plans: Collection[Plan], found: Evaluation) -> None:
    moments = sources.moments()
    for window, span in found.spans.items():
        facts = facts_of(sources, span, moments)
        found.seen[window] = _seen(facts)
        evaluate_window(plans, window, facts, found.values, sparse=True)


def _evaluate_again(sources: Sources, planned: _Plans, touched: Touched, last: Evaluation, found: Evaluation) -> None:
    moments = sources.moments()
    for window, span in found.spans.items():
        then = last.seen[window]
        facts = _facts(sources, span, moments, touched, then)
        here = found.seen[window] = _seen(facts)
        # What is read around markers is over at the start of an hour, at the end of the window or before.
        around = touched.since < moments.clock.hour(span.end) or found.markers != last.markers
        names = _moved(touched.measures, then, here) | _differing(then, here, around=around)
        stale = {key for name in names for key in planned.readers.get(name, ())}
        fresh: Values = {key: {} for key in stale}
        evaluate_window((planned.plans[key] for key in stale), window, facts, fresh, sparse=True)
        _put(fresh, window, last, found)


def _facts(sources: Sources, span: Span, moments: Moments, touched: Touched, then: Seen) -> Facts:
    """All that formulas may read about a span: what was not added to is what it was."""
    totals = moments.total(span.start, span.end, touched.measures)
    histograms = {**then.histograms, **{key: total for key, total in totals.items() if isinstance(total, dict)}}
    before = then.before
    if touched.since < span.before_end:
        before = {**before, **amounts_of(moments.total(span.before_start, span.before_end, touched.measures))}
    return facts_from(sources, span, moments, {**histograms}, {**then.amounts, **amounts_of(totals)}, before)


def _readers(plans: Iterable[Plan]) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for plan in plans:
        for name in plan.watched | plan.reads:
            found[name].add(plan.kpi.key)
    return {name: frozenset(keys) for name, keys in found.items()}


def _seen(facts: Facts) -> Seen:
    histograms = {key: total for key, total in facts.totals.items() if isinstance(total, dict)}
    return Seen(facts.amounts, facts.before, histograms, facts.levels, facts.waiting, is_quiet(facts))


def _put(fresh: Values, window: Window, last: Evaluation, found: Evaluation) -> None:
    """Put values in place of what stands in a window; windows stay in the order of the spans."""
    for key, by_window in fresh.items():
        values, value = found.values[key], by_window.get(window)
        if value is None and window not in values:
            continue
        if values is last.values[key]:
            values = found.values[key] = {**values}
        if value is None:
            del values[window]
        elif window in values:
            values[window] = value
        else:
            values[window] = value
            found.values[key] = {each: values[each] for each in found.spans if each in values}


def _moved(touched: Iterable[str], then: Seen, now: Seen) -> set[str]:
    """The measures of which there is more or less than the last time."""
    moved = {
        key
        for key in touched
        if now.amounts.get(key) != then.amounts.get(key)
        or now.before.get(key) != then.before.get(key)
        or now.histograms.get(key) != then.histograms.get(key)
    }
    # What is counted apart by the values of a field is read as part of its measure.
    return moved | {key.partition("@")[0] for key in moved}


def _differing(then: Seen, now: Seen, *, around: bool) -> Set[str]:
    """What else formulas read that is not the same as the last time, by the names in `plans.READS_MORE`."""
    if then.quiet != now.quiet:
        return EVERYTHING_ELSE
    differing = {"levels": then.levels != now.levels, "waiting": then.waiting != now.waiting, "moments": around}
    return {name for name, differs in differing.items() if differs}
