"""The targets of a card's KPIs, as its lines show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection
from bellwether_api.card_lines import Aim
from bellwether_api.card_shapes import LineTarget
from bellwether_api.card_values import CardFrame
from bellwether_api.moments import moment_at
from bellwether_api.targets import CardTarget, cuts_with_targets, targets_of_card
from bellwether_api.viewpoint import Viewpoint

Aims: TypeAlias = Mapping[str, Aim]
"""By KPI key; a KPI without a target is not in it."""


async def read_aims(
    connection: Connection, brand: Brand, cuts: Collection[str], frame: CardFrame, view: Viewpoint, now: int
) -> dict[str, Aims]:
    """The targets of a card's KPIs by cut, as they stand at the end of the card."""
    at_end = view._replace(as_of=min(view.as_of, frame.span.end))
    # Asked for once: a card may have hundreds of cuts, of which few have targets.
    aimed = await cuts_with_targets(connection, brand, view)
    found: dict[str, Aims] = {}
    for cut in aimed.intersection(cuts):
        targets = await targets_of_card(connection, brand, frame.kpis, cut, frame.period, at_end, now)
        found[cut] = {key: aim for key, one in targets.items() if (aim := _aim(one)) is not None}
    return found


def _aim(found: CardTarget) -> Aim | None:
    progress = found.progress
    if progress.frame is None:
        return None
    projection = progress.projection
    target = LineTarget(
        id=found.id,
        words=found.words,
        deadline=moment_at(progress.frame.end),
        status=progress.attainment.status,
        projected=projection.value if projection else None,
        projected_low=projection.low if projection else None,
        projected_high=projection.high if projection else None,
    )
    return Aim(target, progress.attainment.attainment)
