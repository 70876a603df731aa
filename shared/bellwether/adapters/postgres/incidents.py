"""Crises as they are stored: their steps with what events say of them, and an account of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.domain.incidents import SILENT, Account, Step, Word

_WORD_COLUMNS = """
    brand_id, incident_id, at, phase, source, event_id, by_name, note, severity, score, reason, other_incident, onset,
    signal, numbers, known_on, recorded_at
"""
_WORDS = f"""
    INSERT INTO incident_word ({_WORD_COLUMNS})
    SELECT {_WORD_COLUMNS} FROM jsonb_populate_recordset(NULL::incident_word, $1::jsonb)
    ON CONFLICT DO NOTHING
"""
_STEPS = """
    INSERT INTO crisis_step AS stored SELECT * FROM jsonb_populate_recordset(NULL::crisis_step, $1::jsonb)
    ON CONFLICT (brand_id, incident_id, at, phase) DO UPDATE
    SET cuts = least(stored.cuts, excluded.cuts), known_on = least(stored.known_on, excluded.known_on)
"""
_COLUMNS = (
    *("state", "since", "opened_at", "opened_by", "source", "onset", "cuts", "signal", "numbers", "severity", "score"),
    *("peak", "acknowledged_at", "responded_at", "stable_at", "resolved_at", "reason", "merged_into", "steps"),
    "recorded_at",
)
_ACCOUNTS = f"""
    INSERT INTO incident SELECT * FROM jsonb_populate_recordset(NULL::incident, $1::jsonb)
    ON CONFLICT (brand_id, incident_id) DO UPDATE
    SET ({", ".join(_COLUMNS)}) = ({", ".join(f"excluded.{name}" for name in _COLUMNS)})
"""
STEPS = """
    SELECT s.brand_id, s.incident_id, s.at, s.phase, s.cuts, coalesce(w.known_on, s.known_on) AS known_on,
        w.recorded_at, w.source, w.event_id, w.by_name, w.note, w.severity, w.score, w.reason, w.other_incident,
        w.onset, w.signal, w.numbers
    FROM crisis_step s LEFT JOIN incident_word w USING (brand_id, incident_id, at, phase)
"""
"""Steps with what is said of them; several rows where several events tell of one step."""


class StoredStep(NamedTuple):
    """A step of a crisis of a brand.

    known_on: the local day on which it was first told of, in days since 1970-01-01
    recorded_at: when the intake took its event, UTC seconds; None where the release before this one wrote it
    """

    brand_id: int
    incident_id: str
    step: Step
    known_on: int
    recorded_at: int | None


class StoredAccount(NamedTuple):
    """An account of a crisis of a brand, from so many steps, the last of which was recorded then (UTC seconds)."""

    brand_id: int
    incident_id: str
    account: Account
    steps: int
    recorded_at: int


def stored_step(row: Row) -> StoredStep:
    """A row of STEPS."""
    brand_id, incident_id, at, phase, cuts, known_on, recorded_at, *said = row
    word = Word(*said) if recorded_at is not None else SILENT
    return StoredStep(brand_id, incident_id, Step(at, phase, tuple(cuts), word), known_on, recorded_at)


async def write_steps(connection: Connection, told: Sequence[StoredStep]) -> None:
    """Write steps and what is said of them; what is there already stays."""
    words = [_word_row(one) for one in told if one.recorded_at is not None]
    await _write(connection, _WORDS, words)
    await _write(connection, _STEPS, _step_rows(told))


async def write_accounts(connection: Connection, accounts: Iterable[StoredAccount]) -> None:
    """Write accounts in place of what was there, each crisis once."""
    await _write(connection, _ACCOUNTS, [_account_row(one) for one in accounts])


async def _write(connection: Connection, query: str, rows: Sequence[object]) -> None:
    if rows:
        await connection.execute(query, msgspec.json.encode(rows).decode())


def _word_row(told: StoredStep) -> dict[str, Any]:
    said = told.step.word._asdict()
    by, into = said.pop("by"), said.pop("into")
    at, phase, *_ = told.step
    place = {"brand_id": told.brand_id, "incident_id": told.incident_id, "at": at, "phase": phase}
    known = {"known_on": told.known_on, "recorded_at": told.recorded_at}
    return {**place, **said, "by_name": by, "other_incident": into, **known}


def _step_rows(told: Iterable[StoredStep]) -> list[dict[str, Any]]:
    """A row for each step: a statement may touch a row once."""
    found: dict[tuple[int, str, int, str], tuple[tuple[str, ...], int]] = {}
    for brand_id, incident_id, (at, phase, cuts, _), known_on, _ in told:
        key = (brand_id, incident_id, at, phase)
        before = found.get(key, (cuts, known_on))
        found[key] = min(cuts, before[0]), min(known_on, before[1])
    names = ("brand_id", "incident_id", "at", "phase", "cuts", "known_on")
    return [dict(zip(names, (*key, *row), strict=True)) for key, row in found.items()]


def _account_row(told: StoredAccount) -> dict[str, Any]:
    fields = told.account._asdict()
    opening: Step = fields.pop("opening")
    word = opening.word
    began = {"opened_at": opening.at, "opened_by": word.by, "source": word.source, "onset": word.onset}
    why = {"cuts": opening.cuts, "signal": word.signal, "numbers": word.numbers}
    last = {"steps": told.steps, "recorded_at": told.recorded_at}
    return {"brand_id": told.brand_id, "incident_id": told.incident_id, **fields, **began, **why, **last}
