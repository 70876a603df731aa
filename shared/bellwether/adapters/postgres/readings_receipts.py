"""Receipts: what became of the messages of a span, as it was known."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from bellwether.adapters.postgres.knowledge import Knowledge
from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.catalogue.evaluate import Undone
from bellwether.domain.response_times import Clocks
from bellwether.domain.totals import Totals, bin_of

# `first` is the message with which the turn of one began that waits along with it.
_OF_CUT_AND_SPAN = """
    SELECT r.kind, r.received_at, r.known_on, r.answered_at, r.answer_known_on, r.timed, r.business_s,
        r.within_target, first.received_at AS first_received_at, first.known_on AS first_known_on,
        first.answered_at AS first_answered_at, first.answer_known_on AS first_answer_known_on,
        r.channel, r.conversation_id, r.message_id, r.answered_by, r.turn_of
    FROM receipt r LEFT JOIN receipt first ON first.brand_id = r.brand_id AND first.channel = r.channel
        AND first.conversation_id = r.conversation_id AND first.message_id = r.turn_of
    WHERE r.brand_id = $1 AND ($2 = '' OR $2 = ANY(r.cuts)) AND r.received_at >= $3 AND r.received_at < $4
"""
_RECEIPTS = f"""
    {_OF_CUT_AND_SPAN}
      AND (r.answered_at IS NULL OR r.answered_at >= $4 OR r.answer_known_on > $5)
    ORDER BY r.received_at
"""
_PAGE = f"""
    {_OF_CUT_AND_SPAN} AND r.known_on <= $5 AND ($6::text IS NULL OR r.kind = $6)
      AND (r.received_at, r.channel, r.conversation_id, r.message_id) < ($7, $8, $9, $10)
    ORDER BY r.received_at DESC, r.channel DESC, r.conversation_id DESC, r.message_id DESC LIMIT $11
"""
WAITING = """
    r.answered_at IS NULL AND NOT EXISTS (
        SELECT FROM receipt first WHERE first.brand_id = r.brand_id AND first.channel = r.channel
            AND first.conversation_id = r.conversation_id AND first.message_id = r.turn_of
            AND first.answered_at IS NULL)
"""
"""Which receipts `r` wait now: unanswered, and not along with the first of their turn."""


async def read_receipts(
    connection: Connection, brand_id: int, cut: str, start: int, end: int, known: Knowledge
) -> tuple[dict[str, list[int]], list[Undone]]:
    """Of the messages received in [start, end), UTC seconds: who waited at the end, by name of
    the queue, and the answers to take back that came later.
    """
    rows = await connection.fetch(_RECEIPTS, brand_id, cut, start, end, known.known_on)
    undone = [_unanswer(row) for row in rows if _answered_after(row, end, known)]
    return _waiting(rows, end, known), undone


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a receipt stands in the list of receipts."""

    received_at: int
    channel: str = ""
    conversation_id: str = ""
    message_id: str = ""


LATEST = Place(2**62)
"""The place before the latest receipt."""


class Receipt(NamedTuple):
    """What became of a message up to a moment, as it was known; moments in UTC seconds.

    answered_at, answered_by, clocks: None where no answer had come by then
    turn_of: the message with which the turn began that it continues
    waits: by itself, not along with that one
    """

    place: Place
    kind: str
    answered_at: int | None
    answered_by: str | None
    clocks: Clocks | None
    turn_of: str | None
    waits: bool


class Choice(NamedTuple):
    """Which receipts: of messages received in [start, end), of one kind (None: any), after a place."""

    cut: str
    start: int
    end: int
    kind: str | None
    after: Place
    limit: int


async def read_page(connection: Connection, brand_id: int, choice: Choice, known: Knowledge) -> list[Receipt]:
    """Receipts as they stood at the end of the choice, the latest messages first."""
    where = (choice.cut, choice.start, choice.end, known.known_on, choice.kind)
    rows = await connection.fetch(_PAGE, brand_id, *where, *msgspec.structs.astuple(choice.after), choice.limit)
    return [_receipt(row, choice.end, known) for row in rows]


def _receipt(row: Row, end: int, known: Knowledge) -> Receipt:
    place = Place(row["received_at"], row["channel"], row["conversation_id"], row["message_id"])
    if _is_open(row, end, known):
        return Receipt(place, row["kind"], None, None, None, row["turn_of"], _waits(row, end, known))
    answer = (row["answered_at"], row["answered_by"], clocks_of(row))
    return Receipt(place, row["kind"], *answer, row["turn_of"], waits=False)


def _answered_after(row: Row, end: int, known: Knowledge) -> bool:
    """Whether an answer that is in the rollups came at or after the end."""
    answered_at = row["answered_at"]
    return answered_at is not None and answered_at >= end and known.holds(row["received_at"], row["answer_known_on"])


def _waits(row: Row, end: int, known: Knowledge) -> bool:
    """Whether a message was known and waited at the end, by itself."""
    is_open = _is_open(row, end, known)
    return is_open and not (row["first_received_at"] is not None and _is_open(row, end, known, "first_"))


def _is_open(row: Row, end: int, known: Knowledge, of: str = "") -> bool:
    """Whether a message was known, and no answer before the end was."""
    received_at = row[f"{of}received_at"]
    is_answered = known.holds(received_at, row[f"{of}answer_known_on"]) and row[f"{of}answered_at"] < end
    return known.holds(received_at, row[f"{of}known_on"]) and not is_answered


def _waiting(rows: Collection[Row], end: int, known: Knowledge) -> dict[str, list[int]]:
    waiting = [row for row in rows if _waits(row, end, known)]
    return {
        "messages": [row["received_at"] for row in waiting],
        "queries": [row["received_at"] for row in waiting if row["kind"] == "query"],
    }


def clocks_of(row: Row) -> Clocks:
    """The clocks of an answered receipt."""
    wall = row["answered_at"] - row["received_at"] if row["timed"] else None
    return Clocks(wall, row["business_s"], row["within_target"])


def answered(kind: str, clocks: Clocks, sign: int) -> Totals:
    """What one answer adds to the totals of the moment at which its message was received."""
    totals: Totals = {"messages_answered": sign}
    if kind in _ANSWERED:
        totals[_ANSWERED[kind]] = sign
    if clocks.wall is not None:
        totals["response_time"] = {bin_of(clocks.wall): sign}
        if kind == "query":
            totals["query_response_seconds"] = sign * clocks.wall
            totals["query_response_time"] = {bin_of(clocks.wall): sign}
    if clocks.business is not None:
        totals["answered_business"] = sign
        totals["response_time_business"] = {bin_of(clocks.business): sign}
        if kind == "query":
            totals["query_response_time_business"] = {bin_of(clocks.business): sign}
    if clocks.within_target:
        totals["answered_within_target"] = sign
    return totals


_ANSWERED = {"query": "queries_answered", "feedback": "feedback_answered"}


def _unanswer(row: Row) -> Undone:
    return Undone(row["received_at"], answered(row["kind"], clocks_of(row), -1))
