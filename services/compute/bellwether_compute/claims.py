"""Claiming partitions: raising the epoch, checking that the log is the one we know, and
putting the consumer where Postgres says.

Kafka's own committed offsets are never read: they are for lag tools alone.
"""

from __future__ import annotations

import structlog

from bellwether.adapters.kafka.fingerprint import fingerprint
from bellwether.adapters.kafka.log_reader import LogReader
from bellwether.adapters.postgres.pool import Pool
from bellwether.domain.errors import Unavailable
from bellwether_compute.loading import open_horizon
from bellwether_compute.state import PartitionState

log = structlog.get_logger(__name__)

_CLAIM = """
    UPDATE stream_offset SET epoch = epoch + 1, owner = $3, updated_at = now()
    WHERE stream = $1 AND part = $2
    RETURNING epoch, next_offset, last_fingerprint
"""
_COUNTED = "SELECT tenant_id, measure FROM own_measure_start WHERE stream = $1 AND part = $2"
_GUARD = "SELECT cluster_id, partitions FROM stream_guard WHERE stream = $1"


class Halted(Exception):
    """A guard stops a partition until an operator decides.

    reason: cluster, partitions, range or fingerprint
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Claimant:
    """Claims partitions of the topic of a reader, for one worker."""

    def __init__(self, reader: LogReader, pool: Pool, owner: str, cluster_id: str) -> None:
        self._reader = reader
        self._pool = pool
        self._stream = reader.topic
        self._owner = owner
        self._cluster_id = cluster_id

    async def claim(self, part: int, now: int) -> PartitionState:
        """Fence whoever had the partition, seek to what is next, and load what was seen.

        now: UTC seconds, for the horizon of repeats
        Raises Halted if the log is not the one that the offsets belong to, Unavailable or an
        error of Postgres if they do not answer; nothing is read then.
        """
        await self._check_stream()
        row = await self._pool.fetchrow(_CLAIM, self._stream, part, self._owner)
        if row is None:
            raise Halted("partitions", f"{self._stream}-{part} has no offset; was the topic initialised?")
        await self._check_log(part, row["next_offset"], row["last_fingerprint"])
        state = PartitionState(part, row["epoch"], row["next_offset"])
        async with self._pool.connection(60.0) as connection:
            await open_horizon(connection, self._stream, state, now)
            state.counted = {(row[0], row[1]) for row in await connection.fetch(_COUNTED, self._stream, part)}
        log.info("claimed", part=part, epoch=state.epoch, next_offset=state.next_offset, seen=len(state.seen))
        return state

    async def _check_stream(self) -> None:
        row = await self._pool.fetchrow(_GUARD, self._stream)
        if row is None:
            raise Halted("partitions", f"{self._stream} was never initialised: run `bellwether topics create`")
        if row["cluster_id"] != self._cluster_id:
            raise Halted("cluster", f"Postgres knows {row['cluster_id']}, the brokers are {self._cluster_id}")
        count = self._reader.partition_count()
        if count == 0:
            raise Unavailable("Kafka does not tell the partitions yet")
        if count != row["partitions"]:
            raise Halted("partitions", f"Postgres knows {row['partitions']}, the topic has {count}")

    async def _check_log(self, part: int, next_offset: int, last: bytes | None) -> None:
        """Require that the log holds what comes next, and that the last applied record is in it."""
        begin, end = await self._reader.bounds(part)
        if not begin <= next_offset <= end:
            gone = f", {begin - next_offset} records are gone" if next_offset < begin else ""
            raise Halted("range", f"partition {part} holds {begin} to {end}, next is {next_offset}{gone}")
        if last is not None and begin < next_offset:
            record = await self._reader.record_at(part, next_offset - 1)
            if record is None or record.offset != next_offset - 1 or fingerprint(record) != last:
                detail = f"partition {part} has another record at {next_offset - 1} than the one applied"
                raise Halted("fingerprint", detail)
        self._reader.seek(part, next_offset)
