"""Records into Kafka, acknowledged by all in-sync replicas or refused within a few seconds: nothing in between.

An idempotent producer on aiokafka's client: aiokafka's own spends more on a small batch than all else that becomes of
it, retries for ever, and cannot take back a batch that was given up. Here every wait is bounded, any doubt is told as
Unavailable, and the session behind it, with its producer id, is thrown away for a new one. A repeat by the caller is
harmless, because the event's own identity decides what counts.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, NodeNotReadyError
from aiokafka.structs import TopicPartition

from bellwether.adapters.kafka.batches import batches_of, producer_id
from bellwether.adapters.kafka.dispatch import Dispatch
from bellwether.adapters.kafka.lane import Headers, Lane, NewBatch, Part, Ticket
from bellwether.adapters.kafka.partitions import Partitions
from bellwether.domain.errors import Unavailable
from bellwether.observability import metrics

_log = structlog.get_logger(__name__)
_CLOSE_S = 1.0
_RETRY_S = 0.1  # before a batch that a broker could not take is sent again
_FAILURES = (KafkaError, OSError, TimeoutError, AssertionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerSettings:
    """How the producer behaves. Times are in seconds, sizes in bytes."""

    bootstrap: str
    topics: tuple[str, ...]
    client_id: str = "bellwether"
    deadline_s: float = 5.0  # a record that is not acknowledged by then is in doubt
    linger_s: float = 0.002  # how long a small request waits for others to share its batch, if lately there were some
    linger_records: int = 64  # a request of this many does not wait
    batch_bytes: int = 786_432  # below the topic's max.message.bytes, or the broker refuses every full batch
    probe_s: float = 1.0  # how often the brokers are asked whether they are there
    retry_s: float = 0.5  # pause before another producer is tried
    compression: str | None = None


class Producer:
    """Keeps one working connection to Kafka. Open one with `Producer.open`."""

    def __init__(self, settings: ProducerSettings) -> None:
        self._settings = settings
        self._session: _Session | None = None
        self._reachable = False

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: ProducerSettings) -> AsyncIterator[Self]:
        """Start connecting, and keep connected until the block ends; does not wait for Kafka to be there.

        At the end what is on its way is finished, within the deadline.
        """
        producer = cls(settings)
        keeper = asyncio.create_task(producer._keep(), name="producer")
        try:
            yield producer
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    @property
    def reachable(self) -> bool:
        """Whether Kafka answered the last time it was asked, at most a few seconds ago."""
        return self._reachable

    async def produce(
        self, topic: str, records: Mapping[bytes, Sequence[bytes]], timestamp_ms: int, headers: Headers = ()
    ) -> None:
        """Write the values under their keys, in order per key, and return when all are acknowledged.

        `timestamp_ms`: milliseconds since 1970, the same for all. Raises Unavailable within the deadline if any of
        them is not: some may be in Kafka all the same.
        """
        session = self._session
        if session is None or not self._reachable:
            metrics.PRODUCE_FAILURES.labels(reason="unavailable").inc()
            raise Unavailable("Kafka is not reachable.")
        started = time.perf_counter()
        try:
            await session.produce(topic, records, timestamp_ms, headers)
        except Exception as error:
            reason = "timeout" if isinstance(error, TimeoutError) else "error"
            metrics.PRODUCE_FAILURES.labels(reason=reason).inc()
            session.broken(error)
            self._forget(session)
            raise Unavailable("Kafka did not acknowledge in time.") from error
        metrics.PRODUCE_DURATION.observe(time.perf_counter() - started)

    async def _keep(self) -> None:
        """Have a session; when it breaks, throw it away and have another."""
        while True:
            session = _Session(self._settings)
            try:
                await session.start()
                self._session = session
                await self._watch(session)
            except Exception as error:  # noqa: BLE001 - the keeper must outlive every producer
                _log.warning("producer is replaced", reason=repr(error))
                session.broken(error)
            finally:
                self._forget(session)
                await _to_its_end(session.close(self._settings.deadline_s))
            metrics.PRODUCER_REPLACEMENTS.inc()
            await asyncio.sleep(self._settings.retry_s)

    async def _watch(self, session: "_Session") -> None:
        """Ask the brokers now and then; raises when the session is broken or they are silent for too long."""
        silent_since = time.monotonic()
        while True:
            if await session.answers():
                silent_since = time.monotonic()
                self._show(reachable=session is self._session)
            else:
                self._show(reachable=False)
                if time.monotonic() - silent_since > 2 * self._settings.deadline_s:
                    raise TimeoutError("the brokers do not answer")
            await session.wait_broken(self._settings.probe_s)

    def _forget(self, session: "_Session") -> None:
        if self._session is session:
            self._session = None
            self._show(reachable=False)

    def _show(self, *, reachable: bool) -> None:
        self._reachable = reachable
        metrics.KAFKA_REACHABLE.set(reachable)


class _Session:
    """One connection to a cluster from its start to its end, with a lane for each partition that was written to."""

    def __init__(self, settings: ProducerSettings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._client = AIOKafkaClient(
            bootstrap_servers=settings.bootstrap,
            client_id=settings.client_id,
            request_timeout_ms=int(settings.deadline_s * 1000),
            metadata_max_age_ms=30_000,
            retry_backoff_ms=int(_RETRY_S * 1000),
        )
        self._dispatch = Dispatch(self._client, settings.deadline_s, _RETRY_S, self.broken)
        self._new_batch: NewBatch | None = None
        self._partitions: dict[str, Partitions] = {}
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._open: deque[Ticket] = deque()
        self._queued = 0  # requests since the last time that what waits was let go
        self._is_alone = False  # the last one had no company: neither will the next one, as a rule
        self._lingering: asyncio.TimerHandle | None = None
        self._expiring: asyncio.TimerHandle | None = None
        self._end: asyncio.Future[None] = self._loop.create_future()

    async def start(self) -> None:
        """Connect, get a producer id and learn the topics' partitions. Raises when that takes too long."""
        async with asyncio.timeout(2 * self._settings.deadline_s):
            await self._client.bootstrap()
            self._new_batch = batches_of(
                await producer_id(self._client, _RETRY_S), self._settings.batch_bytes, self._settings.compression
            )
            for topic in self._settings.topics:
                self._partitions[topic] = Partitions(await self._count(topic))

    async def answers(self) -> bool:
        """Whether a broker answers within a moment and the topics are as they were."""
        try:
            # As long as a record may take: the answer may stand behind one on the same connection.
            async with asyncio.timeout(self._settings.deadline_s):
                cluster = await self._client.fetch_all_metadata()
        except _FAILURES:
            return False
        for topic, partitions in self._partitions.items():
            now = cluster.partitions_for_topic(topic)
            if now is not None and len(now) != partitions.count:
                self.broken(NodeNotReadyError(f"{topic} has other partitions than before"))
        return True

    async def wait_broken(self, at_most_s: float) -> None:
        """Sleep, but not when the session breaks; then raise what broke it."""
        await asyncio.wait([self._end], timeout=at_most_s)
        if self._end.done():
            self._end.result()

    def broken(self, error: BaseException) -> None:
        """End the session: whatever is on its way is in doubt from here on."""
        if self._end.done():
            return
        self._end.set_exception(error)
        self._end.exception()
        self._dispatch.end()
        for timer in (self._lingering, self._expiring):
            if timer is not None:
                timer.cancel()
        for ticket in self._open:
            ticket.fail(error)

    async def produce(
        self, topic: str, records: Mapping[bytes, Sequence[bytes]], timestamp_ms: int, headers: Headers
    ) -> None:
        """Queue the records and wait. Raises TimeoutError past the deadline, or what broke the session."""
        if self._end.done():
            self._end.result()
        ticket = self._ticket()
        count, partitions, told = 0, self._partitions[topic], list(headers)
        for key, values in records.items():
            if values:
                lane = self._lane(topic, partitions.of(key))
                lane.put(Part(key, values, told, timestamp_ms, ticket))
                self._dispatch.ready(lane)
                count += len(values)
        if not count:
            return
        self._open.append(ticket)
        self._queued += 1
        if count >= self._settings.linger_records or (self._is_alone and self._dispatch.rests):
            self._go()
        elif self._lingering is None:
            self._lingering = self._loop.call_later(self._settings.linger_s, self._go)
        await ticket.future

    async def close(self, at_most_s: float) -> None:
        """Finish what is on its way if the session is whole, then close; cut off what does not end in time."""
        if not self._end.done():
            self._go()
            await _finish(self._idle(), at_most_s)
        self.broken(NodeNotReadyError("the producer is closed"))
        await _finish(self._client.close(), _CLOSE_S)

    async def _idle(self) -> None:
        while not self._dispatch.idle:
            await asyncio.wait([ticket.future for ticket in self._open] or [self._end], timeout=_RETRY_S)

    async def _count(self, topic: str) -> int:
        """How many partitions the topic has, once the cluster knows it."""
        await self._client.add_topic(topic)
        while not (known := self._client.cluster.partitions_for_topic(topic)):
            await asyncio.sleep(_RETRY_S)
            await self._client.force_metadata_update()
        return len(known)

    def _ticket(self) -> Ticket:
        """A ticket with a deadline. One timer watches the oldest: timers of each would cost more than the rest."""
        while self._open and self._open[0].future.done():
            self._open.popleft()
        ticket = Ticket(self._loop.create_future(), self._loop.time() + self._settings.deadline_s)
        if self._expiring is None:
            self._expiring = self._loop.call_at(ticket.deadline, self._expire)
        return ticket

    def _expire(self) -> None:
        self._expiring = None
        waiting = (ticket for ticket in self._open if not ticket.future.done())
        if (oldest := next(waiting, None)) is None:
            return
        if oldest.deadline <= self._loop.time():
            self.broken(TimeoutError("records were not acknowledged in time"))
        else:
            self._expiring = self._loop.call_at(oldest.deadline, self._expire)

    def _lane(self, topic: str, partition: int) -> Lane:
        found = self._lanes.get((topic, partition))
        if found is None:
            assert self._new_batch is not None  # noqa: S101 - start() has set it
            found = self._lanes[topic, partition] = Lane(TopicPartition(topic, partition), self._new_batch)
        return found

    def _go(self) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        self._is_alone, self._queued = self._queued <= 1, 0
        self._dispatch.go()


async def _finish(closing: Coroutine[Any, Any, object], at_most_s: float) -> None:
    try:
        await asyncio.wait_for(closing, at_most_s)
    except Exception as error:  # noqa: BLE001 - it is thrown away, whatever it says
        _log.debug("producer did not close cleanly", reason=repr(error))


async def _to_its_end(closing: Coroutine[Any, Any, None]) -> None:
    """Wait for it even when this task is cancelled meanwhile: half-closed sockets would outlive the producer."""
    task = asyncio.ensure_future(closing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
