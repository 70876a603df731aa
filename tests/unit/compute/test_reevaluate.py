"""What is taken over from the last evaluation of a minute is what a whole evaluation finds, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.evaluate import Undone, Values, evaluate
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.plans import plan_of
from bellwether.catalogue.reevaluate import Evaluation, reevaluate
from bellwether.domain.clock import DAY_S, HOUR_S, MINUTE_S
from bellwether_compute.refresh import sources_of, spans_now
from tests.contract import kpi_example
from tests.unit.compute import affair_events, brand_events
from tests.unit.compute.folding import NOW, Folding, envelope

BATCHES = st.lists(
    st.tuples(
        st.lists(st.one_of(brand_events.ANY, affair_events.AFFAIRS), max_size=5),
        st.sampled_from([0, 0, 0, 1, MINUTE_S]),
    ),
    min_size=2,
    max_size=5,
)


class _Watched:
    """A brand whose cuts are evaluated batch by batch, with what was found the last time and without."""

    def __init__(self) -> None:
        self.folding = Folding("Asia/Kolkata")
        self.last: dict[str, Evaluation] = {}
        self.batches = 0

    def tell(self, events: list[dict[str, Any]], now: float = NOW) -> None:
        self.batches += 1
        named = [{**event, "id": f"{self.batches}-{number}"} for number, event in enumerate(events)]
        self.folding.apply(named, recorded=now)

    def again(self, cut: str, now: int = NOW) -> Values:
        brand = self.folding.brand
        found = reevaluate(sources_of(brand, cut), spans_now(brand, now), None, self.last.get(cut))
        self.last[cut] = found
        return found.values

    def whole(self, cut: str, now: int = NOW) -> Values:
        brand = self.folding.brand
        return evaluate(sources_of(brand, cut), spans_now(brand, now), sparse=True)


@given(BATCHES)
def test_a_value_that_is_taken_over_is_the_one_that_would_be_found(
    batches: list[tuple[list[dict[str, Any]], int]],
) -> None:
    watched, now = _Watched(), NOW
    for events, pause_s in batches:
        now += pause_s
        watched.tell(events, now)
        for cut in ["", *watched.folding.brand.timelines]:
            again, whole = watched.again(cut, now), watched.whole(cut, now)
            assert again == whole
            assert [[*windows] for windows in again.values()] == [[*windows] for windows in whole.values()]


def test_what_is_told_late_counts_around_a_marker_though_it_is_in_none_of_the_windows_that_tell_of_it() -> None:
    watched = _Watched()
    begun = envelope("activity.recorded.v1", "", NOW - 7 * DAY_S - HOUR_S, activity="partner_event", title="Open day")
    liked = [envelope("social.interaction.v1", "", NOW - days * DAY_S, kind="reaction") for days in (8, 6, 5)]
    watched.tell([begun, *liked[:2]])
    assert watched.again("") == watched.whole("")
    watched.tell(liked[2:])
    assert watched.again("") == watched.whole("")


def test_what_was_taken_back_and_is_not_any_more_counts_again_within_the_minute() -> None:
    watched = _Watched()
    watched.tell([envelope("social.mention.v1", "", NOW - 600, of="aurora", sentiment=1.0) for _ in range(3)])
    spans, plain = spans_now(watched.folding.brand, NOW), sources_of(watched.folding.brand, "")
    less = msgspec.structs.replace(plain, undone=[Undone(NOW - 600, {"mentions": -1})])
    first = reevaluate(plain, spans)
    taken_back = reevaluate(less, spans, None, first)
    assert taken_back.values == evaluate(less, spans, sparse=True) != first.values
    assert reevaluate(plain, spans, None, taken_back).values == first.values


@pytest.mark.parametrize("kpi", CATALOGUE.values(), ids=lambda kpi: kpi.key)
def test_a_plan_names_all_that_the_formulas_of_a_kpi_read(kpi: Kpi) -> None:
    plan = plan_of(kpi)
    nothing: dict[str, Any] = {"levels": {}, "waiting": {}, "moments": None}
    assert {name for name, empty in nothing.items() if _is_read(kpi, {name: empty})} <= plan.reads
    moved = {measure for measure in FACTS.totals if any(_is_read(kpi, fields) for fields in _moves(measure))}
    assert {measure.partition("@")[0] for measure in moved} <= plan.watched


FACTS = kpi_example.facts()


def _is_read(kpi: Kpi, fields: dict[str, Any]) -> bool:
    """Whether other fields of the facts give other readings."""
    formulas = [f for version in kpi.versions() for f in (version.formula, version.screened) if f is not None]
    other = msgspec.structs.replace(FACTS, **fields)
    return any(formula.read(other) != formula.read(FACTS) for formula in formulas)


def _moves(measure: str) -> Iterator[dict[str, Any]]:
    """The fields of facts in which there is more of a measure, or of which nothing has a price."""
    amount = 2 * FACTS.amounts[measure] + 1
    yield {"amounts": {**FACTS.amounts, measure: amount}}
    yield {"before": {**FACTS.before, measure: amount}}
    yield {"totals": {**FACTS.totals, measure: {10**6: amount}}}
    yield {"unpriced": frozenset({measure})}
