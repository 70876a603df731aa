"""How fast values are read, beside a route of the same service that does nothing. The API has one core."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bellwether.catalogue.scorecards import SCORECARDS
from bellwether_cli.stack.folder import open_folder
from bellwether_cli.stack.ports import free_port
from bellwether_cli.stack.services import Services, Wiring, running_services
from tests.bench.drive import quantile
from tests.bench.effort import Effort
from tests.bench.generator import NAME, save, send
from tests.bench.http_client import connected, get, post, until_ready
from tests.bench.load import BRANDS, events
from tests.bench.parts import (
    PEPPER,
    Ground,
    cores_apart,
    cpu_s,
    ground,
    new_key,
    new_topic,
    process_on,
    resident_mib,
    until_applied,
    written_records,
)
from tests.bench.report import Ratio, Report, Row, ratio_of

_BATCH = 1_000
_SPREAD_S = 20 * 86_400
_RATE = 200.0
_STEADY_CONNECTIONS = 32
_CONNECTIONS = 8
_READY_S = 30.0
_WARM_UP_S = 2.0
_MOMENTS = 2_000
_SERIES_S = 90 * 86_400
_KPI = "share_of_voice"
_ETAG = re.compile(rb"\r\netag: ([^\r]+)", re.IGNORECASE)
_EMPTY, _CARDS, _UNCHANGED = "empty route", "all cards in turn", "one card, unchanged"
_NOT_MODIFIED = "one card, unchanged, with its ETag: 304"
_P99_GOAL_MS = 20.0
_HOW = (
    f"Events of {len(BRANDS)} brands over the last 20 days are applied; compute and the intake then have nothing to "
    f"do. The API has one core. Cards are {', '.join(SCORECARDS)}, of all brands in turn. `steady` sends "
    f"{_RATE:g} requests a second for cards in turn, whatever becomes of them, and counts from the moment each was "
    f"due; the others keep {_CONNECTIONS} connections busy. `unchanged` is one card again and again, from the API's "
    "cache of answers of 1 s. `as_of` is one KPI, each time at another moment of the last 20 days, so evaluated each "
    "time. The series is of 90 days by day. The empty route is `/healthz`. "
    f"Requests come from {NAME}; the steady ones from a client in Python."
)


async def measure(effort: Effort) -> Report:
    """Fill, then read."""
    steady: list[Row] = []
    with cores_apart() as core, tempfile.TemporaryDirectory() as folder:
        async with (
            ground(BRANDS) as place,
            filled(place, effort.read_events) as (wiring, key),
            api_on(core, wiring) as (port, pid),
        ):
            kinds = await _kinds(port, key)
            paths = {kind: Path(folder) / str(number) for number, kind in enumerate(kinds)}
            for kind, requests in kinds.items():
                save(paths[kind], requests)
            rounds: dict[str, list[Row]] = {kind: [] for kind in kinds}
            await send(port, _CONNECTIONS, _WARM_UP_S, paths[_CARDS])
            for number in range(effort.rounds):
                steady.append(_steady_row(await _steady(port, kinds[_CARDS], effort.steady_s / 2)))
                for kind, path in paths.items():
                    rounds[kind].append(await _row(kind, port, pid, effort.round_s, path))
                told = ", ".join(f"{kind} {runs[-1].per_s or 0:,.0f}/s" for kind, runs in rounds.items())
                print(f"  round {number + 1}: steady p99 {steady[-1].p99_ms:.0f} ms, {told}", flush=True)
    return _report(steady, rounds, effort)


async def _kinds(port: int, key: str) -> dict[str, list[bytes]]:
    """The requests of each kind."""
    cards = [get(f"/v1/brands/{brand}/scorecards/{role}", key) for brand in BRANDS for role in SCORECARDS]
    now = time.time()
    moments = (_written(now - (number + 1) * _SPREAD_S / _MOMENTS) for number in range(_MOMENTS))
    value = f"/v1/brands/{{}}/kpis/{_KPI}"
    series = f"{value}/series?grain=day&from={_written(now - _SERIES_S)}"
    first = f"/v1/brands/{BRANDS[0]}/scorecards/{next(iter(SCORECARDS))}"
    return {
        _EMPTY: [get("/healthz", key)],
        _CARDS: cards,
        _UNCHANGED: cards[:1],
        _NOT_MODIFIED: [get(first, key, await _etag(port, cards[0]))],
        "one KPI, of all brands in turn": [get(value.format(brand), key) for brand in BRANDS],
        "series of 90 days, of all brands in turn": [get(series.format(brand), key) for brand in BRANDS],
        "one KPI as_of": [
            get(f"{value.format(brand)}?as_of={moment}", key)
            for brand, moment in zip(cycle(BRANDS), moments, strict=False)
        ],
    }


def _written(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _etag(port: int, request: bytes) -> str:
    async with connected(port) as connection:
        found = _ETAG.search((await connection.ask(request)).head)
    if found is None:
        raise RuntimeError("the API gave no ETag")
    return found[1].decode()


@asynccontextmanager
async def filled(place: Ground, count: int) -> AsyncIterator[tuple[Wiring, str]]:
    """What services are wired to, with the events applied and compute still running, and a key."""
    topic, key = await new_topic(place), await new_key(place)
    wiring = Wiring(place.kafka_bootstrap, place.dsn, PEPPER, topic, f"quarantine.{topic}", f"updates.{topic}")
    with open_folder(None) as folder:
        async with running_services(folder, wiring) as services:
            await _fill(services, key, count)
            await until_applied(place, topic, await written_records(place, topic))
            yield wiring, key


async def _fill(services: Services, key: str, count: int) -> None:
    found = list(events(count, start=time.time() - _SPREAD_S, per_s=count / _SPREAD_S))
    async with connected(urlsplit(services.ingest.url).port or 0) as connection:
        for start in range(0, count, _BATCH):
            body = msgspec.json.encode(found[start : start + _BATCH])
            answer = await connection.ask(post("/v1/events", "application/cloudevents-batch+json", body, key))
            if answer.status != 202:
                raise RuntimeError(f"the intake answered {answer.status}: {answer.body[:200]!r}")


@asynccontextmanager
async def api_on(core: int, wiring: Wiring, settings: Mapping[str, str] = {}) -> AsyncIterator[tuple[int, int]]:
    """An API of its own on one core; gives its port and process id."""
    port = free_port()
    environment = {**wiring.environment("api"), "BELLWETHER_API_PORT": str(port), **settings}
    async with process_on(core, ["-m", "bellwether_api"], environment) as pid:
        await asyncio.wait_for(until_ready(port), _READY_S)
        yield port, pid


async def _steady(port: int, requests: Sequence[bytes], seconds: float) -> list[float]:
    """Waits in seconds, ascending, each from the moment at which the request was due."""
    turns, started, waits_s = cycle(requests), time.perf_counter(), list[float]()

    async def client(first: int) -> None:
        async with connected(port) as connection:
            for number in range(first, int(seconds * _RATE), _STEADY_CONNECTIONS):
                due = started + number / _RATE
                await asyncio.sleep(due - time.perf_counter())
                answer = await connection.ask(next(turns))
                if answer.status != 200:
                    raise RuntimeError(f"the API answered {answer.status}: {answer.body[:200]!r}")
                waits_s.append(time.perf_counter() - due)

    await asyncio.gather(*map(client, range(_STEADY_CONNECTIONS)))
    return sorted(waits_s)


def _steady_row(waits_s: Sequence[float]) -> Row:
    p50_s, p99_s = (quantile(waits_s, share) for share in (0.5, 0.99))
    return Row(f"steady, {_RATE:g}/s", p50_ms=p50_s * 1e3, p99_ms=p99_s * 1e3, note=f"{waits_s[-1] * 1e3:.0f}")


async def _row(kind: str, port: int, pid: int, seconds: float, path: Path) -> Row:
    used = cpu_s(pid)
    driven = await send(port, _CONNECTIONS, seconds, path)
    if driven.refused:
        raise RuntimeError(f"{kind}: {driven.refused} requests failed")
    per_cpu_s = driven.taken / (cpu_s(pid) - used)
    return Row(kind, driven.taken / driven.wall_s, per_cpu_s, driven.p50_ms, driven.p99_ms, resident_mib(pid))


def _report(steady: Sequence[Row], rounds: Mapping[str, list[Row]], effort: Effort) -> Report:
    middle = Row.middle(steady[0].what, steady, note=f"longest {max(float(row.note) for row in steady):,.0f} ms")
    goals = {_UNCHANGED: 0.5, _NOT_MODIFIED: 0.5}
    return Report(
        title="Reads",
        unit="requests",
        how=f"{_HOW} {effort.read_events:,} events; {effort.rounds} rounds of {effort.round_s:g} s each, steady ones "
        f"of {effort.steady_s / 2:g} s.",
        rows=[middle, *(Row.middle(kind, runs) for kind, runs in rounds.items())],
        ratios=[
            Ratio(f"p99 of cards, steady at {_RATE:g}/s, ms", middle.p99_ms or 0.0, _P99_GOAL_MS, at_most=True),
            *(
                ratio_of(f"{kind} / {_EMPTY}, per s", runs, rounds[_EMPTY], "per_s", goals.get(kind))
                for kind, runs in rounds.items()
                if kind != _EMPTY
            ),
        ],
    )
