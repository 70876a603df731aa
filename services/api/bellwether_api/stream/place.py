"""Where a listener stands: the ids of events, which a client sends back as Last-Event-ID."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bellwether.adapters.postgres.news import NewWord
from bellwether.adapters.postgres.snapshots import PATTERN, Snapshot, parse_snapshot

_LONGEST: Final = 8_192
_SHAPE = re.compile(
    rf"([0-9a-f]{{8}});({PATTERN})(?:;({PATTERN});(\d{{1,19}});(\d{{1,19}});([0-9a-f-]{{36}}))?", re.ASCII
)


class Within(NamedTuple):
    """A place among what one snapshot holds and the one before it did not: after the word with these first fields."""

    snapshot: Snapshot
    written: int
    at: int
    word: str


class Place(NamedTuple):
    """What a listener has been told: all that `seen` holds, and of what came next all up to `within`."""

    lineage: str
    seen: Snapshot
    within: Within | None = None

    def holds(self, word: NewWord) -> bool:
        """Whether it has been told of this."""
        if self.seen.sees(word.written):
            return True
        partly = self.within
        if partly is None or not partly.snapshot.sees(word.written):
            return False
        return word[:3] <= partly[1:]

    def after(self, word: NewWord, now: Snapshot) -> Place:
        """The place after a word, told in order, of those that `now` holds."""
        return Place(self.lineage, self.seen, Within(now, *word[:3]))

    def onward(self, words: Sequence[NewWord], now: Snapshot) -> Iterator[tuple[NewWord, Place]]:
        """Of words in ascending order those that it does not hold, up to `now`, as they are told; the place after each.

        Those of the turn in which it stands come first: one that was told of it may lie behind one that is newer.
        """
        here = self
        for snapshot in (self.within.snapshot, now) if self.within else (now,):
            for word in words:
                if snapshot.sees(word.written) and not here.holds(word):
                    here = here.after(word, snapshot)
                    yield word, here
            here = Place(self.lineage, snapshot)

    def __str__(self) -> str:
        """The id of the event that leads here."""
        told = [self.lineage, str(self.seen)]
        if self.within is not None:
            told += map(str, self.within)
        return ";".join(told)


def parse_place(text: str) -> Place:
    """The place behind an id. Raises ValueError for what cannot be one."""
    found = _SHAPE.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise ValueError("is not the id of an event")
    lineage, seen, snapshot, written, at, word = found.groups()
    within = Within(parse_snapshot(snapshot), int(written), int(at), word) if snapshot else None
    return Place(lineage, parse_snapshot(seen), within)
