"""Faults of an input that a JSON decoder forgives and a database does not.

Asked at the door and again by whoever reads the topic, on the bytes and before decoding.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from operator import methodcaller
from typing import Final

MAX_DEPTH: Final = 32
"""Objects and arrays may be nested this deep; a plain event has three levels."""

MAX_AHEAD: Final = timedelta(minutes=10)
"""How far an event may lie in the future of its receipt: clocks differ, but not by more."""

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)

_BOM: Final = b"\xef\xbb\xbf"
_BACKSLASH: Final = ord("\\")
_OPENING: Final = ord("[")
_count_objects: Final = methodcaller("count", b"{")
_BRACKETS: Final = b"[]{}"
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(_BRACKETS))
_STEP: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
# Reads escape by escape, so that the second half of `\\` begins none, and stops before the first \u that is
# NUL or half of a surrogate pair.
_SOUND: Final = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u(?!0000|[dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*+", re.DOTALL
)


def fault(raw: bytes) -> str | None:
    """What is wrong with these bytes, or None: byte order mark, bad UTF-8, depth, NUL, half a surrogate pair.

    Never raises, and says nothing about bytes that are no JSON at all: that is the decoder's to say.
    """
    if raw.startswith(_BOM):
        return "begins with a byte order mark"
    if not raw.isascii() and not _is_utf8(raw):
        return "not UTF-8"
    # As a first bound, count: `in` costs a tenth of `count`, and most events have no array at all.
    openings = raw.count(b"{") + (raw.count(b"[") if _OPENING in raw else 0)
    if openings > MAX_DEPTH and _is_too_deep(raw):
        return f"nested more than {MAX_DEPTH} levels deep"
    if _BACKSLASH in raw and (b"\\u0000" in raw or b"\\ud" in raw or b"\\uD" in raw):
        return _bad_escape(raw)
    return None


def is_sound(parts: Sequence[bytes], whole: bytes) -> bool:
    """Whether `fault` finds nothing in any part of a whole; mostly told by one look at the whole.

    `parts`: cut from the whole, each at the border of a character.
    """
    is_text = whole.isascii() or (_BOM not in whole and _is_utf8(whole))
    if not is_text or (_BACKSLASH in whole and (b"\\u0000" in whole or b"\\ud" in whole or b"\\uD" in whole)):
        return not any(map(fault, parts))
    # Arrays are rare: their number in all of it bounds that in any part.
    deepest = max(map(_count_objects, parts), default=0) + whole.count(b"[")
    return deepest <= MAX_DEPTH or not any(map(fault, parts))


def time_fault(time: datetime | None, received_at: datetime) -> str | None:
    """What is wrong with the time of an event that was taken in at `received_at`, or None. Both are aware."""
    if time is None:
        return None
    if time < EARLIEST:
        return "lies before 1970"
    if time - received_at > MAX_AHEAD:
        return "lies more than 10 minutes in the future"
    return None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_too_deep(raw: bytes) -> bool:
    """Whether the nesting ever exceeds MAX_DEPTH, brackets inside strings not counted."""
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    return any(map(MAX_DEPTH.__lt__, accumulate(map(_STEP.__getitem__, brackets))))


def _bad_escape(raw: bytes) -> str | None:
    """Which escape stops `_SOUND`, if it is one of the two; any other is malformed JSON."""
    match = _SOUND.match(raw)
    end = match.end() if match else 0
    if raw.startswith(b"\\u0000", end):
        return "contains the character NUL (\\u0000)"
    if raw[end : end + 3].lower() == b"\\ud":
        return "contains half of a surrogate pair"
    return None
