"""What is refreshed when: what moved, the stalest first, and what only time has changed, never too late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.catalogue.evaluate import Sources, Values, current_spans, evaluate
from bellwether.domain.clock import DAY_S, HOUR_S, ceil_minute
from bellwether.domain.timeline import Grain, chunk_of
from bellwether.domain.windows import ROLLING_S, Window
from bellwether_compute.refresh import Due, Refresher, as_of_now, chunks_now, refresh, slides_next
from tests.unit.compute.folding import NOW, Folding, brand_state, envelope

AURORA, BOREALIS, CASTOR = (brand_state() for _ in range(3))


def cuts(due: list[Due]) -> list[str]:
    return [each.cut for each in due]


def test_what_moved_is_due_the_stalest_first() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, "a"): 3_000, (BOREALIS, "b"): 1_000, (CASTOR, "c"): 2_000})
    assert refresher.due(10.0, 2) == [Due(BOREALIS, "b", 1_000), Due(CASTOR, "c", 2_000)]
    assert cuts(refresher.due(10.0, 9)) == ["b", "c", "a"]
    assert refresher.stalest_s(10.0) == 9.0


def test_what_moved_twice_is_as_stale_as_the_first_time() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, "a"): 3_000})
    refresher.note({(AURORA, "a"): 5_000})
    refresher.note({(AURORA, "a"): 2_000})
    assert refresher.due(10.0, 9) == [Due(AURORA, "a", 2_000)]


def test_a_brand_is_refreshed_at_most_once_a_second() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, "a"): 1_000})
    refresher.done(refresher.due(10.0, 9), 10.0)
    refresher.note({(AURORA, "a"): 10_100, (AURORA, "other"): 10_200, (BOREALIS, "b"): 10_300})
    assert cuts(refresher.due(10.5, 9)) == ["b"]
    assert cuts(refresher.due(10.999, 9)) == ["b"]
    assert cuts(refresher.due(11.0, 9)) == ["a", "other", "b"]


def test_what_is_done_is_no_longer_due() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, "a"): 1_000, (BOREALIS, "b"): 2_000})
    refresher.done(refresher.due(10.0, 1), 10.0)
    assert cuts(refresher.due(20.0, 9)) == ["b"]
    assert refresher.stalest_s(10.0) == 8.0
    refresher.done(refresher.due(20.0, 9), 20.0)
    assert refresher.due(30.0, 9) == []
    assert refresher.stalest_s(30.0) == 0.0


def test_what_slides_is_due_at_its_moment_and_once() -> None:
    refresher = Refresher()
    refresher.slide_at(AURORA, "a", 100.0)
    assert refresher.due(99.9, 9) == []
    assert refresher.due(100.0, 9) == [Due(AURORA, "a", None)]
    assert refresher.due(200.0, 9) == []


def test_only_the_last_moment_set_for_a_slide_stands() -> None:
    refresher = Refresher()
    refresher.slide_at(AURORA, "a", 100.0)
    refresher.slide_at(AURORA, "a", 300.0)
    assert refresher.due(200.0, 9) == []
    assert cuts(refresher.due(300.0, 9)) == ["a"]


def test_a_slide_that_is_set_to_the_same_moment_again_is_due_once() -> None:
    refresher = Refresher()
    for _ in range(3):
        refresher.slide_at(AURORA, "a", 100.0)
    assert cuts(refresher.due(100.0, 9)) == ["a"]
    refresher.slide_at(AURORA, "a", 100.0)
    assert cuts(refresher.due(100.0, 9)) == ["a"]
    assert refresher.due(100.0, 9) == []


@given(
    st.lists(st.tuples(st.sampled_from(["note", "slide", "due", "done"]), st.sampled_from("abc"), st.integers(0, 3)))
)
def test_nothing_is_ever_due_twice_at_once_and_all_that_moved_is_due_in_the_end(
    steps: list[tuple[str, str, int]],
) -> None:
    refresher, now, moved = Refresher(), 100.0, set[str]()
    for step, cut, number in steps:
        now += number / 2
        if step == "note":
            refresher.note({(AURORA, cut): int(now * 1000)})
            moved.add(cut)
        elif step == "slide":
            refresher.slide_at(AURORA, cut, 100.0 + number)
        else:
            due = refresher.due(now, number)
            assert len({each.cut for each in due}) == len(due) <= number
            if step == "done":
                refresher.done(due, now)
                moved -= {each.cut for each in due}
    last = cuts(refresher.due(now + 10, 99))
    assert len(set(last)) == len(last)
    assert moved <= set(last)


def test_what_moved_goes_before_what_slides() -> None:
    refresher = Refresher()
    refresher.slide_at(AURORA, "slides", 5.0)
    refresher.note({(BOREALIS, "moved"): 9_900})
    assert cuts(refresher.due(10.0, 1)) == ["moved"]
    assert cuts(refresher.due(10.0, 9)) == ["moved", "slides"]


def test_a_slide_that_found_no_room_stays_due() -> None:
    refresher = Refresher()
    for number in range(4):
        refresher.slide_at(AURORA, f"cut{number}", 5.0)
    assert cuts(refresher.due(10.0, 3)) == ["cut0", "cut1", "cut2"]
    assert cuts(refresher.due(10.0, 3)) == ["cut3"]


def test_brands_that_are_no_longer_ours_are_forgotten() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, "a"): 1_000, (BOREALIS, "b"): 1_000})
    refresher.slide_at(AURORA, "s", 5.0)
    refresher.forget([AURORA])
    assert cuts(refresher.due(10.0, 9)) == ["b"]


def shown(folding: Folding, cut: str, as_of: int) -> dict[str, dict[Window, Any]]:
    """All values at a moment, without the edges of their windows: those move with every minute."""
    brand = folding.brand
    sources = Sources(brand.timeline(cut), brand.audiences(cut), brand.waiting(cut))
    values = evaluate(sources, current_spans(as_of, brand.clock, as_of))
    return {
        kpi: {window: msgspec.structs.replace(value, start=0, end=0) for window, value in by_window.items()}
        for kpi, by_window in values.items()
    }


def read(row_body: bytes) -> Values:
    return msgspec.json.decode(row_body, type=Values)


def mention(moment: float) -> dict[str, Any]:
    return envelope("social.mention.v1", f"mention {moment}", moment, of="aurora", sentiment=1.0)


def test_values_change_when_time_passes_without_an_event() -> None:
    folding = Folding()
    folding.apply([mention(NOW - 600)])
    brand, counts = folding.brand, []
    for later in (0, HOUR_S - 630, HOUR_S - 629, HOUR_S):
        row = refresh(brand, "", NOW + later)
        assert row.as_of == NOW + later
        counts.append(read(row.body)["brand_mentions"][Window.HOUR].value)
    assert counts == [1, 1, 0, 0]
    growth = read(refresh(brand, "", NOW + HOUR_S).body)["brand_mention_growth"]
    assert (growth[Window.HOUR].value, growth[Window.DAY_24H].reason) == (-100.0, "nothing_before")


def test_a_new_local_day_begins_without_an_event() -> None:
    folding = Folding("Asia/Kolkata")
    folding.apply([mention(NOW - 600)])
    midnight = folding.brand.clock.day_start(folding.brand.clock.day(NOW) + 1)
    ended, began = (read(refresh(folding.brand, "", midnight + s).body)["brand_mentions"] for s in (0, 1))
    assert (ended[Window.DAY].value, ended[Window.DAY].partial) == (1, False)
    assert (began[Window.DAY].value, began[Window.DAY].partial) == (0, True)
    assert ended[Window.MONTH].value == began[Window.MONTH].value == 1


def test_the_row_says_up_to_which_moment_it_holds_and_how_fresh_it_is() -> None:
    folding = Folding()
    folding.apply([mention(NOW - 600)], recorded=NOW - 3)
    row = refresh(folding.brand, "channel=instagram", NOW)
    assert (row.brand_id, row.cut, row.as_of, row.fresh_to) == (7, "channel=instagram", NOW, NOW - 3)


@pytest.mark.parametrize(("now", "as_of"), [(NOW + 10.0, NOW + 11), (NOW + 10.9, NOW + 11), (NOW - 5.5, NOW + 1)])
def test_values_hold_to_the_end_of_the_second_in_which_they_are_made_or_their_last_event_came(
    now: float, as_of: int
) -> None:
    folding = Folding()
    folding.apply([mention(NOW)], recorded=NOW + 0.5)
    assert as_of_now(folding.brand, now) == as_of
    values = read(refresh(folding.brand, "", as_of).body)
    assert values["brand_mentions"][Window.HOUR].value == 1


def test_a_clock_of_the_intake_that_is_far_ahead_does_not_carry_the_values_away() -> None:
    folding = Folding()
    folding.apply([mention(NOW)], recorded=NOW + 300 * DAY_S)
    assert as_of_now(folding.brand, NOW + 0.5) == NOW + 601


def test_an_answer_of_the_very_second_of_the_refresh_is_in_it_with_its_message() -> None:
    minute = ceil_minute(NOW)
    ids = {"conversation_id": "c"}
    folding = Folding()
    folding.apply(
        [
            envelope("social.message.received.v1", "m", minute - 90, **ids, message_id="m"),
            envelope("social.message.sent.v1", "r", minute, **ids, message_id="r", in_reply_to="m"),
        ],
        recorded=minute,
    )
    as_of = as_of_now(folding.brand, minute + 0.2)
    value = read(refresh(folding.brand, "", as_of).body)["message_response_time"][Window.HOUR]
    assert (value.value, value.n, value.end) == (90, 1, minute + 60)


# Where something may be about to leave a window, or to enter the period that one is compared with.
REACHES = [n * length for length in ROLLING_S.values() for n in (1, 2)]
EDGES = st.one_of(
    st.builds(lambda reach, off: NOW - reach + off, st.sampled_from(REACHES), st.integers(-200, 2 * HOUR_S)),
    st.builds(
        lambda then, off: int(datetime.fromisoformat(then).replace(tzinfo=UTC).timestamp()) + off,
        st.sampled_from(["2026-03-19 12:00", "2026-03-13 12:00", "2026-02-20 12:00", "2025-12-20 12:00",
                         "2025-03-20 12:00"]),  # as far into the day, week, month, quarter and year before
        st.integers(-HOUR_S, 3 * HOUR_S),
    ),
    st.integers(0, 2 * HOUR_S).map(lambda ago: NOW - ago),
).map(lambda moment: min(moment, NOW))  # fmt: skip


def _numbered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "id": f"e{number}"} for number, event in enumerate(events)]


def _waits(moment: int, answered_after: int | None) -> list[dict[str, Any]]:
    ids = {"conversation_id": f"c{moment}"}
    asked = envelope("social.message.received.v1", "", moment, **ids, message_id="m", kind="query")
    if answered_after is None or moment + answered_after > NOW:
        return [asked]
    answer = envelope("social.message.sent.v1", "", moment + answered_after, **ids, message_id="r", in_reply_to="m")
    return [asked, answer]


STREAMS = st.lists(
    st.one_of(
        EDGES.map(lambda moment: [mention(moment)]),
        EDGES.map(lambda moment: [envelope("social.interaction.v1", "", moment, kind="click")]),
        st.builds(
            lambda moment, count: [
                envelope("social.audience.snapshot.v1", "", moment, audience="followers", count=count)
            ],
            EDGES,
            st.integers(1, 99),
        ),
        st.builds(_waits, EDGES, st.sampled_from([None, None, 40, 600, 3_700, 90_000, 8 * DAY_S])),
    ),
    min_size=1,
    max_size=6,
).map(lambda groups: _numbered([event for group in groups for event in group]))


def only_what_a_refresh_reads(folding: Folding, as_of: int) -> None:
    """Forget every chunk of rollups that a refresh at this moment does not read."""
    chunks = chunks_now(folding.brand, as_of)
    for timeline in folding.brand.timelines.values():
        timeline.loaded |= chunks
        timeline.loaded &= chunks
        for grain in Grain:
            buckets = timeline._buckets[grain]
            for bucket in [b for b in buckets if chunk_of(grain, b, timeline.clock) not in chunks]:
                del buckets[bucket]
        timeline._sums.clear()


@settings(max_examples=60)
@given(STREAMS, st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin"]), st.integers(-90, 90))
def test_values_are_refreshed_no_later_than_they_change(events: list[dict[str, Any]], zone: str, off: int) -> None:
    whole, lean = Folding(zone), Folding(zone)
    for folding in (whole, lean):
        folding.apply(events, recorded=NOW)
    as_of = NOW + 91 + off
    only_what_a_refresh_reads(lean, as_of)
    refreshed_at = slides_next(lean.brand, "", as_of)
    end, now = ceil_minute(as_of), shown(whole, "", as_of)
    assert refreshed_at >= as_of - 1
    # A refresh in the second s shows the minute that holds s, so the one that ends at `e` from e - 60 on.
    minutes = range(end + 60, min(int(refreshed_at) + 60, end + DAY_S), 60)
    for e in {*minutes[:3], *minutes[:: max(1, len(minutes) // 8)], *minutes[-2:]}:
        assert shown(whole, "", e) == now, f"{(e - end) // 60} minutes on, refreshed at {refreshed_at - end}"


def test_a_brand_of_which_nothing_is_known_is_looked_at_again_the_next_day() -> None:
    brand = brand_state()
    chunks = chunks_now(brand, NOW)
    brand.timeline("").loaded |= chunks
    midnight = brand.clock.day_start(brand.clock.day(NOW) + 1)
    assert slides_next(brand, "", NOW) == midnight - 60
    assert slides_next(brand, "", midnight) == midnight  # a whole day was shown, and a minute later a new one runs


def test_values_that_nothing_will_change_for_hours_are_left_alone_for_hours() -> None:
    folding = Folding()
    folding.apply([mention(NOW - 40 * DAY_S - 5 * HOUR_S)])
    only_what_a_refresh_reads(folding, NOW)
    assert slides_next(folding.brand, "", NOW) >= NOW + 3 * HOUR_S
