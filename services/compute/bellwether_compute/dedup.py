"""What was counted before, exactly, within a horizon of event days.

An identity is (tenant, brand, source, id): the brand is the unit of order, so all its
repeats meet in one partition. It is kept as 128 bits of BLAKE2 and 32 bits of the body's
checksum, under the UTC day of the event. Days within the horizon are in memory; an older
day is opened when an event of it comes, so that a repeat is found at any age.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

from bellwether.domain.clock import DAY_S
from bellwether_compute.identities import ENTRY_BYTES, ID_BYTES, IdentityTable

HORIZON_DAYS = 8


class Verdict(Enum):
    """Whether an event counts."""

    NEW = "new"
    DUPLICATE = "duplicate"
    CONFLICTING = "conflicting"


def identity_of(brand_id: int, source: str, event_id: str) -> bytes:
    """The 16 bytes under which an event is remembered."""
    digest = _digest_of(brand_id, source).copy()
    digest.update(event_id.encode())
    return digest.digest()


@lru_cache(maxsize=4096)
def _digest_of(brand_id: int, source: str) -> blake2b:
    """What the identities of all events of a source begin with."""
    return blake2b(f"{source}\0".encode(), digest_size=ID_BYTES, salt=brand_id.to_bytes(8, "little"))


def utc_day(moment: int) -> int:
    """The UTC day of a moment, days since 1970-01-01."""
    return moment // DAY_S


class SeenEvents:
    """The identities of one partition that were counted."""

    def __init__(self) -> None:
        self.open_days: set[int] = set()
        self._identities = IdentityTable()
        self._by_day: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._identities)

    def load(self, day: int, entries: bytes) -> None:
        """Take stored entries of a day: what `fresh_entries` were joined to."""
        self._identities.load(entries, day)
        self._by_day[day] += len(entries) // ENTRY_BYTES

    def judge(self, identity: bytes, body: bytes, day: int) -> tuple[Verdict, bytes]:
        """Whether an event is new, and if so its entry to store with what it folds into.

        Raises KeyError if the day is not open: what is stored of it is not known here.
        """
        if day not in self.open_days:
            raise KeyError(f"day {day} is not open")
        checksum = crc32(body).to_bytes(4, "little")
        seen = self._identities.add(identity, checksum, day)
        if seen is None:
            self._by_day[day] += 1
            return Verdict.NEW, identity + checksum
        return (Verdict.DUPLICATE if seen == checksum else Verdict.CONFLICTING), b""

    def close_before(self, day: int, most: int = 1_000_000) -> None:
        """Forget days before this one if they hold more than `most` identities together.

        A later event of theirs opens them again. An import of old days keeps them open, so
        that they are not loaded anew for every batch.
        """
        old = {opened for opened in self.open_days if opened < day}
        if sum(self._by_day[opened] for opened in old) <= most:
            return
        self.open_days -= old
        self._identities.forget(old)
        for opened in old:
            del self._by_day[opened]


def days_to_open(seen: SeenEvents, moments: Iterable[int]) -> set[int]:
    """The days of events whose stored identities are not in memory."""
    return {utc_day(moment) for moment in moments} - seen.open_days
