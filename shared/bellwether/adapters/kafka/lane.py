"""One partition's way into Kafka: at most one batch is on its way, what arrives meanwhile shares the next one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka.structs import TopicPartition

Headers = Sequence[tuple[str, bytes]]

_SEQUENCES = 2**31  # sequence numbers are 31 bits, and go round


class Batch(Protocol):
    """What we use of aiokafka's DefaultRecordBatchBuilder."""

    def append(
        self, offset: int, timestamp: int, key: bytes, value: bytes, headers: list[tuple[str, bytes]]
    ) -> object | None:
        """Add a record; None when it does not fit any more."""

    def build(self) -> bytearray:
        """The batch as Kafka stores it; once only."""


NewBatch = Callable[[int], Batch]
"""Makes an empty batch whose first record has the sequence number given."""


class Ticket:
    """What a caller waits for: that all its records are acknowledged, or that one of them was not."""

    __slots__ = ("deadline", "future", "open_parts")

    def __init__(self, future: asyncio.Future[None], deadline: float) -> None:
        self.future = future
        self.deadline = deadline  # by the loop's clock
        self.open_parts = 0

    def part_done(self) -> None:
        """One part is acknowledged; the last one wakes the caller."""
        self.open_parts -= 1
        if self.open_parts == 0 and not self.future.done():
            self.future.set_result(None)

    def fail(self, error: BaseException) -> None:
        """One part is lost or in doubt, and with it the whole."""
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # the caller may have left: its absence is no news for the log


@dataclass(slots=True)
class Part:
    """The records of one ticket that have the same key; `sent` of them stand in a batch already."""

    key: bytes
    values: Sequence[bytes]
    headers: list[tuple[str, bytes]]
    timestamp_ms: int
    ticket: Ticket
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """A batch that is built: sent again until it is acknowledged, it is stored once, by its sequence number."""

    batch: bytearray
    records: int
    finished: Sequence[Ticket]  # whose part ends in it


class Lane:
    """The queue in front of one partition."""

    __slots__ = ("_new_batch", "_parcel", "_sequence", "_waiting", "partition")

    def __init__(self, partition: TopicPartition, new_batch: NewBatch) -> None:
        self.partition = partition
        self._new_batch = new_batch
        self._waiting: deque[Part] = deque()
        self._parcel: Parcel | None = None
        self._sequence = 0

    def put(self, part: Part) -> None:
        """Queue a part."""
        part.ticket.open_parts += 1
        self._waiting.append(part)

    def parcel(self) -> Parcel:
        """What is to be sent: the parcel that is not acknowledged yet, else a new one of what waits."""
        if self._parcel is None:
            self._parcel = self._fill()
        return self._parcel

    def acknowledged(self) -> bool:
        """The parcel is in Kafka: tell whom it concerns. Gives whether more is waiting."""
        parcel, self._parcel = self.parcel(), None
        self._sequence = (self._sequence + parcel.records) % _SEQUENCES
        for ticket in parcel.finished:
            ticket.part_done()
        return bool(self._waiting)

    def _fill(self) -> Parcel:
        """Move waiting records into a batch until it is full."""
        batch, records, finished = self._new_batch(self._sequence), 0, list[Ticket]()
        while self._waiting:
            part = self._waiting[0]
            before = part.sent
            whole = _append(batch, records, part)
            records += part.sent - before
            if not whole:
                break
            finished.append(self._waiting.popleft().ticket)
        return Parcel(batch.build(), records, finished)


def _append(batch: Batch, offset: int, part: Part) -> bool:
    """Append what is left of the part from the offset on. False when the batch was full before its end."""
    append, key, headers, moment = batch.append, part.key, part.headers, part.timestamp_ms
    values = part.values[part.sent :] if part.sent else part.values
    for position, value in enumerate(values, offset):
        if append(position, moment, key, value, headers) is None:
            part.sent += position - offset
            return False
    part.sent += len(values)
    return True
