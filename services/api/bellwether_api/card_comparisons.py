"""What stands beside the kept values of a card: the period before, and channels that have benchmarks.

Both are made once for the cards of all roles and kept for a while: few events still move the one,
and the other is told against rules of thumb.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool
from bellwether.catalogue.cuts import cut_name
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.own import TenantCatalogue
from bellwether_api.card_values import CardFrame, CardValues, KeptReader, evaluated, read_evaluable
from bellwether_api.cuts import Cut, stored_cuts
from bellwether_api.database import reading
from bellwether_api.refreshing import RefreshingCache
from bellwether_api.viewpoint import Viewpoint

CHANNEL = "channel"
_ENTRIES = 1024
_CHANNELS_S = 15.0
_EVERYTHING = Viewpoint(0)


class Comparisons:
    """Shows the period before unchanged for `keep_s` seconds, channels for `_CHANNELS_S`; twice that at the longest."""

    def __init__(self, pool: Pool, kept: KeptReader, keep_s: float) -> None:
        self._pool = pool
        self._kept = kept
        self._before = RefreshingCache[CardValues](keep_s, _ENTRIES)
        self._channels = RefreshingCache[dict[str, CardValues]](min(keep_s, _CHANNELS_S), _ENTRIES)

    async def before(self, brand: Brand, cut: str, frame: CardFrame, catalogue: TenantCatalogue) -> CardValues:
        """The values of a cut over the span before, of all KPIs. Raises Unavailable."""

        async def make() -> CardValues:
            held = [kpi.on(frame.last_day) for kpi in catalogue.kpis.values()]
            async with reading(self._pool) as connection:
                sources = await read_evaluable(connection, brand, [cut], frame.before, _EVERYTHING, held)
            return (await asyncio.to_thread(evaluated, sources, frame.before, held))[cut]

        key = (brand.brand_id, cut, frame.before, frame.last_day, catalogue.version)
        return await self._before.get(key, make)

    async def by_channel(self, brand: Brand, frame: CardFrame) -> dict[str, CardValues]:
        """The values over the card's span, of KPIs with benchmarks, by channel. Raises Unavailable."""
        compared = {key: kpi for key, kpi in frame.kpis.items() if kpi.benchmarks}
        if not compared:
            return {}
        narrow = frame._replace(kpis=compared, name=(frame.name, "compared"))
        key = (brand.brand_id, frame.period, frame.last_day, tuple(compared))
        return await self._channels.get(key, lambda: self._read_channels(brand, narrow))

    async def _read_channels(self, brand: Brand, frame: CardFrame) -> dict[str, CardValues]:
        async with reading(self._pool) as connection:
            cuts = await channel_cuts(connection, brand, frame.kpis.values())
            kept = (await self._kept.read(connection, brand, cuts, frame)).by_cut if cuts else {}
            missing = [cut for cut in cuts if cut not in kept]
            sources = await read_evaluable(connection, brand, missing, frame.span, _EVERYTHING, frame.kpis.values())
        values = await asyncio.to_thread(evaluated, sources, frame.span, list(frame.kpis.values()))
        values |= {cut: one.values for cut, one in kept.items()}
        return {channel: values[cut] for cut, channel in cuts.items()}


async def channel_cuts(connection: Connection, brand: Brand, kpis: Iterable[Kpi]) -> dict[str, str]:
    """The channels of a brand for which there are benchmarks, by the cut that each is kept under."""
    named = {benchmark.channel for kpi in kpis for benchmark in kpi.benchmarks}
    by_cut = {cut_name(CHANNEL, channel): channel for channel in sorted(named)}
    seen = await stored_cuts(connection, brand.brand_id, Cut(CHANNEL, None)) if named else []
    return {cut: by_cut[cut] for cut in seen if cut in by_cut}
