"""Memory, descriptors and tasks of every process, sampled all through a run: none may grow with time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

import psutil

from tests.faults.harness.tables import aligned

_EVERY_S = 5.0
_MIB = 1024**2


class Sample(NamedTuple):
    """One look at a process: resident bytes, open descriptors, threads."""

    at: float
    rss: int
    descriptors: int
    tasks: int


class Allowance(NamedTuple):
    """How much larger the last third of a run may be than the middle one: a factor, and something on top."""

    factor: float
    above: float


_ALLOWED = {
    # What compute remembers of events grows with their number, for 8 days.
    "rss": Allowance(1.3, 64 * _MIB),
    "descriptors": Allowance(1.2, 16),
    "tasks": Allowance(1.2, 8),
}


@dataclass
class Growth:
    """Samples of each process, by the name of the place in which it runs.

    processes: names and ids at this moment; None where none runs
    """

    processes: Callable[[], Iterable[tuple[str, int | None]]]
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            for title, pid in self.processes():
                with contextlib.suppress(psutil.Error):
                    self.samples.setdefault(title, []).append(sample(pid))
            await asyncio.sleep(_EVERY_S)

    def failures(self) -> list[str]:
        """What has grown from the middle third of the run to the last by more than it may."""
        return [
            f"{title}: {name} grew from {before:.0f} to {after:.0f}"
            for title, name, before, after in self._trends()
            if after > before * _ALLOWED[name].factor + _ALLOWED[name].above
        ]

    def text(self) -> str:
        """A row of medians for each process."""
        head = ("process", "measure", "middle third", "last third")
        return aligned([head, *((t, n, f"{b:,.0f}", f"{a:,.0f}") for t, n, b, a in self._trends())])

    def _trends(self) -> Iterator[tuple[str, str, float, float]]:
        for title, samples in sorted(self.samples.items()):
            start, end = samples[0].at, samples[-1].at
            middle = [s for s in samples if (end - start) / 3 <= s.at - start < (end - start) * 2 / 3]
            last = [s for s in samples if s.at - start >= (end - start) * 2 / 3]
            for name in _ALLOWED if middle and last else ():
                yield title, name, *(median(getattr(s, name) for s in third) for third in (middle, last))


def sample(pid: int | None) -> Sample:
    """One look at a process. Raises psutil.Error where none runs."""
    if pid is None:
        raise psutil.Error("no process runs")
    process = psutil.Process(pid)
    with process.oneshot():
        return Sample(time.monotonic(), process.memory_info().rss, process.num_fds(), process.num_threads())
