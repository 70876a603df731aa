"""Runs a program to its end on one core, and tells what it used: also what the processes that it starts use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
_SAMPLE_S = 0.1
_WORDS = 200


class Failed(Exception):
    """A program ended with an error, or not in time; the words say how."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a program printed, and its use: seconds of wall and of processor time, and the most memory at once."""

    printed: str
    wall_s: float
    cpu_s: float
    mib: float


async def metered(
    argv: Sequence[str], core: int, deadline_s: float, environment: Mapping[str, str] | None = None
) -> Used:
    """Run to the end. Raises Failed when it fails, or is not done within the deadline: then it is killed."""
    before, started = _of_children(), time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *("taskset", "-c", str(core), *argv),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    meter = _Meter(process.pid)
    metering = asyncio.create_task(meter.run())
    try:
        out, errors = await asyncio.wait_for(process.communicate(), deadline_s)
    except TimeoutError:
        raise Failed(f"not done after {deadline_s:.0f} s") from None
    finally:
        wall_s = time.perf_counter() - started
        metering.cancel()
        await _end(process)
    if process.returncode:
        told = errors.decode(errors="replace").strip().splitlines() or ["nothing"]
        raise Failed(f"exit code {process.returncode}: {told[-1][:_WORDS]}")
    return Used(out.decode(), wall_s, max(meter.cpu_s, _of_children() - before), meter.mib)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of it and of what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


class _Meter:
    """Looks at a tree of processes again and again; what one used just before its end may be missed."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._cpu_s: dict[int, float] = {}
        self.mib = 0.0

    @property
    def cpu_s(self) -> float:
        """Processor time of all processes that were seen, in seconds."""
        return sum(self._cpu_s.values())

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with contextlib.suppress(psutil.Error):
                self._look([self._root, *self._root.children(recursive=True)])
            await asyncio.sleep(_SAMPLE_S)

    def _look(self, processes: Sequence[psutil.Process]) -> None:
        resident = 0
        for process in processes:
            times = process.cpu_times()
            self._cpu_s[process.pid] = times.user + times.system
            resident += process.memory_info().rss
        self.mib = max(self.mib, resident / 1024**2)


def _of_children() -> float:
    """Processor time of all that was started and has ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
