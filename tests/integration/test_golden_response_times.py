"""The golden set of response times, through the running service: the receipts that it writes are those of the set."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import asyncpg

from tests.support.backends import Servers
from tests.support.computing import computing
from tests.support.databases import Topics
from tests.support.golden_response_times import Case, Expected, cases, event_of
from tests.support.log import applied, initialise_stream, write_events
from tests.support.tenancy import make_brands

_SETTINGS = """
    UPDATE brand SET time_zone = $2, business_hours = $3::text::jsonb, holidays = $4::text::jsonb,
        closed_answer_policy = $5, response_target_s = coalesce($6, response_target_s),
        thread_gap_s = coalesce($7, thread_gap_s)
    WHERE slug = $1
"""
_RECEIPTS = """
    SELECT conversation_id, message_id, answered_by, timed, answered_at - received_at AS wall, business_s,
        within_target, turn_of
    FROM receipt
"""


async def test_the_service_writes_the_receipts_of_the_golden_set(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    past = [case for case in cases() if max(message.at for message in case.messages) < time.time() - 60]
    assert len(past) >= 60
    brands: dict[str, str] = {}
    events = []
    for number, case in enumerate(past):
        slug = brands.setdefault(json.dumps(case.settings, sort_keys=True), f"brand-{len(brands)}")
        events += [event_of(m, slug, n, conversation=f"case-{number}") for n, m in enumerate(reversed(case.messages))]
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    await make_brands(database, *brands.values())
    await change_brands(database, {slug: json.loads(settings) for settings, slug in brands.items()})
    async with computing(stack, database, topics, tmp_path, max_events="50"):
        written = await write_events(stack.kafka_bootstrap, topics.events, events)
        await applied(database, topics.events, written)
    assert await receipts(database) == expected_of(past)


async def change_brands(dsn: str, brands: dict[str, dict[str, Any]]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for slug, told in brands.items():
            hours = told.get("business_hours")
            await connection.execute(
                _SETTINGS,
                *(slug, told["time_zone"], None if hours is None else json.dumps(hours)),
                *(json.dumps(told.get("holidays", [])), told.get("closed_answer_policy", "zero")),
                *(told.get("response_target_s"), told.get("thread_gap_s")),
            )
    finally:
        await connection.close()


def expected_of(cases: list[Case]) -> dict[tuple[str, str], Expected]:
    """What a receipt shows of what is expected, by conversation and message."""
    return {
        (f"case-{number}", message_id): expected._replace(waits=False, waited=None, late_from=None, intervals=None)
        for number, case in enumerate(cases)
        for message_id, expected in case.expected.items()
    }


async def receipts(dsn: str) -> dict[tuple[str, str], Expected]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_RECEIPTS)
    finally:
        await connection.close()
    return {
        (row["conversation_id"], row["message_id"]): Expected(
            row["answered_by"],
            row["wall"] if row["timed"] else None,
            row["business_s"],
            row["within_target"],
            row["turn_of"],
        )
        for row in rows
    }
