"""One partition's way into Kafka: at most one batch is on its way, what arrives meanwhile shares the next one."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Headers = Sequence[tuple[str, bytes]]


class Batch(Protocol):
    """What we use of aiokafka's BatchBuilder."""

    def append(self, *, timestamp: int, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> object | None:
        """Add a record; None when it does not fit any more."""

    def close(self) -> None:
        """Let nothing else in."""


class Ticket:
    """What a caller waits for: that all its records are acknowledged, or that one of them was not."""

    __slots__ = ("future", "open_parts")

    def __init__(self) -> None:
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
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


class Lane:
    """The queue in front of one partition. `deliver` sends a closed batch and returns when it is acknowledged."""

    def __init__(
        self,
        new_batch: Callable[[], Batch],
        deliver: Callable[[Batch], Coroutine[Any, Any, None]],
        broken: Callable[[BaseException], None],
    ) -> None:
        self._new_batch = new_batch
        self._deliver = deliver
        self._broken = broken
        self._waiting: deque[Part] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._riders: list[Ticket] = []

    def put(self, part: Part) -> None:
        """Queue a part; it leaves with the next flush."""
        part.ticket.open_parts += 1
        self._waiting.append(part)

    def flush(self) -> None:
        """Send what waits, unless a batch is on its way: then it follows by itself."""
        if self._sending is None and self._waiting:
            self._sending = asyncio.create_task(self._send(), name="lane")

    def fail(self, error: BaseException) -> None:
        """Tell everybody here that their records are in doubt, and stop."""
        for ticket in (*self._riders, *(part.ticket for part in self._waiting)):
            ticket.fail(error)
        self._waiting.clear()
        if self._sending is not None:
            self._sending.cancel()

    async def idle(self) -> None:
        """Wait until nothing is on its way or waiting."""
        while self._sending is not None:
            await asyncio.wait([self._sending])

    async def _send(self) -> None:
        try:
            while self._waiting:
                batch, finished = self._fill()
                await self._deliver(batch)
                for ticket in finished:
                    ticket.part_done()
                self._riders = []
        except Exception as error:  # noqa: BLE001 - whatever it is, the outcome is in doubt and the producer ends
            self._broken(error)
        finally:
            self._sending = None

    def _fill(self) -> tuple[Batch, list[Ticket]]:
        """Move waiting records into a batch until it is full; gives it with the tickets whose part is complete."""
        batch, finished = self._new_batch(), []
        while self._waiting:
            part = self._waiting[0]
            self._riders.append(part.ticket)
            if not _append(batch, part):
                break
            finished.append(self._waiting.popleft().ticket)
        batch.close()
        return batch, finished


def _append(batch: Batch, part: Part) -> bool:
    """Append what is left of the part. False when the batch was full before its end."""
    append, key, headers, moment = batch.append, part.key, part.headers, part.timestamp_ms
    for value in part.values[part.sent :] if part.sent else part.values:
        if append(timestamp=moment, key=key, value=value, headers=headers) is None:
            return False
        part.sent += 1
    return True
