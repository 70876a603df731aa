"""Fills own measures for the past: what the log holds before the records from which on they are counted.

The running service goes on meanwhile. It wrote, with its offsets, from which record of each
partition on it counts a measure; here every record before that is counted, once, as the service
counted it: what it left out is in quarantine, by offset, and of repeats the first one counts. A
partition is added in one transaction that also fences its owner, which then loads anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import chain
from typing import NamedTuple

from bellwether.adapters.kafka.log_range import LogRange, open_log
from bellwether.adapters.kafka.log_reader import Record
from bellwether.adapters.kafka.reachability import cluster_id
from bellwether.adapters.lexicon import vader_lexicon
from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.directory import Brand, Directory
from bellwether.adapters.postgres.pool import Pool, Row, open_pool
from bellwether.catalogue.cuts import cuts_of
from bellwether.catalogue.measures import Measure
from bellwether.domain.errors import Conflict, Unavailable, UnknownTenant
from bellwether.domain.sentiment import CachedScorer, SentimentScorer
from bellwether.domain.windows import MINUTES_KEPT_S
from bellwether.wire.events import type_name
from bellwether_compute.dedup import identity_of
from bellwether_compute.groups import Groups, place_of
from bellwether_compute.loading import load_chunks
from bellwether_compute.measuring import Score, compile_measures, derive
from bellwether_compute.own_measures import Counts, countable
from bellwether_compute.state import BrandState
from bellwether_compute.store import write_rollups
from bellwether_compute.taking import Taken, take

_DEADLINE_S = 600.0
_PATIENCE_S = 20.0
_POLL_S = 0.5

_TENANT = "SELECT tenant_id FROM tenant WHERE slug = $1"
_GUARD = "SELECT cluster_id, partitions FROM stream_guard WHERE stream = $1"
_STARTS = """
    SELECT part, measure, since_offset, filled_at IS NOT NULL AS is_filled FROM own_measure_start
    WHERE stream = $1 AND tenant_id = $2 AND measure = ANY($3::text[]) ORDER BY part, measure
"""
_QUARANTINED = """
    SELECT log_offset FROM quarantine WHERE stream = $1 AND part = $2 AND log_offset >= $3 AND log_offset < $4
"""
# Whoever owns the partition loses its next transaction, forgets what it holds and loads what is written here.
# Where nothing is written, there is nothing to load anew, and the owner goes on.
_FENCE = "UPDATE stream_offset SET epoch = epoch + 1 WHERE stream = $1 AND part = $2"
_FILLED = """
    UPDATE own_measure_start SET filled_at = now(), filled_from = $5
    WHERE stream = $1 AND part = $2 AND tenant_id = $3 AND measure = ANY($4::text[]) AND filled_at IS NULL
"""

Tell = Callable[[str], None]


class Gap(NamedTuple):
    """Measures that a partition does not hold before an offset of theirs."""

    part: int
    since: Mapping[str, int]

    @property
    def stop(self) -> int:
        """The offset before which something is to be counted."""
        return max(self.since.values())


class Filled(NamedTuple):
    """What was filled of a partition.

    events: how many were new to some measure; first: the first offset that the log keeps
    reaches_back_to: when the intake took the first record that was read, in ms; None where there was none
    """

    part: int
    measures: tuple[str, ...]
    events: int
    first: int
    reaches_back_to: int | None


class CountsBefore(NamedTuple):
    """Counts what lies before an offset."""

    since: int
    counts: Counts


async def fill(kafka: str, postgres: str, stream: str, tenant: str, tell: Tell) -> list[Filled]:
    """Fill all measures of a tenant that are counted and not filled yet, partition by partition.

    tell: takes a line on what goes on
    Raises Conflict where the log is another one or compute does not count a measure, UnknownTenant, Unavailable.
    """
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            open_pool(
                postgres,
                application="bellwether-rebuild",
                deadline_s=_DEADLINE_S,
                statement_s=_DEADLINE_S,
                idle_in_transaction_s=_DEADLINE_S,
            )
        )
        owner = await pool.fetchval(_TENANT, tenant)
        if owner is None:
            raise UnknownTenant(f"There is no tenant {tenant}.")
        measures = await _counted(pool, owner)
        partitions = await _check_log(pool, kafka, stream)
        gaps = _gaps(await _starts(pool, stream, owner, measures, partitions))
        log = await stack.enter_async_context(open_log(kafka, stream))
        directory = Directory(pool)
        await directory.refresh()
        filler = Filler(pool, log, stream, owner, directory.brands(tenant))
        found = []
        for gap in gaps:
            tell(f"partition {gap.part}: {', '.join(gap.since)}")
            found.append(await filler.fill(gap, measures))
        return found


async def _counted(pool: Pool, tenant_id: int) -> dict[str, Measure]:
    definitions = Definitions(pool)
    await definitions.refresh()
    return {measure.key: measure for measure in countable(definitions.of(tenant_id).counted.values())}


async def _check_log(pool: Pool, kafka: str, stream: str) -> int:
    """How many partitions the stream has. Raises Conflict for another log than Postgres knows, Unavailable."""
    guard = await pool.fetchrow(_GUARD, stream)
    if guard is None:
        raise Conflict(f"{stream} was never initialised.")
    found = await cluster_id(kafka)
    if found is None:
        raise Unavailable(f"No broker answers at {kafka}.")
    if found != guard["cluster_id"]:
        raise Conflict(f"Postgres knows the log of the cluster {guard['cluster_id']}; another one answers at {kafka}.")
    return int(guard["partitions"])


async def _starts(pool: Pool, stream: str, tenant_id: int, measures: Collection[str], partitions: int) -> Sequence[Row]:
    """From where on measures are counted. Waits a little for a service that has just heard of one.

    Raises Conflict where it does not count all of them: nobody knows then from where on it will.
    """
    until = time.monotonic() + _PATIENCE_S
    while True:
        rows = await pool.fetch(_STARTS, stream, tenant_id, list(measures))
        if len(rows) == len(measures) * partitions:
            return rows
        if time.monotonic() >= until:
            counts = Counter(row["measure"] for row in rows)
            missing = ", ".join(sorted(measure for measure in measures if counts[measure] < partitions))
            raise Conflict(f"Compute does not count {missing} in every partition; is it running?")
        await asyncio.sleep(_POLL_S)


def _gaps(starts: Sequence[Row]) -> list[Gap]:
    found: dict[int, dict[str, int]] = {}
    for part, measure, since, is_filled in starts:
        if not is_filled:
            found.setdefault(part, {})[measure] = since
    return [Gap(part, since) for part, since in found.items()]


class Filler:
    """Fills partitions for one tenant."""

    def __init__(self, pool: Pool, log: LogRange, stream: str, tenant_id: int, brands: Iterable[Brand]) -> None:
        self._pool = pool
        self._log = log
        self._stream = stream
        self._tenant_id = tenant_id
        self._brands = {f"{brand.tenant}/{brand.slug}".encode(): brand for brand in brands}
        self._score: Score = CachedScorer(SentimentScorer(vader_lexicon())).score

    async def fill(self, gap: Gap, measures: Mapping[str, Measure]) -> Filled:
        """Count what a partition does not hold yet, and add it. Raises Conflict where somebody else just did."""
        first = await self._log.first_offset(gap.part)
        aside = await self._pool.fetch(_QUARANTINED, self._stream, gap.part, first, gap.stop)
        counting = _Counting(self._brands, gap, _counters(gap, measures), {row[0] for row in aside}, self._score)
        reaches_back_to = None
        async for records in self._log.read(gap.part, first, gap.stop):
            reaches_back_to = reaches_back_to or records[0].timestamp
            counting.take(records)
        await self._add(gap, counting.groups, reaches_back_to)
        return Filled(gap.part, tuple(gap.since), counting.events, first, reaches_back_to)

    async def _add(self, gap: Gap, groups: Groups, reaches_back_to: int | None) -> None:
        """All of it or nothing, once."""
        async with self._pool.transaction() as connection:
            if chunks := groups.chunks():
                await connection.execute(_FENCE, self._stream, gap.part)
            values = (self._stream, gap.part, self._tenant_id, list(gap.since), reaches_back_to)
            if await connection.execute(_FILLED, *values) != f"UPDATE {len(gap.since)}":
                raise Conflict(f"Partition {gap.part} was just filled by somebody else.")
            await load_chunks(connection, chunks)
            await write_rollups(connection, groups.roll_up())


def _counters(gap: Gap, measures: Mapping[str, Measure]) -> list[CountsBefore]:
    """What counts the records before each offset, the last offset first."""
    by_since: dict[int, list[Measure]] = {}
    for key, since in gap.since.items():
        by_since.setdefault(since, []).append(measures[key])
    return [CountsBefore(since, compile_measures(by_since[since])) for since in sorted(by_since, reverse=True)]


class _Counting:
    """Counts records of one partition, each event once."""

    def __init__(
        self, brands: Mapping[bytes, Brand], gap: Gap, counters: Sequence[CountsBefore], aside: set[int], score: Score
    ) -> None:
        self._brands = {key: BrandState(brand, gap.part) for key, brand in brands.items()}
        self._counters = counters
        self._aside = aside
        self._score = score
        self._seen: set[bytes] = set()
        self._minutes_from = int(time.time()) - MINUTES_KEPT_S
        self.groups = Groups()
        self.events = 0

    def take(self, records: Sequence[Record]) -> None:
        """Count what the service counted of these records."""
        ours = [record for record in records if record.key in self._brands and record.offset not in self._aside]
        for taken in take(ours, self._brands.get)[0]:
            identity = identity_of(taken.brand.brand.brand_id, taken.event.source, taken.event.id)
            if identity not in self._seen:
                self._seen.add(identity)
                self._count(taken)

    def _count(self, taken: Taken) -> None:
        record, brand, event, moment = taken
        name = type_name(event)
        due = [one.counts[name] for one in self._counters if record.offset < one.since and name in one.counts]
        if not due:
            return
        place = place_of(brand, cuts_of(event.data), moment, record.timestamp // 1000)
        group = self.groups.at(place._replace(fine=place.fine and place.minute >= self._minutes_from))
        derived = derive(event, self._score, moment)
        for count in chain.from_iterable(due):
            count(event.data, derived, group)
        self.events += 1
