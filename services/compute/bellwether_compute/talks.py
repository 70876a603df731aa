"""What conversations contribute at the reception of their messages: how fast those were answered."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from bellwether.adapters.postgres.readings_receipts import answered
from bellwether.catalogue.cuts import cuts_by, cuts_of
from bellwether.wire.events import Event, MessageReceived, MessageSent, MessageSentData
from bellwether_compute.changes import Changes, Receipt
from bellwether_compute.conversations import Messages, Received, Sent, Standing
from bellwether_compute.groups import Groups
from bellwether_compute.state import BrandState, ConversationKey
from bellwether_compute.subjects import conversation_key
from bellwether_compute.taking import Taken

_AUTOMATIC_AGENT = "bot:"
_AUTOMATIC_LABEL = "auto"


class Talks:
    """Moves what conversations contribute when their answers change, once a run."""

    def __init__(self, fresh: Sequence[Taken]) -> None:
        self._recorded: dict[tuple[BrandState, ConversationKey], int] = {}
        for taken in fresh:
            if key := conversation_key(taken):
                recorded = taken.record.timestamp // 1000
                self._recorded[taken.brand, key] = max(recorded, self._recorded.get((taken.brand, key), 0))
                put_message(taken.brand.conversations[key].messages, taken.event, taken.time)

    def settle(self, groups: Groups, changes: Changes) -> None:
        """Take back what no longer holds of the receipts and add what holds now."""
        for (brand, key), recorded in self._recorded.items():
            conversation, known_on = brand.conversations[key], brand.clock.day(recorded)
            changes.conversations[brand, key] = conversation
            for message_id, was, now in conversation.settle(brand.brand.response_rules):
                for standing, sign in ((was, -1), (now, 1)):
                    if standing is not None:
                        cuts = cuts_in(key[0], standing.received)
                        changes.note(brand, cuts, recorded * 1000)
                        _move(brand, cuts, standing, sign, recorded, groups)
                earlier = changes.receipts.get((brand, key, message_id))
                changes.receipts[brand, key, message_id] = _receipt(now, known_on, earlier)


def put_message(messages: Messages, event: Event, moment: int) -> None:
    """Put a message into its conversation; other events have no place there."""
    if isinstance(event, MessageReceived):
        author = crc32(event.data.author.id.encode()) if event.data.author else 0
        received = Received(moment, event.data.kind, cuts_of(event.data)[2:], author)
        messages.receive(event.data.message_id, received)
    elif isinstance(event, MessageSent):
        messages.send(event.data.message_id, Sent(moment, event.data.in_reply_to, is_automatic(event.data)))


def is_automatic(data: MessageSentData) -> bool:
    """Whether a machine wrote a message of the brand, by what the event says."""
    return (data.agent or "").startswith(_AUTOMATIC_AGENT) or (data.labels or {}).get(_AUTOMATIC_LABEL) == "true"


def _move(
    brand: BrandState, cuts: tuple[str, ...], standing: Standing, sign: int, recorded: int, groups: Groups
) -> None:
    received = standing.received
    if standing.waits:
        brand.set_waiting(received.kind, cuts, received.at, waits=sign > 0)
    if standing.clocks:
        groups.of(brand, cuts, received.at, recorded).add(answered(received.kind, standing.clocks, sign))


def cuts_in(channel: str, received: Received) -> tuple[str, ...]:
    """The cuts that the receipt of a message counts in: those of the message."""
    return *cuts_by(channel), *received.cuts


def _receipt(now: Standing, known_on: int, earlier: Receipt | None) -> Receipt:
    """A receipt as of this run; what an earlier run of the batch told already was known then."""
    found = Receipt(now, known_on, known_on if now.answer else None)
    if earlier and earlier.standing.received == now.received:
        found = found._replace(known_on=earlier.known_on)
    if earlier and earlier.standing.answer == now.answer:
        found = found._replace(answer_known_on=earlier.answer_known_on)
    return found
