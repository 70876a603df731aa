"""Which message was answered when, from the set of messages: the oracle's part of the rules for conversations.

Of two messages under one id the earlier stands. A message of the brand that names what it replies to answers that
message and no other, and none at all where no such message was received; one that names nothing answers all that had
been received by then. The first answer counts, never earlier than the message itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

Message = tuple[str, int, dict[str, Any]]
"""`received` or `sent`, when, and the event's body."""


class Receipt(NamedTuple):
    """A message received and its first answer, moments in UTC seconds."""

    kind: str
    received_at: int
    answered_at: int | None
    answered_by: str | None

    def totals(self) -> Iterator[tuple[str, int]]:
        """What the answer adds at the moment of reception. A distribution is a measure per bin."""
        if self.answered_at is None:
            return
        seconds = self.answered_at - self.received_at
        yield "messages_answered", 1
        yield f"response_time[{_bin(seconds)}]", 1
        if self.kind == "query":
            yield "queries_answered", 1
            yield "query_response_seconds", seconds
            yield f"query_response_time[{_bin(seconds)}]", 1


def _bin(seconds: int) -> int:
    """The lower bound of the bin: eleven significant binary digits are kept."""
    step = 1
    while seconds >= 2048 * step:
        step *= 2
    return seconds - seconds % step


def receipts(messages: Iterable[Message]) -> dict[str, Receipt]:
    """The receipt of every message received, by message id."""
    received: dict[str, tuple[int, str]] = {}
    sent: dict[str, tuple[int, str | None]] = {}
    for direction, moment, data in messages:
        message_id = data["message_id"]
        if direction == "received":
            told = (moment, data.get("kind", "direct"))
            received[message_id] = min(told, received.get(message_id, told))
        elif message_id not in sent or moment < sent[message_id][0]:
            sent[message_id] = (moment, data.get("in_reply_to"))
    return {
        message_id: Receipt(kind, at, *_first_answer(message_id, at, sent))
        for message_id, (at, kind) in received.items()
    }


def _first_answer(
    message_id: str, received_at: int, sent: dict[str, tuple[int, str | None]]
) -> tuple[int, str] | tuple[None, None]:
    answers = [
        (moment, sent_id)
        for sent_id, (moment, reply_to) in sent.items()
        if reply_to == message_id or (reply_to is None and received_at <= moment)
    ]
    if not answers:
        return None, None
    moment, sent_id = min(answers)
    return max(moment, received_at), sent_id
