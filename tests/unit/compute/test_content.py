"""What a content item earned and when, as a function of the set of its events alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import NamedTuple, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.domain.clock import floor_minute
from bellwether.domain.totals import bin_of
from bellwether_compute.content import (
    BASELINE_AFTER_S,
    SNAPSHOTS_KEPT,
    Gain,
    Item,
    cohort,
    interact,
    observe,
    publish,
    traits_of,
)

MINUTE, HOUR = 60, 3600
PUBLISHED = 1_000_000 * MINUTE
"""A whole minute, at which the items below were published."""


Key = TypeVar("Key")


class Shown(NamedTuple):
    """A snapshot."""

    at: int
    counts: dict[str, int]


class Done(NamedTuple):
    """An interaction, or its removal."""

    at: int
    counter: str
    times: int


class Out(NamedTuple):
    """A publication."""

    at: int


Happening = Shown | Done | Out
Sums = dict[tuple[int, str], int]
"""By minute and counter, without zeros."""


class Told(NamedTuple):
    """All that is to be known of an item."""

    published_at: int | None
    earned: dict[str, int]
    earned_at: Sums
    counted_at: Sums


def gains_of(item: Item, event: Happening) -> Iterable[Gain]:
    if isinstance(event, Shown):
        return observe(item, event.at, event.counts)
    if isinstance(event, Done):
        return interact(item, event.at, event.counter, event.times)
    return publish(item, event.at)


def told(events: Iterable[Happening]) -> Told:
    """Take events in the order in which they arrive."""
    item = Item(by_minute={})
    earned: Counter[tuple[int, str]] = Counter()
    counted: Counter[tuple[int, str]] = Counter()
    for event in events:
        for moment, counter, into_item, into_brand in gains_of(item, event):
            minute = floor_minute(moment)
            earned[minute, counter] += into_item
            counted[minute, counter] += into_brand
            if item.by_minute is not None:
                counts = item.by_minute.setdefault(minute, {})
                counts[counter] = counts.get(counter, 0) + into_item
    return Told(item.published_at, nonzero(item.earned), nonzero(earned), nonzero(counted))


def nonzero(counts: Mapping[Key, int]) -> dict[Key, int]:
    return {key: count for key, count in counts.items() if count}


def by_definition(events: Iterable[Happening]) -> Told:
    """The same from the whole set at once: per counter one feed, snapshots in the order of observation."""
    events = list(events)
    published_at = min((e.at for e in events if isinstance(e, Out)), default=None)
    snapshots: dict[str, dict[int, int]] = {}
    for shown in (e for e in events if isinstance(e, Shown)):
        for counter, count in shown.counts.items():
            by_moment = snapshots.setdefault(counter, {})
            by_moment[shown.at] = max(count, by_moment.get(shown.at, 0))
    earned: Counter[tuple[int, str]] = Counter()
    counted: Counter[tuple[int, str]] = Counter()
    for done in (e for e in events if isinstance(e, Done) and e.counter not in snapshots):
        earned[floor_minute(done.at), done.counter] += done.times
        counted[floor_minute(done.at), done.counter] += done.times
    for counter, by_moment in snapshots.items():
        last: int | None = None
        for at, count in sorted(by_moment.items()):
            minute = floor_minute(at), counter
            earned[minute] += count - (last or 0)
            is_gain = last is not None or (published_at is not None and at - published_at <= BASELINE_AFTER_S)
            counted[minute] += max(0, count - (last or 0)) if is_gain else 0
            last = count
    whole: Counter[str] = Counter()
    for (_, counter), count in earned.items():
        whole[counter] += count
    return Told(published_at, nonzero(whole), nonzero(earned), nonzero(counted))


def in_any_order(*events: Happening) -> Told:
    """What all orders of arrival agree on."""
    expected = by_definition(events)
    for order in permutations(events):
        assert told(order) == expected
    return expected


OUT = Out(PUBLISHED)


def test_a_snapshot_gains_the_difference_to_the_one_before_it() -> None:
    found = in_any_order(OUT, Shown(PUBLISHED + HOUR, {"reach": 100}), Shown(PUBLISHED + 2 * HOUR, {"reach": 150}))
    assert found.earned == {"reach": 150}
    assert found.counted_at == {(PUBLISHED + HOUR, "reach"): 100, (PUBLISHED + 2 * HOUR, "reach"): 50}


def test_a_late_snapshot_between_two_known_ones_takes_its_part_of_the_gain() -> None:
    found = in_any_order(
        OUT,
        Shown(PUBLISHED + HOUR, {"reach": 100}),
        Shown(PUBLISHED + 2 * HOUR, {"reach": 130}),
        Shown(PUBLISHED + 3 * HOUR, {"reach": 150}),
    )
    gains = [found.counted_at[PUBLISHED + hours * HOUR, "reach"] for hours in (1, 2, 3)]
    assert gains == [100, 30, 20]


def test_a_fall_is_a_correction_of_the_item_and_no_negative_interaction() -> None:
    found = in_any_order(
        OUT,
        Shown(PUBLISHED + HOUR, {"reactions": 100}),
        Shown(PUBLISHED + 2 * HOUR, {"reactions": 90}),
        Shown(PUBLISHED + 3 * HOUR, {"reactions": 95}),
    )
    assert found.earned == {"reactions": 95}
    assert found.earned_at[PUBLISHED + 2 * HOUR, "reactions"] == -10
    assert found.counted_at == {(PUBLISHED + HOUR, "reactions"): 100, (PUBLISHED + 3 * HOUR, "reactions"): 5}


def test_a_counter_counts_from_snapshots_or_from_interactions_never_from_both() -> None:
    found = in_any_order(
        OUT,
        Done(PUBLISHED + 5, "reactions", 3),
        Done(PUBLISHED + 2 * HOUR, "reactions", 4),
        Done(PUBLISHED + 9, "comments", 2),
        Shown(PUBLISHED + HOUR, {"reactions": 10}),
    )
    assert found.earned == {"reactions": 10, "comments": 2}
    assert found.counted_at == {(PUBLISHED, "comments"): 2, (PUBLISHED + HOUR, "reactions"): 10}


def test_a_snapshot_that_shows_a_zero_is_a_feed_all_the_same() -> None:
    found = in_any_order(OUT, Done(PUBLISHED + 5, "shares", 3), Shown(PUBLISHED + HOUR, {"shares": 0}))
    assert found.earned == {}
    assert found.counted_at == {}


def test_an_interaction_that_is_taken_back_subtracts_where_it_was_taken_back() -> None:
    found = in_any_order(Done(PUBLISHED + 5, "reactions", 1), Done(PUBLISHED + HOUR, "reactions", -1))
    assert found.earned == {}
    assert found.counted_at == {(PUBLISHED, "reactions"): 1, (PUBLISHED + HOUR, "reactions"): -1}


def test_an_interaction_edited_counts_nothing() -> None:
    assert told([Done(PUBLISHED, "reactions", 0)]) == Told(None, {}, {}, {})


@pytest.mark.parametrize(("late_s", "gained"), [(0, 500), (1, 0)])
def test_a_first_snapshot_long_after_publication_is_a_baseline(late_s: int, gained: int) -> None:
    first = PUBLISHED + BASELINE_AFTER_S + late_s
    found = in_any_order(OUT, Shown(first, {"views": 500}), Shown(first + HOUR, {"views": 520}))
    assert found.earned == {"views": 520}
    assert found.counted_at.get((floor_minute(first), "views"), 0) == gained
    assert found.counted_at[floor_minute(first + HOUR), "views"] == 20


def test_without_a_publication_the_first_snapshot_is_a_baseline() -> None:
    found = in_any_order(Shown(PUBLISHED, {"views": 500}), Shown(PUBLISHED + HOUR, {"views": 520, "reach": 9}))
    assert found.earned == {"views": 520, "reach": 9}
    assert found.counted_at == {(PUBLISHED + HOUR, "views"): 20}


def test_the_earliest_publication_told_of_stands() -> None:
    late = Out(PUBLISHED + BASELINE_AFTER_S)
    snapshot = Shown(PUBLISHED + BASELINE_AFTER_S + HOUR, {"reach": 7})
    assert in_any_order(OUT, late, snapshot).counted_at == {}
    assert in_any_order(late, snapshot).counted_at == {(snapshot.at, "reach"): 7}


def test_of_two_snapshots_of_one_moment_the_larger_counts_stand() -> None:
    at = PUBLISHED + HOUR
    found = in_any_order(OUT, Shown(at, {"reach": 5, "views": 9}), Shown(at, {"reach": 8}), Shown(at, {"views": 2}))
    assert found.earned == {"reach": 8, "views": 9}


def test_a_snapshot_that_does_not_tell_a_counter_says_nothing_about_it() -> None:
    found = in_any_order(
        OUT,
        Shown(PUBLISHED + HOUR, {"reach": 100}),
        Shown(PUBLISHED + 2 * HOUR, {"views": 1}),
        Shown(PUBLISHED + 3 * HOUR, {"reach": 110}),
    )
    assert found.counted_at[PUBLISHED + 3 * HOUR, "reach"] == 10


# A narrow space, so that moments and counters meet: two minutes before and three days after publication.
MOMENTS = st.one_of(
    st.integers(-130, 300).map(lambda off: PUBLISHED + off),
    st.sampled_from([BASELINE_AFTER_S - 1, BASELINE_AFTER_S, BASELINE_AFTER_S + 61]).map(lambda off: PUBLISHED + off),
)
COUNTERS = st.sampled_from(["reactions", "comments", "reach"])
HAPPENINGS = st.one_of(
    st.builds(Shown, MOMENTS, st.dictionaries(COUNTERS, st.integers(0, 20), min_size=1)),
    st.builds(Done, MOMENTS, st.sampled_from(["reactions", "comments"]), st.sampled_from([1, 2, -1])),
    st.builds(Out, MOMENTS),
)


@settings(max_examples=400)
@given(st.lists(HAPPENINGS, max_size=9))
def test_items_earn_what_the_definition_says_in_any_order_of_arrival(events: list[Happening]) -> None:
    assert told(events) == by_definition(events)


@settings(max_examples=30)
@given(st.data(), st.lists(st.builds(Shown, MOMENTS, st.dictionaries(COUNTERS, st.integers(0, 20), min_size=1)),
                           min_size=40, max_size=80))  # fmt: skip
def test_very_many_snapshots_of_an_item_in_the_order_of_observation_earn_what_they_say(
    data: st.DataObject, events: list[Shown]
) -> None:
    in_order: list[Happening] = [OUT, *sorted(events, key=lambda shown: shown.at)]
    assert told(in_order) == by_definition(in_order)


def growing(minutes: Iterable[int]) -> list[Shown]:
    """Snapshots of counters that never fall, one of them told only now and then."""
    return [
        Shown(PUBLISHED + minute * MINUTE, {"reach": 3 * minute, **({"comments": minute // 2} if minute % 3 else {})})
        for minute in minutes
    ]


def test_a_history_of_snapshots_imported_newest_first_earns_the_same() -> None:
    events: list[Happening] = [OUT, *reversed(growing(range(1, 200, 2)))]
    assert told(events) == by_definition(events)
    assert told(reversed(events)) == by_definition(events)


@settings(max_examples=60)
@given(st.data(), st.sets(st.integers(0, 4_000), min_size=30, max_size=70), st.booleans())
def test_very_many_snapshots_of_an_item_earn_what_they_say_in_any_order_of_arrival(
    data: st.DataObject, minutes: set[int], is_published: bool
) -> None:
    events: list[Happening] = [*growing(minutes), *([OUT] if is_published else []), Done(PUBLISHED, "comments", 2)]
    assert told(data.draw(st.permutations(events))) == by_definition(events)


def test_a_counter_that_only_forgotten_snapshots_have_shown_counts_no_interactions() -> None:
    events: list[Happening] = [OUT, Shown(PUBLISHED, {"reactions": 4})]
    events += [Shown(PUBLISHED + minute * MINUTE, {"reach": minute}) for minute in range(1, SNAPSHOTS_KEPT + 9)]
    assert told([*events, Done(PUBLISHED + MINUTE, "reactions", 3)]) == told(events)


def test_interactions_cannot_be_taken_back_without_their_points() -> None:
    item = Item(earned={"reactions": 3})
    with pytest.raises(KeyError, match="not loaded"):
        list(observe(item, PUBLISHED, {"reactions": 5}))


def test_an_item_counts_at_its_publication_with_all_that_it_earned() -> None:
    earned = {"reactions": 3, "comments": 1, "views": 100, "reach": 50, "impressions": 70}
    alone = {
        "items": 1, "item_interactions": 4, "item_reach": 50, "item_interactions_reached": 4,
        "item_impressions": 70, "item_interactions_displayed": 4, "item_views": 100, "item_interactions_viewed": 4,
    }  # fmt: skip
    followed = {"item_followers": 900, "item_interactions_followed": 4}
    rate = {"item_rate": {bin_of(4_444): 1}, "item_rate_sum": 4_444, "item_rate_n": 1}  # 100 × 4 / 900 = 0.4444 %
    partnered = {"item_partnered_followers": 900, "item_partnered_interactions_followed": 4}
    known = Item(published_at=PUBLISHED, followers=900, earned=earned)
    assert cohort(known) == {**alone, **followed, **rate}
    known.traits = traits_of("x", {"campaign": (0, 1, "spring"), "team": (0, 1, "sales")})
    assert cohort(known) == {**alone, **followed, **rate, **partnered}
    assert cohort(Item(published_at=PUBLISHED, earned=earned)) == alone
    assert cohort(Item(published_at=PUBLISHED, followers=0, earned=earned)) == {
        **alone,
        "item_followers": 0,
        "item_interactions_followed": 4,
    }
    assert cohort(Item(published_at=PUBLISHED, earned={"shares": 2, "views": 9})) == {
        "items": 1, "item_interactions": 2, "item_views": 9, "item_interactions_viewed": 2,
    }, "what is not reported is no denominator"  # fmt: skip
    assert cohort(Item(earned=earned)) == {}
