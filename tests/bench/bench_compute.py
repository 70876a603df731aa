"""Compute, everything on, beside its ceiling: reading the same records and nothing else.

Alternating rounds over the same events. Compute runs as a process of its own on one core,
servers and this script on the other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from statistics import median

from tests.bench.computing import compute_on, watched
from tests.bench.effort import Effort
from tests.bench.load import BRANDS, encoded
from tests.bench.metered import Failed
from tests.bench.parts import Fresh, Ground, cores_apart, fill, grounds, new_topic, printed_by, until_applied
from tests.bench.report import Ratio, Report, Row, ratio_of, table
from tests.bench.stages import flame_graph, shares

_CEILING, _COMPUTE = "consume only", "compute"
_GOAL_PER_S = 50_000.0
_PICTURE = "compute.svg"
_HOW = (
    "The log holds events of about 380 bytes of 20 brands, one in three with a text, 1 % repeats. `consume only` reads "
    "the records with the same client and settings and does nothing else; `compute` is the service as it is shipped, "
    "from a backlog: decoded, checked, without repeats, sentiment scored, folded, committed to PostgreSQL with its "
    "offsets, current values refreshed. Both have one core; PostgreSQL, Kafka and the rest have the other. Each "
    "round has a database of its own."
)


async def measure(effort: Effort) -> Report:
    """Run the rounds, then look where the time goes."""
    load = encoded(effort.events)
    found: dict[str, list[Row]] = {_CEILING: [], _COMPUTE: []}
    with cores_apart() as core:
        async with grounds(BRANDS) as fresh:
            for number in range(effort.rounds):
                async with _filled(fresh, load) as (place, topic):
                    found[_CEILING].append(await _ceiling(place, topic, effort.events, core))
                    found[_COMPUTE].append(await _compute(place, topic, effort.events, core))
                print(f"  round {number + 1}: {' '.join(f'{n} {r[-1].per_s:,.0f}/s' for n, r in found.items())}")
            async with _filled(fresh, load) as (place, topic):
                remark, pictures = await _stages(place, topic, core, effort, found[_COMPUTE])
    return _report(found, effort, remark, pictures)


@asynccontextmanager
async def _filled(fresh: Fresh, load: Sequence[tuple[str, bytes]]) -> AsyncIterator[tuple[Ground, str]]:
    """An empty database and a topic that holds the load: nobody meets the same events twice."""
    async with fresh() as place:
        topic = await new_topic(place)
        await fill(place, topic, load)
        yield place, topic


async def _ceiling(place: Ground, topic: str, count: int, core: int) -> Row:
    argv = ["-m", "tests.bench.consume_only", place.kafka_bootstrap, topic, str(count)]
    per_s, per_cpu_s, mib = map(float, (await printed_by(argv, core)).split())
    return Row(_CEILING, per_s, per_cpu_s, mib=mib)


async def _compute(place: Ground, topic: str, count: int, core: int) -> Row:
    async with compute_on(core, place, topic) as pid:
        return await watched(_COMPUTE, place, topic, pid, count)


async def _stages(
    place: Ground, topic: str, core: int, effort: Effort, rows: list[Row]
) -> tuple[str, Mapping[str, bytes]]:
    """The stages of a cycle as a table, and the flame graph; words in their place where they cannot be had."""
    event_us = 1e6 / median(row.per_cpu_s or float("nan") for row in rows)
    try:
        async with compute_on(core, place, topic) as pid:
            await until_applied(place, topic, effort.events // 20)
            found = await shares(pid, effort.profile_s)
            picture = await flame_graph(pid, effort.profile_s)
    except (Failed, TimeoutError) as error:
        return f"No split by stages: {error}.", {}
    lines = [[stage, f"{share:.1%}", f"{share * event_us:.1f}"] for stage, share in found.items()]
    split = table(["stage of a cycle", "of the time", "µs of an event"], lines)
    told = f"Where the time goes, by the steps of a cycle; [a flame graph](benchmarks/{_PICTURE}) tells it in full:"
    return f"{told}\n\n{split}", {_PICTURE: picture}


def _report(found: dict[str, list[Row]], effort: Effort, remark: str, pictures: Mapping[str, bytes]) -> Report:
    of = f"{_COMPUTE} / {_CEILING}, per"
    ours, theirs = found[_COMPUTE], found[_CEILING]
    per_s = median(row.per_s or 0.0 for row in ours)
    return Report(
        title="Compute",
        unit="events",
        how=f"{_HOW} {effort.rounds} rounds of {effort.events:,} events.",
        rows=[Row.middle(name, runs) for name, runs in found.items()],
        ratios=[
            Ratio(f"{_COMPUTE}, thousands of events/s", per_s / 1e3, _GOAL_PER_S / 1e3),
            ratio_of(f"{of} s", ours, theirs, "per_s", goal=0.3),
            ratio_of(f"{of} cpu-s", ours, theirs, "per_cpu_s", goal=0.3),
        ],
        remarks=[remark],
        files=pictures,
    )
