"""What items gain by events, and where that counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from bellwether.catalogue.cuts import cuts_of
from bellwether.catalogue.measures import CONTENT_COUNTERS, INTERACTION_COUNTERS
from bellwether.domain.clock import floor_minute
from bellwether.wire.events import ContentMetrics, ContentPublished, Interaction
from bellwether_compute.changes import Changes
from bellwether_compute.content import COUNTER_OF_KIND, Counts, Gain, Item, Traits, interact, observe, publish
from bellwether_compute.groups import Groups, place_of
from bellwether_compute.state import ItemKey
from bellwether_compute.taking import Taken, moment_of


def snapshot_counts(event: ContentMetrics) -> Counts:
    """The counters of a snapshot; likes stand for reactions where those are not told."""
    told = event.data.cumulative
    found = {name: getattr(told, name) for name in told.__struct_fields__ if name != "likes"}
    if found["reactions"] is None:
        found["reactions"] = told.likes
    return {name: count for name, count in found.items() if count is not None}


def gains_of(taken: Taken, key: ItemKey | None) -> Iterable[Gain]:
    """What the item of an event gained by it; interactions without an item gain alone."""
    if find := _GAINS.get(type(taken.event)):
        return find(taken.brand.items[key] if key else Item(), taken, taken.event)
    return ()


def _gains_by_interaction(item: Item, taken: Taken, event: Interaction) -> Iterable[Gain]:
    count = _SIGN[event.data.op] * event.data.count
    return interact(item, taken.time, COUNTER_OF_KIND[event.data.kind], count)


def _gains_by_snapshot(item: Item, taken: Taken, event: ContentMetrics) -> Iterable[Gain]:
    return observe(item, moment_of(event.data.observed_at, taken.record), snapshot_counts(event))


def _gains_by_publication(item: Item, taken: Taken, event: ContentPublished) -> Iterable[Gain]:
    return () if event.data.ugc else publish(item, taken.time)


_INFLUENCER: dict[str, list[str]] = {
    counter: [
        *(["influencer_interactions"] if counter in INTERACTION_COUNTERS else []),
        *([f"influencer_{counter}"] if counter in ("reach", "impressions", "clicks") else []),
    ]
    for counter in CONTENT_COUNTERS
}
_SIGN = {"add": 1, "edit": 0, "remove": -1}
_GAINS: dict[type, Callable[[Item, Taken, Any], Iterable[Gain]]] = {
    Interaction: _gains_by_interaction,
    ContentMetrics: _gains_by_snapshot,
    ContentPublished: _gains_by_publication,
}


def keep_gain(taken: Taken, key: ItemKey | None, gain: Gain, groups: Groups, changes: Changes) -> None:
    """Count a gain where it belongs, and keep the point of the item."""
    brand, recorded = taken.brand, taken.record.timestamp // 1000
    traits = brand.items[key].traits if key else _traits_of_event(taken)
    if gain.counted:
        place = place_of(brand, traits.cuts, gain.moment, recorded)
        count_gain(groups.at(place).sums, gain.counter, gain.counted, influenced=traits.influenced)
    minute = floor_minute(gain.moment)
    if key and gain.earned:
        point = (brand, key, minute, brand.clock.day(recorded))
        changes.points.setdefault(point, Counter())[gain.counter] += gain.earned
        _note_point(brand.items[key], minute, gain)


def _traits_of_event(taken: Taken) -> Traits:
    """An interaction with no item counts as it describes itself."""
    data = taken.event.data
    return Traits(cuts_of(data), data.influencer is not None, False)


def count_gain(sums: MutableMapping[str, int], counter: str, counted: int, *, influenced: bool) -> None:
    """Count what was gained in a counter under all measures that hold it."""
    sums[counter] = sums.get(counter, 0) + counted
    held = ["interactions"] if counter in INTERACTION_COUNTERS else []
    if influenced:
        held += _INFLUENCER[counter]
    for measure in held:
        sums[measure] = sums.get(measure, 0) + counted


def _note_point(item: Item, minute: int, gain: Gain) -> None:
    """Keep the points of an item whole, for a snapshot later in the batch to take back from."""
    if item.by_minute is not None:
        counts = item.by_minute.setdefault(minute, {})
        counts[gain.counter] = counts.get(gain.counter, 0) + gain.earned
