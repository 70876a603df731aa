"""Targets in Postgres: set, read, listed and deleted, with every version kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.catalogue.kpi import Kpi, Unit
from bellwether.domain.errors import StaleVersion, UnknownTarget
from bellwether.domain.keys import Caller
from bellwether.domain.targets import By, Check, During, Every, Target, in_words
from bellwether_api.brands import cursor
from bellwether_api.cuts import shown
from bellwether_api.database import changing, reading
from bellwether_api.moments import moment_at
from bellwether_api.periods import Period, starts
from bellwether_api.target_checks import read_checks
from bellwether_api.target_progress import TargetProgress, read_progress
from bellwether_api.target_requests import Setting, given_of, target_of, time_of
from bellwether_api.target_shapes import (
    RollingWindow,
    TargetHistory,
    TargetIn,
    TargetOut,
    TargetPage,
    TargetVersion,
)
from bellwether_api.target_telling import progress_told, unit_told
from bellwether_api.values import clock_of
from bellwether_api.viewpoint import Viewpoint, viewpoint

_LATEST = """
    SELECT DISTINCT ON (target_id) target_id, version, body, checks, changed_at, changed_by FROM target_version
    WHERE brand_id = $1 AND changed_at < $2
    ORDER BY target_id, version DESC
"""
_PAGE = f"""
    SELECT * FROM ({_LATEST}) latest WHERE body IS NOT NULL AND target_id > $3 COLLATE "C"
    ORDER BY target_id COLLATE "C" LIMIT $4
"""
_ALL = f'SELECT * FROM ({_LATEST}) latest WHERE body IS NOT NULL ORDER BY target_id COLLATE "C"'
_ONE = """
    SELECT target_id, version, body, checks, changed_at, changed_by FROM target_version
    WHERE brand_id = $1 AND target_id = $2 AND changed_at < $3
    ORDER BY version DESC LIMIT 1
"""
_VERSIONS = """
    SELECT target_id, version, body, checks, changed_at, changed_by FROM target_version
    WHERE brand_id = $1 AND target_id = $2 ORDER BY version DESC
"""
_INSERT = """
    INSERT INTO target_version (brand_id, target_id, version, body, checks, changed_at, changed_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
# Whoever changes a target of the same brand at the same time waits here.
_LOCK = "SELECT FROM brand WHERE brand_id = $1 FOR NO KEY UPDATE"
_EVER = 2**62
_CHECKS = msgspec.json.Decoder(list[Check])
_TARGET = msgspec.json.Decoder(Target)


class Kept(NamedTuple):
    """A version of a target as it is kept; `target` is None where it was deleted."""

    id: str
    version: int
    target: Target | None
    checks: list[Check]
    changed_at: int
    changed_by: str


class CardTarget(NamedTuple):
    """The target of a KPI as a scorecard shows it."""

    id: str
    words: str
    progress: TargetProgress


class Targets:
    """The targets of all tenants; each call is for one brand. `now` gives seconds since 1970."""

    def __init__(self, pool: Pool, definitions: Definitions, now: Callable[[], float] = time.time) -> None:
        self._pool = pool
        self._definitions = definitions
        self._now = now

    async def put(
        self, brand: Brand, who: Caller, target_id: str, given: TargetIn, names_version: Callable[[int], bool]
    ) -> tuple[TargetOut, bool]:
        """Set a target, or leave it as it is where nothing is new; gives it, and whether it was made.

        names_version: whether the caller means that version, 0 for none yet
        Raises Invalid for what cannot be a target, StaleVersion, Unavailable.
        """
        now, clock = int(self._now()), clock_of(brand.time_zone)
        catalogue = self._definitions.of(brand.tenant_id)
        async with changing(self._pool) as connection:
            await connection.execute(_LOCK, brand.brand_id)
            kept = await _kept(connection, brand, target_id)
            before = kept.target if kept else None
            _require(names_version, kept if before else None)
            target = target_of(given, Setting(catalogue.kpis, clock, now, before))
            if kept is None or target != before:
                checks = await read_checks(connection, brand, target, catalogue, now)
                kept = Kept(target_id, (kept.version if kept else 0) + 1, target, checks, now, who.key_id)
                await _insert(connection, brand, kept)
            (told,) = await _told(connection, brand, [kept], catalogue.kpis, Viewpoint(now), now)
        return told, before is None

    async def delete(self, brand: Brand, who: Caller, target_id: str, names_version: Callable[[int], bool]) -> None:
        """Delete a target; its versions stay. Raises UnknownTarget, StaleVersion, Unavailable."""
        now = int(self._now())
        async with changing(self._pool) as connection:
            await connection.execute(_LOCK, brand.brand_id)
            kept = await _existing(connection, brand, target_id)
            _require(names_version, kept)
            await _insert(connection, brand, Kept(target_id, kept.version + 1, None, [], now, who.key_id))

    async def read(self, brand: Brand, target_id: str, as_of: int | None, known_at: int | None) -> TargetOut:
        """A target and how it stands at a moment. Raises UnknownTarget, Invalid, Unavailable."""
        now = int(self._now())
        view = viewpoint(as_of, known_at, clock_of(brand.time_zone), now)
        async with reading(self._pool) as connection:
            kept = await _existing(connection, brand, target_id, view.known_before)
            told = await _told(connection, brand, [kept], self._definitions.of(brand.tenant_id).kpis, view, now)
        if not told:
            raise UnknownTarget("Its KPI is no longer defined.")
        return told[0]

    async def page(self, brand: Brand, after: str, limit: int, as_of: int | None, known_at: int | None) -> TargetPage:
        """Targets whose id comes after the given one, in order of bytes. Raises Invalid, Unavailable."""
        now = int(self._now())
        view = viewpoint(as_of, known_at, clock_of(brand.time_zone), now)
        async with reading(self._pool) as connection:
            rows = await connection.fetch(_PAGE, brand.brand_id, view.known_before, after, limit + 1)
            kept = [_row(row) for row in rows[:limit]]
            items = await _told(connection, brand, kept, self._definitions.of(brand.tenant_id).kpis, view, now)
        return TargetPage(items, cursor(kept[-1].id) if len(rows) > limit else None)

    async def history(self, brand: Brand, target_id: str) -> TargetHistory:
        """All versions of a target, also of one that was deleted. Raises UnknownTarget, Unavailable."""
        async with reading(self._pool) as connection:
            rows = await connection.fetch(_VERSIONS, brand.brand_id, target_id)
        if not rows:
            raise UnknownTarget
        return TargetHistory(target_id, [_version(_row(row)) for row in rows])


async def cuts_with_targets(connection: Connection, brand: Brand, view: Viewpoint) -> frozenset[str]:
    """The cuts that have any target, '' for the total."""
    rows = await connection.fetch(_ALL, brand.brand_id, view.known_before)
    return frozenset(one.target.cut for one in map(_row, rows) if one.target)


async def targets_of_card(
    connection: Connection,
    brand: Brand,
    kpis: Mapping[str, Kpi],
    cut: str,
    period: Period,
    view: Viewpoint,
    now: int,
) -> Mapping[str, CardTarget]:
    """The targets of KPIs in a cut, by KPI key, as they stand at `view.as_of`, which is the end of the card.

    Where a KPI has several, the one over the card's own period goes first, then one by a date,
    then one over another period. What has not begun, or was over before the card, is left out.
    """
    rows = await connection.fetch(_ALL, brand.brand_id, view.known_before)
    kept = [one for one in map(_row, rows) if one.target and one.target.kpi in kpis and one.target.cut == cut]
    progress = await read_progress(connection, brand, [one.target for one in kept if one.target], kpis, view, now)
    begins = starts(period, clock_of(brand.time_zone))
    found: dict[str, tuple[int, CardTarget]] = {}
    for one, stands in zip(kept, progress, strict=True):
        if stands.frame is None or stands.frame.end <= begins:
            continue
        rank, key = _rank(stands.target, period), stands.kpi.key
        if key not in found or rank < found[key][0]:
            words = in_words(stands.target, unit_told(stands.kpi, brand.currency), stands.kpi.better)
            found[key] = rank, CardTarget(one.id, words, stands)
    return {key: card_target for key, (_, card_target) in found.items()}


def _rank(target: Target, period: Period) -> int:
    match target.time:
        case Every(window) | During(window) if window is period.window:
            return 0
        case By():
            return 1
        case _:
            return 2


def _require(names_version: Callable[[int], bool], kept: Kept | None) -> None:
    if not names_version(kept.version if kept else 0):
        raise StaleVersion("If-Match or If-None-Match names another state than the current one; read it again.")


async def _kept(connection: Connection, brand: Brand, target_id: str, known_before: int = _EVER) -> Kept | None:
    row = await connection.fetchrow(_ONE, brand.brand_id, target_id, known_before)
    return None if row is None else _row(row)


async def _existing(connection: Connection, brand: Brand, target_id: str, known_before: int = _EVER) -> Kept:
    kept = await _kept(connection, brand, target_id, known_before)
    if kept is None or kept.target is None:
        raise UnknownTarget
    return kept


async def _insert(connection: Connection, brand: Brand, kept: Kept) -> None:
    body = msgspec.json.encode(kept.target) if kept.target else None
    written = (kept.id, kept.version, body, msgspec.json.encode(kept.checks), kept.changed_at, kept.changed_by)
    await connection.execute(_INSERT, brand.brand_id, *written)


def _row(row: Row) -> Kept:
    target = None if row["body"] is None else _TARGET.decode(row["body"])
    return Kept(
        row["target_id"], row["version"], target, _CHECKS.decode(row["checks"]), row["changed_at"], row["changed_by"]
    )


async def _told(
    connection: Connection,
    brand: Brand,
    kept: Sequence[Kept],
    kpis: Mapping[str, Kpi],
    view: Viewpoint,
    now: int,
) -> list[TargetOut]:
    """Those whose KPI is still defined."""
    known = [one for one in kept if one.target and one.target.kpi in kpis]
    progress = await read_progress(connection, brand, [one.target for one in known if one.target], kpis, view, now)
    return [_out(brand, one, stands, view) for one, stands in zip(known, progress, strict=True)]


def _out(brand: Brand, kept: Kept, stands: TargetProgress, view: Viewpoint) -> TargetOut:
    target, kpi = stands.target, stands.kpi
    return TargetOut(
        id=kept.id,
        brand=brand.slug,
        kpi=kpi.key,
        kpi_title=kpi.title,
        unit=kpi.unit,
        currency=brand.currency if kpi.unit is Unit.MONEY else None,
        better=kpi.better,
        cut=shown(target.cut),
        kra=target.kra,
        title=target.title,
        aim=target.aim,
        time=time_of(target.time),
        window=RollingWindow(target.window.value) if target.window else None,
        words=in_words(target, unit_told(kpi, brand.currency), kpi.better),
        version=kept.version,
        changed_at=moment_at(kept.changed_at),
        changed_by=kept.changed_by,
        smart=kept.checks,
        progress=progress_told(stands, view.as_of),
    )


def _version(kept: Kept) -> TargetVersion:
    return TargetVersion(
        version=kept.version,
        changed_at=moment_at(kept.changed_at),
        changed_by=kept.changed_by,
        target=given_of(kept.target) if kept.target else None,
        smart=kept.checks,
    )
