"""The intake on one core, beside servers that do nothing and beside the way that first comes to mind.

Kafka, PostgreSQL and the load generator have the other core. Only what was answered with 202 counts, and at the end
the log has to hold all of it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
import psutil

from bellwether_cli.stack.ports import free_port
from tests.bench.drive import Driven, save_requests
from tests.bench.effort import Effort
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
_DISTINCT_EVENTS = 20_000
_WARM_UP_S = 0.5
_READY_S = 30.0
_HOW = (
    "All servers take turns on one core, on the same uvicorn with uvloop and httptools; the load generator, Kafka "
    "and PostgreSQL have the other. `bare ASGI function` and `empty FastAPI route` read the body and answer 202. The "
    "`naive way` is FastAPI with pydantic models as body and aiokafka's `send` for each event, acknowledged; it checks "
    "no keys and no brands. `checks alone` is the intake's judgement and answer, without keys, limits, metrics and "
    "Kafka; the `intake` is the service as it is shipped, without its limit of events per key. Events "
    "have about 440 bytes; only those answered with 202 count, and at the end Kafka has to hold them all. The note "
    "tells the load generator's use of a core, and the use of the busiest core beside the servers', by all together."
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of request, how many connections send it, and the least ratio to the naive way and to a ceiling."""

    name: str
    events: int
    connections: int
    ceiling: str
    naive_goal: float | None = None
    ceiling_goal: float | None = None


_SHAPES = (
    _Shape("single events", 1, 32, _BARE, naive_goal=4.0, ceiling_goal=0.5),
    _Shape("batches of 100", 100, 8, _CHECKS),
    _Shape("batches of 1,000", 1_000, 4, _CHECKS, naive_goal=7.0, ceiling_goal=0.35),
)


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
            for shape in _SHAPES:
                paths = {server.name: Path(folder) / f"{server.name} {shape.events}" for server in servers}
                for name, path in paths.items():
                    save_requests(path, _requests(shape, load, name, key))
                found[shape] = await _rounds(shape, servers, paths, effort)
            await _check(place, servers, list(found.values()))
    return _report({shape: {name: runs[1:] for name, runs in each.items()} for shape, each in found.items()}, effort)


async def _rounds(shape: _Shape, servers: Sequence[_Server], paths: dict[str, Path], effort: Effort) -> Runs:
    """The runs of each server by its name; the first is to warm up."""
    found: Runs = {server.name: [] for server in servers}
    for number in range(effort.rounds + 1):
        for server in servers:
            seconds = effort.round_s if number else _WARM_UP_S
            found[server.name].append(await _run(server, shape, paths[server.name], seconds))
        if number:
            told = ", ".join(f"{name} {runs[-1].row.per_s or 0:,.0f}/s" for name, runs in found.items())
            print(f"  {shape.name}, round {number}: {told}", flush=True)
    return found


async def _run(server: _Server, shape: _Shape, path: Path, seconds: float) -> _Run:
    used = cpu_s(server.pid)
    psutil.cpu_percent(percpu=True)
    argv = ["-m", "tests.bench.drive", str(server.port), str(shape.connections), str(seconds), str(path)]
    driven = msgspec.json.decode(await printed_by(argv), type=Driven)
    cores = psutil.cpu_percent(percpu=True)
    taken, cpu = driven.taken * shape.events, cpu_s(server.pid) - used
    if driven.refused:
        print(f"  {server.name} refused {driven.refused} requests", flush=True)
    row = Row(server.name, taken / driven.wall_s, taken / cpu, driven.p50_ms, driven.p99_ms, resident_mib(server.pid))
    busiest = max(use for core, use in enumerate(cores) if core in os.sched_getaffinity(0)) / 100
    return _Run(row, taken, driven.cpu_s / driven.wall_s, busiest)


def _requests(shape: _Shape, load: Sequence[bytes], server: str, key: str) -> list[bytes]:
    if shape.events == 1:
        path = PATH_OF_ONE if server == _NAIVE else PATH
        return [post(path, "application/cloudevents+json", raw, key) for raw in load]
    parts = (load[at : at + shape.events] for at in range(0, len(load), shape.events))
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
        if server.name in {_NAIVE, _INTAKE}:
            taken = sum(run.taken_events for runs in found for run in runs[server.name])
            held = await written_records(place, server.topic)
            print(f"  {server.name}: 202 for {taken:,} events, Kafka holds {held:,}", flush=True)
            if held < taken:
                raise RuntimeError(f"{server.name} answered 202 for {taken:,} events, and Kafka holds {held:,}")


def _report(found: dict[_Shape, Runs], effort: Effort) -> Report:
    return Report(
        title="Intake",
        unit="events",
        how=f"{_HOW} {effort.rounds} rounds of {effort.round_s:g} s each.",
        rows=[_row(shape, name, runs) for shape, each in found.items() for name, runs in each.items()],
        ratios=[ratio for shape, each in found.items() for ratio in _ratios(shape, each)],
    )


def _row(shape: _Shape, name: str, runs: Sequence[_Run]) -> Row:
    generator, core = (median(getattr(run, use) for run in runs) for use in ("generator_use", "core_use"))
    what = f"{shape.name} × {shape.connections}: {name}"
    return Row.middle(what, [run.row for run in runs], note=f"{generator:.0%}, {core:.0%}")


def _ratios(shape: _Shape, found: Runs) -> list[Ratio]:
    rows = {name: [run.row for run in runs] for name, runs in found.items()}
    goals = {_NAIVE: shape.naive_goal, _EMPTY: None, shape.ceiling: shape.ceiling_goal}
    return [
        ratio_of(f"{shape.name}: {_INTAKE} / {name}, per {unit}", rows[_INTAKE], rows[name], figure, goal)
        for name, goal in goals.items()
        for unit, figure in (("s", "per_s"), ("cpu-s", "per_cpu_s"))
    ]
