"""Receipts: what became of the messages of a span, as it was known."""

from __future__ import annotations

from collections.abc import Collection

from bellwether.adapters.postgres.knowledge import Knowledge
from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.catalogue.evaluate import Undone
from bellwether.domain.totals import Totals, bin_of

_RECEIPTS = """
    SELECT kind, received_at, known_on, answered_at, answer_known_on FROM receipt
    WHERE brand_id = $1 AND ($2 = '' OR $2 = ANY(cuts)) AND received_at >= $3 AND received_at < $4
      AND (answered_at IS NULL OR answered_at >= $4 OR answer_known_on > $5)
    ORDER BY received_at
"""


async def read_receipts(
    connection: Connection, brand_id: int, cut: str, start: int, end: int, known: Knowledge
) -> tuple[dict[str, list[int]], list[Undone]]:
    """Of the messages received in [start, end), UTC seconds: who waited at the end, by name of
    the queue, and the answers to take back that came later.
    """
    rows = await connection.fetch(_RECEIPTS, brand_id, cut, start, end, known.known_on)
    undone = [_unanswer(row) for row in rows if _answered_after(row, end, known)]
    return _waiting(rows, end, known), undone


def _answered_after(row: Row, end: int, known: Knowledge) -> bool:
    """Whether an answer that is in the rollups came at or after the end."""
    answered_at = row["answered_at"]
    return answered_at is not None and answered_at >= end and known.holds(row["received_at"], row["answer_known_on"])


def _waits(row: Row, end: int, known: Knowledge) -> bool:
    """Whether a message was known, and no answer before the end was."""
    is_answered = known.holds(row["received_at"], row["answer_known_on"]) and row["answered_at"] < end
    return known.holds(row["received_at"], row["known_on"]) and not is_answered


def _waiting(rows: Collection[Row], end: int, known: Knowledge) -> dict[str, list[int]]:
    waiting = [row for row in rows if _waits(row, end, known)]
    return {
        "messages": [row["received_at"] for row in waiting],
        "queries": [row["received_at"] for row in waiting if row["kind"] == "query"],
    }


def answered(kind: str, seconds: int, sign: int) -> Totals:
    """What one answer adds to the totals of the moment at which its message was received."""
    totals: Totals = {"messages_answered": sign, "response_time": {bin_of(seconds): sign}}
    if kind == "query":
        totals["queries_answered"] = sign
        totals["query_response_seconds"] = sign * seconds
        totals["query_response_time"] = {bin_of(seconds): sign}
    return totals


def _unanswer(row: Row) -> Undone:
    received, answered_at = row["received_at"], row["answered_at"]
    return Undone(received, answered(row["kind"], answered_at - received, -1))
