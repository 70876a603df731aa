"""What is taken over from the last evaluation of a minute is what a whole evaluation finds, to the last digit."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bellwether.catalogue.evaluate import Values, evaluate
from bellwether.catalogue.reevaluate import Evaluation, reevaluate
from bellwether.domain.clock import MINUTE_S
from bellwether_compute.refresh import sources_of, spans_now
from tests.unit.compute import affair_events, brand_events
from tests.unit.compute.folding import NOW, Folding

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
