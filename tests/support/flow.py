"""A ledger on its way through the log, and what the log says afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import asyncpg
from aiokafka import AIOKafkaProducer

from tests.support.audit import growing_sums
from tests.support.intake import written
from tests.support.ledger import Entry, Ledger
from tests.support.oracle import Expected, Logged, Oracle
from tests.support.patience import PATIENCE_S
from tests.support.tenancy import make_brands

_POLL_S = 0.1


async def make_ledger_brands(dsn: str, zones: Mapping[str, str]) -> None:
    """Create the brands of a ledger, each in its time zone."""
    for slug, zone in zones.items():
        await make_brands(dsn, slug, time_zone=zone)


class LedgerWriter:
    """Writes entries straight into a topic, in order and each once."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self.written = 0

    async def write(self, entries: Iterable[Entry]) -> None:
        """Write the entries; returns when the brokers have them all."""
        sent = []
        for entry in entries:
            where = {"key": entry.key, "timestamp_ms": entry.recorded_ms}
            sent.append(await self._producer.send(self._topic, entry.value, **where))
            self.written += 1
        await asyncio.gather(*sent)


def expected_of(ledger: Ledger) -> Expected:
    """What has to come of a ledger, but for the places of its records in the log."""
    return _expected(ledger, (Logged(0, at, e.recorded_ms, e.key, e.value) for at, e in enumerate(ledger.entries)))


async def expected_of_log(
    ledger: Ledger, bootstrap: str, topic: str, within_s: float = PATIENCE_S
) -> tuple[Expected, list[Logged]]:
    """What has to come of the log as it is, and its records. Raises TimeoutError when reading takes longer."""
    found = await written(bootstrap, topic, within_s)
    records = [Logged(r.partition, r.offset, r.timestamp, r.key, r.value) for r in found]
    # Beside whoever else works here: of a million records it takes minutes.
    return await asyncio.to_thread(_expected, ledger, sorted(records, key=lambda r: (r.part, r.offset))), records


def _expected(ledger: Ledger, records: Iterable[Logged]) -> Expected:
    oracle = Oracle(ledger.zones, ledger.spoiled)
    for record in records:
        oracle.take(record)
    return oracle.expected()


class Onlooker:
    """Reads the sums all the time: none may ever fall, or be more than there is at the end."""

    def __init__(self, dsn: str, expected: Expected, poll_s: float = _POLL_S) -> None:
        self._dsn = dsn
        self._poll_s = poll_s
        self._finals = expected.finals()
        self.violations: list[str] = []
        self.looks = 0

    async def run(self) -> None:
        """Look until cancelled."""
        connection = await asyncpg.connect(self._dsn)
        try:
            before = await growing_sums(connection)
            while True:
                now = await growing_sums(connection)
                for line in now.keys() | before.keys():
                    if not before[line] <= now[line] <= self._finals[line]:
                        told = f"{before[line]}, then {now[line]}, at the end {self._finals[line]}"
                        self.violations.append(f"{line}: {told}")
                before = now
                self.looks += 1
                await asyncio.sleep(self._poll_s)
        finally:
            await connection.close()
