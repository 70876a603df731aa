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


Readers = Mapping[str, frozenset[str]]
"""The keys of the KPIs that read something, by its name: of a measure, or of what `plans.READS_MORE` names."""


class Evaluation(NamedTuple):
    """The values of KPIs in windows, and what they were made of.

    plain: nothing was taken back, and there were no crises
    """

    spans: Mapping[Window, Span]
    kpis: Collection[Kpi] | None
    plain: bool
    markers: Markers
    readers: Readers
    seen: dict[Window, Seen]
    values: Values


def reevaluate(
    sources: Sources, spans: Mapping[Window, Span], kpis: Collection[Kpi] | None = None, last: Evaluation | None = None
) -> Evaluation:
    """What a sparse `evaluate` gives, with the help of the last evaluation of the same brand and cut.

    That is of no help where the spans or the KPIs are not the very same objects as then, nor around crises and where
    something is taken back.
    """
    touched, plans = sources.timeline.take_touched(), plans_of(kpis)
    markers = {name: tuple(moments) for name, moments in sources.markers.items()}
    plain = not (sources.undone or sources.crises)
    if last is None or last.spans is not spans or last.kpis is not kpis or not (plain and last.plain):
        found = Evaluation(spans, kpis, plain, markers, _readers(plans), {}, {plan.kpi.key: {} for plan in plans})
        _evaluate(sources, plans, found)
        return found
    values = {key: dict(by_window) for key, by_window in last.values.items()}
    found = Evaluation(spans, kpis, plain, markers, last.readers, {}, values)
    _evaluate_again(sources, plans, touched, last, found)
    return found


def _evaluate(sources: Sources, plans: Sequence[Plan], found: Evaluation) -> None:
    moments = sources.moments()
    for window, span in found.spans.items():
        facts = facts_of(sources, span, moments)
        found.seen[window] = _seen(facts)
        evaluate_window(plans, window, facts, found.values, sparse=True)


def _evaluate_again(
    sources: Sources, plans: Sequence[Plan], touched: Touched, last: Evaluation, found: Evaluation
) -> None:
    moments = sources.moments()
    for window, span in found.spans.items():
        then = last.seen[window]
        facts = _facts(sources, span, moments, touched, then)
        here = found.seen[window] = _seen(facts)
        # What is read around markers is over at the start of an hour, at the end of the window or before.
        around = touched.since < moments.clock.hour(span.end) or found.markers != last.markers
        names = _moved(touched.measures, then, here) | _differing(then, here, around=around)
        stale = {key for name in names for key in found.readers.get(name, ())}
        fresh: Values = {key: {} for key in stale}
        evaluate_window((plan for plan in plans if plan.kpi.key in stale), window, facts, fresh, sparse=True)
        _put(fresh, window, found)


def _facts(sources: Sources, span: Span, moments: Moments, touched: Touched, then: Seen) -> Facts:
    """All that formulas may read about a span: what was not added to is what it was."""
    totals = moments.total(span.start, span.end, touched.measures)
    histograms = {**then.histograms, **{key: total for key, total in totals.items() if isinstance(total, dict)}}
    before = then.before
    if touched.since < span.before_end:
        before = {**before, **amounts_of(moments.total(span.before_start, span.before_end, touched.measures))}
    return facts_from(sources, span, moments, {**histograms}, {**then.amounts, **amounts_of(totals)}, before)


def _readers(plans: Sequence[Plan]) -> Readers:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for plan in plans:
        for name in plan.watched | plan.reads:
            found[name].add(plan.kpi.key)
    return {name: frozenset(keys) for name, keys in found.items()}


def _seen(facts: Facts) -> Seen:
    histograms = {key: total for key, total in facts.totals.items() if isinstance(total, dict)}
    return Seen(facts.amounts, facts.before, histograms, facts.levels, facts.waiting, is_quiet(facts))


def _put(fresh: Values, window: Window, found: Evaluation) -> None:
    """Put values in place of what stands in a window; windows stay in the order of the spans."""
    for key, by_window in fresh.items():
        values = found.values[key]
        if (value := by_window.get(window)) is None:
            values.pop(window, None)
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
