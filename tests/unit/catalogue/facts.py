"""Facts to read formulas over, with only what a test names in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bellwether.catalogue.formula import Facts, Levels, Markers, Moments, amounts_of
from bellwether.catalogue.formula.terms import unpriced_in
from bellwether.catalogue.measures import Audience
from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock
from bellwether.domain.incidents import Interval
from bellwether.domain.timeline import Grain, Timeline, chunk_of
from bellwether.domain.totals import Totals
from bellwether.domain.windows import Span

UTC = LocalClock("UTC")
SPAN = Span(3600, 7200, 0, 3600)
ZERO = 20_000 * DAY_S
"""A midnight from which moments in tests are counted."""
FOUR_WEEKS = Span(ZERO, ZERO + 28 * DAY_S, ZERO - 28 * DAY_S, ZERO)


def timeline(buckets: Mapping[int, Totals], clock: LocalClock = UTC) -> Timeline:
    """Rollups in all grains of totals by minute."""
    found = Timeline(clock)
    for minute, totals in buckets.items():
        hour, day = clock.place(minute)
        for grain, bucket in zip(Grain, (minute, hour, day), strict=True):
            found.loaded.add(chunk_of(grain, bucket, clock))
            found.add(grain, bucket, 0, totals)
    return found


def facts(
    totals: Totals | None = None,
    before: Totals | None = None,
    levels: Mapping[Audience, Levels] | None = None,
    waiting: Mapping[str, Sequence[int]] | None = None,
    moments: Moments | None = None,
    span: Span = SPAN,
) -> Facts:
    """Facts over one span, an hour unless it is given."""
    found = totals or {}
    amounts = amounts_of(found)
    return Facts(
        span, found, amounts, amounts_of(before or {}), levels or {}, waiting or {}, moments, unpriced_in(amounts)
    )


def around(
    hours: Mapping[int, Totals],
    markers: Markers | None = None,
    crises: Sequence[Interval] = (),
    span: Span = FOUR_WEEKS,
) -> Facts:
    """Facts over four weeks from ZERO on, of totals by hour; moments are seconds, both are counted from there."""
    at = timeline({ZERO + hour * HOUR_S: totals for hour, totals in hours.items()})
    moved = {name: [ZERO + moment for moment in moments] for name, moments in (markers or {}).items()}
    open_ = [Interval(ZERO + o, None if r is None else ZERO + r) for o, r in crises]
    return facts(moments=Moments(at, moved, open_), span=span)
