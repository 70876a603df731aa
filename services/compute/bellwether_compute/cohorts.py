"""What items contribute at their publication: all that they have earned so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bellwether.catalogue.publications import less
from bellwether.domain.totals import Totals
from bellwether_compute.changes import Changes
from bellwether_compute.content import Item, Traits, cohort, counted_by_minute, described, traits_of
from bellwether_compute.gains import count_gain
from bellwether_compute.groups import Groups
from bellwether_compute.state import BrandState, ItemKey
from bellwether_compute.subjects import item_key
from bellwether_compute.taking import Taken


class _Before(NamedTuple):
    """What an item was before a run, and what it contributed then."""

    published_at: int | None
    totals: Totals
    traits: Traits


class Cohorts:
    """Moves what items contribute at their publication, once a run.

    It remembers what each touched item contributed before the run. What the events of the run
    say of an item is known from the start of the run: the item counts where that puts it.
    """

    def __init__(self, fresh: Sequence[Taken]) -> None:
        self._before: dict[tuple[BrandState, ItemKey], _Before] = {}
        self._recorded: dict[tuple[BrandState, ItemKey], int] = {}
        self._told: defaultdict[tuple[BrandState, ItemKey], list[Taken]] = defaultdict(list)
        for taken in fresh:
            if key := item_key(taken):
                self._told[taken.brand, key].append(taken)
        for (brand, key), events in self._told.items():
            self._touch(brand, key, max(taken.record.timestamp for taken in events) // 1000)
            describe(brand.items[key], key, events)

    def _touch(self, brand: BrandState, key: ItemKey, recorded: int) -> None:
        if (brand, key) not in self._before:
            item = brand.items[key]
            self._before[brand, key] = _Before(item.published_at, cohort(item), item.traits)
        self._recorded[brand, key] = max(recorded, self._recorded.get((brand, key), 0))

    def touch_channel(self, brand: BrandState, channel: str, recorded: int) -> None:
        """Followers of a channel became known: its loaded items are looked at again."""
        for key in brand.items:
            if key[0] == channel:
                self._touch(brand, key, recorded)

    def move(self, groups: Groups) -> None:
        """Move what items have gained to the cuts in which they count from now on."""
        for (brand, key), before in self._before.items():
            item, recorded = brand.items[key], self._recorded[brand, key]
            if item.traits == before.traits or not item.earned:
                continue
            for minute, counts in counted_by_minute(item).items():
                for traits, sign in ((before.traits, -1), (item.traits, 1)):
                    sums = groups.of(brand, traits.cuts, minute, recorded).sums
                    for counter, count in counts.items():
                        count_gain(sums, counter, sign * count, influenced=traits.influenced)

    def settle(self, groups: Groups, changes: Changes) -> None:
        """Add the difference to the minutes of publication."""
        for (brand, key), (published_at, before, traits) in self._before.items():
            item, recorded = brand.items[key], self._recorded[brand, key]
            _follow(item, brand, key[0], published_at, brand.clock.day(recorded))
            after = cohort(item)
            if after == before and (brand, key) not in self._told:
                continue
            if published_at is not None:
                groups.of(brand, traits.cuts, published_at, recorded).add(less(before))
            if item.published_at is not None:
                groups.of(brand, item.traits.cuts, item.published_at, recorded).add(after)
            changes.items[brand, key] = item
            if traits.cuts not in ((), item.traits.cuts):
                changes.recut[brand, key] = recorded
            changes.note(brand, traits.cuts, recorded * 1000)
            changes.note(brand, item.traits.cuts, recorded * 1000)


def describe(item: Item, key: ItemKey, events: Iterable[Taken]) -> None:
    """Take what events say of an item."""
    attributes = item.attributes
    for taken in events:
        event: Any = taken.event
        attributes = described(attributes, event, taken.time)
    if attributes is not item.attributes or not item.traits.cuts:
        item.attributes, item.traits = attributes, traits_of(key[0], attributes)


def _follow(item: Item, brand: BrandState, channel: str, published_before: int | None, known_on: int) -> None:
    """Look up the followers at the publication, and note since when each is known."""
    if item.published_at is None:
        return
    if item.published_at != published_before:
        item.published_known_on = known_on
    followers = brand.followers_at(channel, item.published_at)
    if item.followers is None and followers is not None:
        item.followers_known_on = known_on
    item.followers = followers
