"""Follows what people say of marks of the integrity screen, so that the values follow within seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from bellwether.adapters.postgres.pool import Connection
from bellwether.adapters.postgres.readings_integrity import Overruled, read_versions
from bellwether.catalogue.cuts import TOTAL
from bellwether.catalogue.evaluate import Undone
from bellwether_compute.loading_people import load_overruled
from bellwether_compute.state import BrandState, PartitionState

PAUSE_S = 1.0
"""Least time between two looks for new verdicts."""

Moved = dict[tuple[BrandState, str], int]
"""Brands and cuts that moved, and since when, in ms."""


class Verdicts:
    """Looks for new verdicts on marks of the brands in memory, about once a second."""

    def __init__(self) -> None:
        self._looked = float("-inf")

    async def follow(self, connection: Connection, partitions: Mapping[int, PartitionState], now: float) -> Moved:
        """Load the overruled marks of brands with new verdicts; the brands and cuts that they move.

        now: the worker's clock, in seconds
        """
        if time.monotonic() - self._looked < PAUSE_S:
            return {}
        self._looked = time.monotonic()
        brands = {i: brand for part in partitions.values() for i, brand in part.brands.items() if brand.loaded}
        versions = await read_versions(connection, brands)
        stale = {i: brands[i] for i, version in versions.items() if version != brands[i].verdicts}
        if not stale:
            return {}
        before = {brand: brand.overruled for brand in stale.values()}
        await load_overruled(connection, stale)
        return {(brand, cut): int(now * 1000) for brand in stale.values() for cut in _moved(brand, before[brand])}


def _moved(brand: BrandState, before: Mapping[str, Overruled]) -> Iterator[str]:
    """The cuts of the marks that are overruled now or were before, but not both."""
    yield TOTAL
    for mark_id, overruled in {**brand.overruled, **before}.items():
        if (mark_id in brand.overruled) != (mark_id in before):
            yield from overruled.cuts


def taken_back(brand: BrandState, cut: str) -> list[Undone]:
    """What overruled marks no longer count in a cut."""
    return [o.undone() for o in brand.overruled.values() if cut == TOTAL or cut in o.cuts]
