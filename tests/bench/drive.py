"""The load generator, a process of its own: `python -m tests.bench.drive PORT CONNECTIONS SECONDS FILE`.

Each connection sends the next request when it has its answer. What is open at the end of the time is waited for and
counted, so that all that was sent is told. Prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import msgspec
import uvloop

from tests.bench.http_client import connected

_GOOD = frozenset({200, 202, 304})


class Driven(msgspec.Struct, frozen=True):
    """What came of it: `taken` requests were answered with 200, 202 or 304, `refused` otherwise. Times as named."""

    taken: int
    refused: int
    wall_s: float
    cpu_s: float
    p50_ms: float
    p99_ms: float


def save_requests(path: Path, requests: Sequence[bytes]) -> None:
    """Write the requests that a generator is to send, in turn and again."""
    path.write_bytes(msgspec.msgpack.encode(requests))


async def drive(port: int, connections: int, seconds: float, requests: Sequence[bytes]) -> Driven:
    """Send requests over so many connections for so long."""
    waits_s: list[float] = []
    turns = cycle(requests)
    started, used = time.perf_counter(), time.process_time()
    refused = await asyncio.gather(*(_client(port, turns, started + seconds, waits_s) for _ in range(connections)))
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - used
    waits_s.sort()
    return Driven(
        len(waits_s), sum(refused), wall_s, cpu_s, quantile(waits_s, 0.5) * 1e3, quantile(waits_s, 0.99) * 1e3
    )


async def _client(port: int, turns: Iterator[bytes], deadline: float, waits_s: list[float]) -> int:
    refused = 0
    async with connected(port) as connection:
        while (asked_at := time.perf_counter()) < deadline:
            answer = await connection.ask(next(turns))
            if answer.status in _GOOD:
                waits_s.append(time.perf_counter() - asked_at)
            else:
                refused += 1
    return refused


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share of the ordered values lies; NaN of none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def main() -> None:
    """Drive as the command line says."""
    port, connections, seconds, path = sys.argv[1:]
    requests = msgspec.msgpack.decode(Path(path).read_bytes(), type=list[bytes])
    driven = uvloop.run(drive(int(port), int(connections), float(seconds), requests))
    print(msgspec.json.encode(driven).decode())


if __name__ == "__main__":
    main()
