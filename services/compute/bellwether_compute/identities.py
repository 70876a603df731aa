"""A set of identities that takes few bytes each: 22 and some ten per cent, where a dict takes 150.

An identity is a hash, so its first bits say in which of many small buckets it is; a bucket is one bytes object
that is searched as a whole, which for some thirty entries is as fast as a dict that no longer fits a cache.
"""

from __future__ import annotations

from struct import Struct
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

ID_BYTES = 16
ENTRY_BYTES = 20
"""As stored: an identity and a checksum of its body."""

_DAY_BYTES = 2
_SLOT_BYTES = ENTRY_BYTES + _DAY_BYTES
_SLOT = np.dtype([("prefix", "<u4"), ("rest", f"V{ENTRY_BYTES - 4}"), ("day", "<u2")])
_STORED = np.dtype([("prefix", "<u4"), ("rest", f"V{ENTRY_BYTES - 4}")])
_MOST_IN_BUCKET = 32
"""On the average; when they are fuller, there are twice as many buckets."""
_AT_ONCE = 4096
"""Buckets that are rebuilt together: what is copied at a time stays below some ten MB."""

Slots: TypeAlias = NDArray[np.void]

_PREFIX = Struct("<I").unpack_from


class IdentityTable:
    """Identities of 16 bytes, each with a checksum (32 bits) and a day (days since 1970-01-01, below 65,536)."""

    def __init__(self) -> None:
        self._buckets: list[bytes] = [b""]
        self._mask = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, identity: bytes, checksum: bytes, day: int) -> bytes | None:
        """The checksum that an identity has been in the table with, None where it is put there only now."""
        place: int = _PREFIX(identity)[0] & self._mask
        bucket = self._buckets[place]
        at = bucket.find(identity)
        while at > 0 and at % _SLOT_BYTES:  # across two entries: no entry of its own
            at = bucket.find(identity, at + 1)
        if at >= 0:
            return bucket[at + ID_BYTES : at + ENTRY_BYTES]
        self._buckets[place] = bucket + b"%b%b%b" % (identity, checksum, day.to_bytes(_DAY_BYTES, "little"))
        self._count += 1
        if self._count > len(self._buckets) * _MOST_IN_BUCKET:
            self._rebuild(2 * len(self._buckets))
        return None

    def load(self, entries: bytes, day: int) -> None:
        """Take stored entries, one after the other, whose identities are not in the table yet."""
        stored = np.frombuffer(entries, _STORED)
        slots: Slots = np.empty(len(stored), _SLOT)
        slots["prefix"], slots["rest"], slots["day"] = stored["prefix"], stored["rest"], day
        needed = len(self._buckets)
        while self._count + len(slots) > needed * _MOST_IN_BUCKET:
            needed *= 2
        if needed > len(self._buckets):
            self._rebuild(needed)
        self._scatter(slots)

    def forget(self, days: set[int]) -> None:
        """Drop the entries of these days."""
        self._rebuild(len(self._buckets), days)

    def _rebuild(self, buckets: int, without: frozenset[int] | set[int] = frozenset()) -> None:
        """Have so many buckets, a power of two and no fewer than now; part by part, for a small peak of memory."""
        old, self._buckets = self._buckets, [b""] * buckets
        self._mask, self._count = buckets - 1, 0
        for start in range(0, len(old), _AT_ONCE):
            slots: Slots = np.frombuffer(b"".join(old[start : start + _AT_ONCE]), _SLOT)
            old[start : start + _AT_ONCE] = [b""] * len(old[start : start + _AT_ONCE])
            self._scatter(slots[~np.isin(slots["day"], list(without))] if without else slots)

    def _scatter(self, slots: Slots) -> None:
        if not len(slots):
            return
        places = slots["prefix"] & np.uint32(self._mask)
        order = np.argsort(places, kind="stable")
        places, data = places[order], slots[order].tobytes()
        ends = np.append(np.flatnonzero(np.diff(places)) + 1, len(slots))
        start = 0
        for place, end in zip(places[ends - 1].tolist(), (ends * _SLOT_BYTES).tolist(), strict=True):
            self._buckets[place] += data[start:end]
            start = end
        self._count += len(slots)
