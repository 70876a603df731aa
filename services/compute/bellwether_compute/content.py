"""Content items: what each has earned, from snapshots of its counters or from interactions.

A counter of an item counts from one of the two feeds, never from both: once a snapshot has
shown it, snapshots are its truth, and what interactions had added is taken back where it
was. Everything here depends on the set of events alone, not on the order of their arrival.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

import msgspec

from bellwether.catalogue.cuts import cuts_by
from bellwether.catalogue.publications import publication
from bellwether.domain.clock import DAY_S, floor_minute
from bellwether.domain.totals import Totals
from bellwether.wire.events import ContentMetrics, ContentPublished, Interaction

Counts = dict[str, int]
"""Count by counter (`CONTENT_COUNTERS`)."""

BASELINE_AFTER_S = 2 * DAY_S
"""A first snapshot later than this after publication, or of an item whose publication is
not known, is a baseline: what it shows was earned at moments nobody knows."""
SNAPSHOTS_KEPT = 32
"""The latest snapshots of an item that are kept as such; what earlier ones said is in its points."""

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


Attributes = dict[str, tuple[int, int, str]]
"""Rank, moment and value by field of the event's body; the smallest stands, whatever came first."""
_DESCRIBING = ("campaign", "content_type", "owner", "influencer", "team")
_describing = attrgetter(*_DESCRIBING)


class Traits(NamedTuple):
    """Where an item counts: its cuts, and whether an influencer and a partner team are behind it."""

    cuts: tuple[str, ...]
    influenced: bool
    partnered: bool


NO_TRAITS = Traits((), False, False)


class Item(msgspec.Struct):
    """One content item of a brand on a channel.

    published_at: None until its publication is known, or where a user published it
    followers: of its channel when it was published; None while unknown
    forgotten: of each counter that older snapshots than the kept ones have shown: when it was
        first shown, and their last count; the rest of what they said is in the points of the item
    published_known_on, followers_known_on: the local day on which those were first recorded
    by_minute: what it earned in each minute, loaded where a snapshot may take it back
    attributes: what events say of it, by field: the publication's word before others', the
        earliest one's before later ones'
    traits: what follows from the attributes
    """

    published_at: int | None = None
    followers: int | None = None
    earned: Counts = {}
    snapshots: list[Snapshot] = []
    forgotten: dict[str, tuple[int, int]] = {}
    published_known_on: int | None = None
    followers_known_on: int | None = None
    by_minute: dict[int, Counts] | None = None
    attributes: Attributes = {}
    traits: Traits = NO_TRAITS

    def measured(self) -> set[str]:
        """The counters that snapshots have shown."""
        return self.forgotten.keys() | {counter for snapshot in self.snapshots for counter in snapshot.counts}

    def measures(self, counter: str) -> bool:
        """Whether snapshots have shown a counter."""
        if counter in self.forgotten:
            return True
        return bool(self.snapshots) and any(counter in snapshot.counts for snapshot in reversed(self.snapshots))


class StoredItem(msgspec.Struct, array_like=True):
    """The part of an item that is packed into one column."""

    earned: Counts
    snapshots: list[Snapshot]
    forgotten: dict[str, tuple[int, int]]
    attributes: Attributes = {}


def cohort(item: Item) -> Totals:
    """What an item contributes at the moment of its publication: all it earned so far."""
    if item.published_at is None:
        return {}
    return publication(item.earned, item.followers, partnered=item.traits.partnered)


def described(
    attributes: Attributes, event: Interaction | ContentMetrics | ContentPublished, moment: int
) -> Attributes:
    """The attributes of an item with what an event at a moment says of it."""
    rank = 0 if type(event) is ContentPublished else 1
    found = attributes
    for name, value in zip(_DESCRIBING, _describing(event.data), strict=True):
        if value:
            told = (rank, moment, value)
            if name not in found or told < found[name]:
                found = {**found, name: told}
    return found


def traits_of(channel: str, attributes: Attributes) -> Traits:
    """What follows from the attributes of an item on a channel."""
    told = {name: value for name, (_, _, value) in attributes.items()}
    cuts = cuts_by(channel, *(told.get(name) for name in _DESCRIBING[:4]))
    return Traits(cuts, "influencer" in told, "campaign" in told and "team" in told)


def interact(item: Item, moment: int, counter: str, count: int) -> Sequence[Gain]:
    """An interaction event: it counts unless snapshots show this counter.

    count: how often, negative where taken back
    """
    if not count or item.measures(counter):
        return ()
    return (_gain(item, moment, counter, count, count),)


def observe(item: Item, moment: int, counts: Counts) -> Iterator[Gain]:
    """A snapshot: each counter gains the difference to the snapshot before it.

    A snapshot between two known ones moves part of the later one's gain to itself.
    """
    last = item.snapshots[-1] if item.snapshots else None
    if last and last.observed_at < moment and counts.keys() <= last.counts.keys():
        yield from _observe_next(item, moment, last.counts, counts)
    else:
        yield from _observe_any(item, moment, counts)
    _forget_oldest(item)


def _observe_next(item: Item, moment: int, last: Counts, counts: Counts) -> Iterator[Gain]:
    """A snapshot after all others, of counters that the last one shows: by far the most are."""
    for counter, count in counts.items():
        if count != last[counter]:
            yield _gain(item, moment, counter, count - last[counter], max(0, count - last[counter]))
    item.snapshots = [*item.snapshots, Snapshot(moment, counts)]


def _observe_any(item: Item, moment: int, counts: Counts) -> Iterator[Gain]:
    if item.forgotten and moment < item.snapshots[0].observed_at:
        _recall(item)
    yield from _take_back_interactions(item, counts.keys() - item.measured())
    before = [s for s in item.snapshots if s.observed_at < moment]
    same = [s for s in item.snapshots if s.observed_at == moment]
    after = [s for s in item.snapshots if s.observed_at > moment]
    present = Snapshot(moment, _larger(same[0].counts if same else {}, counts))
    for counter, count in present.counts.items():
        last = _latest(before, counter, item.forgotten)
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


def publish(item: Item, moment: int) -> Iterator[Gain]:
    """The publication became known: the earliest one told of stands.

    A first snapshot that was a baseline until now may turn into a gain.
    """
    if item.published_at is not None and item.published_at <= moment:
        return
    if item.forgotten:
        _recall(item)
    for counter, (observed_at, count) in _first_shown(item.snapshots).items():
        was = count if _is_fresh(item.published_at, observed_at) else 0
        now = count if _is_fresh(moment, observed_at) else 0
        if now != was:
            yield Gain(observed_at, counter, 0, now - was)
    item.published_at = moment
    _forget_oldest(item)


def _larger(first: Counts, second: Mapping[str, int]) -> Counts:
    """Two snapshots of one moment: the larger count stands, whichever came first."""
    return {counter: max(first.get(counter, 0), second.get(counter, 0)) for counter in {**first, **second}}


def _latest(snapshots: list[Snapshot], counter: str, forgotten: Mapping[str, tuple[int, int]]) -> int | None:
    _, last = forgotten.get(counter, (None, None))
    return next((s.counts[counter] for s in reversed(snapshots) if counter in s.counts), last)


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


def counted_by_minute(item: Item) -> dict[int, Counts]:
    """What an item gained for its brand in each minute, from its points and its snapshots."""
    if item.by_minute is None:
        raise KeyError("the points of the item are not loaded")
    if item.forgotten:
        _recall(item)
    measured, last = item.measured(), dict[str, int]()
    found: defaultdict[int, Counts] = defaultdict(dict)
    for minute, counts in item.by_minute.items():
        found[minute] |= {counter: count for counter, count in counts.items() if counter not in measured}
    for snapshot in item.snapshots:
        gained = found[floor_minute(snapshot.observed_at)]
        for counter, count in snapshot.counts.items():
            fresh = count if _is_fresh(item.published_at, snapshot.observed_at) else 0
            gain = max(0, count - last[counter]) if counter in last else fresh
            gained[counter] = gained.get(counter, 0) + gain
            last[counter] = count
    _forget_oldest(item)
    return found


def needs_points(item: Item, moments: Sequence[int], is_published: bool) -> bool:
    """Whether what the item earned minute by minute is read when a batch is told.

    moments: when the snapshots of the batch were observed, in the order of their arrival
    is_published: whether the batch tells of its publication
    """
    if moments and item.earned.keys() - item.measured():
        return True
    last = [item.snapshots[-1].observed_at] if item.snapshots else []
    observed = [*last, *moments]
    is_late = is_published or any(after <= before for before, after in pairwise(observed))
    return is_late and (bool(item.forgotten) or len(item.snapshots) + len(moments) > SNAPSHOTS_KEPT)


def _recall(item: Item) -> None:
    """Bring back the forgotten snapshots: what was earned up to a minute is what was shown then."""
    if item.by_minute is None:
        raise KeyError("the points of the item are not loaded")
    border = floor_minute(item.snapshots[0].observed_at)
    recalled: dict[int, Counts] = {}
    for counter, (first_at, last) in item.forgotten.items():
        shown = 0
        recalled.setdefault(first_at, {})[counter] = shown
        for minute, counts in sorted(item.by_minute.items()):
            if counts.get(counter) and minute < border:
                shown += counts[counter]
                recalled.setdefault(max(minute, first_at), {})[counter] = shown
        if shown != last:
            recalled.setdefault(max(border, first_at), {})[counter] = last
    snapshots = [Snapshot(moment, counts) for moment, counts in sorted(recalled.items())]
    item.snapshots, item.forgotten = [*snapshots, *item.snapshots], {}


def _forget_oldest(item: Item) -> None:
    for snapshot in item.snapshots[:-SNAPSHOTS_KEPT]:
        for counter, count in snapshot.counts.items():
            first_at, _ = item.forgotten.get(counter, (snapshot.observed_at, 0))
            item.forgotten[counter] = first_at, count
    if len(item.snapshots) > SNAPSHOTS_KEPT:
        item.snapshots = item.snapshots[-SNAPSHOTS_KEPT:]
