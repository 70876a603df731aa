"""Messages between people and the brand, whose pairs give the response times."""

from typing import Annotated, Literal

from msgspec import Meta

from bellwether.wire.events.envelope import Body, Envelope
from bellwether.wire.events.fields import Identifier, Language, Sentiment, Text

MessageKind = Literal["query", "complaint", "feedback", "comment", "direct"]


class MessageData(Body, frozen=True, gc=False, kw_only=True):
    """One message of one conversation: a direct and private one unless it says otherwise."""

    conversation_id: Identifier
    message_id: Identifier
    in_reply_to: Identifier | None = None
    kind: MessageKind = "direct"
    public: bool = False
    text: Text | None = None
    agent: (
        Annotated[Identifier, Meta(description="Who answers for the brand. A machine's begins with `bot:`.")] | None
    ) = None
    sentiment: Sentiment | None = None
    language: Language | None = None


class MessageReceivedData(MessageData, frozen=True, gc=False, kw_only=True):
    """Somebody wrote to the brand."""


class MessageSentData(MessageData, frozen=True, gc=False, kw_only=True):
    """The brand wrote to somebody."""


class MessageReceived(Envelope, frozen=True, gc=False, kw_only=True, tag="social.message.received.v1"):
    """Somebody wrote to the brand: the clock of the response time starts."""

    data: MessageReceivedData


class MessageSent(Envelope, frozen=True, gc=False, kw_only=True, tag="social.message.sent.v1"):
    """The brand wrote to somebody: the first one of a person after a received message stops its clock.

    What a machine wrote does not: `agent` then begins with `bot:`, or `labels` has `auto` = `true`. One with
    `in_reply_to` answers that message alone; without it all that wait, as far back as the brand's thread gap.
    """

    data: MessageSentData
