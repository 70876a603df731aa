"""What tenants define themselves, while compute runs: their measures are counted, their KPIs kept, within seconds.

From which record of a partition on a measure is counted is written with the offsets, in the same
transaction. So `bellwether rebuild` knows to the record what it has to fill.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import structlog

from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.pool import Connection
from bellwether.catalogue.cuts import TOTAL
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import MEASURES, Measure
from bellwether.catalogue.own import TenantCatalogue
from bellwether_compute.measuring import Count, compile_measures
from bellwether_compute.state import BrandState, PartitionState

log = structlog.get_logger(__name__)

Counts = Mapping[str, tuple[Count, ...]]
"""For every event type the functions that count one."""
Moved = dict[tuple[BrandState, str], int]
"""Brands and cuts whose values may differ, and since when, in ms."""

_START = """
    INSERT INTO own_measure_start (stream, part, tenant_id, measure, since_offset)
    SELECT $1, * FROM unnest($2::int[], $3::int[], $4::text[], $5::bigint[])
"""


class Start(NamedTuple):
    """A measure of a tenant is counted in a partition from an offset on."""

    part: int
    tenant_id: int
    measure: str
    since: int


def countable(measures: Iterable[Measure]) -> list[Measure]:
    """The measures that this release can count; one that it cannot is logged."""
    return [measure for measure in measures if _can_count(measure)]


def _can_count(measure: Measure) -> bool:
    try:
        compile_measures([measure])
    except ValueError as error:
        log.warning("an own measure cannot be counted", measure=measure.key, reason=str(error))
        return False
    return True


class OwnMeasures:
    """The catalogues of tenants as one cycle sees them. `follow` begins a cycle."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._catalogues: Mapping[int, TenantCatalogue] = {}
        self._kpis: dict[int, Collection[Kpi]] = {}
        self._version = -1
        self.counts: dict[int, Counts] = {}
        """By tenant: what counts its events, built-in measures and its own."""

    async def refresh(self) -> None:
        """Know all that any worker has counted before a partition was claimed. Raises Unavailable."""
        await self._definitions.refresh()

    def follow(self, partitions: Mapping[int, PartitionState]) -> Moved:
        """Take over what changed; the brands and cuts whose values it may change."""
        if self._definitions.version == self._version:
            return {}
        self._version, before = self._definitions.version, self._catalogues
        self._catalogues = self._definitions.by_tenant()
        changed = {t for t, own in self._catalogues.items() if t not in before or before[t].version != own.version}
        for tenant_id in changed:
            self.counts[tenant_id] = self._compiled(tenant_id)
            self._kpis[tenant_id] = tuple(self._catalogues[tenant_id].kpis.values())
        now = int(time.time() * 1000)
        return {line: now for partition in partitions.values() for line in _lines(partition, changed)}

    def _compiled(self, tenant_id: int) -> Counts:
        return compile_measures((*MEASURES, *countable(self._catalogues[tenant_id].counted.values())))

    def kpis(self, brand: BrandState) -> Collection[Kpi] | None:
        """What is evaluated for a brand, the same object while it stands; None for the built-in catalogue alone."""
        return self._kpis.get(brand.brand.tenant_id)

    def starts(self, partitions: Mapping[int, PartitionState]) -> list[Start]:
        """The measures that partitions begin to count with the next record."""
        return [
            Start(part, tenant_id, measure, state.next_offset)
            for part, state in partitions.items()
            if state.counts_version != self._version
            for tenant_id, own in self._catalogues.items()
            for measure in own.counted
            if (tenant_id, measure) not in state.counted
        ]

    def settle(self, partitions: Mapping[int, PartitionState], starts: Sequence[Start]) -> None:
        """The starts were written."""
        for start in starts:
            partitions[start.part].counted.add((start.tenant_id, start.measure))
        for state in partitions.values():
            state.counts_version = self._version


def _lines(partition: PartitionState, tenants: Collection[int]) -> Iterator[tuple[BrandState, str]]:
    for brand in partition.brands.values():
        if brand.brand.tenant_id in tenants:
            yield from ((brand, cut) for cut in {TOTAL, *brand.timelines})


async def write_starts(connection: Connection, stream: str, starts: Sequence[Start]) -> None:
    """Write from where on measures are counted."""
    if starts:
        await connection.execute(_START, stream, *map(list, zip(*starts, strict=True)))
