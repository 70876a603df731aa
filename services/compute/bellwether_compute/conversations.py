"""Conversations: which message was answered when, and what the clocks show for it.

The receipts of a conversation are a function of the set of its messages, so that they do not
depend on the order of arrival, also where an answer arrives before its message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from bellwether.domain.response_times import Clocks, ResponseRules


class Received(msgspec.Struct, array_like=True, frozen=True, order=True):
    """A message to the brand: when it was received (UTC seconds) and of what kind it is.

    cuts: those it counts in besides the total and its channel
    author: tells the authors of a conversation apart, 0 for one who is not named
    """

    at: int
    kind: str
    cuts: tuple[str, ...] = ()
    author: int = 0


class Sent(msgspec.Struct, array_like=True, frozen=True):
    """A message of the brand, and the message it says it answers. A machine's answers nothing."""

    at: int
    in_reply_to: str | None = None
    is_automatic: bool = False


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """When a message was answered (UTC seconds, not before its reception) and by which."""

    at: int
    message_id: str


class Standing(NamedTuple):
    """How a message stands: its answer, and what that adds.

    turn_of: the message with which its turn began, None if itself
    waits: nobody has answered it, and it does not wait along with the first of its turn
    clocks: None while unanswered
    """

    received: Received
    answer: Answer | None = None
    turn_of: str | None = None
    waits: bool = True
    clocks: Clocks | None = None


class Messages(msgspec.Struct, array_like=True):
    """All messages of a conversation, by message id."""

    received: dict[str, Received] = {}
    sent: dict[str, Sent] = {}

    def receive(self, message_id: str, message: Received) -> None:
        """Take a message to the brand; of two with one id the earlier stands."""
        known = self.received.get(message_id)
        if known is None or message < known:
            self.received[message_id] = message

    def send(self, message_id: str, message: Sent) -> None:
        """Take a message of the brand; of two with one id the earlier stands."""
        known = self.sent.get(message_id)
        if known is None or _order(message) < _order(known):
            self.sent[message_id] = message

    def answers(self, gap_s: int) -> dict[str, Answer]:
        """The first answer of every answered message, by a person.

        A message that says what it replies to answers that one alone (or nothing, where it
        replies to the brand's own or to a message that never came: a second part is no
        answer). One that does not say answers all that waited when it was sent, but none
        that was received more than `gap_s` before.
        """
        found: dict[str, Answer] = {}
        unanswered = iter(sorted((message.at, message_id) for message_id, message in self.received.items()))
        waiting = next(unanswered, None)
        for message_id, sent in sorted(self.sent.items(), key=lambda pair: (pair[1].at, pair[0])):
            if sent.is_automatic:
                continue
            if (target := sent.in_reply_to) is not None:
                if target in self.received:
                    found.setdefault(target, Answer(max(sent.at, self.received[target].at), message_id))
                continue
            while waiting is not None and waiting[0] <= sent.at:
                if sent.at - waiting[0] <= gap_s:
                    found.setdefault(waiting[1], Answer(sent.at, message_id))
                waiting = next(unanswered, None)
        return found

    def turns(self, answers: Mapping[str, Answer], gap_s: int) -> dict[str, str]:
        """The first message of the turn of every message that continues one.

        A message continues the turn of its author's message of the same kind before it if
        that one was unanswered when it came and is no more than `gap_s` older.
        """
        found: dict[str, str] = {}
        last: dict[tuple[int, str], str] = {}
        for message_id, message in sorted(self.received.items(), key=lambda pair: (pair[1].at, pair[0])):
            before = last.get((message.author, message.kind))
            last[message.author, message.kind] = message_id
            if before is None or message.at - self.received[before].at > gap_s:
                continue
            if not _is_answered_before(answers.get(before), message.at):
                first = found.get(before, before)
                found[message_id] = before if _is_answered_before(answers.get(first), message.at) else first
        return found


class Conversation:
    """The messages of a conversation, and how each of those received stood when it was last settled."""

    __slots__ = ("messages", "standings")

    def __init__(self, messages: Messages | None = None) -> None:
        self.messages = messages or Messages()
        self.standings: dict[str, Standing] = {}

    def settle(self, rules: ResponseRules) -> Iterator[tuple[str, Standing | None, Standing]]:
        """The messages that stand otherwise than before: by id, how they stood and how they stand.

        What an answer took was told by the rules of its time: it stays while the answer does.
        """
        before, self.standings = self.standings, standings(self.messages, rules, self.standings)
        for message_id, now in self.standings.items():
            if (was := before.get(message_id)) != now:
                yield message_id, was, now


def _order(message: Sent) -> tuple[int, str, bool]:
    return message.at, message.in_reply_to or "", message.is_automatic


def _is_answered_before(answer: Answer | None, moment: int) -> bool:
    return answer is not None and answer.at < moment


def standings(messages: Messages, rules: ResponseRules, before: Mapping[str, Standing]) -> dict[str, Standing]:
    """How every message received stands by the rules, by id; `before`: how they stood when last settled."""
    answers = messages.answers(rules.thread_gap_s)
    turns = messages.turns(answers, rules.thread_gap_s)
    return {
        message_id: _standing(message_id, messages, rules, answers, turns, before.get(message_id))
        for message_id in messages.received
    }


def _standing(
    message_id: str,
    messages: Messages,
    rules: ResponseRules,
    answers: Mapping[str, Answer],
    turns: Mapping[str, str],
    was: Standing | None,
) -> Standing:
    received, answer, turn_of = messages.received[message_id], answers.get(message_id), turns.get(message_id)
    if answer is None:
        return Standing(received, None, turn_of, turn_of is None or turn_of in answers)
    if turn_of is not None and answers.get(turn_of) == answer:
        clocks = Clocks()  # one answer to a turn is one response time: that of its first message
    elif was and was.clocks and was.clocks.wall is not None and (was.received.at, was.answer) == (received.at, answer):
        clocks = was.clocks
    else:
        clocks = rules.clocks(received.at, answer.at)
    return Standing(received, answer, turn_of, False, clocks)
