"""Real tweets about six airlines as a replay sends them, and what detectors find in them: pure ones, and compute's."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from bellwether.adapters.postgres.pool import Connection
from bellwether_cli.replay.plan import Plan, choose
from tests.support.detected import Finding, Heard, findings

AIRLINE = Path(__file__).parents[2].parent / "shared" / "data" / "airline.csv"
ZONE = "America/New_York"
_WORDS = """
    SELECT b.slug, w.phase, w.onset, w.numbers FROM incident_word w JOIN brand b USING (brand_id)
    WHERE w.source = '/bellwether/detector'
"""


def tweets() -> list[dict[str, Any]]:
    """The tweets as events, at the hours of the day at which they happened, up to today or yesterday."""
    results = Plan(AIRLINE, choose(AIRLINE, None)).results()
    return rebased((result.event for result in results if result.event), int(time.time()) - 60)


def rebased(events: Iterable[dict[str, Any]], end: int) -> list[dict[str, Any]]:
    """The events in the order in which they happened, as many whole days later as end before `end`, UTC seconds."""
    ordered = sorted(events, key=lambda event: (moment(event), event["id"]))
    later = (end - moment(ordered[-1])) // 86_400 * 86_400
    return [event | {"time": stamp(moment(event) + later)} for event in ordered]


def moment(event: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(event["time"]).timestamp())


def stamp(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def expected(events: list[dict[str, Any]], recorded: int) -> set[tuple[str, Finding]]:
    """What pure detectors find in each brand."""
    texts: dict[str, list[Heard]] = defaultdict(list)
    for event in events:
        data = event["data"]
        texts[data["brand"]].append(Heard(moment(event), recorded, data["channel"], data["sentiment"] <= -0.05))
    return {(brand, one) for brand, heard in texts.items() for one in findings(heard, ZONE)}


async def found(connection: Connection) -> set[tuple[str, Finding]]:
    """What compute has found."""
    told = [(row[0], row[2], msgspec.json.decode(row[3])) for row in await connection.fetch(_WORDS) if row[2]]
    return {(slug, Finding(n["cut"], n["change"], n["at"], onset, n["severity"])) for slug, onset, n in told}
