"""Where the time of compute goes: py-spy looks at the process, and its samples are told by stages of a cycle."""

from __future__ import annotations

import asyncio
import re
import signal
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.bench.metered import ROOT, Failed
from tests.bench.peers.environments import NotAvailable, environment

_RATE = 200
_PATIENCE_S = 20.0
_CYCLE = re.compile(r"^(\w+\.)?run \(.*\bbellwether_compute/cycle\.py")
_ELSEWHERE = (
    ("aiokafka", "read from Kafka"),
    ("log_reader", "read from Kafka"),
    ("asyncpg", "PostgreSQL's driver, outside of the cycle"),
    ("bellwether_compute", "the worker, beside its cycles"),
)
_REST = "event loop and the rest"
_FOLDERS = re.compile(r"(?:/[^\s/()<>&\"]+)*/(?:site-packages|python3\.\d+|lib)/")
_SMALLEST = 0.005
_MOST_BYTES = 500_000


async def flame_graph(pid: int, seconds: float) -> bytes:
    """A flame graph as SVG, without the paths of this machine. Raises Failed where it cannot be made."""
    drawn = (await _recorded(pid, seconds, "flamegraph")).decode()
    drawn = _FOLDERS.sub("", drawn.replace(f"{ROOT}/", ""))
    for folder in ("shared/", "services/compute/"):
        drawn = drawn.replace(f"({folder}", "(")
    if len(drawn) > _MOST_BYTES:
        raise Failed(f"the flame graph has {len(drawn):,} bytes")
    return drawn.encode()


async def shares(pid: int, seconds: float) -> dict[str, float]:
    """The share of each stage in the time of the process, the largest first. Raises Failed."""
    counts: Counter[str] = Counter()
    for line in (await _recorded(pid, seconds, "raw")).decode().splitlines():
        stack, _, samples = line.rpartition(" ")
        counts[_stage(stack.split(";"))] += int(samples)
    total = sum(counts.values())
    if not total:
        raise Failed("py-spy saw nothing")
    return {stage: count / total for stage, count in counts.most_common() if count / total >= _SMALLEST}


def _stage(frames: Sequence[str]) -> str:
    """What a stack belongs to: below a cycle the step that it calls, else by module."""
    for at, frame in enumerate(frames[:-1]):
        if _CYCLE.search(frame):
            return frames[at + 1].partition(" ")[0].rpartition(".")[2].lstrip("_")
    return next((stage for word, stage in _ELSEWHERE if any(word in frame for frame in frames)), _REST)


async def _recorded(pid: int, seconds: float, kind: str) -> bytes:
    try:
        py_spy = (await environment("profiler")).with_name("py-spy")
    except NotAvailable as error:
        raise Failed(str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        how = ["record", "-d", "600", "-r", str(_RATE), "-f", kind, "-o", str(out), "-p", str(pid)]
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(str(py_spy), *how, stdout=quiet, stderr=quiet)
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            process.send_signal(signal.SIGINT)  # then it writes what it has
            await asyncio.wait_for(process.wait(), _PATIENCE_S)
        finally:
            if process.returncode is None:
                process.kill()
        if not out.exists():
            raise Failed("py-spy may not look at the process")
        return out.read_bytes()
