"""The same simple job on other engines: events and their reach by brand and minute of event time, from Kafka.

Each engine has an environment of its own and one core; Kafka and PostgreSQL have the other. What one does not finish,
or finds wrong, is told beside the others.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import Any

import asyncpg
import msgspec

from tests.bench.effort import Effort
from tests.bench.load import events
from tests.bench.metered import Failed, Used, metered
from tests.bench.parts import Ground, cores_apart, fill, ground, new_topic
from tests.bench.peers.environments import NotAvailable, environment, flink_connector, version
from tests.bench.peers.job import Findings, Said, decoder
from tests.bench.report import Ratio, Report, Row, ratio_of

_OURS = "ours"
_PER_S = 100.0
_RUN_S = 180.0
_AFRESH = (
    "TRUNCATE rollup_minute, rollup_hour, rollup_day",
    "UPDATE stream_offset SET next_offset = 0, last_fingerprint = NULL",
)
_HOW = (
    "Events of 20 brands are read from one topic of Kafka with 12 partitions; events and their `reach` are summed by "
    "brand and minute of event time. Each engine runs as one worker on one core, in its own environment, as its "
    "documentation shows it, with the same decoder where it decodes in Python; the sums of all must be those of the "
    "load. Rates are steady ones: what the larger of two runs takes longer than the smaller, so that starting and "
    "warming up does not count; the note tells the rate of the larger run with its start. Memory is the most that all "
    "its processes had at once. `ours` is a small program of the product's own parts (`tests/bench/simple_job.py`): "
    "claimed partitions with fencing, watermarks, late events apart, sums and offsets in one transaction of "
    "PostgreSQL each second, restore from there."
)
_REMARKS = (
    """An engine brings much that this job does not ask for: any state, joins, scaling, sources and sinks; ours was
written for this shape of job. Where they differ in what they promise:""",
    """* bytewax: windows of event time, recovery store each second; to memory.
* quixstreams: tumbling windows in RocksDB, changelog topic.
* pathway: grouped by minute, no windows that close, nothing persisted (its snapshots need a licence key).
* faust: a table with changelog topic, and a plain dict that nothing restores; it knows no watermarks.
* Flink SQL: TUMBLE with watermarks, a checkpoint each second; results collected. No Python in the way of events.""",
)


class _TooNoisy(Exception):
    """Two runs do not tell a steady rate; the next round may."""


@dataclass(frozen=True, slots=True)
class _Engine:
    """An engine, the sizes of its two runs, and the least ratio of ours to it."""

    name: str
    package: tuple[str, str] | None
    sizes: tuple[int, int]
    module: str
    more: tuple[str, ...] = ()
    goal: float | None = None


_ENGINES = (
    _Engine(_OURS, None, (400_000, 1_200_000), "tests.bench.simple_job"),
    _Engine("bytewax", ("bytewax", "bytewax"), (100_000, 400_000), "tests.bench.peers.with_bytewax", goal=2.5),
    _Engine("pathway", ("pathway", "pathway"), (100_000, 400_000), "tests.bench.peers.with_pathway", goal=2.5),
    _Engine(
        "quixstreams", ("quixstreams", "quixstreams"), (10_000, 50_000), "tests.bench.peers.with_quixstreams", goal=8.0
    ),
    _Engine(
        "faust, dict", ("faust", "faust-streaming"), (5_000, 20_000), "tests.bench.peers.with_faust", ("dict",), 20.0
    ),
    _Engine("faust, table", ("faust", "faust-streaming"), (1_000, 5_000), "tests.bench.peers.with_faust", ("table",)),
    _Engine("Flink SQL", ("flink", "apache-flink"), (100_000, 400_000), "tests.bench.peers.with_flink", goal=1.2),
)


@dataclass(slots=True)
class _Place:
    """Servers, the topic of each size, and what the sums over it are."""

    ground: Ground
    core: int
    topics: dict[int, str] = field(default_factory=dict)
    expected: dict[int, Findings] = field(default_factory=dict)


async def measure(effort: Effort) -> Report:
    """Run the rounds; an engine that fails once is left out from then on."""
    rows: dict[str, dict[int, Row]] = {engine.name: {} for engine in _ENGINES}
    failed: dict[str, str] = {}
    with cores_apart() as core:
        async with ground() as servers:
            place = _Place(servers, core)
            await _fill(place, effort.peer_share)
            for number in range(effort.peer_rounds):
                for engine in (each for each in _ENGINES if each.name not in failed):
                    try:
                        rows[engine.name][number] = await _measured(engine, place, effort.peer_share)
                    except _TooNoisy as error:
                        print(f"  {engine.name}: {error}", flush=True)
                    except (Failed, NotAvailable) as error:
                        failed[engine.name] = str(error)
                told = ", ".join(f"{name} {runs[number].per_s:,.0f}/s" for name, runs in rows.items() if number in runs)
                print(f"  round {number + 1}: {told}; failed: {failed or 'none'}", flush=True)
    return _report(rows, failed, effort)


def _scaled(size: int, share: float) -> int:
    return int(size * share)


async def _fill(place: _Place, share: float) -> None:
    sizes = sorted({_scaled(size, share) for engine in _ENGINES for size in engine.sizes})
    load = [(event["data"]["brand"], msgspec.json.encode(event)) for event in events(sizes[-1], per_s=_PER_S)]
    for size in sizes:
        place.topics[size] = await new_topic(place.ground)
        await fill(place.ground, place.topics[size], load[:size])
        place.expected[size] = _sums(decoder.decode(raw) for _, raw in islice(load, size))


def _sums(events: Iterable[Said]) -> Findings:
    """What an engine has to find."""
    windows: dict[tuple[str, int], tuple[int, int]] = {}
    for said in events:
        key = (said.data.brand, int(said.time.timestamp()) // 60)
        counted, reach = windows.get(key, (0, 0))
        windows[key] = counted + 1, reach + said.data.reach
    return Findings.of(windows.values())


async def _measured(engine: _Engine, place: _Place, share: float) -> Row:
    """The steady rate of an engine, from a smaller and a larger run."""
    few, many = (_scaled(size, share) for size in engine.sizes)
    smaller, larger = await _run(engine, place, few), await _run(engine, place, many)
    wall_s, cpu_s = larger.wall_s - smaller.wall_s, larger.cpu_s - smaller.cpu_s
    if min(wall_s, cpu_s) <= 0:
        raise _TooNoisy(f"{many:,} records took no longer than {few:,}: no steady rate to tell")
    return Row(
        engine.name, (many - few) / wall_s, (many - few) / cpu_s, mib=larger.mib, note=f"{many / larger.wall_s:.0f}"
    )


async def _run(engine: _Engine, place: _Place, size: int) -> Used:
    """Run over so many records. Raises Failed for one that fails, or finds other sums than the load has."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [*await _command(engine, place, size, folder), *engine.more]
        used = await metered(argv, place.core, _RUN_S)
    found = msgspec.json.decode(used.printed.strip().splitlines()[-1], type=Findings)
    if found != place.expected[size]:
        raise Failed(f"found {found}, the load has {place.expected[size]}")
    return used


async def _command(engine: _Engine, place: _Place, size: int, folder: str) -> list[str]:
    where = [place.ground.kafka_bootstrap, place.topics[size], str(size)]
    if engine.package is None:
        await _start_afresh(place.ground)
        return [sys.executable, "-m", engine.module, *where, place.ground.dsn]
    python = await environment(engine.package[0])
    jar = [str(await flink_connector())] if engine.package[0] == "flink" else []
    return [str(python), "-m", engine.module, *where, folder, *jar]


async def _start_afresh(place: Ground) -> None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(place.dsn)
    try:
        for statement in _AFRESH:
            await connection.execute(statement)
    finally:
        await connection.close()


def _report(rows: dict[str, dict[int, Row]], failed: dict[str, str], effort: Effort) -> Report:
    return Report(
        title="Peers",
        unit="events",
        how=f"{_HOW} {effort.peer_rounds} rounds.",
        rows=[_row(engine, [*rows[engine.name].values()], failed.get(engine.name)) for engine in _ENGINES],
        ratios=[ratio for engine in _ENGINES[1:] for ratio in _ratios(engine, rows)],
        remarks=_REMARKS,
    )


def _row(engine: _Engine, runs: Sequence[Row], reason: str | None) -> Row:
    name = f"{engine.name} {version(*engine.package)}" if engine.package else engine.name
    if not runs:
        return Row(name, note=f"did not run: {reason or 'too noisy'}")
    whole = median(float(run.note) for run in runs)
    note = f"{whole:,.0f}/s with its start" + (f"; then failed: {reason}" if reason else "")
    return Row.middle(name, runs, note=note)


def _ratios(engine: _Engine, rows: dict[str, dict[int, Row]]) -> list[Ratio]:
    """Of the rounds in which both ran."""
    ours, theirs = rows[_OURS], rows[engine.name]
    both = sorted(ours.keys() & theirs.keys())
    pair = [ours[number] for number in both], [theirs[number] for number in both]
    return [
        ratio_of(f"{_OURS} / {engine.name}, per {unit}", *pair, figure, engine.goal)
        for unit, figure in (("s", "per_s"), ("cpu-s", "per_cpu_s"))
        if both
    ]
