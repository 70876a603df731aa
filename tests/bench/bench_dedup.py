"""Exact dedup at 30 million live identities: what a claim takes, and what they hold of memory.

Segments are stored as commits and merges leave them; a worker's process of its own then claims all partitions, one
after the other, and is asked for identities that are stored and for others that are not.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg
import msgspec

from bellwether.adapters.postgres.pool import open_pool
from bellwether_compute.dedup import HORIZON_DAYS, Verdict, utc_day
from bellwether_compute.loading import open_horizon
from bellwether_compute.state import PartitionState
from tests.bench.effort import FULL, QUICK, THOROUGH, Effort
from tests.bench.parts import PARTITIONS, Ground, cpu_s, ground, resident_mib
from tests.bench.report import Ratio, Report, Row

STREAM = "dedup.bench"
_ENTRIES = 50_000
"""In a segment: a merged one has up to 52,428."""
_ASKED = 20_000
_SEED = 7
_IDENTITIES = {QUICK: 1_000_000, FULL: 30_000_000, THOROUGH: 30_000_000}
_GIB = 1024.0


@dataclass(frozen=True, slots=True)
class Claims:
    """What a process found that claimed all partitions.

    Seconds are of the wall but `claimed_cpu_s` and `judged_cpu_s`, which are its processor's; memory in MiB.
    """

    identities: int
    slowest_s: float
    claimed_cpu_s: float
    judged_cpu_s: float
    wrong: int
    mib: float


async def measure(effort: Effort) -> Report:
    """Store identities, claim them in another process, and report."""
    wanted = _IDENTITIES.get(effort, _IDENTITIES[FULL])
    async with ground() as place:
        await store(place, wanted)
        found = await _claim_apart(place.dsn)
    return _report(found)


def segments(identities: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Partition, UTC day, first offset and entries of segments that hold so many identities, the same every time."""
    chance, today = random.Random(_SEED), utc_day(int(time.time()))
    for number in range(identities // _ENTRIES):
        day = today - number // PARTITIONS % HORIZON_DAYS
        yield number % PARTITIONS, day, number, chance.randbytes(20 * _ENTRIES)


async def store(place: Ground, identities: int) -> None:
    """Write the segments."""
    connection = await asyncpg.connect(place.dsn)
    try:
        for part, day, first_offset, entries in segments(identities):
            values = (STREAM, part, day, 1, first_offset, entries)
            await connection.execute("INSERT INTO dedup_segment VALUES ($1, $2, $3, $4, $5, $6)", *values)
    finally:
        await connection.close()


async def _claim_apart(dsn: str) -> Claims:
    """Claim in a process that holds nothing else."""
    command = [sys.executable, "-m", "tests.bench.bench_dedup", dsn]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the claims ended with {process.returncode}")
    return msgspec.json.decode(output, type=Claims)


async def claim_all(dsn: str) -> Claims:
    """Claim all partitions of the stream, and ask for identities that are stored and that are not."""
    # What a worker imports before it claims counts as its memory, too.
    import bellwether_compute.service  # noqa: F401, PLC0415

    partitions, slowest, now = [], 0.0, int(time.time())
    began = cpu_s(os.getpid())
    async with open_pool(dsn, deadline_s=600, statement_s=600) as pool, pool.connection() as connection:
        for part in range(PARTITIONS):
            started = time.perf_counter()
            partition = PartitionState(part, 1, 0)
            await open_horizon(connection, STREAM, partition, now)
            partitions.append(partition)
            slowest = max(slowest, time.perf_counter() - started)
        claimed = cpu_s(os.getpid()) - began
        known = await connection.fetch(
            "SELECT part, event_day, entries FROM dedup_segment ORDER BY first_offset LIMIT 4"
        )
    count = sum(len(partition.seen) for partition in partitions)
    began = cpu_s(os.getpid())
    wrong = sum(_wrong(partitions[part], day, entries) for part, day, entries in known)
    judged = cpu_s(os.getpid()) - began
    return Claims(count, slowest, claimed, judged, wrong, resident_mib(os.getpid()))


def _wrong(partition: PartitionState, day: int, entries: bytes) -> int:
    """Of stored identities those taken for new, and of others those taken for seen."""
    step = _ASKED // 4 // 2
    stored = [entries[at : at + 16] for at in range(0, 20 * step, 20)]
    others = [os.urandom(16) for _ in range(step)]
    return sum(partition.seen.judge(i, b"", day)[0] is Verdict.NEW for i in stored) + sum(
        partition.seen.judge(i, b"", day)[0] is not Verdict.NEW for i in others
    )


def _report(found: Claims) -> Report:
    rate = found.identities / found.claimed_cpu_s
    return Report(
        title="Dedup",
        unit="identities",
        how=(
            f"One process claims {PARTITIONS} partitions with {found.identities:,} live identities of "
            f"{HORIZON_DAYS} days from PostgreSQL, then judges {_ASKED:,} events, half of them repeats."
        ),
        rows=[
            Row("claim", per_cpu_s=rate, mib=found.mib, note=f"slowest partition {found.slowest_s:.1f} s"),
            Row("judge", per_cpu_s=_ASKED / max(found.judged_cpu_s, 0.01), note=f"{found.wrong} wrong"),
        ],
        ratios=[
            Ratio("wrong verdicts", found.wrong, 0.0, at_most=True),
            Ratio("memory of the process, GiB", found.mib / _GIB, 1.0, at_most=True),
            Ratio("claim of the slowest partition, s", found.slowest_s, 10.0, at_most=True),
        ],
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(claim_all(sys.argv[1]))))
