"""Compute as a process on one core, and what it does with a backlog."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from tests.bench.metered import Failed
from tests.bench.parts import Ground, applied, cpu_s, process_on, resident_mib, until_applied
from tests.bench.report import Row

_LOOK_S = 0.05
_STUCK_S = 120.0


@asynccontextmanager
async def compute_on(
    core: int, place: Ground, topic: str, more: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[int]:
    """The service as it is shipped, with its default settings but for `more`; gives its process id."""
    settings = {
        "kafka_bootstrap": place.kafka_bootstrap,
        "postgres_dsn": place.dsn,
        "events_topic": topic,
        "quarantine_topic": f"quarantine.{topic}",
        "updates_topic": f"updates.{topic}",
        "group": topic,
        "port": "0",
        **more,
    }
    environment = {f"BELLWETHER_COMPUTE_{name}".upper(): value for name, value in settings.items()}
    async with process_on(core, ["-m", "bellwether_compute"], environment) as pid:
        yield pid


async def watched(what: str, place: Ground, topic: str, pid: int, count: int, at_most_s: float = _STUCK_S) -> Row:
    """How fast compute applies its backlog from its first commit on, until so many records are applied or time is over.

    Raises Failed if nothing is applied for long.
    """
    try:
        await until_applied(place, topic, (before := await applied(place, topic)) + 1, _STUCK_S)
        started, used, first = time.perf_counter(), cpu_s(pid), await applied(place, topic)
        while (done := await applied(place, topic)) < count or done == first:
            passed = time.perf_counter() - started
            if (passed > at_most_s and done > first) or done == count or passed > at_most_s + _STUCK_S:
                break
            await asyncio.sleep(_LOOK_S)
    except (TimeoutError, OSError) as error:
        raise Failed(f"{what}: nothing was applied in {_STUCK_S:.0f} s after {before}") from error
    wall_s, cpu = time.perf_counter() - started, cpu_s(pid) - used
    if done == first or not cpu:
        raise Failed(f"{what}: no more was applied after the first commit")
    return Row(what, (done - first) / wall_s, (done - first) / cpu, mib=resident_mib(pid))
