"""The intake on one core, beside servers that do nothing and beside the way that first comes to mind.

Kafka, PostgreSQL and the load generator have the other core. Only what was answered with 202 counts, and at the end
the log has to hold all of it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from bellwether_cli.stack.ports import free_port
from tests.bench.effort import Effort
from tests.bench.generator import NAME, save, send
from tests.bench.http_client import post, until_ready
from tests.bench.load import encoded
from tests.bench.parts import (
    PEPPER,
    Ground,
    cores_apart,
    cpu_s,
    ground,
    new_key,
    new_topic,
    printed_by,
    process_on,
    resident_mib,
    written_records,
)
from tests.bench.report import Ratio, Report, Row, ratio_of
from tests.bench.rivals import PATH, PATH_OF_ONE

_BARE, _EMPTY, _NAIVE = "bare ASGI function", "empty FastAPI route", "naive way"
_CHECKS, _INTAKE = "checks alone", "intake"
_WRITERS = frozenset({_NAIVE, _INTAKE})
_PRODUCERS = {"bare producer, a send per event": "send", "bare producer, batches of 1,000": "batch"}
_DISTINCT_EVENTS = 20_000
_WARM_UP_S = 1.0
_READY_S = 30.0
_IDLE_WITHIN_S = 10.0
_LOOK_S = 0.06
_HOW = (
    "All servers take turns on one core, on the same uvicorn with uvloop and httptools; the load generator, Kafka "
    "and PostgreSQL have the other. `bare ASGI function` and `empty FastAPI route` read the body and answer 202. The "
    "`naive way` is FastAPI with pydantic models as body and aiokafka's `send` for each event, acknowledged; it checks "
    "no keys and no brands. `checks alone` is the intake's judgement and answer, without keys, limits, metrics and "
    "Kafka; the `intake` is the service as it is shipped, without its limit of events per key. `bare producer` is "
    "aiokafka's and nothing else, acknowledged. Events have about 380 bytes; rates count those answered with 202 in "
    "time, rates per cpu-s all that the server did, and at the end Kafka has to hold what was answered. The name tells "
    "the connections. The note tells the load generator's use of a core, and the use of the busiest core beside the "
    f"servers', by all together. Requests come from {NAME}."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """A kind of request, what it is measured beside, and at how many connections the goals hold.

    `goals` are the least ratios to some of `beside`.
    """

    name: str
    events: int
    beside: tuple[str, ...]
    connections: int
    goals: Mapping[str, float]
    longer: float = 1.0


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of request over so many connections."""

    kind: _Kind
    connections: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.kind.name} × {self.connections}"


_KINDS = (
    _Kind("single events", 1, (_BARE, _EMPTY, _CHECKS, _NAIVE), 32, {_NAIVE: 4.0, _BARE: 0.5}),
    _Kind("batches of 100", 100, (_EMPTY, _CHECKS, _NAIVE), 8, {_NAIVE: 4.0, _CHECKS: 0.35}),
    _Kind("batches of 1,000", 1_000, (_EMPTY, _CHECKS, _NAIVE), 8, {_NAIVE: 7.0, _CHECKS: 0.35}, longer=2.0),
)


def _shapes(effort: Effort) -> list[_Shape]:
    """All kinds with all numbers of connections, or with those of their goals alone."""
    return [_Shape(kind, connections) for kind in _KINDS for connections in (effort.connections or (kind.connections,))]


@dataclass(frozen=True, slots=True)
class _Server:
    """Something that takes events, and where it puts them."""

    name: str
    port: int
    pid: int
    topic: str


@dataclass(frozen=True, slots=True)
class _Run:
    """One server under one shape of requests for a while. Uses are shares of one core."""

    row: Row
    taken_events: int
    generator_use: float
    core_use: float


Runs = dict[str, list[_Run]]


async def measure(effort: Effort) -> Report:
    """Run the rounds."""
    found: dict[_Shape, Runs] = {}
    with cores_apart() as core, tempfile.TemporaryDirectory() as folder:
        async with ground() as place, _servers(place, core) as servers:
            key, load = await new_key(place), [raw for _, raw in encoded(_DISTINCT_EVENTS)]
            for shape in _shapes(effort):
                chosen = [server for server in servers if server.name in {*shape.kind.beside, _INTAKE}]
                paths = {server.name: Path(folder) / f"{server.name} {shape.kind.events}" for server in chosen}
                for name, path in paths.items():
                    save(path, _requests(shape.kind, load, name, key))
                found[shape] = await _rounds(place, shape, chosen, paths, effort)
            await _check(place, servers, list(found.values()))
            producers = await _producers(place, core, effort)
    return _report({s: {name: runs[1:] for name, runs in each.items()} for s, each in found.items()}, producers, effort)


async def _rounds(
    place: Ground, shape: _Shape, servers: Sequence[_Server], paths: dict[str, Path], effort: Effort
) -> Runs:
    """The runs of each server by its name; the first is to warm up."""
    found: Runs = {server.name: [] for server in servers}
    for number in range(effort.rounds + 1):
        for server in servers:
            seconds = effort.round_s * shape.kind.longer if number else _WARM_UP_S
            found[server.name].append(await _run(place, server, shape, paths[server.name], seconds))
        if number:
            told = ", ".join(f"{name} {runs[-1].row.per_s or 0:,.0f}/s" for name, runs in found.items())
            print(f"  {shape.name}, round {number}: {told}", flush=True)
    return found


async def _run(place: Ground, server: _Server, shape: _Shape, path: Path, seconds: float) -> _Run:
    held, used = await _held(place, server), cpu_s(server.pid)
    psutil.cpu_percent(percpu=True)
    driven = await send(server.port, shape.connections, seconds, path)
    cores = psutil.cpu_percent(percpu=True)
    cpu = await _idle(server) - used
    taken = driven.taken * shape.kind.events
    done = await _held(place, server) - held if server.name in _WRITERS else taken
    if driven.refused:
        print(f"  {server.name} refused {driven.refused} requests", flush=True)
    row = Row(server.name, taken / driven.wall_s, done / cpu, driven.p50_ms, driven.p99_ms, resident_mib(server.pid))
    busiest = max(use for core, use in enumerate(cores) if core in os.sched_getaffinity(0)) / 100
    return _Run(row, taken, driven.cpu_s / driven.wall_s, busiest)


async def _held(place: Ground, server: _Server) -> int:
    """How many events of a server Kafka holds; 0 for one that writes none."""
    return await written_records(place, server.topic) if server.name in _WRITERS else 0


async def _idle(server: _Server) -> float:
    """Wait until a server has done what was still open when the time was over; the processor time it has used."""
    before, until = -1.0, time.perf_counter() + _IDLE_WITHIN_S
    while (used := cpu_s(server.pid)) > before + _LOOK_S / 4 and time.perf_counter() < until:
        before = used
        await asyncio.sleep(_LOOK_S)
    return used


async def _producers(place: Ground, core: int, effort: Effort) -> dict[str, list[Row]]:
    """Rounds of the bare producer in its two ways."""
    found: dict[str, list[Row]] = {name: [] for name in _PRODUCERS}
    topic = await new_topic(place)
    for _ in range(effort.rounds):
        for name, way in _PRODUCERS.items():
            argv = ["-m", "tests.bench.bare_producer", way, place.kafka_bootstrap, topic, str(effort.round_s)]
            per_s, per_cpu_s, mib = map(float, (await printed_by(argv, core)).split())
            found[name].append(Row(name, per_s, per_cpu_s, mib=mib))
    return found


def _requests(kind: _Kind, load: Sequence[bytes], server: str, key: str) -> list[bytes]:
    if kind.events == 1:
        path = PATH_OF_ONE if server == _NAIVE else PATH
        return [post(path, "application/cloudevents+json", raw, key) for raw in load]
    parts = (load[at : at + kind.events] for at in range(0, len(load), kind.events))
    return [post(PATH, "application/cloudevents-batch+json", b"[" + b",".join(part) + b"]", key) for part in parts]


@asynccontextmanager
async def _servers(place: Ground, core: int) -> AsyncIterator[list[_Server]]:
    """All of them, ready; each is idle while another one is measured."""
    async with AsyncExitStack() as stack:

        async def start(name: str, argv: list[str], environment: dict[str, str], port: int, topic: str) -> _Server:
            pid = await stack.enter_async_context(process_on(core, argv, environment))
            await asyncio.wait_for(until_ready(port), _READY_S)
            return _Server(name, port, pid, topic)

        servers = []
        for name, short in ((_BARE, "bare"), (_EMPTY, "empty"), (_CHECKS, "checks"), (_NAIVE, "naive")):
            port, topic = free_port(), await new_topic(place)
            argv = ["-m", "tests.bench.rivals", short, str(port), place.kafka_bootstrap, topic]
            servers.append(await start(name, argv, {}, port, topic))
        port, topic = free_port(), await new_topic(place)
        servers.append(await start(_INTAKE, ["-m", "bellwether_ingest"], _settings(place, port, topic), port, topic))
        yield servers


def _settings(place: Ground, port: int, topic: str) -> dict[str, str]:
    settings = {
        "kafka_bootstrap": place.kafka_bootstrap,
        "postgres_dsn": place.dsn,
        "events_topic": topic,
        "key_pepper": PEPPER,
        "port": str(port),
        "events_per_s": "1e9",
        "burst_events": "1000000000",
    }
    return {f"BELLWETHER_INGEST_{name}".upper(): value for name, value in settings.items()}


async def _check(place: Ground, servers: Sequence[_Server], found: Sequence[Runs]) -> None:
    """Raise RuntimeError where Kafka does not hold what was answered with 202."""
    for server in servers:
        if server.name in _WRITERS:
            taken = sum(run.taken_events for runs in found for run in runs[server.name])
            held = await written_records(place, server.topic)
            print(f"  {server.name}: 202 for {taken:,} events, Kafka holds {held:,}", flush=True)
            if held < taken:
                raise RuntimeError(f"{server.name} answered 202 for {taken:,} events, and Kafka holds {held:,}")


def _report(found: dict[_Shape, Runs], producers: dict[str, list[Row]], effort: Effort) -> Report:
    rows = [_row(shape, name, runs) for shape, each in found.items() for name, runs in each.items()]
    return Report(
        title="Intake",
        unit="events",
        how=f"{_HOW} {effort.rounds} rounds of {effort.round_s:g} s each, of batches of 1,000 twice as long.",
        rows=[*rows, *(Row.middle(name, runs) for name, runs in producers.items())],
        ratios=[ratio for shape, each in found.items() for ratio in _ratios(shape, each, producers)],
    )


def _row(shape: _Shape, name: str, runs: Sequence[_Run]) -> Row:
    generator, core = (median(getattr(run, use) for run in runs) for use in ("generator_use", "core_use"))
    return Row.middle(f"{shape.name}: {name}", [run.row for run in runs], note=f"{generator:.0%}, {core:.0%}")


def _ratios(shape: _Shape, found: Runs, producers: dict[str, list[Row]]) -> list[Ratio]:
    """The intake beside the others, at the number of connections at which the goals hold."""
    if shape.connections != shape.kind.connections:
        return []
    others = {name: [run.row for run in found[name]] for name in shape.kind.beside} | producers
    ours = [run.row for run in found[_INTAKE]]
    return [
        ratio_of(f"{shape.name}: {_INTAKE} / {name}, per {unit}", ours, rows, figure, shape.kind.goals.get(name))
        for name, rows in others.items()
        for unit, figure in (("s", "per_s"), ("cpu-s", "per_cpu_s"))
    ]
