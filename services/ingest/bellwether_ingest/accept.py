"""What becomes of a body: records for Kafka, and a problem for each event that is none. Pure: bytes in, values out.

The bytes of an accepted event go on as they came. A batch is split once and decoded once; only when something in it
is bad is every event looked at by itself.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from bellwether.adapters.http.problems import Problem, problem_of
from bellwether.domain.errors import (
    BellwetherError,
    Fault,
    Invalid,
    Malformed,
    NotFound,
    TooLarge,
    UnknownBrand,
)
from bellwether.wire.events import UNREADABLE, Event, decode_event, decode_events, explain, misplaced, surely_placed
from bellwether.wire.strict import fault, is_sound
from bellwether.wire.topics import event_key
from bellwether_ingest.media import Mode, RawHeaders, envelope

_WHITESPACE: Final = b" \t\r\n"
_VALUES_PER_EVENT: Final = 64  # so many commas an event may have on average, before a body is called too large
_MOST_FAULTS: Final = 100  # of a batch that is bad as a whole; the rest is more of the same

_raws = msgspec.json.Decoder(list[msgspec.Raw])
_raw = msgspec.json.Decoder(msgspec.Raw)


class Door(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the judgement depends on besides the bytes: whose key, which brands it may write, when, how much."""

    tenant: str
    may_write: Callable[[str], bool]
    received_at: datetime
    max_events: int = 10_000
    max_event_bytes: int = 512 * 1024


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """An accepted event: its place in the request, from 0, and its id."""

    index: int
    id: str


class Rejection(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A refused event of a batch. Pointers are into the request's body; of NDJSON, as if its lines were an array."""

    index: int
    id: str | None = None
    problem: Problem


class Decision(msgspec.Struct, gc=False):
    """What is to be written, what to be told. `records`: values by Kafka key, in the order of the request."""

    records: dict[bytes, list[bytes]] = {}
    receipts: list[Receipt] = []
    rejected: list[Rejection] = []
    errors: list[BellwetherError] = []
    is_batch: bool = False

    @property
    def names_unknown_brands(self) -> bool:
        """Whether a fresher directory might decide otherwise."""
        return bool(self.errors) and any(isinstance(error, UnknownBrand) for error in self.errors)


def accept(body: bytes, mode: Mode, headers: RawHeaders, door: Door) -> Decision:
    """Judge a body. Raises Malformed, Invalid or TooLarge where it cannot even be split into events."""
    if mode is Mode.JSON:
        mode = Mode.BATCH if body.lstrip(_WHITESPACE)[:1] == b"[" else Mode.STRUCTURED
    raws, whole = _split(body, mode, headers, door)
    is_batch = mode is Mode.BATCH or mode is Mode.LINES
    sorting = _Sorting(door, is_batch=is_batch)
    events = _decode_all(raws, body if is_batch else raws[0], door) if whole else None
    if events is None:
        sorting.one_by_one(raws)
    else:
        sorting.all(raws, events)
    return sorting.decision


def verdict(decision: Decision, *, atomic: bool) -> None:
    """Raise the one problem of a request of which nothing is to be written; return where something is.

    A single event speaks for itself; a batch is refused as a whole when all of it is bad, or any if `atomic`.
    """
    if not decision.errors:
        return
    if not decision.is_batch:
        raise decision.errors[0]
    kind = Malformed if atomic else _common(decision.errors)
    if atomic or not decision.receipts:
        some = f"{len(decision.errors)} of {len(decision.errors) + len(decision.receipts)} events are bad"
        raise kind(f"{some}; none was accepted.", faults=_faults(decision.errors))


def _common(errors: Sequence[BellwetherError]) -> type[BellwetherError]:
    """The kind of refusal that all share, else the general one."""
    kinds = {type(error) for error in errors}
    return kinds.pop() if len(kinds) == 1 else Invalid


def _faults(errors: Sequence[BellwetherError]) -> tuple[Fault, ...]:
    return tuple(one for error in errors[:_MOST_FAULTS] for one in error.faults)


def _split(body: bytes, mode: Mode, headers: RawHeaders, door: Door) -> tuple[Sequence[bytes], bool]:
    """The events' bytes, and whether each is known to be one whole JSON document."""
    if body.count(b",") > _VALUES_PER_EVENT * door.max_events:
        raise TooLarge(f"At most {door.max_events} events in one request.")
    try:
        match mode:
            case Mode.BATCH:
                raws, whole = _split_array(body), True
            case Mode.LINES:
                raws, whole = _split_lines(body)
            case Mode.BINARY:
                raws, whole = [envelope(headers, body)], True
            case _:
                raws, whole = [body.strip(_WHITESPACE)], True
    except UNREADABLE as error:
        raise refusal(error) from error
    if len(raws) > door.max_events:
        raise TooLarge(f"{len(raws)} events; at most {door.max_events} in one request.")
    return raws, whole


def _split_array(body: bytes) -> list[bytes]:
    try:
        return list(map(bytes, _raws.decode(body)))
    except msgspec.DecodeError:
        # One event with half a surrogate pair or a NaN spoils the array for msgspec, but not its neighbours for us.
        by_hand = _split_by_hand(body)
        if by_hand is None:
            raise
        return by_hand


def _split_by_hand(body: bytes) -> list[bytes] | None:
    """Split an array with the lenient parser of the standard library; None when it is no array for that either."""
    text, parts = body.decode("latin-1"), []  # one character a byte: positions are the same
    skip, read = json.decoder.WHITESPACE.match, json.JSONDecoder().raw_decode  # type: ignore[attr-defined]
    position = skip(text, 0).end()
    opening = "["
    while text[position : position + 1] == opening:
        start = skip(text, position + 1).end()
        try:
            _, end = read(text, start)
        except ValueError:
            return None
        parts.append(body[start:end])
        position, opening = skip(text, end).end(), ","
    is_closed = parts and text[position : position + 1] == "]" and not text[position + 1 :].strip()
    return parts if is_closed else None


def _split_lines(body: bytes) -> tuple[list[bytes], bool]:
    """NDJSON, blank lines left out. Lines are whole documents if every single one is, by itself."""
    lines = [line for line in map(_trim, body.split(b"\n")) if line]
    try:
        for line in lines:
            _raw.decode(line)
    except UNREADABLE:
        return lines, False
    return lines, True


def _trim(line: bytes) -> bytes:
    return line.strip(_WHITESPACE)


def _decode_all(raws: Sequence[bytes], whole: bytes, door: Door) -> list[Event] | None:
    """All events of a whole at once, None if any is bad: then each is to be looked at."""
    if not is_sound(raws, whole) or max(map(len, raws), default=0) > door.max_event_bytes:
        return None
    try:
        return decode_events(raws)
    except UNREADABLE:
        return None


def refusal(error: Exception, prefix: str = "") -> BellwetherError:
    """What cannot be decoded, as a refusal: unreadable bytes are Malformed, wrong values Invalid."""
    faults = tuple(Fault(prefix + one.pointer, one.detail) for one in explain(error))
    if isinstance(error, RecursionError):
        return TooLarge("Nested too deeply.", faults=faults)
    if isinstance(error, msgspec.ValidationError):
        return Invalid("Not a valid event.", faults=faults)
    return Malformed("Not readable as JSON in UTF-8.", faults=faults)


def _strict_refusal(said: str, pointer: str) -> BellwetherError:
    faults = (Fault(pointer, said),)
    if said.startswith("nested"):
        return TooLarge("Nested too deeply.", faults=faults)
    if "UTF-8" in said or "byte order mark" in said:
        return Malformed("Not readable as JSON in UTF-8.", faults=faults)
    return Invalid("Not a valid event.", faults=faults)


class _Named(msgspec.Struct):
    id: str | None = None


_named = msgspec.json.Decoder(_Named)


def _id_of(raw: bytes) -> str | None:
    """The id of an event that is bad for another reason, as far as it can be told."""
    try:
        found = _named.decode(raw).id
    except UNREADABLE:
        return None
    return found if found is not None and len(found) <= 256 else None  # noqa: PLR2004 - the longest legal id


class _Sorting:
    """Sorts decoded events into records and rejections."""

    def __init__(self, door: Door, *, is_batch: bool) -> None:
        self.decision = Decision(is_batch=is_batch)
        self._door = door
        self._by_brand: dict[str, list[bytes] | None] = {}

    def all(self, raws: Sequence[bytes], events: Iterable[Event]) -> None:
        """Sort events that were decoded together."""
        values_of, receive = self._by_brand.get, self.decision.receipts.append
        is_placed = surely_placed(self._door.received_at)
        for index, (raw, event) in enumerate(zip(raws, events, strict=True)):
            values = values_of(event.data.brand)
            if values is None:
                values = self._values_of(event.data.brand)
            if values is not None and is_placed(event):
                values.append(raw)
                receive(Receipt(index, event.id))
            else:
                self._admit(index, raw, event)

    def one_by_one(self, raws: Sequence[bytes]) -> None:
        """Decode each event by itself and say of each bad one what is wrong with it."""
        for index, raw in enumerate(raws):
            error = self._look(index, raw)
            if error is not None:
                self._reject(index, _id_of(raw), error)

    def _look(self, index: int, raw: bytes) -> BellwetherError | None:
        pointer = self._pointer(index)
        if len(raw) > self._door.max_event_bytes:
            said = f"{len(raw)} bytes; at most {self._door.max_event_bytes} in one event"
            return TooLarge("The event is too large.", faults=(Fault(pointer, said),))
        if (said_strictly := fault(raw)) is not None:
            return _strict_refusal(said_strictly, pointer)
        try:
            self._admit(index, raw, decode_event(raw))
        except UNREADABLE as error:
            return refusal(error, pointer)
        return None

    def _admit(self, index: int, raw: bytes, event: Event) -> None:
        values = self._values_of(event.data.brand)
        wrong = misplaced(event, self._door.received_at)
        if values is None:
            faults = (Fault(f"{self._pointer(index)}/data/brand", "no such brand"),)
            self._reject(index, event.id, UnknownBrand("No such brand for this key.", faults=faults))
        elif wrong is not None:
            faults = (Fault(f"{self._pointer(index)}{wrong.pointer}", wrong.detail),)
            self._reject(index, event.id, Invalid("Not a valid event.", faults=faults))
        else:
            values.append(raw)
            self.decision.receipts.append(Receipt(index, event.id))

    def _values_of(self, brand: str) -> list[bytes] | None:
        """Where the brand's records gather, None if it is not the caller's."""
        try:
            return self._by_brand[brand]
        except KeyError:
            values: list[bytes] | None = None
            if self._door.may_write(brand):
                values = self.decision.records[event_key(self._door.tenant, brand)] = []
            self._by_brand[brand] = values
            return values

    def _reject(self, index: int, event_id: str | None, error: BellwetherError) -> None:
        self.decision.errors.append(error)
        self.decision.rejected.append(Rejection(index=index, id=event_id, problem=problem_of(error)))

    def _pointer(self, index: int) -> str:
        return f"/{index}" if self.decision.is_batch else ""


def reason_of(error: BellwetherError) -> str:
    """The metric label of a refusal, from a closed set."""
    if isinstance(error, NotFound):
        return "unknown_brand"
    if isinstance(error, TooLarge):
        return "too_deep" if "deep" in error.detail else "too_large"
    return "malformed" if isinstance(error, Malformed) else "invalid"
