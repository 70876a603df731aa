"""From records of the log to events of known brands; what cannot be used is left out with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from bellwether.adapters.kafka.log_reader import Record
from bellwether.wire.events import (
    UNREADABLE,
    Event,
    decode_event,
    decode_events,
    explain,
    misplaced,
    surely_placed,
)
from bellwether.wire.strict import fault, is_sound
from bellwether_compute.state import BrandState


class Reason(StrEnum):
    """Why a record is in quarantine. A closed set, since it is also a metric label."""

    EMPTY = "empty"
    MALFORMED = "malformed"
    INVALID = "invalid"
    UNKNOWN_BRAND = "unknown_brand"
    WRONG_KEY = "wrong_key"
    WRONG_TIME = "wrong_time"
    CONFLICTING = "conflicting"
    """Its identity was counted before, with another body."""
    UNWRITABLE = "unwritable"
    """Postgres refuses what it folds into."""


class LeftOut(NamedTuple):
    """A record for the quarantine."""

    record: Record
    reason: Reason
    detail: str
    tenant_id: int | None


class Taken(NamedTuple):
    """An event with the state of its brand; `time` is when it happened, in UTC seconds.

    What a clock ahead of ours dates later than the intake took it happened when it was taken:
    no value that is kept may hang on what is yet to come.
    """

    record: Record
    brand: BrandState
    event: Event
    time: int


class Unsound(Exception):
    """Bytes with a fault that a decoder forgives."""


FindBrand = Callable[[bytes], BrandState | None]
Read = Event | Exception
"""What a record says, or what is wrong with its bytes. It follows from those alone."""


def read(records: Sequence[Record]) -> list[Read]:
    """What records say, in order."""
    raws = [record.value or b"" for record in records]
    # One look at all of them: by far the most have no fault.
    return _decode(raws) if is_sound(raws, b"\n".join(raws)) else [_decode_one(raw) for raw in raws]


def take(
    records: Sequence[Record], find_brand: FindBrand, condemned: Iterable[int] = (), ahead: Sequence[Read] = ()
) -> tuple[list[Taken], list[LeftOut]]:
    """Decode records of one partition and find their brands.

    condemned: offsets of records that Postgres refused
    ahead: what the first of the records say, where they were read before
    """
    refused, left_out = set(condemned), list[LeftOut]()
    usable: list[tuple[Record, BrandState, Read]] = []
    for record, said in zip(records, [*ahead, *read(records[len(ahead) :])], strict=True):
        brand = find_brand(record.key) if record.key else None
        if problem := _unusable(record, brand, refused):
            left_out.append(LeftOut(record, *problem, brand.brand.tenant_id if brand else None))
        elif brand is not None:
            usable.append((record, brand, said))
    return _place(usable, left_out), left_out


def _unusable(record: Record, brand: BrandState | None, refused: set[int]) -> tuple[Reason, str] | None:
    if record.offset in refused:
        return Reason.UNWRITABLE, "Postgres refuses what this record folds into"
    if not record.value:
        return Reason.EMPTY, "the record has no value"
    if brand is None:
        return Reason.UNKNOWN_BRAND, "the key names no tenant and brand that exist"
    return None


def _decode(raws: list[bytes]) -> list[Read]:
    """Events in order; where one of them is bad, each on its own."""
    try:
        return list(decode_events(raws))
    except UNREADABLE:
        return [_decode_one(raw) for raw in raws]


def _decode_one(raw: bytes) -> Read:
    if words := fault(raw):
        return Unsound(words)
    try:
        return decode_event(raw)
    except UNREADABLE as error:
        return error


def moment_of(told: datetime | None, record: Record) -> int:
    """The second of what an event dates so, at the latest that in which the intake took it."""
    recorded = record.timestamp // 1000
    return min(int(told.timestamp()), recorded) if told else recorded


def _place(usable: Iterable[tuple[Record, BrandState, Read]], left_out: list[LeftOut]) -> list[Taken]:
    """The events that belong to their brand and time; the others are left out."""
    taken: list[Taken] = []
    checked: dict[int, Callable[[Event], bool]] = {}
    for record, brand, event in usable:
        is_placed = checked.get(record.timestamp)
        if is_placed is None:
            is_placed = checked[record.timestamp] = surely_placed(_recorded_at(record))
        if wrong := _misfit(record, brand, event, is_placed):
            left_out.append(LeftOut(record, *wrong, brand.brand.tenant_id))
        elif not isinstance(event, Exception):
            taken.append(Taken(record, brand, event, moment_of(event.time, record)))
    return taken


def _recorded_at(record: Record) -> datetime:
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


def _misfit(
    record: Record, brand: BrandState, event: Read, is_placed: Callable[[Event], bool]
) -> tuple[Reason, str] | None:
    if isinstance(event, Unsound):
        return Reason.MALFORMED, str(event)
    if isinstance(event, Exception):
        detail = "; ".join(f"{e.pointer}: {e.detail}" for e in explain(event))
        return Reason.INVALID if isinstance(event, msgspec.ValidationError) else Reason.MALFORMED, detail
    if event.data.brand != brand.brand.slug:
        return Reason.WRONG_KEY, "the body names another brand than the key"
    if is_placed(event) or (wrong := misplaced(event, _recorded_at(record))) is None:
        return None
    return Reason.WRONG_TIME, f"{wrong.pointer}: {wrong.detail}"
