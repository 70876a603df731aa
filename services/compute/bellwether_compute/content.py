"""Content items: what each has earned, from snapshots of its counters or from interactions.

A counter of an item counts from one of the two feeds, never from both: once a snapshot has
shown it, snapshots are its truth, and what interactions had added is taken back where it
was. Everything here depends on the set of events alone, not on the order of their arrival.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from bellwether.catalogue.measures import INTERACTION_COUNTERS
from bellwether.domain.clock import DAY_S
from bellwether.domain.totals import Totals

Counts = dict[str, int]
"""Count by counter (`CONTENT_COUNTERS`)."""

BASELINE_AFTER_S = 2 * DAY_S
"""A first snapshot later than this after publication, or of an item whose publication is
not known, is a baseline: what it shows was earned at moments nobody knows."""
_SNAPSHOTS_KEPT = 32

COUNTER_OF_KIND = {
    "reaction": "reactions",
    "comment": "comments",
    "share": "shares",
    "save": "saves",
    "click": "clicks",
    "view": "views",
    "vote": "votes",
}


class Gain(NamedTuple):
    """What one counter of an item gained at a moment.

    earned: into what the item has earned; negative where a platform corrects its count
    counted: into what the brand earned at that moment; never negative for a correction
    """

    moment: int
    counter: str
    earned: int
    counted: int


class Snapshot(msgspec.Struct, array_like=True):
    """Counters at a moment of observation, UTC seconds."""

    observed_at: int
    counts: Counts


class Item(msgspec.Struct):
    """One content item of a brand on a channel.

    published_at: None until its publication is known, or where a user published it
    followers: of its channel when it was published; None while unknown
    settled: older snapshots than the first kept one were folded and forgotten
    published_known_on, followers_known_on: the local day on which those were first recorded
    by_minute: what it earned in each minute, loaded where a snapshot may take it back
    """

    published_at: int | None = None
    followers: int | None = None
    earned: Counts = {}
    snapshots: list[Snapshot] = []
    settled: bool = False
    published_known_on: int | None = None
    followers_known_on: int | None = None
    by_minute: dict[int, Counts] | None = None

    def measured(self) -> set[str]:
        """The counters that snapshots have shown."""
        return {counter for snapshot in self.snapshots for counter in snapshot.counts}


class StoredItem(msgspec.Struct, array_like=True):
    """The part of an item that is packed into one column."""

    earned: Counts
    snapshots: list[Snapshot]
    settled: bool


def cohort(item: Item) -> Totals:
    """What an item contributes at the moment of its publication: all it earned so far."""
    if item.published_at is None:
        return {}
    interactions = sum(item.earned.get(counter, 0) for counter in INTERACTION_COUNTERS)
    totals: Totals = {
        "items": 1,
        "item_interactions": interactions,
        "item_reach": item.earned.get("reach", 0),
        "item_impressions": item.earned.get("impressions", 0),
    }
    if item.followers is not None:
        totals["item_followers"] = item.followers
        totals["item_interactions_followed"] = interactions
    return totals


def interact(item: Item, moment: int, counter: str, count: int) -> Iterator[Gain]:
    """An interaction event: it counts unless snapshots show this counter.

    count: how often, negative where taken back
    """
    if count and counter not in item.measured():
        yield _gain(item, moment, counter, count, count)


def observe(item: Item, moment: int, counts: Counts) -> Iterator[Gain]:
    """A snapshot: each counter gains the difference to the snapshot before it.

    A snapshot between two known ones moves part of the later one's gain to itself.
    """
    if item.settled and moment <= item.snapshots[0].observed_at:
        return
    yield from _take_back_interactions(item, counts.keys() - item.measured())
    before = [s for s in item.snapshots if s.observed_at < moment]
    same = [s for s in item.snapshots if s.observed_at == moment]
    after = [s for s in item.snapshots if s.observed_at > moment]
    present = Snapshot(moment, _larger(same[0].counts if same else {}, counts))
    for counter, count in present.counts.items():
        last = _latest(before, counter)
        if same and counter in same[0].counts:
            yield from _revise(item, moment, counter, last, same[0].counts[counter], -1)
        yield from _revise(item, moment, counter, last, count, 1)
        following = next((s for s in after if counter in s.counts), None)
        if following is not None:
            anchor = same[0].counts.get(counter, last) if same else last
            later, value = following.observed_at, following.counts[counter]
            yield from _revise(item, later, counter, anchor, value, -1)
            yield from _revise(item, later, counter, count, value, 1)
    item.snapshots = [*before, present, *after]
    _forget_oldest(item)


def publish(item: Item, moment: int) -> Iterator[Gain]:
    """The publication became known: the earliest one told of stands.

    A first snapshot that was a baseline until now may turn into a gain.
    """
    if item.published_at is not None and item.published_at <= moment:
        return
    firsts = {} if item.settled else _first_shown(item.snapshots)
    for counter, (observed_at, count) in firsts.items():
        was = count if _is_fresh(item.published_at, observed_at) else 0
        now = count if _is_fresh(moment, observed_at) else 0
        if now != was:
            yield Gain(observed_at, counter, 0, now - was)
    item.published_at = moment


def _larger(first: Counts, second: Mapping[str, int]) -> Counts:
    """Two snapshots of one moment: the larger count stands, whichever came first."""
    return {counter: max(first.get(counter, 0), second.get(counter, 0)) for counter in {**first, **second}}


def _latest(snapshots: list[Snapshot], counter: str) -> int | None:
    return next((s.counts[counter] for s in reversed(snapshots) if counter in s.counts), None)


def _first_shown(snapshots: list[Snapshot]) -> dict[str, tuple[int, int]]:
    firsts: dict[str, tuple[int, int]] = {}
    for snapshot in snapshots:
        for counter, count in snapshot.counts.items():
            firsts.setdefault(counter, (snapshot.observed_at, count))
    return firsts


def _is_fresh(published_at: int | None, observed_at: int) -> bool:
    return published_at is not None and observed_at - published_at <= BASELINE_AFTER_S


def _revise(item: Item, moment: int, counter: str, last: int | None, count: int, sign: int) -> Iterator[Gain]:
    """Add (or take back) the gain of a count at a moment over the last count before it."""
    if last is None:
        counted = count if _is_fresh(item.published_at, moment) else 0
        yield _gain(item, moment, counter, sign * count, sign * counted)
    elif count != last:
        yield _gain(item, moment, counter, sign * (count - last), sign * max(0, count - last))


def _gain(item: Item, moment: int, counter: str, earned: int, counted: int) -> Gain:
    item.earned[counter] = item.earned.get(counter, 0) + earned
    return Gain(moment, counter, earned, counted)


def _take_back_interactions(item: Item, counters: set[str]) -> Iterator[Gain]:
    """Undo what interaction events had added to counters that snapshots now show."""
    # Also where the sum is 0: what was added in one minute may have been taken back in another.
    if counters.isdisjoint(item.earned):
        return
    if item.by_minute is None:
        raise KeyError("the points of the item are not loaded")
    for minute, counts in item.by_minute.items():
        for counter in counters & counts.keys():
            if counts[counter]:
                yield _gain(item, minute, counter, -counts[counter], -counts[counter])


def _forget_oldest(item: Item) -> None:
    if len(item.snapshots) > _SNAPSHOTS_KEPT:
        kept = item.snapshots[-_SNAPSHOTS_KEPT:]
        # What an older snapshot alone has shown stays known: a later one is told against it.
        for counter, count in _last_shown(item.snapshots[:-_SNAPSHOTS_KEPT]).items():
            kept[0].counts.setdefault(counter, count)
        item.snapshots, item.settled = kept, True


def _last_shown(snapshots: list[Snapshot]) -> Counts:
    shown: Counts = {}
    for snapshot in snapshots:
        shown.update(snapshot.counts)
    return shown
