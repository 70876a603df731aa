"""Conversations: which message was answered when.

The answers of a conversation are a function of the set of its messages, so that they do not
depend on the order of arrival, also where an answer arrives before its message.
"""

from __future__ import annotations

import msgspec


class Received(msgspec.Struct, array_like=True, frozen=True):
    """A message to the brand: when it was received (UTC seconds) and of what kind it is.

    cuts: those it counts in besides the total and its channel
    """

    at: int
    kind: str
    cuts: tuple[str, ...] = ()


class Sent(msgspec.Struct, array_like=True, frozen=True):
    """A message of the brand, and the message it says it answers."""

    at: int
    in_reply_to: str | None = None


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """When a message was answered (UTC seconds, not before its reception) and by which."""

    at: int
    message_id: str


class Conversation(msgspec.Struct, array_like=True):
    """All messages of a conversation, by message id."""

    received: dict[str, Received] = {}
    sent: dict[str, Sent] = {}

    def receive(self, message_id: str, message: Received) -> None:
        """Take a message to the brand; of two with one id the earlier stands."""
        known = self.received.get(message_id)
        if known is None or (message.at, message.kind, message.cuts) < (known.at, known.kind, known.cuts):
            self.received[message_id] = message

    def send(self, message_id: str, message: Sent) -> None:
        """Take a message of the brand; of two with one id the earlier stands."""
        known = self.sent.get(message_id)
        if known is None or (message.at, message.in_reply_to or "") < (known.at, known.in_reply_to or ""):
            self.sent[message_id] = message

    def answers(self) -> dict[str, Answer]:
        """The first answer of every answered message.

        A message that says what it replies to answers that one alone (or nothing, where it
        replies to the brand's own or to a message that never came: a second part is no
        answer). One that does not say answers all that waited when it was sent.
        """
        found: dict[str, Answer] = {}
        unanswered = iter(sorted((message.at, message_id) for message_id, message in self.received.items()))
        waiting = next(unanswered, None)
        for message_id, sent in sorted(self.sent.items(), key=lambda pair: (pair[1].at, pair[0])):
            if (target := sent.in_reply_to) is not None:
                if target in self.received:
                    found.setdefault(target, Answer(max(sent.at, self.received[target].at), message_id))
                continue
            while waiting is not None and waiting[0] <= sent.at:
                found.setdefault(waiting[1], Answer(sent.at, message_id))
                waiting = next(unanswered, None)
        return found
