"""What is left out of the kept values is what can be put back: nothing of it was there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.evaluate import LevelHistory, current_spans, evaluate, filled, idle
from bellwether.catalogue.measures import BY_KEY, Fold
from bellwether.domain.incidents import Interval
from bellwether.domain.windows import Window
from tests.unit.catalogue.test_evaluate import CLOCK, NOON, sources

DAY_S = 86_400
SPANS = current_spans(NOON, CLOCK, NOON)
INTEGERS = sorted(key for key, measure in BY_KEY.items() if measure.fold in (Fold.COUNT, Fold.SUM, Fold.JOIN))
MORE = [
    {},
    {"audiences": {"followers": {"a": LevelHistory([NOON - 3 * DAY_S, NOON - 60], [5, 7])}}},
    {"waiting": {"messages": [NOON - 600], "queries": []}},
    {"markers": {"training": [NOON - 8 * DAY_S]}},
    {"crises": [Interval(NOON - 3 * DAY_S, NOON - 2 * DAY_S)]},
]


@pytest.mark.parametrize("measure", INTEGERS)
def test_one_measure_alone_leaves_nothing_out_that_cannot_be_put_back(measure: str) -> None:
    found = sources({NOON - 60: {measure: 3}})
    put_back = filled(evaluate(found, SPANS, sparse=True), SPANS, CATALOGUE.values(), CLOCK)
    assert put_back == evaluate(found, SPANS)


@given(
    st.dictionaries(st.integers(1, 60 * 24 * 14).map(lambda m: NOON - 60 * m), st.sampled_from(INTEGERS), max_size=4),
    st.sampled_from(MORE),
)
@example({NOON - 60: "conversion_value", NOON - DAY_S - 60: "cost"}, {})  # a trend in sums that no KPI shows
def test_whatever_there_is_nothing_is_left_out_that_cannot_be_put_back(
    happened: dict[int, str], more: dict[str, Any]
) -> None:
    found = sources({moment: {measure: 2} for moment, measure in happened.items()}, **more)
    put_back = filled(evaluate(found, SPANS, sparse=True), SPANS, CATALOGUE.values(), CLOCK)
    assert put_back == evaluate(found, SPANS)


def test_where_nothing_happened_nothing_is_kept() -> None:
    assert not any(evaluate(sources(), SPANS, sparse=True).values())
    assert idle(CATALOGUE["brand_mentions"], SPANS[Window.DAY], CLOCK).value == 0
