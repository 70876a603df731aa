"""How the cost of an event and the memory of compute grow with brands, tenants, own KPIs, and what is stored."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import chain

import msgspec

from tests.bench.computing import compute_on, watched
from tests.bench.effort import Effort
from tests.bench.growing import define_kpis, make_tenants, multiply
from tests.bench.load import BRANDS, events
from tests.bench.metered import Failed
from tests.bench.parts import Fresh, Ground, cores_apart, fill, grounds, new_topic, until_applied
from tests.bench.report import Ratio, Report, Row
from tests.support.tenancy import TENANT

_LOAD_S = 60
_EVENTS_OF_A_BRAND = 2
_GOAL_BRANDS = 20_000
_GOAL_MIB = 1_024.0
_TENANTS_BRANDS = 1_000
_DEADLINE_S = 60.0
_WARM_PART = 3
"""A third of the new events is applied before the watch begins: by then what they are about is in memory."""
_HOW = (
    "Compute with default settings on one core, from a backlog of about 380 bytes an event, a fresh database at each "
    "point. `brands`: so many of one tenant, all of which occur, at least "
    f"{_EVENTS_OF_A_BRAND} events each on average. `tenants`: {_TENANTS_BRANDS:,} brands shared out to so many. `own "
    "KPIs`: so many, on up to 100 own measures of interactions, of the tenant of 20 brands. `stored`: the tables hold "
    "what so many events leave: the rows of a first load, copied to ever earlier minutes, with random identities of "
    "today; then compute starts, claims its partitions, and goes on with new events. A third of the events is applied "
    "before the watch begins. The note tells what it took from the start of compute to its first commit, and to the "
    "beginning of the watch."
)
_REMARK = (
    "What differs from point to point: with more brands a batch touches more of them, so that fewer events share what "
    "is loaded, written and refreshed for a brand, and each brand that is in memory keeps its rollups, items and "
    "people. Own measures are counted for each event of their types, own KPIs evaluated at each refresh. What is "
    "stored costs memory for the identities of the last days, and time to load them."
)


@dataclass(frozen=True, slots=True)
class _Point:
    """A point of a curve: what there is, and what has to be done beforehand."""

    name: str
    brands_of: dict[str, list[str]]
    kpis: int = 0
    stored: int = 0

    @property
    def tenant_of(self) -> dict[str, str]:
        """The tenant of each brand."""
        return {brand: tenant for tenant, brands in self.brands_of.items() for brand in brands}


def _points(effort: Effort) -> list[_Point]:
    shared = [[f"brand-{number}" for number in range(_TENANTS_BRANDS)][at::100] for at in range(100)]
    tenants = {
        1: {TENANT: list(chain(*shared))},
        10: {f"t{at}": list(chain(*shared[at::10])) for at in range(10)},
        100: {f"t{at}": brands for at, brands in enumerate(shared)},
    }
    return [
        *(_Point(f"{n:,} brands", {TENANT: [f"brand-{number}" for number in range(n)]}) for n in effort.brands),
        *(_Point(f"{n:,} tenants", brands_of) for n, brands_of in tenants.items() if n in effort.tenants),
        *(_Point(f"{n:,} own KPIs", {TENANT: [*BRANDS]}, kpis=n) for n in effort.own_kpis),
        *(_Point(f"{n:,} events stored", {TENANT: [*BRANDS]}, stored=n) for n in effort.stored),
    ]


async def measure(effort: Effort) -> Report:
    """One point after the other, in as many rounds as the effort wants."""
    points = _points(effort)
    rows: dict[str, list[Row]] = {point.name: [] for point in points}
    failed: dict[str, str] = {}
    with cores_apart() as core:
        async with grounds() as fresh:
            for _ in range(effort.growth_rounds):
                for point in points:
                    try:
                        rows[point.name].append(await _measured(fresh, point, core, effort))
                        print(f"  {point.name}: {rows[point.name][-1].per_cpu_s or 0:,.0f}/cpu-s", flush=True)
                    except (Failed, TimeoutError) as error:
                        failed[point.name] = str(error) or "not done in time"
                        print(f"  {point.name}: {failed[point.name]}", flush=True)
    return _report(rows, failed, effort)


async def _measured(fresh: Fresh, point: _Point, core: int, effort: Effort) -> Row:
    async with fresh() as place:
        await make_tenants(place, point.brands_of)
        await define_kpis(place, point.kpis)
        topic = await new_topic(place)
        begin = 0
        if point.stored:
            begin = await _store(place, topic, point, core, effort.growth_events)
        count = max(effort.growth_events, _EVENTS_OF_A_BRAND * len(point.tenant_of))
        await _fill(place, topic, point, count, seed=2)
        at_most_s = effort.growth_s if count == effort.growth_events else _DEADLINE_S
        started = time.perf_counter()
        async with compute_on(core, place, topic) as pid:
            await until_applied(place, topic, begin + 1, _DEADLINE_S * 2)
            first_s = time.perf_counter() - started
            await until_applied(place, topic, begin + count // _WARM_PART, _DEADLINE_S * 2)
            row = await watched(point.name, place, topic, pid, begin + count, at_most_s)
            return Row(point.name, row.per_s, row.per_cpu_s, mib=row.mib, note=f"{first_s:.1f}")


async def _store(place: Ground, topic: str, point: _Point, core: int, count: int) -> int:
    """Apply a first load and copy what it left; gives how many records are applied."""
    await _fill(place, topic, point, count, seed=1)
    async with compute_on(core, place, topic):
        await until_applied(place, topic, count, _DEADLINE_S * 2)
    await multiply(place, topic, count, point.stored, _LOAD_S)
    return count


async def _fill(place: Ground, topic: str, point: _Point, count: int, seed: int) -> None:
    tenant_of = point.tenant_of
    load = []
    for event in events(count, seed, per_s=count / _LOAD_S, brands=list(tenant_of)):
        event["id"] = f"{seed}-{event['id']}"
        load.append((event["data"]["brand"], msgspec.json.encode(event)))
    await fill(place, topic, load, tenant_of=tenant_of.__getitem__)


def _report(rows: dict[str, list[Row]], failed: dict[str, str], effort: Effort) -> Report:
    largest = rows.get(f"{_GOAL_BRANDS:,} brands")
    return Report(
        title="Growth",
        unit="events",
        how=f"{_HOW} {effort.growth_rounds} rounds, each point watched for {effort.growth_s:g} s, or until all is "
        f"applied where there are more than {effort.growth_events:,} events ({_DEADLINE_S:g} s at most).",
        rows=[_row(name, runs, failed.get(name)) for name, runs in rows.items()],
        ratios=[] if largest is None else [_memory(largest)],
        remarks=[_REMARK],
    )


def _memory(runs: list[Row]) -> Ratio:
    """The most memory of any run; infinite where none came to its end."""
    most_mib = max((row.mib or 0.0 for row in runs), default=math.inf)
    return Ratio(f"MiB of compute at {_GOAL_BRANDS:,} brands", most_mib, _GOAL_MIB, at_most=True)


def _row(name: str, runs: list[Row], reason: str | None) -> Row:
    if not runs:
        return Row(name, note=f"not measured: {reason}")
    first_s = sorted(float(run.note) for run in runs)[len(runs) // 2]
    return Row.middle(name, runs, note=f"{first_s:.1f} s to the first commit")
