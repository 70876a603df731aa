"""Intakes in front of an arena: events come in over HTTP, by senders who repeat what was not acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bellwether.domain.keys import Scope
from bellwether_cli.stack.services import Wiring
from tests.faults.arena import Arena, open_arena
from tests.faults.harness.places import Place
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.flow import expected_of_log
from tests.support.http_flow import HttpSender, key_headers, log_size
from tests.support.ledger import Entry, Ledger

_PEPPER = "a pepper of the faults"


@dataclass
class Front:
    """`send` shares entries out among the senders, one for each intake."""

    arena: Arena
    intakes: list[Place]
    api: Place
    headers: Mapping[str, str]
    senders: list[HttpSender] = field(init=False)
    entries: Iterator[Entry] = field(init=False)

    def __post_init__(self) -> None:
        self.senders = [HttpSender(intake.url, self.headers) for intake in self.intakes]
        self.entries = iter(self.arena.ledger.entries)

    def take(self, count: int) -> list[Entry]:
        """So many more entries of the ledger."""
        return list(islice(self.entries, count))

    async def send(self, entries: Sequence[Entry]) -> None:
        """Send entries; returns when every sound one is acknowledged."""
        shares = [entries[n :: len(self.senders)] for n in range(len(self.senders))]
        await asyncio.gather(*(sender.send(share) for sender, share in zip(self.senders, shares, strict=True)))

    async def during(self, entries: Sequence[Entry], strike: Callable[[], Awaitable[object]]) -> float:
        """Send entries, strike when the first are acknowledged; gives the seconds from the strike to all of them."""
        before = self.accepted.total()
        sending = asyncio.create_task(self.send(entries))
        while self.accepted.total() == before and not sending.done():
            await asyncio.sleep(0.005)
        struck_at = time.monotonic()
        await strike()
        await sending
        return time.monotonic() - struck_at

    @property
    def accepted(self) -> Counter[tuple[bytes | None, bytes | None]]:
        """What was acknowledged, by key and value."""
        found: Counter[tuple[bytes | None, bytes | None]] = Counter()
        for sender in self.senders:
            found += sender.accepted
        return found

    @property
    def answers(self) -> Counter[int | str]:
        """How the intakes have answered."""
        found: Counter[int | str] = Counter()
        for sender in self.senders:
            found += sender.answers
        return found

    async def caught_up(self, within_s: float = 90.0) -> None:
        """Write into the log what the intakes would have refused, and wait until all of it is applied."""
        for sender in self.senders:
            await self.arena.writer.write(sender.aside)
            sender.aside.clear()
        arena = self.arena
        arena.writer.written = await log_size(arena.stack.kafka_bootstrap, arena.topics.events)
        await arena.caught_up(within_s)

    async def differences(self) -> list[str]:
        """What was acknowledged and is not in the log, and what is in the log and not counted as the oracle says."""
        arena = self.arena
        _, records = await expected_of_log(arena.ledger, arena.stack.kafka_bootstrap, arena.topics.events)
        lost = self.accepted - Counter((record.key, record.value) for record in records)
        return [f"{lost.total()} acknowledged and not in the log"] * bool(lost) + await arena.differences()


@asynccontextmanager
async def open_front(
    stack: Servers,
    database: str,
    topics: Topics,
    path: Path,
    ledger: Ledger,
    *,
    kafka: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[Front]:
    """Two intakes that run, an API that does not yet, and the arena behind them; compute is the test's to start.

    kafka: where the intakes find Kafka, if not where the arena does
    variables: of the intakes and the API besides their settings
    """
    names = (topics.events, topics.quarantine, topics.updates)
    wiring = Wiring(kafka or stack.kafka_bootstrap, database, _PEPPER, *names)

    def place(service: str, number: int) -> Place:
        return Place(path, service, number, {**(variables or {}), **wiring.environment(service)})

    async with open_arena(stack, database, topics, path, ledger) as arena:
        intakes, api = [place("ingest", 1), place("ingest", 2)], place("api", 1)
        headers = await key_headers(database, _PEPPER, Scope.EVENTS_WRITE, Scope.KPIS_READ)
        try:
            await asyncio.gather(*(intake.start() for intake in intakes))
            await asyncio.gather(*(intake.ready() for intake in intakes))
            yield Front(arena, intakes, api, headers)
        finally:
            await asyncio.gather(*(each.kill() for each in (*intakes, api)))
