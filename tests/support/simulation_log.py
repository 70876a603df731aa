"""A log for the simulation, and a reader of it as a member of a consumer group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from bellwether.adapters.kafka.partitions import Partitions
from bellwether.domain.errors import Unavailable
from tests.support.ledger import Entry
from tests.support.simulation_store import Flaws, Point

Moved = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class LoggedRecord:
    """A record as it lies in the log; `timestamp` in ms since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Log:
    """The records of all partitions."""

    def __init__(self, partitions: int) -> None:
        self.parts: list[list[LoggedRecord]] = [[] for _ in range(partitions)]
        self._partitioner = Partitions(partitions)

    def append(self, entry: Entry) -> LoggedRecord:
        """Write a record; one without a key goes to the first partition."""
        part = self._partitioner.of(entry.key) if entry.key is not None else 0
        record = LoggedRecord(part, len(self.parts[part]), entry.recorded_ms, entry.key, entry.value)
        self.parts[part].append(record)
        return record


class Reader:
    """What `LogReader` is: it reads what its member believes to own, whoever owns it now."""

    topic = "events"

    def __init__(self, log: Log, point: Point, random: Random, flaws: Flaws) -> None:
        self._log = log
        self._point = point
        self._random = random
        self._flaws = flaws
        self._positions: dict[int, int] = {}
        self._believed: tuple[int, ...] = ()
        self.on_revoked: Moved
        self.on_assigned: Moved

    def join(self, on_revoked: Moved, on_assigned: Moved) -> None:
        """Take note of whom to tell."""
        self.on_revoked, self.on_assigned = on_revoked, on_assigned

    def believe(self, parts: Iterable[int]) -> None:
        """Own these partitions from now on; where they were read before is forgotten."""
        self._believed = tuple(parts)
        self._positions.clear()

    def assigned(self) -> list[int]:
        """The partitions that it believes to own."""
        return sorted(self._believed)

    def partition_count(self) -> int:
        """How many partitions the topic has."""
        return len(self._log.parts)

    async def bounds(self, part: int) -> tuple[int, int]:
        """The first offset, and the one after the last."""
        await self._point("bounds")
        return 0, len(self._log.parts[part])

    async def record_at(self, part: int, offset: int) -> LoggedRecord:
        """The record at an offset; the one after it is read next."""
        await self._point("record")
        self.seek(part, offset + 1)
        return self._log.parts[part][offset]

    def seek(self, part: int, offset: int) -> None:
        """Read this offset next. Raises Unavailable for what was given away."""
        if part not in self._believed:
            raise Unavailable(f"partition {part} was given away")
        if not (self._flaws.no_seek and part in self._positions):
            self._positions[part] = offset

    def stay(self) -> None:
        """Nobody is put out of this group for being idle."""

    async def poll(
        self, parts: Iterable[int], max_wait_s: float, max_records: int
    ) -> Mapping[int, Sequence[LoggedRecord]]:
        """Some of the next records of some of these partitions, whichever answer first."""
        await self._point("poll")
        asked = [part for part in parts if part in self._believed and part in self._positions]
        self._random.shuffle(asked)
        found: dict[int, Sequence[LoggedRecord]] = {}
        for part in asked:
            start, most = self._positions[part], self._random.randint(0, max_records)
            if records := self._log.parts[part][start : start + most]:
                found[part] = records
                self._positions[part] = start + len(records)
                max_records -= len(records)
        return found
