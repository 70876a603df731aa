"""Every part of the system is killed while events go in over HTTP, and the numbers at the end are what was sent."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from aiokafka import AIOKafkaProducer

from bellwether.domain.keys import Scope
from bellwether_cli.stack.part import Part
from bellwether_cli.stack.system import System, running_system
from tests.faults.conftest import Report
from tests.faults.counts import times
from tests.faults.profile import Profile
from tests.faults.test_compute_kills import sliced
from tests.support.audit import Audit, audit
from tests.support.flow import LedgerWriter, expected_of, expected_of_log, make_ledger_brands
from tests.support.http_flow import ApiReader, HttpSender, key_headers, log_size
from tests.support.ledger import Entry, Ledger, make_ledger
from tests.support.log import applied
from tests.support.oracle import Expected

pytestmark = [pytest.mark.fault, pytest.mark.real, pytest.mark.timeout(3600)]

_NOTICED = ("kafka", "ingest")
"""Their absence shows in the answers to whoever sends; that of the others does not."""
_SETTINGS = {"compute": {"session_timeout_s": "6", "max_events": "200"}}


@dataclass
class Siege:
    """The whole system, a stream of events into it, and what has befallen it."""

    system: System
    sender: HttpSender
    slices: Iterator[list[Entry]]
    random: Random
    recoveries: dict[str, list[float]] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        """The topic of the events."""
        return self.system.services.wiring.events_topic

    async def strike(self, part: Part) -> None:
        """Kill a part at a random event of a slice, start it again, and wait until all of the slice is counted."""
        entries = next(self.slices)
        goal = self.sender.accepted.total() + self.random.randrange(1 + len(entries) // 2)
        self.sender.troubled.clear()
        sending = asyncio.create_task(self.sender.send(entries))
        while self.sender.accepted.total() < goal and not sending.done():
            await asyncio.sleep(0.001)
        await part.kill()
        fell_at = time.monotonic()
        if part.name in _NOTICED:
            noticed = asyncio.create_task(self.sender.troubled.wait())
            await asyncio.wait([noticed, sending], return_when=asyncio.FIRST_COMPLETED)
            noticed.cancel()
        await part.start()
        await sending
        await self.write_aside()
        await self.caught_up()
        self.recoveries.setdefault(part.name, []).append(time.monotonic() - fell_at)

    async def write_aside(self) -> None:
        """Write straight into the log what the intake would have refused."""
        bootstrap = self.system.stack.kafka_bootstrap
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
            await LedgerWriter(producer, self.topic).write(self.sender.aside)
        self.sender.aside.clear()

    async def caught_up(self) -> None:
        """Wait until everything in the log is applied."""
        stack = self.system.stack
        await applied(stack.postgres_dsn, self.topic, await log_size(stack.kafka_bootstrap, self.topic), 90)


async def sender_to(system: System) -> HttpSender:
    stack = system.stack
    headers = await key_headers(stack.postgres_dsn, stack.key_pepper, Scope.EVENTS_WRITE)
    return HttpSender(system.services.ingest.url, headers)


async def reader_of(system: System, ledger: Ledger) -> ApiReader:
    stack = system.stack
    headers = await key_headers(stack.postgres_dsn, stack.key_pepper, Scope.KPIS_READ)
    finals = expected_of(ledger).finals()
    return ApiReader(system.services.api.url, headers, {slug: finals[slug, "", "mentions"] for slug in ledger.zones})


async def test_any_part_killed_while_events_go_in_over_http_changes_no_number(profile: Profile, report: Report) -> None:
    ledger = make_ledger(profile.seed + 4, times(profile, 4_000, 60_000), int(time.time()))
    random = Random(profile.seed)
    async with running_system(durable=False, settings=_SETTINGS) as system:
        await make_ledger_brands(system.stack.postgres_dsn, ledger.zones)
        reader, sender = await reader_of(system, ledger), await sender_to(system)
        parts = [system.stack.kafka, system.stack.postgres, *system.services.all]
        strikes = parts * times(profile, 1, 8)
        random.shuffle(strikes)
        siege = Siege(system, sender, sliced(ledger.entries, len(strikes), random), random)
        reading = asyncio.create_task(reader.run())
        for part in strikes:
            await siege.strike(part)
        found, expected = await judged(siege, ledger)
        await told_by_the_api(reader, expected)
        reading.cancel()
    report("Parts killed while events go in over HTTP", told(siege, reader, found, ledger))
    assert not found.differences, "\n".join(found.differences)
    assert not reader.violations
    assert set(reader.answers) <= {200, 503, "ConnectError", "RemoteProtocolError", "ReadError"}


async def judged(siege: Siege, ledger: Ledger) -> tuple[Audit, Expected]:
    """Everything that was acknowledged is in the log, and everything in the log is counted once."""
    stack = siege.system.stack
    expected, records = await expected_of_log(ledger, stack.kafka_bootstrap, siege.topic)
    log = Counter((record.key, record.value) for record in records)
    assert siege.sender.accepted <= log
    assert log.keys() == {(entry.key, entry.value) for entry in ledger.entries}
    return await audit(stack.postgres_dsn, siege.topic, expected), expected


async def told_by_the_api(reader: ApiReader, expected: Expected) -> None:
    """Wait until the API tells the final numbers: every measure behind its KPIs that the oracle has an opinion on."""
    wanted = {brand: expected.sums(brand) for brand in reader.finals}
    known = {measure for sums in wanted.values() for measure in sums}
    wrong: dict[str, str] = {"nobody": "asked"}
    deadline = time.monotonic() + 20
    while wrong and time.monotonic() < deadline:
        found = {brand: await reader.parts(brand) for brand in wanted}
        assert all("mentions" in parts and "messages_answered" in parts for parts in found.values())
        wrong = {
            f"{brand} {measure}": f"{parts[measure]} instead of {wanted[brand][measure]}"
            for brand, parts in found.items()
            for measure in parts.keys() & known
            if parts[measure] != wanted[brand][measure]
        }
    assert not wrong


def told(siege: Siege, reader: ApiReader, found: Audit, ledger: Ledger) -> Iterator[tuple[str, object]]:
    """The table."""
    for name, took in sorted(siege.recoveries.items()):
        yield f"kills: {name}", f"{len(took)}, all counted again after {', '.join(f'{t:.1f}' for t in took)} s"
    yield "events", len(ledger.entries)
    yield "answers of the intake", ", ".join(f"{what}: {n}" for what, n in siege.sender.answers.most_common())
    yield "answers of the API", ", ".join(f"{what}: {n}" for what, n in reader.answers.most_common())
    for outcome in ("applied", "duplicate", "conflicting", "quarantined"):
        yield outcome, found.outcomes[outcome]
    yield "lost", found.lost
    yield "double", found.double
