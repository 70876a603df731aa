"""Compute dies again and again while events flow; what it has counted at the end is exactly what there was."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import NamedTuple

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from tests.faults.conftest import Report
from tests.faults.counts import times
from tests.faults.profile import Profile
from tests.support.audit import Audit, audit
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment, dismiss_members, group_of
from tests.support.databases import PARTITIONS, Topics
from tests.support.flow import LedgerWriter, Onlooker, expected_of, expected_of_log, make_ledger_brands
from tests.support.ledger import Entry, Ledger, make_ledger
from tests.support.log import applied, initialise_stream
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.fault]

_ALONE = ("after_poll", "after_fold", "before_commit", "after_commit", "after_claim")
_PAIRED_SHARE = 0.4
"""Of the random kills. With a second process in the group, a death is noticed only after the session."""
_BATCH = 50
"""Small transactions, so that a kill meets many moments of a cycle, and many cycles."""


class Strike(NamedTuple):
    """One death. `victims` die at a random moment, or the first of them at its failpoint."""

    victims: tuple[int, ...]
    failpoint: str | None = None
    noticed: bool = True
    """The brokers are told of the death at once: there is nobody else in the group who would go on."""

    @property
    def kind(self) -> str:
        return self.failpoint.partition(":")[0] if self.failpoint else "at random"


def strikes_alone(random: Random, profile: Profile) -> list[Strike]:
    """Deaths of the only process, in a random order."""
    kills, rounds = random_kills(profile) - paired_kills(profile), rounds_of(profile)
    points = [f"{point}:{random.randint(2, 6)}" for point in _ALONE[:-1] for _ in range(rounds)]
    points += [f"{_ALONE[-1]}:{random.randint(1, 4)}" for _ in range(rounds)]
    strikes = [Strike((0,))] * kills + [Strike((0,), point) for point in points]
    random.shuffle(strikes)
    return strikes


def random_kills(profile: Profile) -> int:
    """How many processes are killed at a random moment."""
    return times(profile, 5, 40)


def rounds_of(profile: Profile) -> int:
    """How often every failpoint has its turn."""
    return times(profile, 1, 5)


def paired_kills(profile: Profile) -> int:
    """How many of them while two work."""
    return int(random_kills(profile) * _PAIRED_SHARE)


def strikes_paired(random: Random, profile: Profile) -> list[Strike]:
    """Deaths of one of two processes, and of both at once."""
    kills = paired_kills(profile)
    both = [Strike((0, 1))] * (kills // 4)
    single = [Strike((random.randrange(2),), noticed=False) for _ in range(kills - 2 * len(both))]
    points = [Strike((1,), "after_claim:1", noticed=False)] * rounds_of(profile)
    strikes = both + single + points
    random.shuffle(strikes)
    return strikes


@dataclass
class Battle:
    """The processes, the flow of events, and what has happened to them."""

    stack: Servers
    database: str
    topics: Topics
    writer: LedgerWriter
    slices: Iterator[list[Entry]]
    processes: list[ComputeProcess]
    random: Random
    kills: Counter[str] = field(default_factory=Counter)
    interrupted: int = 0
    recoveries: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})

    async def fight(self, strikes: list[Strike]) -> None:
        """Let the strikes fall, each into the middle of a new slice of the events."""
        await self._start(strikes[0], tuple(n for n, process in enumerate(self.processes) if not process.running))
        for strike, following in zip(strikes, [*strikes[1:], None], strict=True):
            entries = next(self.slices)
            middle = len(entries) * 3 // 4
            writing = asyncio.create_task(self.writer.write(entries[:middle]))
            await self._strike(strike)
            fell_at = time.monotonic()
            self.interrupted += await self._behind() > 0
            if strike.noticed:
                await dismiss_members(self.stack.kafka_bootstrap, group_of(self.topics))
            await writing
            await self.writer.write(entries[middle:])
            await self._start(following, strike.victims)
            if following is None or following.failpoint is None:
                await self.caught_up()
                self.recoveries[strike.noticed].append(time.monotonic() - fell_at)

    async def _start(self, following: Strike | None, victims: tuple[int, ...] = ()) -> None:
        """Start what died, armed for the next strike; a survivor that has to be armed is started again, too."""
        armed = following.victims[0] if following and following.failpoint else None
        for number in {*victims, *(() if armed is None else (armed,))}:
            process = self.processes[number]
            self.kills["to arm a survivor"] += process.running
            await process.kill()
            await process.start(following.failpoint if following and number == armed else None)

    async def _strike(self, strike: Strike) -> None:
        self.kills[strike.kind] += len(strike.victims)
        if strike.failpoint:
            await self.processes[strike.victims[0]].died()
            return
        await asyncio.sleep(self.random.uniform(0, 0.25))  # the moment is the point
        await asyncio.gather(*(self.processes[number].kill() for number in strike.victims))

    async def _behind(self) -> int:
        connection = await asyncpg.connect(self.database)
        try:
            done = await connection.fetchval("SELECT sum(next_offset)::bigint FROM stream_offset")
        finally:
            await connection.close()
        return self.writer.written - int(done)

    async def caught_up(self) -> None:
        """Wait until everything that was written is applied."""
        await applied(self.database, self.topics.events, self.writer.written, PATIENCE_S)

    async def revoked_to_death(self) -> None:
        """The first process dies as it gives partitions away, because a second one joins."""
        await self.processes[0].kill()
        await dismiss_members(self.stack.kafka_bootstrap, group_of(self.topics))
        # Once at its own joining, once at the other's.
        await self.processes[0].start("in_revoke:2")
        await self.processes[0].says("/metrics", f"bellwether_claimed_partitions {float(PARTITIONS)}")
        writing = asyncio.create_task(self.writer.write(next(self.slices)))
        await self.processes[1].start()
        await self.processes[0].died()
        fell_at = time.monotonic()
        self.kills["in_revoke"] += 1
        await writing
        await self.processes[0].start()
        await self.caught_up()
        self.recoveries[False].append(time.monotonic() - fell_at)


def sliced(entries: list[Entry], count: int, random: Random) -> Iterator[list[Entry]]:
    """So many slices, the longest up to three times as long as the shortest."""
    ends = list(accumulate(random.uniform(1, 3) for _ in range(count)))
    cuts = [0, *(round(end / ends[-1] * len(entries)) for end in ends)]
    yield from (entries[start:end] for start, end in pairwise(cuts))


@pytest.fixture(scope="module")
def ledger(profile: Profile) -> Ledger:
    return make_ledger(profile.seed, times(profile, 8_000, 100_000), int(time.time()))


@pytest.fixture
async def writer(stack: Servers, database: str, topics: Topics, ledger: Ledger) -> AsyncIterator[LedgerWriter]:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    await make_ledger_brands(database, ledger.zones)
    settings = {"acks": "all", "enable_idempotence": True, "linger_ms": 5}
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, **settings) as producer:
        yield LedgerWriter(producer, topics.events)


@pytest.mark.timeout(3600)
async def test_compute_killed_at_random_and_at_every_point_of_a_cycle_counts_everything_once(
    stack: Servers, database: str, topics: Topics, ledger: Ledger, writer: LedgerWriter, profile: Profile,
    tmp_path: Path, report: Report,
) -> None:  # fmt: skip
    random = Random(profile.seed)
    alone, paired = strikes_alone(random, profile), strikes_paired(random, profile)
    slices = sliced(ledger.entries, len(alone) + len(paired) + rounds_of(profile), random)
    environment = compute_environment(stack.kafka_bootstrap, database, topics, max_events=_BATCH)
    processes = [ComputeProcess(tmp_path, f"compute-{n}", environment) for n in range(2)]
    battle = Battle(stack, database, topics, writer, slices, processes, random)
    onlooker = Onlooker(database, expected_of(ledger))
    looking = asyncio.create_task(onlooker.run())
    started = time.monotonic()
    try:
        battle.processes = processes[:1]
        await battle.fight(alone)
        battle.processes = processes
        for _ in range(rounds_of(profile)):
            await battle.revoked_to_death()
        await battle.fight(paired)
        found = await judged(battle, ledger)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await asyncio.gather(*(process.kill() for process in processes))
    report("Compute killed while events flow", told(battle, found, onlooker, profile, time.monotonic() - started))
    assert not found.differences, "\n".join(found.differences)
    assert not onlooker.violations
    assert onlooker.looks > len(battle.kills)


async def judged(battle: Battle, ledger: Ledger) -> Audit:
    """Everything in Postgres against everything in the log, which is the ledger and nothing else."""
    topic, bootstrap = battle.topics.events, battle.stack.kafka_bootstrap
    expected, records = await expected_of_log(ledger, bootstrap, topic)
    assert Counter((r.key, r.value) for r in records) == Counter((e.key, e.value) for e in ledger.entries)
    return await audit(battle.database, topic, expected)


def told(
    battle: Battle, found: Audit, onlooker: Onlooker, profile: Profile, took_s: float
) -> Iterator[tuple[str, object]]:
    """The table."""
    for kind, count in sorted(battle.kills.items()):
        yield f"kills: {kind}", count
    yield "kills: all, of those with events unapplied", f"{battle.kills.total()}, {battle.interrupted}"
    yield "events", battle.writer.written
    for outcome in ("applied", "duplicate", "conflicting", "quarantined"):
        yield outcome, found.outcomes[outcome]
    yield "lost", found.lost
    yield "double", found.double
    yield "looks of a reader", onlooker.looks
    for noticed, name in ((True, "alone in the group"), (False, "after the session timeout of 6 s")):
        if len(times := battle.recoveries[noticed]) > 1:
            cuts = quantiles(times, n=20, method="inclusive")
            yield f"recovery p50/p95, {name}", f"{cuts[9]:.1f}/{cuts[18]:.1f} s of {len(times)}"
    yield "seed, duration", f"{profile.seed}, {took_s:.0f} s"
