"""Runs the fold over events in memory: a brand of which nothing is stored yet, and batches of its events.

There is no Postgres here, and no imitation of one: an empty database has nothing to load, so every chunk counts as
loaded and every unknown item or conversation is a new one. Of what a batch writes only the points of items are ever
read again by the fold; they are kept aside and handed back as they would be loaded.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bellwether.adapters.postgres.directory import Brand
from bellwether.catalogue.measures import MEASURES
from bellwether.domain.incidents import Step, account
from bellwether.domain.timeline import Grain
from bellwether.domain.totals import Distinct, Totals, merged
from bellwether_compute.changes import Changes
from bellwether_compute.content import Item
from bellwether_compute.conversations import Conversation, Standing
from bellwether_compute.dedup import utc_day
from bellwether_compute.groups import Groups
from bellwether_compute.loading import read_by_minute
from bellwether_compute.measuring import compile_measures
from bellwether_compute.pipeline import Pipeline
from bellwether_compute.settlement import ToldStep, settle_steps
from bellwether_compute.state import BrandState, PartitionState
from bellwether_compute.subjects import conversation_key, item_key
from bellwether_compute.taking import Taken, take

NOW = int(datetime(2026, 3, 20, 12, 0, 30, tzinfo=UTC).timestamp())
"""When everything is recorded unless a test says otherwise."""
COUNTS = compile_measures(MEASURES)


@dataclass(slots=True)
class StoredRecord:
    """A record as it lies in the log; `timestamp` in ms since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def brand_state(time_zone: str = "UTC") -> BrandState:
    """The brand acme/aurora, of which nothing is stored."""
    state = BrandState(Brand(7, 1, "acme", "aurora", "Aurora", time_zone, "USD", ("rival",)), 0)
    state.loaded = True
    return state


def iso(moment: float) -> str:
    """A moment as events write it."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def envelope(kind: str, event_id: str, moment: float, /, **data: Any) -> dict[str, Any]:
    """A CloudEvent of the brand, on instagram unless it says otherwise."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "/test",
        "type": kind,
        "time": iso(moment),
        "data": {"brand": "aurora", "channel": "instagram", **data},
    }


def no_opinion(_: str) -> float:
    """A score for every text."""
    return 0.0


class Folding:
    """A brand, and the events that it has been given in batches."""

    def __init__(self, time_zone: str = "UTC", score: Callable[[str], float] = no_opinion) -> None:
        self.brand = brand_state(time_zone)
        self.partition = PartitionState(0, 1, 0)
        self.pipeline = Pipeline(COUNTS, score)
        self.points: dict[tuple[str, str], dict[int, Counter[str]]] = {}
        self.receipts: dict[tuple[str, str, str], Standing] = {}
        self.levels: dict[tuple[str, str, str, int], int] = {}
        self.outcomes: Counter[str] = Counter()
        self.moved: set[str] = set()

    def apply(self, events: Iterable[dict[str, Any]], recorded: float = NOW) -> Changes:
        """Select, fold and roll up one batch, all of it recorded at one moment."""
        return self.apply_logged((recorded, event) for event in events)

    def apply_logged(self, log: Iterable[tuple[float, dict[str, Any]]]) -> Changes:
        """The same for events of which each was recorded at a moment of its own."""
        records = [self._record(event, recorded) for recorded, event in log]
        taken, left_out = take(records, lambda _: self.brand)
        assert left_out == []
        self.partition.seen.open_days |= {utc_day(t.time) for t in taken}
        changes = Changes()
        fresh = self.pipeline.select(self.partition, taken, changes)
        self._make_ready(fresh)
        groups = self.pipeline.fold(fresh, changes)
        self._load(groups)
        changes.rollups = groups.roll_up()
        self._keep(changes)
        return changes

    def tell(self, incident_id: str, step: Step, recorded: float = NOW) -> Changes:
        """Take a step of a crisis that no event tells of."""
        changes, groups = Changes(), Groups()
        settle_steps([ToldStep(self.brand, incident_id, step, int(recorded * 1000))], groups, changes)
        self._load(groups)
        changes.rollups = groups.roll_up()
        self._keep(changes)
        return changes

    def _record(self, event: dict[str, Any], recorded: float) -> StoredRecord:
        return StoredRecord(0, 0, int(recorded * 1000), b"acme/aurora", json.dumps(event).encode())

    def _make_ready(self, fresh: Sequence[Taken]) -> None:
        for taken in fresh:
            if item_at := item_key(taken):
                self.brand.items.setdefault(item_at, Item())
            if talk_at := conversation_key(taken):
                self.brand.conversations.setdefault(talk_at, Conversation())
        for _, key in read_by_minute(fresh):
            points = self.points.get(key, {})
            self.brand.items[key].by_minute = {minute: dict(gained) for minute, gained in points.items()}

    def _load(self, groups: Groups) -> None:
        for (brand, cut), chunks in groups.chunks().items():
            brand.timeline(cut).loaded |= chunks

    def _keep(self, changes: Changes) -> None:
        for (_, item_at, minute, _), gained in changes.points.items():
            self.points.setdefault(item_at, {}).setdefault(minute, Counter()).update(gained)
        for (_, talk_at, message_id), receipt in changes.receipts.items():
            self.receipts[*talk_at, message_id] = receipt.standing
        for (_, *level), (count, _, _) in changes.levels.items():
            self.levels[tuple(level)] = count  # type: ignore[index]
        for (_, _, outcome), events in changes.outcomes.items():
            self.outcomes[outcome] += events
        self.moved |= {cut for _, cut in changes.moved}

    def rollups_by_day_known(self) -> dict[tuple[Grain, str, int, int], dict[str, Any]]:
        """All that is in the rollups, without zeros."""
        return {
            (grain, cut, bucket, known_on): shown
            for cut, timeline in self.brand.timelines.items()
            for grain in Grain
            for bucket, by_day in timeline._buckets[grain].items()
            for known_on, totals in by_day.items()
            if (shown := plain(totals))
        }

    def rollups(self) -> dict[tuple[Grain, str, int], dict[str, Any]]:
        """All that is in the rollups, summed over the days on which it was known, without zeros."""
        found = {}
        for cut, timeline in self.brand.timelines.items():
            for grain in Grain:
                for bucket, by_day in timeline._buckets[grain].items():
                    if shown := plain(merged(by_day.values())):
                        found[grain, cut, bucket] = shown
        return found

    def everything(self) -> dict[str, object]:
        """All that the fold has made of its events, for comparison."""
        return {
            "rollups": self.rollups(),
            "items": {
                at: (item.published_at, item.followers, +Counter(item.earned), item.snapshots)
                for at, item in self.brand.items.items()
            },
            "points": {
                (at, minute): shown
                for at, points in self.points.items()
                for minute, gained in points.items()
                if (shown := {counter: count for counter, count in gained.items() if count})
            },
            "receipts": self.receipts,
            "waiting": {cut: self.brand.waiting(cut) for cut in sorted(self.moved)},
            "levels": self.levels,
            "markers": {cut: self.brand.affairs.markers.of_cut(cut) for cut in sorted(self.moved)},
            "incidents": {name: account(one.steps) for name, one in self.brand.affairs.incidents.items()},
            "crises": {cut: self.brand.affairs.crises(cut) for cut in sorted(self.moved)},
            "outcomes": self.outcomes,
            "moved": self.moved,
        }


def plain(totals: Totals) -> dict[str, Any]:
    """Totals as plain values, without what is nothing."""
    shown = {key: value.estimate() if isinstance(value, Distinct) else value for key, value in totals.items()}
    return {key: value for key, value in shown.items() if value}
