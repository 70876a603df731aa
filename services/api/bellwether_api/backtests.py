"""Backtests: the counts that compute keeps are fed to the detector once more, one backtest at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from bellwether.adapters.postgres.campaigns import campaigns_of
from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool
from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection import DEFAULTS, Backtest, Counts, DetectorSettings, Fired, Interval, SimpleRule
from bellwether.domain.detection.settings import BIN_S
from bellwether.domain.errors import RateLimited
from bellwether.domain.incidents import Reason
from bellwether_api.backtest_process import Work, work_out
from bellwether_api.backtest_requests import BacktestIn
from bellwether_api.backtest_shapes import BacktestOut, CaughtOut, CoverageOut, FiredOut, MissedOut, Missing, OutcomeOut
from bellwether_api.cuts import one_cut, shown
from bellwether_api.database import reading
from bellwether_api.moments import moment_at

_LEAD = 2
"""Histories that are read before the stretch: one to know the usual, one to find the crises that are left out of it."""
_LATER_S = 5
_HOURS = "SELECT hour, counts FROM detector_hour WHERE brand_id = $1 AND cut = $2 AND hour >= $3 AND hour < $4"
_KNOWN = """
    SELECT incident_id, least(onset, opened_at), coalesce(resolved_at, stable_at, $3), reason
    FROM incident
    WHERE brand_id = $1 AND state <> 'merged' AND $4 COLLATE "C" = ANY(cuts) AND opened_at < $3
        AND coalesce(resolved_at, stable_at, $3) > $2
    ORDER BY opened_at, incident_id COLLATE "C"
"""


class Known(NamedTuple):
    """A crisis as it is told of: when it began and ended, UTC seconds, and why it is over."""

    incident_id: str
    interval: Interval
    reason: Reason | None


class Material(NamedTuple):
    """What a backtest is made of; `start` and `to` are UTC seconds."""

    start: int
    to: int
    time_zone: str
    hours: Mapping[int, Counts]
    campaigns: Sequence[Interval]
    known: Sequence[Known]


class Backtests:
    """Backtests of all brands. They take seconds of a processor, so one runs at a time, in a process of its own."""

    def __init__(self, pool: Pool, now: Callable[[], float]) -> None:
        self._pool = pool
        self._now = now
        self._running = asyncio.Lock()

    async def run(self, brand: Brand, asked: BacktestIn) -> BacktestOut:
        """What would have been told. Raises RateLimited while another backtest runs, Unavailable."""
        if self._running.locked():
            raise RateLimited("Another backtest is running.", retry_after_s=_LATER_S)
        async with self._running:
            return await self._run(brand, asked)

    async def _run(self, brand: Brand, asked: BacktestIn) -> BacktestOut:
        tried, cut = asked.settings.settings(), one_cut(asked.cut)
        async with reading(self._pool) as connection:
            material = await self._material(connection, brand, cut, asked, tried)
        armed, *others = await _outcomes(material, tuple(dict.fromkeys((DEFAULTS, tried))), asked.rules)
        return BacktestOut(
            brand=brand.slug,
            time_zone=brand.time_zone,
            cut=shown(cut),
            start=moment_at(asked.start),
            to=moment_at(material.to),
            resolution_s=BIN_S,
            coverage=coverage(material),
            tried=others.pop(0) if tried != DEFAULTS else armed,
            armed=armed,
            rules=others,
        )

    async def _material(
        self, connection: Connection, brand: Brand, cut: str, asked: BacktestIn, tried: DetectorSettings
    ) -> Material:
        to = max(asked.start, min(asked.to, int(self._now())))
        since = asked.start - _LEAD * max(tried.history_days, DEFAULTS.history_days) * DAY_S
        hours = {row[0]: row[1] for row in await connection.fetch(_HOURS, brand.brand_id, cut, since, to)}
        known = await connection.fetch(_KNOWN, brand.brand_id, asked.start, to, cut)
        crises = [Known(name, (began, ended), reason) for name, began, ended, reason in known]
        campaigns = await campaigns_of(connection, brand.brand_id)
        return Material(asked.start, to, brand.time_zone, hours, campaigns, crises)


async def _outcomes(
    material: Material, detectors: Sequence[DetectorSettings], simple: Sequence[SimpleRule]
) -> list[OutcomeOut]:
    known = [one.interval for one in material.known]
    work = Work(*material[:3], dict(material.hours), list(material.campaigns), known, detectors, simple)
    found = await work_out(work)
    return [_outcome(one, rule, material) for one, rule in zip(found, (*detectors, *simple), strict=True)]


def _outcome(found: Backtest, rule: DetectorSettings | SimpleRule, material: Material) -> OutcomeOut:
    return OutcomeOut(
        settings=rule if isinstance(rule, DetectorSettings) else None,
        rule=None if isinstance(rule, DetectorSettings) else rule,
        fired=[_fired(one, material.known) for one in found.fired],
        judged_from=None if found.judged_from is None else moment_at(found.judged_from),
        weeks=found.weeks,
        per_week=found.per_week,
        unknown_per_week=found.false_alarms_per_week,
        reason=_why_unjudged(found, material),
        by_hour=list(found.by_hour),
        by_weekday=list(found.by_weekday),
        caught=_caught(found, material.known),
        missed=[MissedOut(material.known[n].incident_id, material.known[n].reason) for n in found.missed],
    )


def _why_unjudged(found: Backtest, material: Material) -> Missing | None:
    if found.weeks:
        return None
    return "warm_up" if material.hours else "nothing_stored"


def _fired(one: Fired, known: Sequence[Known]) -> FiredOut:
    closed_at = None if one.closed_at is None else moment_at(one.closed_at)
    caught = [known[place].incident_id for place in one.caught]
    severity = None if one.severity is None else round(one.severity, 2)
    return FiredOut(moment_at(one.opened_at), moment_at(one.onset), closed_at, one.signal, severity, one.told, caught)


def _caught(found: Backtest, known: Sequence[Known]) -> list[CaughtOut]:
    """The known crises that something overlaps, with the first opening that does."""
    first: dict[int, int] = {}
    for one in found.fired:
        for place in one.caught:
            first.setdefault(place, one.opened_at)
    return [
        CaughtOut(known[place].incident_id, known[place].reason, opened_at - known[place].interval[0])
        for place, opened_at in sorted(first.items())
    ]


def coverage(material: Material) -> CoverageOut:
    """What is stored of the stretch."""
    heard = sorted(material.hours)
    inside = [hour for hour in heard if hour + HOUR_S > material.start]
    silences = [(after - before) // HOUR_S - 1 for before, after in pairwise(inside)]
    return CoverageOut(
        -(-(material.to - material.start) // HOUR_S),
        len(inside),
        moment_at(heard[0]) if heard else None,
        moment_at(heard[-1]) if heard else None,
        max(silences, default=None),
    )
