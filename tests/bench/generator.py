"""The generator of requests: wrk where it is installed, which costs a core least, else our own in Python.

wrk counts the answers that came in time; our own waits for those that are open at the end.
"""

from __future__ import annotations

import math
import random
import re
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.bench.drive import Driven, save_requests
from tests.bench.http_client import LOOPBACK
from tests.bench.parts import output_of, printed_by

WRK = shutil.which("wrk")
NAME = "wrk" if WRK else "our own generator in Python, since wrk is not installed (`apt-get install wrk`)"
_SCRIPT = Path(__file__).with_name("wrk.lua")
_ID = re.compile(rb'"id":"(\d{12})"')
_MOST_IDS = 10**12


class _Told(msgspec.Struct):
    """What wrk's script tells."""

    answers: int
    refused: int
    broken: int
    wall_s: float
    p50_ms: float
    p99_ms: float


def save(path: Path, requests: Sequence[bytes]) -> None:
    """Write the requests that are to be sent; wrk gives the first event of each, if any, an id of its own."""
    if not WRK:
        save_requests(path, requests)
        return
    with path.open("wb") as file:
        for request in requests:
            found = _ID.search(request)
            if found is None:
                file.write(b"%d -1\n" % len(request) + request)
            else:
                start, end = found.span(1)
                file.write(b"%d %d\n" % (start, len(request) - end) + request[:start] + request[end:])


async def send(port: int, connections: int, seconds: float, path: Path) -> Driven:
    """Send what was saved over so many connections for so long; wrk knows whole seconds only."""
    if not WRK:
        argv = ["-m", "tests.bench.drive", str(port), str(connections), str(seconds), str(path)]
        return msgspec.json.decode(await printed_by(argv), type=Driven)
    first = random.randrange(_MOST_IDS // 2)
    how = [f"-c{connections}", "-t1", f"-d{math.ceil(seconds)}s", "--timeout", "30s", "--latency", "-s", str(_SCRIPT)]
    used = _used_by_children()
    printed = await output_of([WRK, *how, f"http://{LOOPBACK}:{port}", "--", str(path), str(first)])
    told = msgspec.json.decode(printed.strip().splitlines()[-1], type=_Told)
    taken = told.answers - told.refused
    cpu_s = _used_by_children() - used
    return Driven(taken, told.refused + told.broken, told.wall_s, cpu_s, told.p50_ms, told.p99_ms)


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
