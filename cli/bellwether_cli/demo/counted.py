"""Waiting until what was sent is counted."""

import asyncio
from collections.abc import Callable

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from bellwether.domain.errors import BellwetherError

_POLL_S = 0.2
_COUNTED = frozenset({"bellwether_events_applied_total", "bellwether_events_left_out_total"})
_LAG = "bellwether_lag_records"


class NotCounted(BellwetherError):
    """Compute did not come to the end of what was sent in time."""

    title = "The events were not counted in time"


async def counted(
    compute: str, events: int, *, stall_s: float = 120.0, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Wait until the compute process at this address has settled that many events since it started.

    Duplicates count as settled. Raises NotCounted when nothing moved for `stall_s` seconds.
    """
    loop = asyncio.get_running_loop()
    before, moved_at = (-1.0, -1.0), loop.time()
    async with httpx2.AsyncClient(base_url=compute, timeout=5.0) as client:
        while True:
            settled, lag = now = read(await _metrics(client))
            if settled >= events and lag == 0:
                return
            if now != before:
                before, moved_at = now, loop.time()
                progress(min(events, int(settled)))
            if loop.time() - moved_at > stall_s:
                raise NotCounted(f"{settled:.0f} of {events} events, and nothing moved for {stall_s:.0f} s")
            await asyncio.sleep(_POLL_S)


def read(exposition: str) -> tuple[float, float]:
    """Events settled and records still waiting, from metrics in Prometheus' text format."""
    samples = [sample for family in text_string_to_metric_families(exposition) for sample in family.samples]
    settled = sum(sample.value for sample in samples if sample.name in _COUNTED)
    return settled, sum(sample.value for sample in samples if sample.name == _LAG)


async def _metrics(client: httpx2.AsyncClient) -> str:
    try:
        return (await client.get("/metrics")).text
    except httpx2.TransportError:
        return ""  # it is being started again; the caller's deadline bounds this
