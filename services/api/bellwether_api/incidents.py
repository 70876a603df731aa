"""Crises in Postgres, as compute keeps them: read, never changed from here."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.evidence import COLLECTED_FOR_S, read_evidence
from bellwether.adapters.postgres.incidents import STEPS, StoredStep, stored_step
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.catalogue.cuts import TOTAL
from bellwether.domain.errors import UnknownIncident
from bellwether.domain.incidents import Move, State, moves, possible
from bellwether_api.database import asking, reading
from bellwether_api.incident_shapes import (
    ACTIONS,
    Evidences,
    IncidentDetail,
    IncidentOut,
    IncidentPage,
    StepOut,
    origin_of,
)
from bellwether_api.moments import moment_at

_COLUMNS = """
    incident_id, state, since, opened_at, opened_by, source, onset, cuts, signal, numbers, severity, score, peak,
    acknowledged_at, responded_at, stable_at, resolved_at, reason, merged_into
"""
_PAGE = f"""
    SELECT {_COLUMNS} FROM incident
    WHERE brand_id = $1 AND ($2::text[] IS NULL OR state = ANY($2)) AND opened_at >= $3
        AND ($4::text IS NULL OR $4 COLLATE "C" = ANY(cuts)) AND (opened_at, incident_id COLLATE "C") < ($5, $6)
    ORDER BY opened_at DESC, incident_id COLLATE "C" DESC LIMIT $7
"""
_IS_OLD = f"""
    SELECT recorded_at < extract(epoch FROM now())::bigint - {COLLECTED_FOR_S} FROM incident
    WHERE brand_id = $1 AND incident_id = $2
"""
_ONE = f"SELECT {_COLUMNS} FROM incident WHERE brand_id = $1 AND incident_id = $2"
_STEPS = f"{STEPS} WHERE s.brand_id = $1 AND s.incident_id = $2"
_WORD = """
    SELECT incident_id FROM incident_word WHERE brand_id = $1 AND word = md5($2 || chr(31) || $3)::uuid
"""
_MOMENTS = ("since", "opened_at", "onset", "acknowledged_at", "responded_at", "stable_at", "resolved_at")


class Place(msgspec.Struct, frozen=True):
    """A place in the list of crises. A struct, since a bare tuple would be read from repeated parameters."""

    opened_at: int
    incident_id: str


NEWEST = Place(2**62, "")
"""The place before the first crisis of the first page."""


class Choice(NamedTuple):
    """Which crises: in these states, opened at or after a moment (UTC seconds), of a cut (None: any), after a place."""

    states: tuple[State, ...]
    since: int
    cut: str | None
    after: Place
    limit: int


class Incidents:
    """The crises of all brands."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, brand: Brand, choice: Choice) -> IncidentPage:
        """Crises of a brand, the latest openings first."""
        after, states = choice.after, [state.value for state in choice.states] or None
        wanted = (states, choice.since, choice.cut, after.opened_at, after.incident_id, choice.limit + 1)
        async with reading(self._pool) as connection:
            rows = await connection.fetch(_PAGE, brand.brand_id, *wanted)
        items = [msgspec.convert(_told(row), IncidentOut) for row in rows[: choice.limit]]
        last = rows[choice.limit - 1] if len(rows) > choice.limit else None
        return IncidentPage(items, cursor(Place(last["opened_at"], last["incident_id"])) if last else None)

    async def read(self, brand: Brand, incident_id: str) -> IncidentDetail:
        """One crisis with its steps and evidence. Raises UnknownIncident."""
        async with reading(self._pool) as connection:
            row = await connection.fetchrow(_ONE, brand.brand_id, incident_id)
            steps = await _steps(connection, brand, incident_id)
            evidence = await _evidence(connection, brand, incident_id)
        if row is None:
            raise UnknownIncident
        return msgspec.convert({**_told(row), "steps": _steps_told(steps), "evidence": evidence}, IncidentDetail)

    async def standing(self, brand: Brand, incident_id: str) -> tuple[IncidentOut | None, list[StepOut]]:
        """One crisis, None before it is opened, and all its steps."""
        async with reading(self._pool) as connection:
            row = await connection.fetchrow(_ONE, brand.brand_id, incident_id)
            steps = await _steps(connection, brand, incident_id)
        return msgspec.convert(_told(row), IncidentOut) if row is not None else None, _steps_told(steps)

    async def steps(self, brand: Brand, incident_id: str) -> list[StoredStep]:
        """All steps of a crisis as they are stored; none where nobody told of it."""
        async with asking(self._pool) as connection:
            return await _steps(connection, brand, incident_id)

    async def applied_to(self, brand: Brand, source: str, event_id: str) -> str | None:
        """The crisis of which an event told a step; None where compute has not applied it."""
        async with asking(self._pool) as connection:
            found: str | None = await connection.fetchval(_WORD, brand.brand_id, source, event_id)
        return found


async def _steps(connection: Connection, brand: Brand, incident_id: str) -> list[StoredStep]:
    return [stored_step(row) for row in await connection.fetch(_STEPS, brand.brand_id, incident_id)]


async def _evidence(connection: Connection, brand: Brand, incident_id: str) -> Evidences:
    kept = await read_evidence(connection, brand.brand_id, incident_id)
    opening, peak = kept.get("opening"), kept.get("peak")
    if opening is not None and peak is not None:
        return Evidences(opening, peak, None)
    is_old = await connection.fetchval(_IS_OLD, brand.brand_id, incident_id)
    return Evidences(opening, peak, "too_old" if is_old else "not_yet")


def _told(row: Row) -> dict[str, Any]:
    """The fields of an account."""
    told = dict(row)
    source, state = told.pop("source"), State(told["state"])
    moments = {name: None if told[name] is None else moment_at(told[name]) for name in _MOMENTS}
    return {
        **told,
        **moments,
        "id": told["incident_id"],
        "origin": origin_of(source),
        "cuts": [cut for cut in told["cuts"] if cut != TOTAL],
        "signal": told["signal"] or None,
        "numbers": msgspec.json.decode(told["numbers"]) if told["numbers"] else None,
        "merged_into": told["merged_into"] or None,
        "possible": [action for action, phase in ACTIONS.items() if phase in possible(state)],
    }


def _steps_told(steps: list[StoredStep]) -> list[StepOut]:
    recorded = {one.step: one.recorded_at for one in steps}
    return [_step(move, recorded[move.step]) for move in moves(recorded)]


def _step(move: Move, recorded_at: int | None) -> StepOut:
    at, phase, _, word = move.step
    return StepOut(
        at=moment_at(at),
        phase=phase,
        by=word.by,
        note=word.note,
        state=move.state,
        severity=word.severity,
        score=word.score,
        reason=word.reason,
        into=word.into or None,
        origin=origin_of(word.source),
        source=word.source,
        event_id=word.event_id,
        recorded_at=None if recorded_at is None else moment_at(recorded_at),
    )


def cursor(place: Place) -> str:
    """The cursor of a page that begins after a place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def parse_cursor(text: str) -> Place:
    """The place of a cursor. Raises ValueError for what `cursor` did not make."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Place)
    except (ValueError, msgspec.DecodeError):
        raise ValueError("must be the `next` of a page") from None
