"""One cycle over the claimed partitions: take, load, fold, roll up, refresh, commit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from bellwether.adapters.kafka.fingerprint import fingerprint
from bellwether.adapters.kafka.log_reader import Record
from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.pool import Connection, Pool
from bellwether.observability import metrics
from bellwether_compute.announcing import Announcer
from bellwether_compute.brand_changes import BrandChanges
from bellwether_compute.changes import Changes
from bellwether_compute.dedup import HORIZON_DAYS, utc_day
from bellwether_compute.detection import Detection
from bellwether_compute.failpoints import Failpoint
from bellwether_compute.loading import forget_surplus, load_brands, load_chunks, load_for, open_days
from bellwether_compute.own_measures import OwnMeasures
from bellwether_compute.people import settle_people
from bellwether_compute.pipeline import Pipeline
from bellwether_compute.refresh import Due, Evaluations, Refresher, as_of_now, chunks_now
from bellwether_compute.state import BrandState, PartitionState
from bellwether_compute.store import Advance, CurrentRow, commit
from bellwether_compute.taking import Read, Taken, take
from bellwether_compute.verdicts import Verdicts

Partitions = dict[int, PartitionState]
Batches = Mapping[int, Sequence[Record]]
Ahead = Mapping[int, Sequence[Read]]
"""What the first records of each batch say, as far as they were read before their cycle."""
NOT_READ: Ahead = {}

_BACKLOG_PART = 16
"""A row takes as long as some forty events: with 64 rows for 4,000 events, 4 of them are some 4 % of the time."""


@dataclass(slots=True)
class Cycle:
    """Everything a cycle works with besides its records.

    condemned: offsets by partition of single records that Postgres refused
    """

    stream: str
    pool: Pool
    directory: Directory
    pipeline: Pipeline
    refresher: Refresher
    announcer: Announcer
    own: OwnMeasures
    failpoint: Failpoint
    timeout_s: float
    max_events: int
    max_refreshes: int
    max_cached: int
    condemned: dict[int, set[int]] = field(default_factory=dict)
    verdicts: Verdicts = field(default_factory=Verdicts)
    brand_changes: BrandChanges = field(default_factory=BrandChanges)
    detection: Detection = field(default_factory=Detection)
    evaluations: Evaluations = field(default_factory=Evaluations)

    async def run(self, partitions: Partitions, batches: Batches, split: int = 1, ahead: Ahead = NOT_READ) -> Changes:
        """Apply batches of claimed partitions, and refresh what is due, in one transaction.

        `split`: into how many parts the work of a cycle is split at the moment, since all of it does not end in time.
        On any error nothing is applied, or everything is and the answer was lost: the state
        of the partitions must be dropped and claimed again.
        """
        changes = Changes()
        self.refresher.note(self.brand_changes.follow(self.directory, partitions))
        self.refresher.note(self.own.follow(partitions))
        self.pipeline.count_for(self.own.counts)
        starts = self.own.starts(partitions)
        async with self.pool.connection(self.timeout_s) as connection:
            # First, so that a mark which this batch moves is moved where its verdict is known.
            self.refresher.note(await self.verdicts.follow(connection, partitions, time.time()))
            fresh = await self._take(connection, partitions, batches, ahead, changes)
            await load_for(connection, fresh)
            groups = self.pipeline.fold(fresh, changes)
            await settle_people(connection, groups, changes)
            await self.detection.settle(connection, partitions, fresh, groups, changes)
            await load_chunks(connection, groups.chunks())
            changes.rollups = groups.roll_up()
            self.refresher.note(changes.moved)
            self.failpoint.reach("after_fold")
            due, current = await self._refresh(connection, self._most_refreshes(len(fresh), split))
            on_the_spot = {b.part for b, _, _ in due} | {s.part for s in starts} | changes.parts_detected()
            advances = _advances(partitions, batches, on_the_spot)
            if advances:
                self.failpoint.reach("before_commit")
                with metrics.COMMIT_DURATION.time():
                    await commit(connection, self.stream, advances, changes, current, starts)
                self.failpoint.reach("after_commit")
        self._settle(partitions, advances, changes, list(zip(due, current, strict=True)))
        self.own.settle(partitions, starts)
        self.announcer.announce(zip(due, current, strict=True))
        return changes

    async def _take(
        self, connection: Connection, partitions: Partitions, batches: Batches, ahead: Ahead, changes: Changes
    ) -> list[Taken]:
        fresh: list[Taken] = []
        for part, records in batches.items():
            partition = partitions[part]
            await self._find_brands(partition, records)
            refused = self.condemned.get(part, ())
            taken, left_out = take(records, partition.by_key.get, refused, ahead.get(part, ()))
            await open_days(connection, self.stream, partition, (t.time for t in taken))
            changes.left_out.extend(left_out)
            for out in left_out:
                changes.outcomes[part, out.tenant_id or 0, "quarantined"] += 1
            fresh.extend(self.pipeline.select(partition, taken, changes))
        return fresh

    async def _find_brands(self, partition: PartitionState, records: Sequence[Record]) -> None:
        """Make sure that every brand which exists is known to the partition by its key."""
        for key in {r.key for r in records if r.key is not None} - partition.by_key.keys():
            tenant, _, slug = key.decode("utf-8", "replace").partition("/")
            brand = await self.directory.brand_fresh(tenant, slug)
            if brand is not None:
                state = partition.brands.setdefault(brand.brand_id, BrandState(brand, partition.part))
                partition.by_key[key] = state

    def _most_refreshes(self, events: int, split: int) -> int:
        """A full batch means a backlog: catching up comes first, and the cadence stretches."""
        is_full = events * split >= self.max_events // 2
        parts = _BACKLOG_PART * split if is_full else split
        return min(-(-self.max_refreshes // parts), self.evaluations.most)

    async def _refresh(self, connection: Connection, most: int) -> tuple[list[Due], list[CurrentRow]]:
        now = time.time()
        due = self.refresher.due(now, most)
        await load_brands(connection, (brand for brand, _, _ in due))
        as_of = {brand: as_of_now(brand, now) for brand, _, _ in due}
        wanted = {(brand, cut): chunks_now(brand, cut, as_of[brand], self.own.kpis(brand)) for brand, cut, _ in due}
        await load_chunks(connection, wanted)
        for (brand, cut), chunks in wanted.items():
            brand.timeline(cut).forget_but(chunks)
        return due, self.evaluations.refresh_all(due, as_of, self.own.kpis)

    def _settle(
        self,
        partitions: Partitions,
        advances: Sequence[Advance],
        changes: Changes,
        refreshed: Sequence[tuple[Due, CurrentRow]],
    ) -> None:
        """After the commit: remember where we are, and tell the metrics."""
        now = time.time()
        for advance in advances:
            partitions[advance.part].next_offset = advance.next_offset
            partitions[advance.part].seen.close_before(utc_day(int(now)) - HORIZON_DAYS - 1)
        self.refresher.done((due for due, _ in refreshed), now)
        for (brand, cut, moved_ms), row in refreshed:
            slides_at = self.evaluations.slides_next(brand, cut, row.as_of, self.own.kpis(brand))
            self.refresher.slide_at(brand, cut, slides_at)
            if moved_ms is not None:
                metrics.FRESHNESS.observe(max(0.0, now - moved_ms / 1000))
        for brand, _ in changes.moved:
            forget_surplus(brand, self.max_cached)
        for recorded_ms in changes.detected:
            metrics.DETECTION_DELAY.observe(max(0.0, now - recorded_ms / 1000))
        _count(changes, len(refreshed))


def _advances(partitions: Partitions, batches: Batches, on_the_spot: Set[int]) -> list[Advance]:
    """The moves of all partitions that are read from, and of those of which something else is written."""
    advances = []
    for part in sorted(batches.keys() | on_the_spot):
        state, records = partitions[part], batches.get(part)
        next_offset = records[-1].offset + 1 if records else state.next_offset
        last = fingerprint(records[-1]) if records else None
        advances.append(Advance(part, state.epoch, state.next_offset, next_offset, last))
        if records:
            state.applied_ms = records[-1].timestamp
    return advances


def _count(changes: Changes, refreshed: int) -> None:
    applied = sum(n for (_, _, outcome), n in changes.outcomes.items() if outcome == "applied")
    duplicates = sum(n for (_, _, outcome), n in changes.outcomes.items() if outcome == "duplicate")
    metrics.EVENTS_APPLIED.inc(applied)
    metrics.EVENTS_LEFT_OUT.labels("duplicate").inc(duplicates)
    for left_out in changes.left_out:
        metrics.EVENTS_LEFT_OUT.labels(left_out.reason.value).inc()
        metrics.EVENTS_QUARANTINED.labels("compute", left_out.reason.value).inc()
    metrics.KPI_ROWS_WRITTEN.inc(refreshed)
