"""Reads a topic in a consumer group that shares out the partitions and decides nothing else.

Where to read from is the caller's to say: no committed offset is ever read and nothing is
reset. Every wait is bounded; whatever goes wrong with the brokers is raised as NoAnswer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from bellwether.adapters.kafka.log_records import slim
from bellwether.domain.errors import Unavailable

_STOP_S = 5.0


class NoAnswer(Unavailable):
    """No answer of the brokers came, or none that helps."""


class Record(Protocol):
    """A record as it lies in the log; `timestamp` in ms since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """How the reader behaves. Times are in seconds."""

    bootstrap: str
    topic: str
    group: str
    session_s: float = 10.0  # silence after which the brokers give the partitions to others
    wait_s: float = 5.0  # longest wait for any answer of the brokers
    most_between_polls_s: float = 120.0  # a member that neither polls nor stays for so long leaves the group


Moved = Callable[[], Awaitable[None]]


class LogReader:
    """A member of a consumer group. Open one with `LogReader.open`."""

    def __init__(self, settings: ReaderSettings) -> None:
        self._settings = settings
        self.topic = settings.topic
        session_ms = int(settings.session_s * 1000)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap,
            group_id=settings.group,
            client_id="bellwether-compute",
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 4,
            rebalance_timeout_ms=session_ms,
            max_poll_interval_ms=int(settings.most_between_polls_s * 1000),
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=4 * 1024**2,
            request_timeout_ms=10_000,
            metadata_max_age_ms=30_000,
        )

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: ReaderSettings) -> AsyncIterator[Self]:
        """Connect, and leave the group at the end. Raises Unavailable if no broker answers."""
        reader = cls(settings)
        async with reader._bounded():
            await reader._consumer.start()
        slim(reader._consumer)
        try:
            yield reader
        finally:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(_STOP_S):
                    await reader._consumer.stop()

    def join(self, on_revoked: Moved, on_assigned: Moved) -> None:
        """Join the group. `on_revoked` is awaited before partitions go to another member."""
        self._consumer.subscribe([self.topic], listener=_Listener(on_revoked, on_assigned))

    @property
    def is_broken(self) -> bool:
        """Whether the task that fetches has ended.

        aiokafka ends it for good at any error that it did not foresee, such as a connection that another request took
        away, and tells nobody: from then on polls find nothing, while the group and all other requests go on.
        """
        return bool(self._consumer._fetcher.error_future.done())  # noqa: SLF001 - nothing public tells

    def assigned(self) -> list[int]:
        """The partitions that the group has given to this member."""
        return sorted(tp.partition for tp in self._consumer.assignment())

    def partition_count(self) -> int:
        """How many partitions the topic has, as far as is known."""
        return len(self._consumer.partitions_for_topic(self.topic) or ())

    async def poll(self, parts: Iterable[int], max_wait_s: float, max_records: int) -> Mapping[int, Sequence[Record]]:
        """The next records of these partitions, in order; empty if none came in time.

        Partitions that were given away in the meantime give nothing.
        """
        try:
            async with self._bounded(max_wait_s + self._settings.wait_s):
                polled = await self._consumer.getmany(
                    *map(self._tp, parts), timeout_ms=int(max_wait_s * 1000), max_records=max_records
                )
        except IllegalStateError:
            return {}
        return {tp.partition: records for tp, records in polled.items() if records}

    def stay(self) -> None:
        """Say that this member is at work though it has nothing to poll.

        Otherwise aiokafka leaves the group on its behalf, and does not join again until something polls.
        """
        with self._consumer._subscription.fetch_context():  # noqa: SLF001 - a poll would read what nobody has claimed
            pass

    def seek(self, part: int, offset: int) -> None:
        """Read this offset next. Raises Unavailable if the partition was given away."""
        try:
            self._consumer.seek(self._tp(part), offset)
        except IllegalStateError as error:
            raise Unavailable(f"partition {part} was given away") from error

    async def record_at(self, part: int, offset: int) -> Record | None:
        """The first record at or after an offset that exists; the one after it is read next."""
        self.seek(part, offset)
        async with self._bounded():
            record: Record = await self._consumer.getone(self._tp(part))
            return record

    async def bounds(self, part: int) -> tuple[int, int]:
        """The first offset that is kept, and the one after the last."""
        tp = self._tp(part)
        async with self._bounded():
            begins = await self._consumer.beginning_offsets([tp])
            ends = await self._consumer.end_offsets([tp])
        return begins[tp], ends[tp]

    async def ends(self, parts: Iterable[int]) -> dict[int, int]:
        """The offset after the last record, by partition."""
        tps = list(map(self._tp, parts))
        async with self._bounded():
            found = await self._consumer.end_offsets(tps) if tps else {}
        return {tp.partition: end for tp, end in found.items()}

    async def tell_progress(self, positions: Mapping[int, int]) -> None:
        """Commit offsets of what is ours to the brokers, for lag tools alone: nothing here reads them."""
        assigned = self._consumer.assignment()
        offsets = {self._tp(part): offset for part, offset in positions.items() if self._tp(part) in assigned}
        async with self._bounded():
            if offsets:
                await self._consumer.commit(offsets)

    def _tp(self, part: int) -> TopicPartition:
        return TopicPartition(self.topic, part)

    @asynccontextmanager
    async def _bounded(self, at_most_s: float | None = None) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(at_most_s or self._settings.wait_s):
                yield
        except IllegalStateError:
            raise
        except (KafkaError, OSError, TimeoutError) as error:
            raise NoAnswer(f"Kafka: {type(error).__name__} {error}") from error


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, on_revoked: Moved, on_assigned: Moved) -> None:
        self._on_revoked = on_revoked
        self._on_assigned = on_assigned

    async def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002 - all go: the protocol is eager
        await self._on_revoked()

    async def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002 - `assigned()` tells
        await self._on_assigned()
