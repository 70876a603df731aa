"""The union of all events, its decoder, and what is wrong with an input that it refuses."""

import re
from collections.abc import Iterable
from typing import Final, TypeAlias, get_args

import msgspec

from bellwether.wire.events.audience import (
    AudienceJoined,
    AudienceLeft,
    AudienceSnapshot,
    CommunityVisit,
    WebSession,
)
from bellwether.wire.events.commerce import (
    AdsDelivery,
    Collaboration,
    Conversion,
    Cost,
    CurrencyRate,
    LeadCreated,
    LeadQualified,
    SearchInterest,
)
from bellwether.wire.events.content import (
    ContentDeleted,
    ContentEdited,
    ContentMetrics,
    ContentPublished,
    Interaction,
    Mention,
)
from bellwether.wire.events.control import AccountRevoked, Erasure
from bellwether.wire.events.conversation import MessageReceived, MessageSent
from bellwether.wire.events.envelope import Envelope
from bellwether.wire.events.reputation import (
    Activity,
    Assessment,
    Conflict,
    CrisisIncident,
    Moderation,
    SurveyResponse,
)

Event: TypeAlias = (
    ContentPublished
    | ContentEdited
    | ContentDeleted
    | ContentMetrics
    | Interaction
    | Mention
    | MessageReceived
    | MessageSent
    | AudienceSnapshot
    | AudienceJoined
    | AudienceLeft
    | CommunityVisit
    | WebSession
    | LeadCreated
    | LeadQualified
    | Conversion
    | AdsDelivery
    | Cost
    | CurrencyRate
    | Collaboration
    | CrisisIncident
    | Conflict
    | Moderation
    | SurveyResponse
    | Assessment
    | Activity
    | Erasure
    | AccountRevoked
    | SearchInterest
)


def type_name(event: Envelope | type[Envelope]) -> str:
    """The value of the attribute `type`, for example social.mention.v1."""
    return str(event.__struct_config__.tag)


EVENT_TYPES: Final[dict[str, type[Envelope]]] = {type_name(event): event for event in get_args(Event)}
"""Every type that this version knows, by its name on the wire."""

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that decoding bytes from outside can raise. `explain` puts each of them into words."""

_event = msgspec.json.Decoder[Event](Event)
_encoder = msgspec.json.Encoder()


def decode_event(raw: bytes) -> Event:
    """The event in this JSON document. Unknown fields are ignored, of equal keys the last wins.

    Raises one of UNREADABLE when it is no JSON or no event. Ask `strict.fault` first: msgspec lets some
    through that PostgreSQL would choke on.
    """
    event: Event = _event.decode(raw)
    return event


def decode_events(raws: Iterable[bytes]) -> list[Event]:
    """The events in these documents, in order. Raises one of UNREADABLE at the first bad one.

    Joining them to one array is not faster, and would take two halves of a document for a whole one.
    """
    return list(map(_event.decode, raws))


def encode_event(event: Envelope) -> bytes:
    """The event as JSON in structured mode, without the fields that have their default."""
    return _encoder.encode(event)


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong and where: a JSON pointer (RFC 6901, "" for the whole document), and words."""

    pointer: str
    detail: str


# msgspec ends a message with " - at `$[2].data.brand`", and for the key of a mapping with "`key` in `$.…`".
_LOCATED = re.compile(r"(?P<detail>.*) - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_OWN_FIELD = re.compile(r"`(?P<field>[\w.]+)`: (?P<detail>.*)", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")
_INVALID = re.compile(r"Invalid (?:enum )?value (?P<value>.*)", re.DOTALL)
_VERSIONED = re.compile(r"'(?P<stem>[a-z.]+)\.v\d+'")


def explain(error: Exception) -> list[FieldError]:
    """What one of UNREADABLE says about the input, for a person and for a program.

    The decoder stops at the first fault, so the list has one element. It repeats no value of the input.
    """
    if isinstance(error, RecursionError):
        return [FieldError("", "nested too deeply")]
    if isinstance(error, UnicodeDecodeError):
        return [FieldError("", "not UTF-8")]
    located = _LOCATED.fullmatch(str(error))
    if located is None:
        return [_field_error("", str(error))]
    detail = f"key: {located['detail']}" if located["key"] else located["detail"]
    return [_field_error(_pointer(located["path"]), detail)]


def _pointer(path: str) -> str:
    """`[2].data.labels[...]` becomes /2/data/labels: msgspec does not tell the key in a mapping."""
    return "".join(f"/{name or index}" for name, index in _STEP.findall(path))


def _field_error(pointer: str, message: str) -> FieldError:
    """Lengthen the pointer by the field that the message names, and drop the input's value from it."""
    if own := _OWN_FIELD.fullmatch(message):
        return FieldError(f"{pointer}/{own['field'].replace('.', '/')}", own["detail"])
    if missing := _MISSING.fullmatch(message):
        return FieldError(f"{pointer}/{missing['field']}", "is required")
    if invalid := _INVALID.fullmatch(message):
        return FieldError(pointer, _not_allowed(pointer, invalid["value"]))
    return FieldError(pointer, message)


def _not_allowed(pointer: str, value: str) -> str:
    """Say what is allowed in the place of a value outside a closed list."""
    if pointer.rpartition("/")[2] != "type":
        return "is not one of the values allowed here"
    versioned = _VERSIONED.fullmatch(value)
    stem = versioned["stem"] if versioned else ""
    if known := [name for name in EVENT_TYPES if name.rpartition(".")[0] == stem]:
        return f"this version of {stem} is not known; known is {', '.join(known)}"
    return f"is not a known event type; known are {', '.join(EVENT_TYPES)}"
