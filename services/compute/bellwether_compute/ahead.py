"""The next batch, polled and read while PostgreSQL works on this one.

What a record says follows from its bytes alone, so nothing that is read ahead can be out of date. It belongs to its
records and is dropped with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bellwether.adapters.kafka.log_reader import Record
from bellwether.wire.events import Event
from bellwether_compute.taking import Read, read

_AT_ONCE = 32
"""So many records are read, in about half a millisecond, before whoever PostgreSQL has answered goes on."""


@dataclass(frozen=True, slots=True)
class Polled:
    """Records by partition, and what the first of each say, as far as they were read ahead."""

    batches: Mapping[int, Sequence[Record]] = field(default_factory=dict)
    read: dict[int, list[Read]] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many there are."""
        return sum(map(len, self.batches.values()))

    def followed_by(self, later: Polled) -> Polled:
        """These records, and those that were polled next."""
        batches = {part: [*records, *later.batches.get(part, ())] for part, records in self.batches.items()}
        return Polled({**later.batches, **batches}, self.read)

    async def read_ahead(self, score: Callable[[Event], None]) -> None:
        """Read all records, and score their texts, whenever nobody else can go on; it may be cancelled at any time."""
        for part, records in self.batches.items():
            said = self.read[part] = []
            for start in range(0, len(records), _AT_ONCE):
                await asyncio.sleep(0)
                some = read(records[start : start + _AT_ONCE])
                said.extend(some)
                for event in some:
                    if not isinstance(event, Exception):
                        score(event)
