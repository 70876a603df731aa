"""Crises that were stored before there were accounts of them are told by the migration as their steps tell them."""

from __future__ import annotations

import random
from pathlib import Path

import asyncpg

from bellwether.adapters.postgres import migrations
from bellwether.domain.incidents import Phase, Step, account

PHASES: tuple[Phase, ...] = ("opened", "acknowledged", "responded", "escalated", "resolved", "reopened")
_CRISES = 400
_TOLD = "SELECT incident_id, state, since, opened_at, resolved_at, cuts FROM incident"


def backfill() -> str:
    """The statement of the migration that tells of what is there."""
    text = (Path(migrations.__file__).parent / "0014_incidents.sql").read_text(encoding="utf-8")
    return text[text.index("insert into incident") : text.index("-- migrate:down")]


def some_steps(rng: random.Random) -> list[Step]:
    """Steps on few moments, of which a table holds each phase once."""
    found = {(rng.randrange(8), rng.choice(PHASES)) for _ in range(rng.randrange(1, 9))}
    return [Step(at, phase, ("", f"channel={at}") if phase == "opened" else ()) for at, phase in found]


async def test_the_migration_tells_crises_of_before_as_their_steps_do(database: str) -> None:
    rng = random.Random(14)
    crises = {f"c{number}": some_steps(rng) for number in range(_CRISES)}
    rows = [(1, name, s.at, s.phase, list(s.cuts), 0) for name, steps in crises.items() for s in steps]
    connection = await asyncpg.connect(database)
    try:
        await connection.executemany("INSERT INTO crisis_step VALUES ($1, $2, $3, $4, $5, $6)", rows)
        await connection.execute(backfill())
        found = {name: tuple(told) for name, *told in await connection.fetch(_TOLD)}
    finally:
        await connection.close()
    expected = {
        name: (stands.state.value, stands.since, stands.opening.at, stands.resolved_at, list(stands.opening.cuts))
        for name, steps in crises.items()
        if (stands := account(steps))
    }
    assert {state for state, *_ in expected.values()} == {"open", "acknowledged", "responded", "resolved"}
    assert found == expected
