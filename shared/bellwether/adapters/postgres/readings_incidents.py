"""Markers and crises of a brand as they stood at a moment, as far as they were known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bellwether.adapters.postgres.incidents import STEPS, stored_step
from bellwether.adapters.postgres.knowledge import Knowledge
from bellwether.adapters.postgres.pool import Connection
from bellwether.domain.incidents import Interval, Step, in_order, intervals, opening

_MARKERS = """
    SELECT name, subject, moment, cuts, known_on FROM marker WHERE brand_id = $1 AND moment < $2
    ORDER BY moment, cuts
"""
_STEPS = f"{STEPS} WHERE s.brand_id = $1 AND s.at < $2"


async def read_markers(
    connection: Connection, brand_id: int, cut: str, end: int, known: Knowledge
) -> dict[str, list[int]]:
    """The moments of a cut's markers before `end`, ascending, by name; all in UTC seconds.

    Of several events about one marker the earliest one that was known stands, also for where it counts.
    """
    found: dict[str, list[int]] = {}
    seen: set[tuple[str, str]] = set()
    for name, subject, moment, cuts, known_on in await connection.fetch(_MARKERS, brand_id, end):
        if (name, subject) in seen or not known.holds(moment, known_on):
            continue
        seen.add((name, subject))
        if cut in cuts:
            found.setdefault(name, []).append(moment)
    return found


async def read_crises(connection: Connection, brand_id: int, cut: str, end: int, known: Knowledge) -> list[Interval]:
    """While crises of a cut were open, ascending, as it stood at `end`: what was resolved later is open.

    A crisis that was reopened has an interval for each time it was open; one that is void has none.
    """
    crises: dict[str, list[Step]] = {}
    for _, incident_id, step, known_on, _ in map(stored_step, await connection.fetch(_STEPS, brand_id, end)):
        if known.holds(step.at, known_on):
            crises.setdefault(incident_id, []).append(step)
    return in_order(interval for steps in crises.values() for interval in _open_in(steps, cut))


def _open_in(steps: Sequence[Step], cut: str) -> Iterable[Interval]:
    opened = opening(steps)
    return intervals(steps) if opened and cut in opened.cuts else ()
