"""Writes what streams tell of as compute does: current values, and steps of crises with their accounts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from bellwether.adapters.postgres.incidents import (
    STEPS,
    StoredAccount,
    StoredStep,
    stored_step,
    write_accounts,
    write_steps,
)
from bellwether.catalogue.evaluate import Value
from bellwether.domain.incidents import Phase, Step, Word, account
from bellwether.domain.windows import Window

KPI = "brand_mentions"
HOME = Window.DAYS_7
SOURCE = "/partner"
_DAY_S = 86_400
_CURRENT = """
    INSERT INTO kpi_current (brand_id, cut, as_of, fresh_to, body) VALUES ($1, $2, $3, $3, $4)
    ON CONFLICT (brand_id, cut) DO UPDATE
    SET as_of = excluded.as_of, fresh_to = excluded.fresh_to, body = excluded.body
"""


class Teller:
    """A connection of its own; what it writes is seen when `transaction` ends, or at once without one."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self.connection = connection
        self.opened_at = int(time.time()) - 3_600

    async def values(self, brand_id: int, mentions: int, cut: str = "", others: Mapping[str, float] = {}) -> None:
        """The current values of a brand and cut: so many mentions in each window, and other KPIs in seven days."""
        as_of = int(time.time())
        counted = {w: Value(mentions, as_of - 7 * _DAY_S, as_of, numerator=mentions, n=mentions) for w in Window}
        more = {key: {HOME: Value(value, as_of - 7 * _DAY_S, as_of)} for key, value in others.items()}
        await self.connection.execute(_CURRENT, brand_id, cut, as_of, msgspec.json.encode({KPI: counted, **more}))

    async def step(self, brand_id: int, incident_id: str, phase: Phase, number: int, note: str = "") -> str:
        """A step of a crisis, the opening being number 0; gives the id of its event."""
        event_id = f"{incident_id} {number}"
        at = self.opened_at + number
        word = Word(source=SOURCE, event_id=event_id, by="Dana", note=note, severity="warning", score=5.0)
        step = Step(at, phase, ("",) if phase == "opened" else (), word)
        await write_steps(self.connection, [StoredStep(brand_id, incident_id, step, at // _DAY_S, at)])
        rows = await self.connection.fetch(
            f"{STEPS} WHERE s.brand_id = $1 AND s.incident_id = $2", brand_id, incident_id
        )
        steps = {stored_step(row).step for row in rows}
        if (told := account(steps)) is not None:
            await write_accounts(self.connection, [StoredAccount(brand_id, incident_id, told, len(steps), at)])
        return event_id

    async def steps(self, brand_id: int, incident_id: str, count: int, note: str = "") -> list[str]:
        """So many steps in one transaction, an opening and notes; the ids of their events."""
        phases: list[Phase] = ["opened", *["noted"] * (count - 1)]  # type: ignore[list-item]
        async with self.connection.transaction():
            return [await self.step(brand_id, incident_id, phase, n, note) for n, phase in enumerate(phases)]


@asynccontextmanager
async def telling(dsn: str) -> AsyncIterator[Teller]:
    """Somebody who writes."""
    connection = await asyncpg.connect(dsn)
    try:
        yield Teller(connection)
    finally:
        await connection.close()
