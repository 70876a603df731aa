"""What items contribute at their publication: all that they have earned so far."""

from __future__ import annotations

from collections.abc import Sequence

from bellwether.domain.totals import Totals
from bellwether_compute.changes import Changes
from bellwether_compute.content import Item, cohort
from bellwether_compute.groups import Groups, place_of
from bellwether_compute.state import BrandState, ItemKey
from bellwether_compute.subjects import item_key
from bellwether_compute.taking import Taken


class Cohorts:
    """Moves what items contribute at their publication, once a run.

    It remembers what each touched item contributed before the run.
    """

    def __init__(self, fresh: Sequence[Taken]) -> None:
        self._before: dict[tuple[BrandState, ItemKey], tuple[int | None, Totals]] = {}
        self._recorded: dict[tuple[BrandState, ItemKey], int] = {}
        self._by_event: set[tuple[BrandState, ItemKey]] = set()
        for taken in fresh:
            if key := item_key(taken):
                self._by_event.add((taken.brand, key))
                self._touch(taken.brand, key, taken.record.timestamp // 1000)

    def _touch(self, brand: BrandState, key: ItemKey, recorded: int) -> None:
        if (brand, key) not in self._before:
            item = brand.items[key]
            self._before[brand, key] = (item.published_at, cohort(item))
        self._recorded[brand, key] = max(recorded, self._recorded.get((brand, key), 0))

    def touch_channel(self, brand: BrandState, channel: str, recorded: int) -> None:
        """Followers of a channel became known: its loaded items are looked at again."""
        for key in brand.items:
            if key[0] == channel:
                self._touch(brand, key, recorded)

    def settle(self, groups: Groups, changes: Changes) -> None:
        """Add the difference to the minutes of publication."""
        for (brand, key), (published_at, before) in self._before.items():
            item, recorded = brand.items[key], self._recorded[brand, key]
            _follow(item, brand, key[0], published_at, brand.clock.day(recorded))
            after = cohort(item)
            if after == before and (brand, key) not in self._by_event:
                continue
            if published_at is not None:
                groups.at(place_of(brand, key[0], published_at, recorded)).add(_negative(before))
            if item.published_at is not None:
                groups.at(place_of(brand, key[0], item.published_at, recorded)).add(after)
            changes.items[brand, key] = item


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


def _negative(totals: Totals) -> Totals:
    return {key: -value for key, value in totals.items() if isinstance(value, int)}
