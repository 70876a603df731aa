"""Compute, everything on, beside its ceiling: reading the same records and nothing else.

Alternating rounds over the same events. Compute runs as a process of its own on one core,
servers and this script on the other.
"""

from __future__ import annotations

import time

from tests.bench.effort import Effort
from tests.bench.load import encoded
from tests.bench.parts import (
    Ground,
    applied,
    cores_apart,
    cpu_s,
    fill,
    ground,
    new_topic,
    printed_by,
    process_on,
    resident_mib,
    until_applied,
)
from tests.bench.report import Report, Row, ratio_of

_CEILING, _COMPUTE = "consume only", "compute"
_HOW = (
    "The log holds events of about 440 bytes of 20 brands, one in three with a text, 1 % repeats. `consume only` reads "
    "the records with the same client and settings and does nothing else; `compute` is the service as it is shipped, "
    "from a backlog: decoded, checked, without repeats, sentiment scored, folded, committed to PostgreSQL with its "
    "offsets, current values refreshed."
)


async def measure(effort: Effort) -> Report:
    """Run the rounds."""
    load = encoded(effort.events)
    found: dict[str, list[Row]] = {_CEILING: [], _COMPUTE: []}
    with cores_apart() as core:
        async with ground() as place:
            for number in range(effort.rounds):
                topic = await new_topic(place)
                await fill(place, topic, load)
                found[_CEILING].append(await _ceiling(place, topic, effort.events, core))
                found[_COMPUTE].append(await _compute(place, topic, effort.events, core))
                print(f"  round {number + 1}: {' '.join(f'{n} {r[-1].per_s:,.0f}/s' for n, r in found.items())}")
    return _report(found, effort)


async def _ceiling(place: Ground, topic: str, count: int, core: int) -> Row:
    argv = ["-m", "tests.bench.consume_only", place.kafka_bootstrap, topic, str(count)]
    per_s, per_cpu_s, mib = map(float, (await printed_by(argv, core)).split())
    return Row(_CEILING, per_s, per_cpu_s, mib=mib)


async def _compute(place: Ground, topic: str, count: int, core: int) -> Row:
    settings = {
        "kafka_bootstrap": place.kafka_bootstrap,
        "postgres_dsn": place.dsn,
        "events_topic": topic,
        "quarantine_topic": f"quarantine.{topic}",
        "updates_topic": f"updates.{topic}",
        "group": topic,
        "port": "0",
    }
    environment = {f"BELLWETHER_COMPUTE_{name}".upper(): value for name, value in settings.items()}
    async with process_on(core, ["-m", "bellwether_compute"], environment) as pid:
        await until_applied(place, topic, 1)
        started, used, done = time.perf_counter(), cpu_s(pid), await applied(place, topic)
        await until_applied(place, topic, count)
        wall, cpu = time.perf_counter() - started, cpu_s(pid) - used
        return Row(_COMPUTE, (count - done) / wall, (count - done) / cpu, mib=resident_mib(pid))


def _report(found: dict[str, list[Row]], effort: Effort) -> Report:
    of = f"{_COMPUTE} / {_CEILING}, per"
    ours, theirs = found[_COMPUTE], found[_CEILING]
    return Report(
        title="Compute",
        unit="events",
        how=f"{_HOW} {effort.rounds} rounds of {effort.events:,} events.",
        rows=[Row.middle(name, runs) for name, runs in found.items()],
        ratios=[
            ratio_of(f"{of} s", ours, theirs, "per_s"),
            ratio_of(f"{of} cpu-s", ours, theirs, "per_cpu_s", goal=0.5),
        ],
    )
