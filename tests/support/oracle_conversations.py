"""Which message was answered when, from the set of messages: the oracle's part of the rules for conversations.

Of two messages under one id the earlier stands. What a machine wrote answers nothing. A message of the brand that names
what it replies to answers that message and no other, and none at all where no such message was received; one that names
nothing answers all that had been received by then, but within a week. The first answer counts, never earlier than the
message itself.

A message whose author had written another of its kind within a week before, still unanswered, belongs to the turn of
that one. Where one answer is that of a message and of the first of its turn, only the first has a response time.

Brands of the oracle are always open, so that both clocks agree, and want an answer within the hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

Message = tuple[str, int, dict[str, Any]]
"""`received` or `sent`, when, and the event's body."""
Answer = tuple[int, str]

_WEEK = 604_800
_HOUR = 3_600


class Receipt(NamedTuple):
    """A message received and its first answer, moments in UTC seconds; whether that adds a response time."""

    kind: str
    received_at: int
    answered_at: int | None
    answered_by: str | None
    is_timed: bool = True

    def totals(self) -> Iterator[tuple[str, int]]:
        """What the answer adds at the moment of reception. A distribution is a measure per bin."""
        if self.answered_at is None:
            return
        yield "messages_answered", 1
        if self.kind in ("query", "feedback"):
            yield ("queries_answered" if self.kind == "query" else "feedback_answered"), 1
        if self.is_timed:
            yield from self._times(self.answered_at - self.received_at)

    def _times(self, seconds: int) -> Iterator[tuple[str, int]]:
        yield "answered_business", 1
        if seconds <= _HOUR:
            yield "answered_within_target", 1
        for clock in ("", "_business"):
            yield f"response_time{clock}[{bin_name(seconds)}]", 1
            if self.kind == "query":
                yield f"query_response_time{clock}[{bin_name(seconds)}]", 1
        if self.kind == "query":
            yield "query_response_seconds", seconds


def bin_name(seconds: int) -> int:
    """The lower bound of the bin: eleven significant binary digits are kept."""
    step = 1
    while seconds >= 2048 * step:
        step *= 2
    return seconds - seconds % step


class _Received(NamedTuple):
    moment: int
    kind: str
    author: str


class _Sent(NamedTuple):
    moment: int
    reply_to: str
    by_machine: bool


def receipts(messages: Iterable[Message]) -> dict[str, Receipt]:
    """The receipt of every message received, by message id."""
    received: dict[str, _Received] = {}
    sent: dict[str, _Sent] = {}
    for direction, moment, data in messages:
        message_id = data["message_id"]
        if direction == "received":
            told = _Received(moment, data.get("kind", "direct"), (data.get("author") or {}).get("id", ""))
            received[message_id] = min(told, received.get(message_id, told))
        else:
            answer = _Sent(moment, data.get("in_reply_to") or "", _is_by_machine(data))
            sent[message_id] = min(answer, sent.get(message_id, answer))
    return _Talk(received, sent).receipts()


def _is_by_machine(data: dict[str, Any]) -> bool:
    return str(data.get("agent")).startswith("bot:") or data.get("labels", {}).get("auto") == "true"


class _Talk:
    def __init__(self, received: dict[str, _Received], sent: dict[str, _Sent]) -> None:
        self._received = received
        self._answers = {message_id: _first_answer(message_id, m.moment, sent) for message_id, m in received.items()}
        self._firsts: dict[str, str] = {}

    def receipts(self) -> dict[str, Receipt]:
        return {message_id: self._receipt(message_id) for message_id in self._received}

    def _receipt(self, message_id: str) -> Receipt:
        message, answer = self._received[message_id], self._answers[message_id]
        first = self._first_of_turn(message_id)
        is_timed = answer is None or first == message_id or self._answers[first] != answer
        moment, by = answer or (None, None)
        return Receipt(message.kind, message.moment, moment, by, is_timed)

    def _first_of_turn(self, message_id: str) -> str:
        if message_id not in self._firsts:
            self._firsts[message_id] = self._find_first(message_id)
        return self._firsts[message_id]

    def _find_first(self, message_id: str) -> str:
        message = self._received[message_id]
        earlier = [
            (other.moment, other_id)
            for other_id, other in self._received.items()
            if other[1:] == message[1:] and (other.moment, other_id) < (message.moment, message_id)
        ]
        if not earlier:
            return message_id
        moment, before = max(earlier)
        if message.moment - moment > _WEEK or self._is_answered(before, message.moment):
            return message_id
        first = self._first_of_turn(before)
        return before if self._is_answered(first, message.moment) else first

    def _is_answered(self, message_id: str, before: int) -> bool:
        answer = self._answers[message_id]
        return answer is not None and answer[0] < before


def _first_answer(message_id: str, received_at: int, sent: dict[str, _Sent]) -> Answer | None:
    answers = [
        (max(reply.moment, received_at), reply.moment, sent_id)
        for sent_id, reply in sent.items()
        if not reply.by_machine
        and (reply.reply_to == message_id or (not reply.reply_to and 0 <= reply.moment - received_at <= _WEEK))
    ]
    if not answers:
        return None
    moment, _, sent_id = min(answers, key=lambda answer: answer[1:])
    return moment, sent_id
