"""What conversations contribute at the reception of their messages: how fast those were answered."""

from __future__ import annotations

from collections.abc import Sequence

from bellwether.adapters.postgres.readings_receipts import answered
from bellwether.catalogue.cuts import cuts_by, cuts_of
from bellwether.wire.events import MessageReceived, MessageSent
from bellwether_compute.changes import Changes, Receipt
from bellwether_compute.conversations import Answer, Conversation, Received, Sent
from bellwether_compute.groups import Groups, place_of
from bellwether_compute.state import BrandState, ConversationKey
from bellwether_compute.subjects import conversation_key
from bellwether_compute.taking import Taken


class Talks:
    """Moves what conversations contribute when their answers change, once a run."""

    def __init__(self, fresh: Sequence[Taken]) -> None:
        self._before: dict[tuple[BrandState, ConversationKey], dict[str, tuple[Received, Answer | None]]] = {}
        self._recorded: dict[tuple[BrandState, ConversationKey], int] = {}
        for taken in fresh:
            if key := conversation_key(taken):
                talk = (taken.brand, key)
                if talk not in self._before:
                    self._before[talk] = _receipts(taken.brand.conversations[key])
                recorded = taken.record.timestamp // 1000
                self._recorded[talk] = max(recorded, self._recorded.get(talk, 0))

    def take(self, taken: Taken) -> None:
        """Put a message into its conversation."""
        event, key = taken.event, conversation_key(taken)
        if key is None:
            return
        conversation = taken.brand.conversations[key]
        if isinstance(event, MessageReceived):
            received = Received(taken.time, event.data.kind, cuts_of(event.data)[2:])
            conversation.receive(event.data.message_id, received)
        elif isinstance(event, MessageSent):
            conversation.send(event.data.message_id, Sent(taken.time, event.data.in_reply_to))

    def settle(self, groups: Groups, changes: Changes) -> None:
        """Take back what no longer holds of the receipts and add what holds now."""
        for (brand, key), before in self._before.items():
            conversation = brand.conversations[key]
            after = _receipts(conversation)
            changes.conversations[brand, key] = conversation
            for message_id in after:
                was, now = before.get(message_id), after[message_id]
                if was != now:
                    self._move(brand, key, was, now, groups)
                    for received, _ in filter(None, (was, now)):
                        changes.note(brand, cuts_in(key[0], received), self._recorded[brand, key] * 1000)
                    known_on = brand.clock.day(self._recorded[brand, key])
                    earlier = changes.receipts.get((brand, key, message_id))
                    changes.receipts[brand, key, message_id] = _receipt(now, known_on, earlier)

    def _move(
        self,
        brand: BrandState,
        key: ConversationKey,
        was: tuple[Received, Answer | None] | None,
        now: tuple[Received, Answer | None],
        groups: Groups,
    ) -> None:
        for receipt, sign in ((was, -1), (now, 1)):
            if receipt is None:
                continue
            received, answer = receipt
            cuts = cuts_in(key[0], received)
            if answer is None:
                brand.set_waiting(received.kind, cuts, received.at, waits=sign > 0)
            else:
                place = place_of(brand, cuts, received.at, self._recorded[brand, key])
                groups.at(place).add(answered(received.kind, answer.at - received.at, sign))


def cuts_in(channel: str, received: Received) -> tuple[str, ...]:
    """The cuts that the receipt of a message counts in: those of the message."""
    return *cuts_by(channel), *received.cuts


def _receipt(now: tuple[Received, Answer | None], known_on: int, earlier: Receipt | None) -> Receipt:
    """A receipt as of this run; what an earlier run of the batch told already was known then."""
    received, answer = now
    found = Receipt(received, known_on, answer, known_on if answer else None)
    if earlier and earlier.received == received:
        found = found._replace(known_on=earlier.known_on)
    if earlier and earlier.answer == answer:
        found = found._replace(answer_known_on=earlier.answer_known_on)
    return found


def _receipts(conversation: Conversation) -> dict[str, tuple[Received, Answer | None]]:
    answers = conversation.answers()
    return {mid: (message, answers.get(mid)) for mid, message in conversation.received.items()}
