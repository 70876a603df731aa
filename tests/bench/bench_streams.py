"""How soon those who listen are told of a new value, and what it costs the API, which has one core."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import asyncpg
import msgspec

from tests.bench.bench_scorecard import api_on, filled
from tests.bench.drive import quantile
from tests.bench.effort import Effort
from tests.bench.load import BRANDS
from tests.bench.parts import cores_apart, cpu_s, ground, resident_mib
from tests.bench.report import Ratio, Report, Row
from tests.support.tenancy import TENANT

CLIENTS = 200
_KPI = "brand_mentions"
_TOLD = re.compile(rb'"brand":"([^"]+)".*?"' + _KPI.encode() + rb'":\{"\w+":\{"value":(\d+)')
_UPDATES_PER_S = 20.0
_READY_S = 60.0
_SETTINGS = {"BELLWETHER_API_STREAMS_PER_KEY": str(2 * CLIENTS)}  # those of the round before may still be ending
_P99_GOAL_MS = 1_000.0
_ONE, _ALL, _IDLE = "200 clients, a brand each", "200 clients, all 20 brands each", "200 clients, nothing changes"
_ROWS = "SELECT slug, brand_id, body FROM kpi_current JOIN brand USING (brand_id) WHERE cut = ''"
_UPDATE = """
    UPDATE kpi_current SET body = $2, as_of = extract(epoch FROM clock_timestamp())::bigint
    WHERE brand_id = $1 AND cut = ''
"""
_HOW = (
    f"{CLIENTS} clients listen; rows of current values are as compute left them, with every KPI in ten windows, and "
    f"each second {_UPDATES_PER_S:g} of them are written anew with another number of mentions, brands in turn. Times "
    "are from the commit to the client having the event; the API looks for news every 250 ms. `events` are those that "
    "arrived at clients. The API has one core; clients and PostgreSQL share the other."
)


class _Client(asyncio.Protocol):
    """Reads as little of its stream as it must: brands and numbers of mentions, with the moments of their arrival."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._unread = b""
        self.ready = asyncio.get_running_loop().create_future()
        self.heard: list[tuple[bytes, bytes, float]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        *blocks, self._unread = (self._unread + data).split(b"\n\n")
        for block in blocks:
            if (found := _TOLD.search(block)) is not None:
                self.heard.append((found[1], found[2], now))
            elif b"event: ready" in block and not self.ready.done():
                self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError(f"the stream ended: {self._unread[-300:]!r}"))


async def measure(effort: Effort) -> Report:
    """Listen while values are written."""
    rounds: dict[str, list[Row]] = {_IDLE: [], _ONE: [], _ALL: []}
    with cores_apart() as core:
        async with (
            ground(BRANDS) as place,
            filled(place, effort.read_events) as (wiring, key),
            api_on(core, wiring, _SETTINGS) as (port, pid),
            _writer(place.dsn) as writer,
        ):
            for number in range(effort.rounds):
                for kind, runs in rounds.items():
                    brands = [None if kind == _ALL else BRANDS[n % len(BRANDS)] for n in range(CLIENTS)]
                    async with _listening(port, key, brands) as clients:
                        per_s = 0.0 if kind == _IDLE else _UPDATES_PER_S
                        runs.append(await _round(kind, clients, writer, pid, effort.steady_s, per_s))
                told = ", ".join(f"{kind}: p99 {runs[-1].p99_ms or 0:.0f} ms" for kind, runs in rounds.items())
                print(f"  round {number + 1}: {told}", flush=True)
    rows = [Row.middle(kind, runs, note=runs[-1].note) for kind, runs in rounds.items()]
    ratios = [
        Ratio(f"p99 of {row.what}, ms", row.p99_ms or 0.0, _P99_GOAL_MS, at_most=True) for row in rows if row.p99_ms
    ]
    how = f"{_HOW} {effort.rounds} rounds of {effort.steady_s:g} s each."
    return Report(title="Streams", unit="events", how=how, rows=rows, ratios=ratios)


class _Writer:
    """Writes rows anew, each time with a number of mentions that none had before."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], rows: Mapping[str, tuple[int, bytes]]) -> None:
        self._connection = connection
        self._rows = {slug: (brand_id, msgspec.json.decode(body)) for slug, (brand_id, body) in rows.items()}
        self._number = 1_000_000
        self.written: dict[tuple[bytes, bytes], float] = {}

    async def write(self, slug: str) -> None:
        """Write the row of a brand; from when on it can be read is noted."""
        brand_id, values = self._rows[slug]
        self._number += 1
        for value in values[_KPI].values():
            value["value"] = value["numerator"] = value["n"] = self._number
        await self._connection.execute(_UPDATE, brand_id, msgspec.json.encode(values))
        self.written[slug.encode(), str(self._number).encode()] = time.perf_counter()

    @property
    def size(self) -> float:
        """Mean size of a row, in KiB."""
        return sum(len(msgspec.json.encode(values)) for _, values in self._rows.values()) / len(self._rows) / 1024


@asynccontextmanager
async def _writer(dsn: str) -> AsyncIterator[_Writer]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_ROWS)
        yield _Writer(connection, {row["slug"]: (row["brand_id"], row["body"]) for row in rows})
    finally:
        await connection.close()


@asynccontextmanager
async def _listening(port: int, key: str, brands: Sequence[str | None]) -> AsyncIterator[list[_Client]]:
    """Clients, each for its brand, None for all; they are ready."""
    async with AsyncExitStack() as exits:
        clients = []
        for brand in brands:
            query = f"?brands={brand}" if brand else ""
            head = f"GET /v1/stream{query} HTTP/1.1\r\nHost: {TENANT}\r\nAuthorization: Bearer {key}\r\n\r\n"
            client = _Client(head.encode())
            transport, _ = await asyncio.get_running_loop().create_connection(partial(_same, client), "127.0.0.1", port)
            exits.callback(transport.abort)
            clients.append(client)
        async with asyncio.timeout(_READY_S):
            await asyncio.gather(*(client.ready for client in clients))
        yield clients


def _same(client: _Client) -> _Client:
    return client


async def _round(kind: str, clients: Sequence[_Client], writer: _Writer, pid: int, seconds: float, per_s: float) -> Row:
    for client in clients:
        client.heard.clear()
    writer.written.clear()
    used, started = cpu_s(pid), time.perf_counter()
    for number in range(int(seconds * per_s)):
        await asyncio.sleep(started + number / per_s - time.perf_counter())
        await writer.write(BRANDS[number % len(BRANDS)])
    await asyncio.sleep(started + seconds + 1.0 - time.perf_counter())  # what was written last arrives meanwhile
    wall_s, used_s = time.perf_counter() - started, cpu_s(pid) - used
    waits_s = sorted(
        at - writer.written[slug, n] for c in clients for slug, n, at in c.heard if (slug, n) in writer.written
    )
    note = f"{used_s / wall_s:.2f} cpu-s/s"
    if not waits_s:
        return Row(kind, mib=resident_mib(pid), note=note)
    p50_s, p99_s = (quantile(waits_s, share) for share in (0.5, 0.99))
    rates = len(waits_s) / wall_s, len(waits_s) / used_s
    return Row(kind, *rates, p50_s * 1e3, p99_s * 1e3, resident_mib(pid), f"{note}, {writer.size:.0f} KiB a row")
