"""What an evaluation reads beyond its windows: around markers and crises, and not one rollup more than is said."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bellwether.catalogue.evaluate import Sources, current_spans, evaluate
from bellwether.catalogue.formula import Blend, Markers, Recovered, Uplift, total
from bellwether.catalogue.kpi import Kpi, Unit
from bellwether.catalogue.reach import Need, chunks_around, earliest_read, needs_of
from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock
from bellwether.domain.incidents import Interval, in_order
from bellwether.domain.timeline import Segment, Timeline, chunks_in, chunks_of
from bellwether.domain.totals import Totals
from bellwether.domain.windows import Window

NOW = 20_532 * DAY_S + 12 * HOUR_S + 1380
MIDNIGHT = NOW - NOW % DAY_S
AGO = st.integers(0, 120 * DAY_S).map(lambda ago: NOW - ago)
MARKERS = st.dictionaries(
    st.sampled_from(sorted({need.marker for need in needs_of()})), st.lists(AGO, min_size=1, max_size=3).map(sorted)
)
CRISES = st.lists(
    st.builds(
        lambda opened, lasts: Interval(opened, None if lasts is None or opened + lasts > NOW else opened + lasts),
        AGO,
        st.none() | st.integers(0, 40 * DAY_S),
    ),
    max_size=2,
).map(in_order)


def kpi(key: str, formula: Uplift | Recovered | Blend, **more: object) -> Kpi:
    return Kpi(key=key, title="T", meaning="M.", formula=formula, unit=Unit.PERCENT, kra="K", **more)  # type: ignore[arg-type]


class Watched(Timeline):
    """A timeline that knows from when on it was read, and refuses to read what is not loaded.

    Around markers and crises it tells of something, so that formulas read on.
    """

    first = NOW

    def total(self, start: int, end: int, measures: Collection[str] | None = None) -> Totals:
        self.first = min(self.first, start)
        return super().total(start, end)

    def total_of(self, measures: Collection[str], start: int, end: int) -> Totals:
        self.first = min(self.first, start)
        assert not super().total_of(measures, start, end)
        return {measure: (7 * len(measure) + start // HOUR_S) % 5 for measure in measures}

    def _within(self, segment: Segment) -> Iterator[dict[int, Totals]]:
        assert self.loaded.issuperset(chunks_of(segment, self.clock))
        return super()._within(segment)


def test_what_a_kpi_reads_around_markers_is_found_in_blends_screens_and_older_versions() -> None:
    uplift, recovered = Uplift(total("a"), None, "training", days=3), Recovered(total("a"), "platform_change")
    older = kpi("x", Uplift(total("a"), None, "old"))
    found = needs_of(
        [kpi("x", Blend((uplift, recovered)), screened=Uplift(total("b"), None, "screen"), earlier=(older,))]
    )
    assert found == {
        Need("training", 3, daily=False),
        Need("platform_change", 7, daily=True),
        Need("screen", 7, daily=False),
        Need("old", 7, daily=False),
    }


def test_without_markers_and_crises_nothing_but_the_windows_is_read() -> None:
    clock = LocalClock("UTC")
    spans = current_spans(NOW, clock, NOW).values()
    assert chunks_around(spans, {}, (), clock) == frozenset()
    assert earliest_read(spans, {}, (), clock) == min(span.before_start for span in spans)


def test_of_markers_that_no_formula_asks_for_nothing_is_read() -> None:
    clock = LocalClock("UTC")
    spans = current_spans(NOW, clock, NOW).values()
    assert chunks_around(spans, {"unknown": [NOW - 30 * DAY_S]}, (), clock) == frozenset()


def _looking_at(days: int) -> list[tuple[str, Uplift | Recovered | Blend]]:
    """Formulas of a tenant's own: other days, and other markers than the built-in ones."""
    grown, back = Uplift(total("a"), None, "training", days=days), Recovered(total("a"), "partner_event", days)
    return [("grown", grown), ("back", Blend((back,)))]


@settings(max_examples=80)
@given(
    MARKERS,
    CRISES,
    st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe"]),
    st.sampled_from([NOW, NOW + 720, MIDNIGHT]),
    st.sets(st.sampled_from(Window), min_size=1, max_size=3),
    st.none() | st.integers(1, 31),
)
@example({}, [Interval(NOW - 6 * DAY_S, NOW - DAY_S - 3000)], "UTC", NOW, {Window.HOUR}, None)
@example({}, [Interval(MIDNIGHT - 3 * DAY_S, MIDNIGHT - 2 * DAY_S - 60)], "UTC", NOW, {Window.DAYS_7}, None)
def test_the_chunks_that_are_named_are_all_that_an_evaluation_reads(
    markers: Markers, crises: list[Interval], zone: str, now: int, windows: set[Window], days: int | None
) -> None:
    own = None if days is None else [kpi(name, over) for name, over in _looking_at(days)]
    clock = LocalClock(zone)
    spans = {window: span for window, span in current_spans(now, clock, now).items() if window in windows}
    watched = Watched(clock)
    watched.loaded |= chunks_in(spans.values(), clock) | chunks_around(spans.values(), markers, crises, clock, own)
    evaluate(Sources(watched, {}, {}, (), markers, crises), spans, own)
    first = earliest_read(spans.values(), markers, crises, clock, own)
    assert watched.first == first or (own and watched.first > first)  # these look at no crisis
