"""Sends a ledger: over HTTP what an intake takes, each batch until there is a final answer, and the rest past it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO

import httpx2
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.faults.harness.arena import Arena
from tests.support.flow import LedgerWriter
from tests.support.http_flow import Answered
from tests.support.ledger import Entry

_BATCH = 20
_SENDERS = 6
_TRICKLE = 20
_AGAIN_S = 0.1
_AGAIN_ASIDE_S = 0.5
_POLL_S = 0.02
_ACCEPTED = 202
_TAKES_TURNS = 2
_BATCH_TYPE = {"Content-Type": "application/cloudevents-batch+json"}


class Refused(Exception):
    """The intake gave a final answer other than yes to what is sound."""


@dataclass
class Load:
    """Sends entries at `rate` a second; those beyond `allowed` far slower, so that there is always something.

    journal: a line `sent` before every attempt and a line `acked` after a batch's final answer
    accepted: entries with a final answer, and those written past the intake
    """

    arena: Arena
    entries: Sequence[Entry]
    headers: Mapping[str, str]
    rate: float
    journal: Path
    allowed: float = 0.0
    sent: int = 0
    accepted: int = 0
    answers: Counter[Answered] = field(default_factory=Counter)
    _next: int = 0
    _due: float = 0.0
    _latest: float = 0.0
    _pace: asyncio.Lock = field(default_factory=asyncio.Lock)
    _aside: asyncio.Queue[list[Entry]] = field(default_factory=asyncio.Queue)

    async def run(self) -> None:
        """Send everything; returns when all of it is in the log. Raises Refused."""
        self._due = time.monotonic()
        with self.journal.open("w") as journal:
            beside = asyncio.create_task(self._write_aside())
            try:
                async with asyncio.TaskGroup() as senders:
                    for number in range(_SENDERS):
                        senders.create_task(self._send(number, journal))
                await self._aside.join()
            finally:
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)

    async def acknowledged_after(self, moment: float) -> None:
        """Wait until something that was sent after a moment of the monotonic clock is acknowledged."""
        while self._latest <= moment:
            await asyncio.sleep(_POLL_S)

    async def _send(self, number: int, journal: TextIO) -> None:
        limits = httpx2.Limits(max_connections=_TAKES_TURNS)
        async with httpx2.AsyncClient(headers={**self.headers, **_BATCH_TYPE}, timeout=15, limits=limits) as client:
            while (start := await self._turn()) is not None:
                batch = self.entries[start : start + _BATCH]
                sound = [entry for entry in batch if entry.spoiled is None]
                turn = number
                note = partial(_note, journal, start)
                while sound and not await self._try(client, sound, turn, note):
                    turn += 1
                    await asyncio.sleep(_AGAIN_S)
                self.accepted += len(sound)
                self._aside.put_nowait([entry for entry in batch if entry.spoiled is not None])

    async def _turn(self) -> int | None:
        """Where the next batch starts, when its time has come; None after the last."""
        async with self._pace:
            start, self._next = self._next, self._next + _BATCH
            if start >= len(self.entries):
                return None
            self._due = max(self._due + _BATCH / self.rate, time.monotonic() - 1.0)
            await asyncio.sleep(max(0.0, self._due - time.monotonic()))
            at_last = time.monotonic() + _TRICKLE * _BATCH / self.rate
            while start >= self.allowed and time.monotonic() < at_last:
                await asyncio.sleep(_POLL_S)
            self.sent += len(self.entries[start : start + _BATCH])
            return start

    async def _try(
        self, client: httpx2.AsyncClient, entries: list[Entry], turn: int, note: Callable[[str], None]
    ) -> bool:
        """Whether the intake whose turn it is acknowledges all of it."""
        body = b"[" + b",".join(entry.value or b"" for entry in entries) + b"]"
        url = self.arena.ingests[turn % len(self.arena.ingests)].url
        started = time.monotonic()
        note("sent")
        try:
            response = await client.post(f"{url}/v1/events", content=body)
        except httpx2.TransportError as error:
            self.answers[type(error).__name__] += 1
            return False
        self.answers[response.status_code] += 1
        if response.status_code == _ACCEPTED:
            note("acked")
            self._latest = max(self._latest, started)
            if response.json()["accepted"] != len(entries):
                raise Refused(response.text)
            return True
        if response.is_client_error:
            raise Refused(f"{response.status_code} {response.text}")
        return False

    async def _write_aside(self) -> None:
        """Write straight into the log what an intake would refuse; again, where the brokers did not answer."""
        while True:
            entries = await self._aside.get()
            while entries and not await _done(self._write(entries)):
                await asyncio.sleep(_AGAIN_ASIDE_S)
            self.accepted += len(entries)
            self._aside.task_done()

    async def _write(self, entries: list[Entry]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.arena.kafka, enable_idempotence=True)
        try:  # its own context manager leaves it open where it cannot start
            await producer.start()
            await LedgerWriter(producer, self.arena.topics.events).write(entries)
        finally:
            await producer.stop()


def _note(journal: TextIO, start: int, word: str) -> None:
    journal.write(f"{word} {start}\n")
    journal.flush()


async def _done(writing: Awaitable[None]) -> bool:
    try:
        await asyncio.wait_for(writing, 10)
    except (KafkaError, OSError):
        return False
    return True
