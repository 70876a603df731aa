"""What items gain by events, and where that counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import structs

from bellwether.catalogue.cuts import cuts_of
from bellwether.catalogue.measures import CONTENT_COUNTERS, INTERACTION_COUNTERS
from bellwether.domain.clock import floor_minute
from bellwether.wire.events import ContentMetrics, ContentPublished, Interaction
from bellwether_compute.changes import Changes
from bellwether_compute.content import COUNTER_OF_KIND, Counts, Gain, Item, Traits, interact, observe, publish
from bellwether_compute.groups import Groups
from bellwether_compute.state import ItemKey
from bellwether_compute.taking import Taken, moment_of


def snapshot_counts(event: ContentMetrics) -> Counts:
    """The counters of a snapshot; likes stand for reactions where those are not told."""
    told = {name: count for name, count in structs.asdict(event.data.cumulative).items() if count is not None}
    if (likes := told.pop("likes", None)) is not None:
        told.setdefault("reactions", likes)
    return told


def take_gains(taken: Taken, key: ItemKey | None, groups: Groups, changes: Changes) -> None:
    """Count what an event gains for its item, if it may gain something; interactions without an item gain alone."""
    if find := _GAINS.get(type(taken.event)):
        item = taken.brand.items[key] if key else Item()
        if gains := list(find(item, taken, taken.event)):
            _count_gains(taken, item if key else None, gains, groups)
            if key:
                _keep_points(taken, key, gains, changes)


def _gains_by_interaction(item: Item, taken: Taken, event: Interaction) -> Iterable[Gain]:
    count = _SIGN[event.data.op] * event.data.count
    return interact(item, taken.time, COUNTER_OF_KIND[event.data.kind], count)


def _gains_by_snapshot(item: Item, taken: Taken, event: ContentMetrics) -> Iterable[Gain]:
    return observe(item, moment_of(event.data.observed_at, taken.record), snapshot_counts(event))


def _gains_by_publication(item: Item, taken: Taken, event: ContentPublished) -> Iterable[Gain]:
    return () if event.data.ugc else publish(item, taken.time)


def _measures_of(counter: str, *, influenced: bool) -> tuple[str, ...]:
    """All measures that hold what is gained in a counter."""
    found = [counter, *(["interactions"] if counter in INTERACTION_COUNTERS else [])]
    if influenced and counter in INTERACTION_COUNTERS:
        found.append("influencer_interactions")
    if influenced and counter in ("reach", "impressions", "clicks"):
        found.append(f"influencer_{counter}")
    return tuple(found)


_MEASURES: dict[tuple[str, bool], tuple[str, ...]] = {
    (counter, influenced): _measures_of(counter, influenced=influenced)
    for counter in CONTENT_COUNTERS
    for influenced in (False, True)
}
_SIGN = {"add": 1, "edit": 0, "remove": -1}
_GAINS: dict[type, Callable[[Item, Taken, Any], Iterable[Gain]]] = {
    Interaction: _gains_by_interaction,
    ContentMetrics: _gains_by_snapshot,
    ContentPublished: _gains_by_publication,
}


def _count_gains(taken: Taken, item: Item | None, gains: Sequence[Gain], groups: Groups) -> None:
    """Count gains where they belong."""
    brand, recorded = taken.brand, taken.record.timestamp // 1000
    traits = item.traits if item else _traits_of_event(taken)
    for moment, counter, _, counted in gains:
        if counted:
            sums = groups.of(brand, traits.cuts, moment, recorded).sums
            count_gain(sums, counter, counted, influenced=traits.influenced)


def _keep_points(taken: Taken, key: ItemKey, gains: Sequence[Gain], changes: Changes) -> None:
    """Keep the points of the item."""
    brand, item = taken.brand, taken.brand.items[key]
    known_on = brand.clock.day(taken.record.timestamp // 1000)
    for moment, counter, earned, _ in gains:
        if not earned:
            continue
        minute = floor_minute(moment)
        point = (brand, key, minute, known_on)
        if (points := changes.points.get(point)) is None:
            points = changes.points[point] = Counter()
        points[counter] = points.get(counter, 0) + earned
        if item.by_minute is not None:  # for a snapshot later in the batch to take back from
            counts = item.by_minute.setdefault(minute, {})
            counts[counter] = counts.get(counter, 0) + earned


def _traits_of_event(taken: Taken) -> Traits:
    """An interaction with no item counts as it describes itself."""
    data = taken.event.data
    return Traits(cuts_of(data), data.influencer is not None, False)


def count_gain(sums: defaultdict[str, int], counter: str, counted: int, *, influenced: bool) -> None:
    """Count what was gained in a counter under all measures that hold it."""
    for measure in _MEASURES[counter, influenced]:
        sums[measure] += counted
