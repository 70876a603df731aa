"""What compute holds in memory of the partitions it has claimed: a cache of Postgres.

Everything here can be dropped and loaded again; nothing here is ahead of Postgres longer
than one transaction, since a failed one drops the state of its partitions.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.readings import account_key
from bellwether.adapters.postgres.readings_integrity import Overruled
from bellwether.catalogue.cuts import cuts_by
from bellwether.catalogue.evaluate import LevelHistory
from bellwether.catalogue.measures import Audience
from bellwether.domain.clock import LocalClock
from bellwether.domain.timeline import Timeline
from bellwether_compute.affairs import Affairs
from bellwether_compute.authors import Author
from bellwether_compute.content import Item
from bellwether_compute.conversations import Conversation
from bellwether_compute.dedup import SeenEvents
from bellwether_compute.integrity import Show, Trace, TraceKey
from bellwether_compute.recent import Recents

if TYPE_CHECKING:
    from bellwether_compute.detecting import Watch

ItemKey = tuple[str, str]
"""Channel and content id."""
ConversationKey = tuple[str, str]
"""Channel and conversation id."""
_FOLLOWERS: tuple[Audience, ...] = ("followers", "subscribers")
_clock_of = lru_cache(maxsize=None)(LocalClock)
"""One clock for all brands of a time zone, since what it remembers of hours and days is some ten kB."""


class BrandState:
    """One brand: its rollups, audiences, content items, conversations and who waits."""

    def __init__(self, brand: Brand, part: int) -> None:
        self.brand = brand
        self.part = part
        self.clock = _clock_of(brand.time_zone)
        self.loaded = False
        self.fresh_to = 0
        self.timelines: dict[str, Timeline] = {}
        self._levels: dict[str, dict[Audience, dict[str, LevelHistory]]] = {}
        self.items: dict[ItemKey, Item] = {}
        self.conversations: dict[ConversationKey, Conversation] = {}
        self.authors: dict[str, Author] = {}
        self.traces: dict[TraceKey, Trace] = {}
        self.shows: dict[ItemKey, Show] = {}
        self.stored_authors: int | None = None
        """How many are stored, if all of them were loaded."""
        self.recents: Recents | None = None
        self.overruled: dict[str, Overruled] = {}
        self.verdicts = 0
        self.affairs = Affairs(brand.currency)
        self.watch: Watch | None = None
        self._waiting: dict[tuple[str, str], list[int]] = {}

    def follow(self, brand: Brand) -> None:
        """Go on by changed settings. The time zone and the currency change only while nothing is counted."""
        if brand.time_zone != self.brand.time_zone:
            self.clock = _clock_of(brand.time_zone)
            self.timelines.clear()
        if brand.currency != self.brand.currency:
            self.affairs.report_in(brand.currency)
        self.brand = brand

    def timeline(self, cut: str) -> Timeline:
        """The rollups of a cut; an empty timeline that has nothing loaded at first."""
        found = self.timelines.get(cut)
        if found is None:
            found = self.timelines[cut] = Timeline(self.clock)
        return found

    def audiences(self, cut: str) -> Mapping[Audience, Mapping[str, LevelHistory]]:
        """Snapshots by audience and account, of those that count in a cut."""
        return self._levels.get(cut, {})

    def history(self, audience: Audience, channel: str, account: str) -> LevelHistory:
        """The snapshots of one account, in the total as in its channel."""
        key, (total, of_channel) = account_key(channel, account), cuts_by(channel)
        found = self._accounts(total, audience).setdefault(key, LevelHistory([], []))
        self._accounts(of_channel, audience)[key] = found
        return found

    def put_level(
        self, audience: Audience, channel: str, account: str, moment: int, count: int, cuts: Collection[str]
    ) -> int:
        """Take a snapshot that counts in these cuts, too; what stands for the moment."""
        history, key = self.history(audience, channel, account), account_key(channel, account)
        history.put(moment, count)
        stands = history.at(moment + 1) or 0
        for cut in cuts:
            self._accounts(cut, audience).setdefault(key, LevelHistory([], [])).put(moment, stands)
        for audiences in self._levels.values():  # another cut may hold a smaller count of the same moment
            if (other := audiences.get(audience, {}).get(key)) and moment in other.moments:
                other.put(moment, stands)
        return stands

    def _accounts(self, cut: str, audience: Audience) -> dict[str, LevelHistory]:
        return self._levels.setdefault(cut, {}).setdefault(audience, {})

    def followers_at(self, channel: str, moment: int) -> int | None:
        """Followers and subscribers on a channel just before a moment; None if unknown."""
        audiences = self.audiences(cuts_by(channel)[1])
        counts = [
            count
            for audience in _FOLLOWERS
            for history in audiences.get(audience, {}).values()
            if (count := history.at(moment)) is not None
        ]
        return sum(counts) if counts else None

    def waiting(self, cut: str) -> dict[str, list[int]]:
        """Moments of reception of unanswered messages and queries, ascending."""
        return {name: self._waiting.get((name, cut), []) for name in ("messages", "queries")}

    def put_waiting(self, kind: str, cuts: Iterable[str], received_at: Collection[int]) -> None:
        """Messages wait for their answers in these cuts, besides those that do."""
        for name, cut in product(_waits_as(kind), cuts):
            moments = self._waiting.setdefault((name, cut), [])
            moments.extend(received_at)
            moments.sort()

    def set_waiting(self, kind: str, cuts: Sequence[str], received_at: int, waits: bool) -> None:
        """A message begins to wait for its answer in these cuts, or no longer does.

        Raises ValueError for one that does not wait: whoever waits is not who was thought to.
        """
        for name in _waits_as(kind):
            for cut in cuts:
                moments = self._waiting.setdefault((name, cut), [])
                if waits:
                    insort(moments, received_at)
                else:
                    _remove(moments, received_at)


def _remove(moments: list[int], moment: int) -> None:
    at = bisect_left(moments, moment)
    if moments[at : at + 1] != [moment]:
        raise ValueError(f"a message received at {moment} does not wait")
    del moments[at]


def _waits_as(kind: str) -> Iterator[str]:
    yield "messages"
    if kind == "query":
        yield "queries"


class PartitionState:
    """A claimed partition: how far it is applied, under which epoch, and what was seen."""

    def __init__(self, part: int, epoch: int, next_offset: int) -> None:
        self.part = part
        self.epoch = epoch
        self.next_offset = next_offset
        self.applied_ms: int | None = None
        self.whole_ms: int | None = None
        """When nothing in the log was known that is not applied, by the worker's clock in ms."""
        self.seen = SeenEvents()
        self.brands: dict[int, BrandState] = {}
        self.by_key: dict[bytes, BrandState] = {}
        self.counted: set[tuple[int, str]] = set()
        """Own measures that are counted here, by tenant; all of them as of `counts_version`."""
        self.counts_version: int | None = None
