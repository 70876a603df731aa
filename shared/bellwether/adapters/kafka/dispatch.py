"""From lanes to the brokers that lead their partitions: one request at a time to each, with all that waits for it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import DuplicateSequenceNumber, KafkaError, LeaderNotAvailableError, NoError, for_code
from aiokafka.structs import TopicPartition

from bellwether.adapters.kafka.lane import Lane
from bellwether.adapters.kafka.produce_request import Outcome, ProduceRequest

_MOST_BYTES = 8 * 1024**2  # of one request; brokers take 100 MiB
_NO_LEADER = -1
_STORED = frozenset({NoError, DuplicateSequenceNumber})  # the second one is an answer that was lost

_log = structlog.get_logger(__name__)


class Dispatch:
    """Sends what lanes hold. `broken` is told of an error after which what is on its way is in doubt."""

    def __init__(
        self, client: AIOKafkaClient, timeout_s: float, retry_s: float, broken: Callable[[BaseException], None]
    ) -> None:
        self._client = client
        self._timeout_ms = int(timeout_s * 1000)
        self._retry_s = retry_s
        self._broken = broken
        self._ready: dict[Lane, None] = {}  # in the order of arrival, so that none is overtaken for ever
        self._held: set[Lane] = set()  # on their way or about to be tried again: a batch is never sent twice at once
        self._shipping: dict[int, asyncio.Task[None]] = {}
        self._retries: set[asyncio.TimerHandle] = set()
        self._ended = False

    def ready(self, lane: Lane) -> None:
        """Something waits in this lane; it leaves with the next request to its leader."""
        if lane not in self._held:
            self._ready[lane] = None

    def go(self) -> None:
        """Send what is ready to every leader that no request is on its way to."""
        if self._ended or not self._ready:
            return
        for leader, lanes in self._by_leader().items():
            if leader == _NO_LEADER:
                self._again(lanes, LeaderNotAvailableError())
            elif leader not in self._shipping:
                self._held.update(lanes)
                self._shipping[leader] = asyncio.create_task(self._ship(leader, lanes), name="produce")
            else:
                self._ready.update(dict.fromkeys(lanes))

    @property
    def rests(self) -> bool:
        """Whether nothing is on its way."""
        return not (self._shipping or self._retries)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is on its way."""
        return self.rests and not self._ready

    def end(self) -> None:
        """Send nothing any more."""
        self._ended = True
        for task in self._shipping.values():
            task.cancel()
        for retry in self._retries:
            retry.cancel()

    def _by_leader(self) -> dict[int, list[Lane]]:
        lanes, self._ready = self._ready, {}
        leader_of = self._client.cluster.leader_for_partition
        found: dict[int, list[Lane]] = defaultdict(list)
        for lane in lanes:
            leader = leader_of(lane.partition)
            found[_NO_LEADER if leader is None else leader].append(lane)
        return found

    async def _ship(self, leader: int, lanes: list[Lane]) -> None:
        """Send one request and take its answer; then whatever got ready meanwhile."""
        try:
            taken, batches = self._load(lanes)
            try:
                outcomes = await self._client.send(leader, ProduceRequest(batches, self._timeout_ms))
            except KafkaError as error:
                self._again(taken.values(), error)
            else:
                self._settle(taken, outcomes)
        except Exception as error:  # noqa: BLE001 - whatever it is, the outcome is in doubt and the producer ends
            self._broken(error)
        finally:
            del self._shipping[leader]
        self.go()

    def _load(self, lanes: list[Lane]) -> tuple[dict[TopicPartition, Lane], dict[str, list[tuple[int, bytearray]]]]:
        """As many of the lanes as fit into a request, and their batches by topic; the others stay ready."""
        taken: dict[TopicPartition, Lane] = {}
        batches: dict[str, list[tuple[int, bytearray]]] = defaultdict(list)
        size = 0
        for lane in lanes:
            if size >= _MOST_BYTES:
                self._held.discard(lane)
                self._ready[lane] = None
                continue
            batch = lane.parcel().batch
            size += len(batch)
            batches[lane.partition.topic].append((lane.partition.partition, batch))
            taken[lane.partition] = lane
        return taken, batches

    def _settle(self, taken: dict[TopicPartition, Lane], outcomes: Iterable[Outcome]) -> None:
        """Tell whose records are stored, and try the others again. Raises what the broker will never take."""
        for topic, partition, code in outcomes:
            lane = taken.pop(TopicPartition(topic, partition))
            error = for_code(code)
            if error not in _STORED:
                self._again([lane], error())
                continue
            self._held.discard(lane)
            if lane.acknowledged():
                self._ready[lane] = None
        if taken:
            raise KafkaError(f"no answer about {sorted(taken)}")

    def _again(self, lanes: Iterable[Lane], error: KafkaError) -> None:
        """Try these once more in a moment, with what is known of the cluster by then.

        The same batches under the same sequence numbers, which are stored once. Raises the error where that is no use.
        """
        if not error.retriable:
            raise error
        if error.invalid_metadata:
            self._client.force_metadata_update()
        again = list(lanes)
        self._held.update(again)
        _log.debug("records are sent again", partitions=len(again), reason=repr(error))

        def ready() -> None:
            self._retries.discard(retry)
            self._held.difference_update(again)
            self._ready.update(dict.fromkeys(again))
            self.go()

        retry = asyncio.get_running_loop().call_later(self._retry_s, ready)
        self._retries.add(retry)
