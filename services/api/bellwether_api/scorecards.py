"""The card of a role over a calendar period: each KPI beside its target and what it was before, and the scores."""

from __future__ import annotations

import asyncio
import operator
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool
from bellwether.catalogue.cuts import TOTAL
from bellwether.catalogue.evaluate import Sources
from bellwether.catalogue.kpi import Kpi, Scorecard
from bellwether.catalogue.own import TenantCatalogue
from bellwether.domain.clock import LocalClock, ceil_minute, date_of
from bellwether.domain.errors import Fault, Invalid, UnknownScorecard
from bellwether.domain.windows import Window
from bellwether_api.card_aims import Aims, read_aims
from bellwether_api.card_comparisons import CHANNEL, Comparisons, channel_cuts
from bellwether_api.card_lines import CutReadings, card_of_cut, mark
from bellwether_api.card_shapes import BenchmarkLine, ScorecardCut, ScorecardOut
from bellwether_api.card_values import CardFrame, CardValues, KeptReader, KeptValues, evaluated, read_evaluable
from bellwether_api.cuts import stored_cuts
from bellwether_api.database import asking, reading
from bellwether_api.moments import moment_at
from bellwether_api.periods import Period, before_of, period_of, span_of, starts
from bellwether_api.queries import ScorecardQuery
from bellwether_api.values import clock_of
from bellwether_api.viewpoint import Viewpoint, viewpoint

_MOST_NAMES = 1024


class RoleCard(NamedTuple):
    """The scorecard of a role in the catalogue of a tenant."""

    card: Scorecard
    catalogue: TenantCatalogue


class _Read(NamedTuple):
    """What was read for a card.

    kept: values that need no evaluation, by cut
    now, before: what the other cuts are evaluated from
    by_channel: what channels with benchmarks are evaluated from
    """

    cuts: list[str]
    kept: Mapping[str, KeptValues]
    now: Mapping[str, Sources]
    before: Mapping[str, Sources]
    by_channel: Mapping[str, Sources]
    aims: Mapping[str, Aims]

    @property
    def is_kept(self) -> bool:
        """Whether nothing is to be evaluated."""
        return not (self.now or self.before or self.by_channel)


class _Beside(NamedTuple):
    """What stands beside kept values: the period before by cut, channels with benchmarks by name."""

    before: dict[str, CardValues]
    by_channel: dict[str, CardValues]


class _Drawn(NamedTuple):
    """A card's cuts, and the values that they were made of."""

    made_of: tuple[object, ...]
    cuts: list[ScorecardCut]


class ScorecardReader:
    """Reads scorecards. `now` gives the present moment in seconds since 1970.

    comparison_s: how long the values of the period before are kept beside a card of now
    """

    def __init__(
        self, pool: Pool, definitions: Definitions, comparison_s: float, now: Callable[[], float] = time.time
    ) -> None:
        self._pool = pool
        self._definitions = definitions
        self._kept = KeptReader()
        self._comparisons = Comparisons(pool, self._kept, comparison_s)
        self._kpis: dict[Hashable, Mapping[str, Kpi]] = {}
        self._drawn: dict[Hashable, _Drawn] = {}
        self._now = now

    def of_role(self, brand: Brand, role: str) -> RoleCard:
        """The scorecard of a role, built in or the tenant's own. Raises UnknownScorecard, which names the roles."""
        catalogue = self._definitions.of(brand.tenant_id)
        card = catalogue.cards.get(role)
        if card is None:
            raise UnknownScorecard(f"There are scorecards for: {', '.join(catalogue.cards)}.")
        return RoleCard(card, catalogue)

    def period(self, brand: Brand, query: ScorecardQuery) -> str:
        """The name of the period that a query means. Raises as `read` does."""
        now, clock = int(self._now()), clock_of(brand.time_zone)
        return _period(query.period, viewpoint(query.as_of, query.known_at, clock, now).as_of, clock).name

    async def read(self, brand: Brand, role: RoleCard, query: ScorecardQuery) -> ScorecardOut:
        """The card over a period, in the cuts asked for.

        Without `as_of` and `known_at` it is made of the values that compute keeps, where it has them.
        Raises Invalid for moments that cannot be and a period that has not begun, Unavailable.
        """
        now, clock = int(self._now()), clock_of(brand.time_zone)
        view = viewpoint(query.as_of, query.known_at, clock, now)
        card, frame = role.card, self._frame(brand, role, query.period, view.as_of, clock, now)
        read = await self._at_once(brand, query, frame)
        if read is None:
            async with reading(self._pool) as connection:
                read = await self._read(connection, brand, query, frame, view, now)
        beside = _Beside(
            {cut: await self._comparisons.before(brand, cut, frame, role.catalogue) for cut in read.kept},
            await self._comparisons.by_channel(brand, frame) if TOTAL in read.kept else {},
        )
        if read.is_kept and len(read.cuts) == 1:
            cuts = self._draw(card, frame, read, beside)
        else:  # In a thread: a long period takes tens of milliseconds, and others are waiting.
            cuts = await asyncio.to_thread(_cards, card, frame, read, beside)
        return ScorecardOut(
            brand=brand.slug,
            time_zone=brand.time_zone,
            currency=brand.currency,
            role=card.role,
            title=card.title,
            period=frame.period.name,
            start=moment_at(frame.span.start),
            end=moment_at(frame.span.end),
            partial=frame.span.partial,
            as_of=moment_at(view.as_of),
            cuts=cuts,
        )

    def _frame(
        self, brand: Brand, role: RoleCard, asked: Period | None, as_of: int, clock: LocalClock, now: int
    ) -> CardFrame:
        period = _period(asked, as_of, clock)
        span = span_of(period, clock, as_of, now)
        last_day = date_of(clock.day(span.end - 1))
        name = (brand.brand_id, brand.time_zone, role.card.role, role.catalogue.version, period, last_day)
        kpis = self._definitions_of(name, role, last_day)
        return CardFrame(period, span, before_of(period, span, clock, now), last_day, kpis, name)

    def _draw(self, card: Scorecard, frame: CardFrame, read: _Read, beside: _Beside) -> list[ScorecardCut]:
        """The one cut of a card; as it was drawn before, where it is made of the very same values."""
        (cut,) = read.cuts
        made_of = (read.kept[cut], beside.before[cut], *beside.by_channel.values())
        drawn = self._drawn.get((frame.name, cut))
        if read.aims or drawn is None or not _are_the_same(drawn.made_of, made_of):
            drawn = _Drawn(made_of, _cards(card, frame, read, beside))
            if len(self._drawn) >= _MOST_NAMES:
                self._drawn.clear()
            if not read.aims:
                self._drawn[frame.name, cut] = drawn
        return drawn.cuts

    def _definitions_of(self, name: Hashable, role: RoleCard, last_day: date) -> Mapping[str, Kpi]:
        """The definitions of a card's KPIs on a day; the same object for the same name."""
        found = self._kpis.get(name)
        if found is None:
            if len(self._kpis) >= _MOST_NAMES:
                self._kpis.clear()
            found = self._kpis[name] = {key: role.catalogue.kpis[key].on(last_day) for key in role.card.kpis()}
        return found

    async def _at_once(self, brand: Brand, query: ScorecardQuery, frame: CardFrame) -> _Read | None:
        """What one cut of now is made of, in one statement; None where more has to be asked."""
        is_one = query.cut is None or query.cut.value is not None
        if not (is_one and _is_of_now(query, frame)):
            return None
        async with asking(self._pool) as connection:
            cuts = await stored_cuts(connection, brand.brand_id, query.cut)
            kept = await self._kept.read(connection, brand, cuts, frame)
        is_whole = kept.by_cut.keys() >= set(cuts) and not kept.has_targets
        return _Read(cuts, kept.by_cut, {}, {}, {}, {}) if is_whole else None

    async def _read(
        self, connection: Connection, brand: Brand, query: ScorecardQuery, frame: CardFrame, view: Viewpoint, now: int
    ) -> _Read:
        cuts = await stored_cuts(connection, brand.brand_id, query.cut)
        is_kept = bool(cuts) and _is_of_now(query, frame)
        kept = (await self._kept.read(connection, brand, cuts, frame)).by_cut if is_kept else {}
        evaluable = [cut for cut in cuts if cut not in kept]
        kpis = frame.kpis.values()
        channels = await channel_cuts(connection, brand, kpis) if TOTAL in evaluable else {}
        return _Read(
            cuts,
            kept,
            await read_evaluable(connection, brand, evaluable, frame.span, view, kpis),
            await read_evaluable(connection, brand, evaluable, frame.before, view, kpis),
            {
                channels[cut]: of
                for cut, of in (await read_evaluable(connection, brand, channels, frame.span, view, kpis)).items()
            },
            await read_aims(connection, brand, cuts, frame, view, now),
        )


def _are_the_same(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return len(some) == len(others) and all(map(operator.is_, some, others))


def _is_of_now(query: ScorecardQuery, frame: CardFrame) -> bool:
    return query.as_of is None and query.known_at is None and frame.span.partial


def _period(asked: Period | None, as_of: int, clock: LocalClock) -> Period:
    end = ceil_minute(as_of)
    # At its last moment a period is shown whole, not the empty one that starts there.
    period = asked or period_of(Window.MONTH, end - 1, clock)
    if starts(period, clock) >= end:
        raise Invalid("Some values are not valid.", faults=(Fault("/period", "must have begun by as_of"),))
    return period


def _cards(card: Scorecard, frame: CardFrame, read: _Read, beside: _Beside) -> list[ScorecardCut]:
    kpis = list(frame.kpis.values())
    values = {cut: one.values for cut, one in read.kept.items()} | evaluated(read.now, frame.span, kpis)
    before = beside.before | evaluated(read.before, frame.before, kpis)
    compared = [kpi for kpi in kpis if kpi.benchmarks]
    by_channel = beside.by_channel | evaluated(read.by_channel, frame.span, compared)
    return [
        card_of_cut(
            card,
            CutReadings(
                cut=cut,
                fresh_to=read.kept[cut].fresh_to if cut in read.kept else None,
                kpis=frame.kpis,
                values=values[cut],
                before=before[cut],
                aims=read.aims.get(cut, {}),
                marks=_marks(compared, by_channel if cut == TOTAL else _of_channel(cut, values[cut])),
            ),
        )
        for cut in read.cuts
    ]


def _of_channel(cut: str, values: CardValues) -> dict[str, CardValues]:
    """The values of a cut under its channel, where it is one."""
    dimension, _, value = cut.partition("=")
    return {value: values} if dimension == CHANNEL else {}


def _marks(kpis: Iterable[Kpi], by_channel: Mapping[str, CardValues]) -> dict[str, list[BenchmarkLine]]:
    """By KPI, its value on each channel beside the benchmark."""
    return {
        kpi.key: [mark(one, by_channel[one.channel][kpi.key]) for one in kpi.benchmarks if one.channel in by_channel]
        for kpi in kpis
    }
