"""Follows what people change about brands while compute runs: above all the rules of response times."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from bellwether.adapters.postgres.directory import Directory
from bellwether.catalogue.evaluate import TOTAL
from bellwether_compute.state import BrandState, PartitionState

Moved = dict[tuple[BrandState, str], int]
"""Brands and cuts whose values may differ, and since when, in ms."""


class BrandChanges:
    """Compares the brands in memory with the directory whenever that has moved."""

    def __init__(self) -> None:
        self._version: int | None = None

    def follow(self, directory: Directory, partitions: Mapping[int, PartitionState]) -> Moved:
        """Take over what changed; what was counted by earlier rules stays as it was."""
        if directory.version == self._version:
            return {}
        self._version = directory.version
        now = int(time.time() * 1000)
        return {line: now for partition in partitions.values() for line in _follow(directory, partition)}


def _follow(directory: Directory, partition: PartitionState) -> Iterator[tuple[BrandState, str]]:
    for state in partition.brands.values():
        brand = directory.brand(state.brand.tenant, state.brand.slug)
        if brand is not None and brand != state.brand:
            state.follow(brand)
            yield from ((state, cut) for cut in {TOTAL, *state.timelines})
