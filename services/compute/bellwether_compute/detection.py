"""Runs the detectors over a batch, and tells what they find as steps of crises, within the cycle."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from bellwether.adapters.postgres.pool import Connection
from bellwether.catalogue.cuts import cuts_of
from bellwether.observability import metrics
from bellwether.wire.events import CrisisIncident
from bellwether_compute.changes import Changes
from bellwether_compute.contributions import Told
from bellwether_compute.detecting import Later, Text, Watch, texts_in
from bellwether_compute.groups import Groups
from bellwether_compute.incidents import step_of
from bellwether_compute.loading import load_brands
from bellwether_compute.loading_detection import count_open, load_hours, load_watches, read_campaigns, read_due
from bellwether_compute.loading_entities import load_first_replies
from bellwether_compute.settlement import settle_steps
from bellwether_compute.state import BrandState, PartitionState
from bellwether_compute.taking import Taken

PAUSE_S = 10.0
"""Least time between two looks for what is due without an event, and for campaigns."""
_ON_ITS_WAY_MS = 60_000
"""So long may a record be on its way from the intake into the log."""

Waiting = dict[BrandState, int]
"""Brands in which something is due, and up to when all that was recorded is applied, in ms."""


class Detection:
    """Feeds the detectors of the claimed brands."""

    def __init__(self) -> None:
        self._looked = float("-inf")

    async def settle(
        self,
        connection: Connection,
        partitions: Mapping[int, PartitionState],
        fresh: Sequence[Taken],
        groups: Groups,
        changes: Changes,
    ) -> None:
        """Take what was heard, in the order of the log, and count what it tells of crises."""
        waiting = await self._look(connection, partitions)
        texts, later = texts_in(changes.heard), _later(fresh)
        brands = texts.keys() | waiting.keys()
        await load_brands(connection, waiting)
        await load_watches(connection, brands)
        await load_hours(connection, dict(_wanted(texts)))
        told = []
        for brand in sorted(brands, key=lambda brand: brand.brand.brand_id):
            watch = _watch(brand)
            if heard := texts.get(brand):
                watch.hear(heard, later.get(brand, ()))
            if (recorded_ms := waiting.get(brand)) is not None:
                watch.wait_until(recorded_ms, later.get(brand, ()))
            told += watch.take_told()
            changes.detectors |= {(brand, cut): moved for cut, moved in watch.take_moved().items()}
        opened = [one for one in told if one.step.phase == "opened"]
        await load_first_replies(connection, [(one.brand, one.step.at) for one in opened])
        settle_steps(told, groups, changes)
        changes.detected += [one.recorded_ms for one in opened]

    async def _look(self, connection: Connection, partitions: Mapping[int, PartitionState]) -> Waiting:
        """See, now and then, to what no event tells of."""
        if time.monotonic() - self._looked < PAUSE_S:
            return {}
        self._looked = time.monotonic()
        brands = {brand_id: brand for part in partitions.values() for brand_id, brand in part.brands.items()}
        watched = {brand_id: brand.watch for brand_id, brand in brands.items() if brand.watch is not None}
        for brand_id, campaigns in (await read_campaigns(connection, watched)).items():
            watched[brand_id].expect(campaigns)
        metrics.INCIDENTS_OPEN.set(await count_open(connection, brands))
        whole = {part: state.whole_ms - _ON_ITS_WAY_MS for part, state in partitions.items() if state.whole_ms}
        due = await read_due(connection, max(whole.values(), default=0) // 1000, brands)
        return {
            brands[brand_id]: min(now * 1000, whole[brands[brand_id].part])
            for brand_id, now in due.items()
            if brands[brand_id].part in whole
        }


def _watch(brand: BrandState) -> Watch:
    if brand.watch is None:
        raise ValueError("the detectors of a brand are loaded before they hear anything")
    return brand.watch


def _wanted(texts: Mapping[BrandState, Sequence[Text]]) -> Iterator[tuple[tuple[Watch, int, str], int]]:
    """Since when the hours of a cut have to be loaded."""
    for brand, heard in texts.items():
        watch = _watch(brand)
        for cut, since in watch.wanted(heard).items():
            yield (watch, brand.brand.brand_id, cut), since


def _later(fresh: Sequence[Taken]) -> dict[BrandState, list[Later]]:
    """The steps of crises that the events of a batch tell of."""
    found: dict[BrandState, list[Later]] = {}
    for taken in fresh:
        if isinstance(event := taken.event, CrisisIncident):
            step = step_of(event, Told(taken.time, cuts_of(event.data)))
            found.setdefault(taken.brand, []).append(Later(taken.record.offset, event.data.incident_id, step))
    return found
