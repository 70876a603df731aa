"""What is refreshed when: what moved, the stalest first, and what only time has changed, never too late."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.evaluate import Values, evaluate, filled
from bellwether.domain.clock import DAY_S, HOUR_S, ceil_minute
from bellwether.domain.windows import Window
from bellwether_compute.refresh import Due, Evaluations, Refresher, as_of_now, sources_of, spans_now
from bellwether_compute.state import BrandState
from tests.unit.compute.folding import NOW, Folding, brand_state, envelope

AURORA, BOREALIS, CASTOR = (brand_state() for _ in range(3))
refresh = Evaluations().refresh


def cuts(due: list[Due]) -> list[str]:
    return [each.cut for each in due]


def test_what_moved_is_due_the_stalest_first() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, "a"): 3_000, (BOREALIS, "b"): 1_000, (CASTOR, "c"): 2_000})
    assert refresher.due(10.0, 2) == [Due(BOREALIS, "b", 1_000), Due(CASTOR, "c", 2_000)]
    assert cuts(refresher.due(10.0, 9)) == ["b", "c", "a"]
    assert refresher.stalest_s(10.0) == 9.0


def test_a_total_comes_before_cuts_that_are_not_much_staler() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, "a"): 1_000, (BOREALIS, ""): 5_999, (CASTOR, ""): 6_001})
    assert refresher.due(10.0, 9) == [Due(BOREALIS, "", 5_999), Due(AURORA, "a", 1_000), Due(CASTOR, "", 6_001)]


def test_cuts_that_have_waited_for_long_leave_half_of_the_rows_to_totals() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, f"cut{number}"): 1_000 for number in range(9)})
    refresher.note({(brand, ""): 60_000 for brand in (AURORA, BOREALIS, CASTOR)})
    assert sum(one.cut == "" for one in refresher.due(61.0, 4)) == 2
    assert sum(one.cut == "" for one in refresher.due(61.0, 12)) == 3
    assert len(refresher.due(61.0, 12)) == 12


def test_what_moved_twice_is_as_stale_as_the_first_time() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, "a"): 3_000})
    refresher.note({(AURORA, "a"): 5_000})
    refresher.note({(AURORA, "a"): 2_000})
    assert refresher.due(10.0, 9) == [Due(AURORA, "a", 2_000)]


def test_a_cut_is_refreshed_at_most_once_a_second_and_a_total_more_often() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, "a"): 1_000, (AURORA, ""): 1_000})
    refresher.done(refresher.due(10.0, 9), 10.0)
    refresher.note({(AURORA, "a"): 10_100, (AURORA, ""): 10_150, (AURORA, "other"): 10_200, (BOREALIS, "b"): 10_300})
    assert cuts(refresher.due(10.299, 9)) == ["other", "b"]
    assert cuts(refresher.due(10.3, 9)) == ["", "other", "b"]
    refresher.done([Due(BOREALIS, "", 10_150)], 10.999)
    assert cuts(refresher.due(10.999, 9)) == ["", "other", "b"]
    assert cuts(refresher.due(11.0, 9)) == ["", "a", "other", "b"]


def test_a_cycle_evaluates_as_many_rows_as_there_is_time_for() -> None:
    evaluations = Evaluations()
    first = evaluations.most
    assert first >= 4
    assert evaluations.refresh_all([], {}, lambda _: None) == []
    assert evaluations.most == first
    for _ in range(50):
        evaluations.refresh_all([Due(AURORA, "", None)] * 20, {AURORA: NOW}, lambda _: None)
    assert evaluations.most > first, "nothing happened in this brand, which takes no time"


def test_what_slides_is_refreshed_though_more_moves_than_there_is_time_for() -> None:
    refresher = Refresher()
    refresher.note({(AURORA, str(number)): number for number in range(100)})
    for brand in (BOREALIS, CASTOR):
        refresher.slide_at(brand, "slides", 10.0)
    assert cuts(refresher.due(10.0, 4)) == ["0", "1", "2", "slides"]
    assert cuts(refresher.due(10.0, 4)) == ["0", "1", "2", "slides"]
    assert cuts(refresher.due(10.0, 4)) == ["0", "1", "2", "3"]


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


def read(row_body: bytes) -> Values:
    return msgspec.json.decode(row_body, type=Values)


def whole(brand: BrandState, as_of: int) -> Values:
    """The values that a row shows to those who read it."""
    values = read(refresh(brand, "", as_of).body)
    return filled(values, spans_now(brand, as_of), CATALOGUE.values(), brand.clock)


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
    ended, began = (whole(folding.brand, midnight + s)["brand_mentions"] for s in (0, 1))
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


def test_a_row_that_is_refreshed_again_and_again_is_to_the_byte_that_of_a_whole_evaluation() -> None:
    folding, evaluations, shown = Folding(), Evaluations(), set()
    for number, kind in enumerate(("reaction", "share", "comment", "reaction")):
        liked = envelope("social.interaction.v1", "", NOW - 600, kind=kind)
        said = envelope("social.mention.v1", "", NOW - DAY_S, of="aurora", sentiment=number / 4)
        folding.apply([{**event, "id": f"{number}-{event['id']}"} for event in (liked, said)][: 1 + number % 2])
        for cut in folding.brand.timelines:
            body = evaluations.refresh(folding.brand, cut, NOW).body
            whole = evaluate(sources_of(folding.brand, cut), spans_now(folding.brand, NOW), sparse=True)
            assert body == msgspec.json.encode(whole)
            shown.add(body)
    assert len(shown) > len(folding.brand.timelines), "something moved within the minute"
