"""What is written to one listener, from the first byte to the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Final

import msgspec
from fastapi.sse import EventSourceResponse, format_sse_event

from bellwether.adapters.http.server import bound_unread, cut_off
from bellwether.adapters.postgres.news import LONGEST_AGE, Line, NewWord
from bellwether.domain.errors import Unavailable
from bellwether_api.asgi import Receive, Scope, Send
from bellwether_api.moments import moment_at
from bellwether_api.stream.hub import MOST_WORDS, Hub
from bellwether_api.stream.place import Place
from bellwether_api.stream.shapes import KEEP_ALIVE, RETRY_MS, Event, Frame, Lost, Ready, resync
from bellwether_api.stream.subscription import Subscription, Waiting

_CHUNK: Final = 20
_MOST_UNREAD: Final = 128 * 1024
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Teller:
    """Writes events for one subscription, which has joined; `place` is where its listener stood, or why that is lost.

    keep_alive_s: a comment is sent after so many seconds without an event
    """

    def __init__(
        self,
        hub: Hub,
        subscription: Subscription,
        keep_alive_s: float,
        now: Callable[[], float],
    ) -> None:
        self._hub = hub
        self._subscription = subscription
        self._keep_alive_s = keep_alive_s
        self._now = now
        self._newest: dict[Line, int] = {}
        self.writing_since: float | None = None

    async def events(self, told: Place | Lost | None) -> AsyncIterator[bytes]:
        """All that is written. It ends with the subscription, or where PostgreSQL is away for what must be read."""
        clock = asyncio.get_running_loop().time
        try:
            async with aclosing(self._pieces(told)) as pieces:
                async for piece in pieces:
                    self.writing_since = clock()
                    yield piece
                    self.writing_since = None
                    if self._subscription.ended:
                        return
        except Unavailable:
            return

    async def _pieces(self, told: Place | Lost | None) -> AsyncGenerator[bytes]:
        yield format_sse_event(retry=RETRY_MS)
        async for piece in self._begin(told):
            yield piece
        while not self._subscription.ended:
            if not await self._subscription.wait(self._keep_alive_s):
                yield KEEP_ALIVE
                continue
            waiting, place = self._subscription.take(), self._place
            pieces = self._begin(waiting.lost) if waiting.lost else self._tell(waiting, place)
            async for piece in pieces:
                yield piece

    @property
    def _place(self) -> Place:
        assert self._subscription.seen is not None  # noqa: S101 - it has joined
        return self._subscription.seen

    async def _begin(self, told: Place | Lost | None) -> AsyncIterator[bytes]:
        """What is to be known before the present is told, and that it begins."""
        now = self._place
        place = _usable(told, now) if isinstance(told, Place) else told
        lines = self._subscription.lines
        words: list[NewWord] = []
        if isinstance(place, Place):
            lines, words = await self._hub.since(place, now, self._subscription)
        if len(words) > MOST_WORDS:
            place, lines, words = Lost.TOO_MUCH, self._subscription.lines, []
        if isinstance(place, Lost):
            yield resync(place)
        async for frame in self._wholes(lines):
            yield frame.written()
        if isinstance(place, Place) and words:
            data = dict(await self._hub.told(self._subscription, words))
            for word, after in place.onward(words, now.seen):
                yield Frame(Event.INCIDENT, data[word], str(after)).written()
        yield Frame(Event.READY, self._ready(), str(now)).written()

    def _ready(self) -> str:
        slugs = sorted(brand.slug for brand in self._subscription.brands.values())
        ready = Ready(moment_at(int(self._now())), slugs, sorted(self._subscription.asked.topics))
        return msgspec.json.encode(ready).decode()

    async def _wholes(self, lines: Sequence[Line]) -> AsyncIterator[Frame]:
        """All figures of lines as they are now, read as they are sent."""
        for start in range(0, len(lines), _CHUNK):
            for update in await self._hub.wholes(lines[start : start + _CHUNK], self._subscription):
                self._newest[update.line] = update.as_of
                yield Frame(Event.KPIS, update.told)

    async def _tell(self, waiting: Waiting, place: Place) -> AsyncIterator[bytes]:
        """Values first, without ids, then the steps; whoever has the last of it has all up to the place."""
        held: Frame | None = None
        async for frame in self._frames(waiting):
            if held is not None:
                yield held.written()
            held = frame
        if held is not None:
            yield Frame(held.event, held.data, str(place)).written()

    async def _frames(self, waiting: Waiting) -> AsyncIterator[Frame]:
        async for frame in self._wholes([line for line, update in waiting.updates.items() if update is None]):
            yield frame
        for line, update in waiting.updates.items():
            # What was read anew since may be newer.
            if update is not None and update.as_of >= self._newest.get(line, 0):
                yield Frame(Event.KPIS, update.told)
        for step in waiting.steps:
            yield Frame(Event.INCIDENT, step.data, step.id)


def _usable(told: Place, now: Place) -> Place | Lost:
    """The place where a listener stood, if it lies in the past of this database."""
    newest = max(told.seen.beyond, told.within.snapshot.beyond if told.within else 0)
    is_ours = told.lineage == now.lineage and newest <= now.seen.beyond
    is_recent = now.seen.beyond - told.seen.least < LONGEST_AGE
    return told if is_ours and is_recent else Lost.UNKNOWN


class EventStream(EventSourceResponse):
    """The response in which a teller tells; `release` is called at its end, however that comes."""

    def __init__(self, teller: Teller, told: Place | Lost | None, release: Callable[[], None]) -> None:
        super().__init__(teller.events(told), headers=_HEADERS)
        self._release = release
        self._scope: Scope | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until it ends or the listener goes away."""
        self._scope = scope
        bound_unread(scope, _MOST_UNREAD)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()

    def cut_off(self) -> None:
        """End the connection of a listener that does not read."""
        if self._scope is not None:
            cut_off(self._scope)
