"""What one listener is still to be told. It is bounded, however slowly the listener reads."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.news import Line, NewWord
from bellwether.adapters.postgres.snapshots import Snapshot
from bellwether_api.stream.place import Place
from bellwether_api.stream.selection import Selection, Update
from bellwether_api.stream.shapes import Lost, Topic

MOST_STEPS: Final = 256
MOST_BYTES: Final = 256 * 1024


class Asked(NamedTuple):
    """What a listener asks for. brands: slugs, None for all that the key may see; cut: as it is stored."""

    brands: tuple[str, ...] | None
    topics: frozenset[Topic]
    cut: str
    selection: Selection


class Told(NamedTuple):
    """A step of a crisis: what was said, what is told of it as JSON, and the place before and the snapshot after it."""

    word: NewWord
    data: str
    before: Place
    now: Snapshot

    @property
    def id(self) -> str:
        """The id of its event."""
        return str(self.before.after(self.word, self.now))


class Waiting(NamedTuple):
    """What has gathered. An update that is None is to be read anew; `lost` instead of everything."""

    updates: Mapping[Line, Update | None]
    steps: Collection[Told]
    lost: Lost | None


class Subscription:
    """One listener. What it was told of, and has not been sent, is merged where it is a state, and queued where not.

    Figures beyond `MOST_BYTES` are forgotten and read again when there is room; more steps than `MOST_STEPS` end in
    `lost`. `seen` is the last snapshot of which all that concerns it has been offered; None before it has joined.
    """

    def __init__(self, key_id: str, asked: Asked, brands: Mapping[int, Brand]) -> None:
        self.key_id = key_id
        self.asked = asked
        self.brands = brands
        self.seen: Place | None = None
        self.ended = False
        self._updates: dict[Line, Update | None] = {}
        self._bytes = 0
        self._steps: list[Told] = []
        self._lost: Lost | None = None
        self._woken = asyncio.Event()

    @property
    def lines(self) -> list[Line]:
        """The rows of current values that it listens to."""
        wanted = Topic.KPIS in self.asked.topics
        return [(brand_id, self.asked.cut) for brand_id in self.brands] if wanted else []

    def hears(self, brand_id: int) -> bool:
        """Whether it is to be told of crises of a brand."""
        return Topic.INCIDENTS in self.asked.topics and brand_id in self.brands

    def offer(self, update: Update) -> None:
        """Put an update behind what is waiting of its line."""
        line = update.line
        if self._lost is not None:
            return
        if line not in self._updates:
            merged = update
        elif (before := self._updates[line]) is None:
            return
        else:
            merged = before.then(update)
            self._bytes -= before.size
        kept = merged if self._bytes + merged.size <= MOST_BYTES else None
        self._updates[line] = kept
        self._bytes += kept.size if kept is not None else 0

    def tell(self, step: Told) -> None:
        """Put a step behind those that are waiting."""
        if len(self._steps) >= MOST_STEPS:
            self.lose(Lost.TOO_SLOW)
        elif self._lost is None:
            self._steps.append(step)

    def lose(self, reason: Lost) -> None:
        """Forget all that is waiting: the listener has to begin anew."""
        self._lost = self._lost or reason
        self._forget()

    def advance(self, seen: Place) -> None:
        """All that a snapshot holds has been offered."""
        self.seen = seen
        if self._updates or self._steps or self._lost:
            self._woken.set()

    def end(self) -> None:
        """Let it be the last that is sent."""
        self.ended = True
        self._woken.set()

    async def wait(self, patience_s: float) -> bool:
        """Whether something gathered before the patience was over, or it is to end."""
        try:
            async with asyncio.timeout(patience_s):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    def take(self) -> Waiting:
        """All that has gathered, which it then forgets. What is lost stays lost until the listener begins anew."""
        found = Waiting(self._updates, self._steps, self._lost)
        self._lost = None
        self._forget()
        if not self.ended:
            self._woken.clear()
        return found

    def _forget(self) -> None:
        self._updates, self._steps, self._bytes = {}, [], 0
