"""One batch in, all that is to be written out. No clock, no I/O, no logging.

What a batch needs of Postgres is loaded before (`loading.py`), what it changes is written
after (`store.py`), in one transaction with the offsets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from bellwether.adapters.postgres.readings import answered
from bellwether.catalogue.evaluate import LevelHistory
from bellwether.catalogue.measures import INTERACTION_COUNTERS
from bellwether.domain.clock import floor_minute
from bellwether.domain.totals import Totals
from bellwether.wire.events import (
    AudienceSnapshot,
    ContentMetrics,
    ContentPublished,
    Interaction,
    MessageReceived,
    MessageSent,
    type_name,
)
from bellwether_compute.content import COUNTER_OF_KIND, Counts, Gain, Item, cohort, interact, observe, publish
from bellwether_compute.conversations import Answer, Conversation, Received, Sent
from bellwether_compute.dedup import Verdict, identity_of, utc_day
from bellwether_compute.groups import Groups, RollupRow, place_of
from bellwether_compute.measuring import Count, Score, derive
from bellwether_compute.state import BrandState, ConversationKey, ItemKey, PartitionState
from bellwether_compute.taking import LeftOut, Reason, Taken, moment_of

_QUARTER_MS = 15 * 60 * 1000
"""Local days begin at quarters of an hour everywhere, so all that is recorded in one is recorded on one day."""


class Receipt(NamedTuple):
    """What became of a message, and the local days on which it and its answer were recorded.

    Of what a batch leaves as it was, the stored day stands.
    """

    received: Received
    known_on: int
    answer: Answer | None = None
    answer_known_on: int | None = None


@dataclass(slots=True)
class Changes:
    """Everything a batch changes, by what it is kept under."""

    rollups: dict[RollupRow, Totals] = field(default_factory=dict)
    levels: dict[tuple[BrandState, str, str, str, int], tuple[int, int]] = field(default_factory=dict)
    items: dict[tuple[BrandState, ItemKey], Item] = field(default_factory=dict)
    points: dict[tuple[BrandState, ItemKey, int, int], Counter[str]] = field(default_factory=dict)
    """By item, minute and the local day of recording."""
    conversations: dict[tuple[BrandState, ConversationKey], Conversation] = field(default_factory=dict)
    receipts: dict[tuple[BrandState, ConversationKey, str], Receipt] = field(default_factory=dict)
    seen: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)
    outcomes: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)
    moved: dict[tuple[BrandState, str], int] = field(default_factory=dict)
    """When the intake took the oldest event that moved a brand and cut, in ms."""


class Pipeline:
    """Folds events into the state of their partitions.

    counts: for every event type the functions that count one (`measuring.compile_measures`)
    score: the sentiment of a text, −1…1
    """

    def __init__(self, counts: Mapping[str, tuple[Count, ...]], score: Score) -> None:
        self._counts = counts
        self._score = score

    def select(self, partition: PartitionState, taken: Sequence[Taken], changes: Changes) -> list[Taken]:
        """The events that were not counted before; the others are counted as what they are."""
        fresh = []
        for event in taken:
            verdict = self._judge(partition, event, changes)
            outcome = "applied" if verdict is Verdict.NEW else verdict.value
            changes.outcomes[partition.part, event.brand.brand.tenant_id, outcome] += 1
            if verdict is Verdict.NEW:
                fresh.append(event)
            elif verdict is Verdict.CONFLICTING:
                detail = f"{event.event.source} {event.event.id} was counted with another body"
                tenant_id = event.brand.brand.tenant_id
                changes.left_out.append(LeftOut(event.record, Reason.CONFLICTING, detail, tenant_id))
        return fresh

    def _judge(self, partition: PartitionState, taken: Taken, changes: Changes) -> Verdict:
        day = utc_day(taken.time)
        identity = identity_of(taken.brand.brand.brand_id, taken.event.source, taken.event.id)
        verdict, entry = partition.seen.judge(identity, taken.record.value or b"", day)
        if entry:
            changes.seen.setdefault((partition.part, day), []).append(entry)
        return verdict

    def fold(self, fresh: Sequence[Taken], changes: Changes) -> Groups:
        """Count events: one by one what an event says alone, then what it says with others."""
        groups = Groups()
        for _, run in groupby(fresh, key=lambda taken: taken.record.timestamp // _QUARTER_MS):
            self._fold_run(list(run), groups, changes)
        for item in changes.items.values():
            item.by_minute = None
        return groups

    def _fold_run(self, fresh: Sequence[Taken], groups: Groups, changes: Changes) -> None:
        """Count events that were recorded on one local day, whichever brand's."""
        cohorts = _Cohorts(fresh)
        talks = _Talks(fresh)
        for taken in fresh:
            record, brand, event, moment = taken
            recorded = record.timestamp // 1000
            place = place_of(brand, event.data.channel, moment, recorded)
            if counts := self._counts.get(type_name(event)):
                group, derived = groups.at(place), derive(event, self._score)
                for count in counts:
                    count(event.data, derived, group)
            _note(changes, brand, event.data.channel, record.timestamp)
            key = item_key(taken)
            for gain in _gains(taken, key):
                _keep_gain(taken, key, gain, groups, changes)
            talks.take(taken)
            _take_level(taken, cohorts, changes)
        cohorts.settle(groups, changes)
        talks.settle(groups, changes)


def _note(changes: Changes, brand: BrandState, channel: str, timestamp: int) -> None:
    brand.fresh_to = max(brand.fresh_to, timestamp // 1000)
    for cut in brand.cuts(channel):
        before = changes.moved.get((brand, cut))
        changes.moved[brand, cut] = timestamp if before is None else min(before, timestamp)


_ABOUT_ITEMS = frozenset({ContentPublished, ContentMetrics, Interaction})
_MESSAGES = frozenset({MessageReceived, MessageSent})


def item_key(taken: Taken) -> ItemKey | None:
    """The content item that an event is about, if any."""
    if type(taken.event) not in _ABOUT_ITEMS:
        return None
    data: Any = taken.event.data
    return (data.channel, data.content_id) if data.content_id else None


def conversation_key(taken: Taken) -> ConversationKey | None:
    """The conversation that an event belongs to, if any."""
    if type(taken.event) not in _MESSAGES:
        return None
    data: Any = taken.event.data
    return data.channel, data.conversation_id


def snapshot_counts(event: ContentMetrics) -> Counts:
    """The counters of a snapshot; likes stand for reactions where those are not told."""
    told = event.data.cumulative
    found = {name: getattr(told, name) for name in told.__struct_fields__ if name != "likes"}
    if found["reactions"] is None:
        found["reactions"] = told.likes
    return {name: count for name, count in found.items() if count is not None}


def _gains(taken: Taken, key: ItemKey | None) -> Iterable[Gain]:
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


_SIGN = {"add": 1, "edit": 0, "remove": -1}
_GAINS: dict[type, Callable[[Item, Taken, Any], Iterable[Gain]]] = {
    Interaction: _gains_by_interaction,
    ContentMetrics: _gains_by_snapshot,
    ContentPublished: _gains_by_publication,
}


def _keep_gain(taken: Taken, key: ItemKey | None, gain: Gain, groups: Groups, changes: Changes) -> None:
    brand, channel, recorded = taken.brand, taken.event.data.channel, taken.record.timestamp // 1000
    if gain.counted:
        sums = groups.at(place_of(brand, channel, gain.moment, recorded)).sums
        sums[gain.counter] += gain.counted
        if gain.counter in INTERACTION_COUNTERS:
            sums["interactions"] += gain.counted
    minute = floor_minute(gain.moment)
    if key and gain.earned:
        point = (brand, key, minute, brand.clock.day(recorded))
        changes.points.setdefault(point, Counter())[gain.counter] += gain.earned
        _note_point(brand.items[key], minute, gain)


def _note_point(item: Item, minute: int, gain: Gain) -> None:
    """Keep the points of an item whole, for a snapshot later in the batch to take back from."""
    if item.by_minute is not None:
        counts = item.by_minute.setdefault(minute, {})
        counts[gain.counter] = counts.get(gain.counter, 0) + gain.earned


def level_moment(taken: Taken, event: AudienceSnapshot) -> int:
    """When an audience had its size, in UTC seconds."""
    return moment_of(event.data.observed_at, taken.record) if event.data.observed_at else taken.time


def _take_level(taken: Taken, cohorts: _Cohorts, changes: Changes) -> None:
    event, brand = taken.event, taken.brand
    if not isinstance(event, AudienceSnapshot):
        return
    data, moment = event.data, level_moment(taken, event)
    history: LevelHistory = brand.history(data.audience, data.channel, event.source)
    history.put(moment, data.count)
    stored = history.at(moment + 1)
    key = (brand, data.channel, data.audience, event.source, moment)
    changes.levels[key] = (stored or 0, taken.record.timestamp // 1000)
    cohorts.touch_channel(brand, data.channel, taken.record.timestamp // 1000)


class _Cohorts:
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


class _Talks:
    """Moves what conversations contribute when their answers change, once a run."""

    def __init__(self, fresh: Sequence[Taken]) -> None:
        self._before: dict[tuple[BrandState, ConversationKey], dict[str, tuple[Received, Answer | None]]] = {}
        self._recorded: dict[tuple[BrandState, ConversationKey], int] = {}
        for taken in fresh:
            if key := conversation_key(taken):
                talk = (taken.brand, key)
                if talk not in self._before:
                    self._before[talk] = _receipts(taken.brand.conversations[key])
                recorded = taken.record.timestamp // 1000
                self._recorded[talk] = max(recorded, self._recorded.get(talk, 0))

    def take(self, taken: Taken) -> None:
        """Put a message into its conversation."""
        event, key = taken.event, conversation_key(taken)
        if key is None:
            return
        conversation = taken.brand.conversations[key]
        if isinstance(event, MessageReceived):
            conversation.receive(event.data.message_id, Received(taken.time, event.data.kind))
        elif isinstance(event, MessageSent):
            conversation.send(event.data.message_id, Sent(taken.time, event.data.in_reply_to))

    def settle(self, groups: Groups, changes: Changes) -> None:
        """Take back what no longer holds of the receipts and add what holds now."""
        for (brand, key), before in self._before.items():
            conversation = brand.conversations[key]
            after = _receipts(conversation)
            changes.conversations[brand, key] = conversation
            for message_id in after:
                was, now = before.get(message_id), after[message_id]
                if was != now:
                    self._move(brand, key, was, now, groups)
                    known_on = brand.clock.day(self._recorded[brand, key])
                    earlier = changes.receipts.get((brand, key, message_id))
                    changes.receipts[brand, key, message_id] = _receipt(now, known_on, earlier)

    def _move(
        self,
        brand: BrandState,
        key: ConversationKey,
        was: tuple[Received, Answer | None] | None,
        now: tuple[Received, Answer | None],
        groups: Groups,
    ) -> None:
        for receipt, sign in ((was, -1), (now, 1)):
            if receipt is None:
                continue
            received, answer = receipt
            if answer is None:
                brand.set_waiting(received.kind, key[0], received.at, waits=sign > 0)
            else:
                place = place_of(brand, key[0], received.at, self._recorded[brand, key])
                groups.at(place).add(answered(received.kind, answer.at - received.at, sign))


def _receipt(now: tuple[Received, Answer | None], known_on: int, earlier: Receipt | None) -> Receipt:
    """A receipt as of this run; what an earlier run of the batch told already was known then."""
    received, answer = now
    found = Receipt(received, known_on, answer, known_on if answer else None)
    if earlier and earlier.received == received:
        found = found._replace(known_on=earlier.known_on)
    if earlier and earlier.answer == answer:
        found = found._replace(answer_known_on=earlier.answer_known_on)
    return found


def _receipts(conversation: Conversation) -> dict[str, tuple[Received, Answer | None]]:
    answers = conversation.answers()
    return {mid: (message, answers.get(mid)) for mid, message in conversation.received.items()}
