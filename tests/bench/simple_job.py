"""The peers' job, put together from the product's own parts.

`python -m tests.bench.simple_job KAFKA TOPIC RECORDS DSN`.

Events and their `reach` by brand and minute of event time, from the log into PostgreSQL: the product's reader and its
claim of partitions (fencing, checks of the log, restore), its timelines and its transaction, in which the offsets move
with the sums. Late events count in their minute, apart by the day on which they became known; a watermark tells how
many came after their minute was closed. Only the decoder is the job's own, as with the peers.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack

import msgspec
import structlog
import uvloop

from bellwether.adapters.kafka.fingerprint import fingerprint
from bellwether.adapters.kafka.log_reader import LogReader, ReaderSettings, Record
from bellwether.adapters.kafka.reachability import cluster_id
from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.pool import Pool, is_transient, open_pool
from bellwether.domain.errors import Unavailable
from bellwether_compute.changes import Changes
from bellwether_compute.claims import Claimant
from bellwether_compute.groups import Groups, place_of
from bellwether_compute.loading import load_chunks
from bellwether_compute.state import BrandState, PartitionState
from bellwether_compute.store import Advance, Fenced, commit
from bellwether_compute.taking import LeftOut, Reason
from tests.bench.peers.job import LATE_S, Findings, Said, decoder

_EVENTS, _REACH = "events", "reach"
_CUTS = ("",)
_MOST = 4_000
_WAIT_S = 0.1
_COMMIT_EVERY_S = 1.0
_QUARTER_MS = 900_000
_TOTALS = "SELECT totals FROM rollup_minute"

Key = tuple[bytes, int, int]
"""The record key, the minute of the event, and the quarter of an hour in which it was recorded."""


class Job:
    """Reads, sums, and commits once a second; after any failure its partitions are claimed again."""

    def __init__(self, reader: LogReader, pool: Pool, directory: Directory, claimant: Claimant) -> None:
        self._reader = reader
        self._pool = pool
        self._directory = directory
        self._claimant = claimant
        self._claimed: dict[int, PartitionState] = {}
        self._last: dict[int, Record] = {}
        self._sums: dict[Key, list[int]] = {}
        self._watermarks: dict[int, int] = {}
        self._left_out: list[LeftOut] = []
        self._lost = False
        self.late = 0

    async def run(self, records: int) -> None:
        """Until so many records are applied."""
        self._reader.join(self._forget, self._nothing)
        due = time.monotonic() + _COMMIT_EVERY_S
        while self._applied() < records:
            try:
                await self._claim()
                await self._poll()
                if time.monotonic() >= due or self._read() >= records:
                    await self._commit()
                    due = time.monotonic() + _COMMIT_EVERY_S
            except Exception as error:
                if not (isinstance(error, Fenced) or is_transient(error)):
                    raise
                self._lost = True

    async def _poll(self) -> None:
        if not self._claimed:
            await asyncio.sleep(_WAIT_S)
            return
        for part, batch in (await self._reader.poll(self._claimed, _WAIT_S, _MOST)).items():
            self._take(part, batch)

    def _applied(self) -> int:
        return sum(state.next_offset for state in self._claimed.values())

    def _read(self) -> int:
        """Records up to the last one read, which may not be committed yet."""
        ends = {part: state.next_offset for part, state in self._claimed.items()}
        return sum({**ends, **{part: record.offset + 1 for part, record in self._last.items()}}.values())

    async def _forget(self) -> None:
        self._lost = True

    async def _nothing(self) -> None: ...

    async def _claim(self) -> None:
        """Restore: the offsets and the watermark of a new partition are those that PostgreSQL holds."""
        if self._lost:
            self._lost = False
            self._claimed, self._last, self._sums, self._left_out = {}, {}, {}, []
        for part in self._reader.assigned():
            if part not in self._claimed:
                self._claimed[part] = await self._claimant.claim(part, int(time.time()))

    def _take(self, part: int, batch: Sequence[Record]) -> None:
        """Add a batch of one partition to the sums that wait for the next commit."""
        if batch[0].offset < self._claimed[part].next_offset:
            raise Unavailable(f"partition {part} gave {batch[0].offset}")
        sums, closed = self._sums, self._watermarks.get(part, 0)
        latest = late = 0
        for record, said in zip(batch, self._decoded(batch), strict=True):
            if said is None:
                continue
            minute = int(said.time.timestamp()) // 60 * 60
            if minute > latest:  # noqa: PLR1730 - a call of max costs more than all the rest of the line
                latest = minute
            if minute < closed:
                late += 1
            key = (record.key or b"", minute, record.timestamp // _QUARTER_MS)
            found = sums.get(key)
            if found is None:
                sums[key] = [1, said.data.reach]
            else:
                found[0] += 1
                found[1] += said.data.reach
        self.late += late
        self._watermarks[part] = max(closed, latest - LATE_S)
        self._last[part] = batch[-1]

    def _decoded(self, batch: Sequence[Record]) -> Iterable[Said | None]:
        """The events of records; None for what cannot be read, which goes to the quarantine."""
        try:
            return [decoder.decode(record.value or b"") for record in batch]
        except msgspec.DecodeError:
            return [self._decode(record) for record in batch]

    def _decode(self, record: Record) -> Said | None:
        try:
            return decoder.decode(record.value or b"")
        except msgspec.DecodeError as error:
            self._left_out.append(LeftOut(record, Reason.MALFORMED, str(error), None))
            return None

    async def _commit(self) -> None:
        """Sums and offsets in one transaction, which fails if somebody else has claimed a partition."""
        changes, groups = Changes(), Groups()
        changes.left_out.extend(self._left_out)
        for (key, minute, quarter), (events, reach) in self._sums.items():
            if (brand := await self._brand(key)) is not None:
                place = place_of(brand, _CUTS, minute, quarter * _QUARTER_MS // 1000)
                groups.at(place).add({_EVENTS: events, _REACH: reach})
        async with self._pool.connection() as connection:
            await load_chunks(connection, groups.chunks())
            changes.rollups = groups.roll_up()
            await commit(connection, self._reader.topic, self._advances(), changes, ())
        for part, record in self._last.items():
            self._claimed[part].next_offset = record.offset + 1
        self._sums, self._left_out, self._last = {}, [], {}

    def _advances(self) -> list[Advance]:
        states: Mapping[int, PartitionState] = self._claimed
        return [
            Advance(part, states[part].epoch, states[part].next_offset, record.offset + 1, fingerprint(record))
            for part, record in self._last.items()
        ]

    async def _brand(self, key: bytes) -> BrandState | None:
        for state in self._claimed.values():
            if key in state.by_key:
                return state.by_key[key]
        tenant, _, slug = key.decode("utf-8", "replace").partition("/")
        brand = await self._directory.brand_fresh(tenant, slug)
        if brand is None:
            return None
        part = next(iter(self._claimed))
        return self._claimed[part].by_key.setdefault(key, BrandState(brand, part))


async def main() -> None:
    """Run over so many records, and print what PostgreSQL holds then."""
    bootstrap, topic, records, dsn = sys.argv[1:5]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(dsn))
        directory = await stack.enter_async_context(Directory.open(pool))
        settings = ReaderSettings(bootstrap=bootstrap, topic=topic, group=f"simple-{topic}")
        reader = await stack.enter_async_context(LogReader.open(settings))
        claimant = Claimant(reader, pool, "simple job", await cluster_id(bootstrap) or "")
        await Job(reader, pool, directory, claimant).run(int(records))
        totals = [msgspec.msgpack.decode(row["totals"]) for row in await pool.fetch(_TOTALS)]
    found = Findings.of((of[_EVENTS], of.get(_REACH, 0)) for of in totals)
    print(msgspec.json.encode(found).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main())  # as the services run
