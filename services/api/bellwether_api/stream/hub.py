"""Looks into PostgreSQL for what is new, once for all who listen in this process, and only while somebody does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final, NamedTuple

import structlog

from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.news import Line, NewWord, Version, read_kept, read_moved, read_spoken_of, read_words
from bellwether.adapters.postgres.pool import Pool
from bellwether.adapters.postgres.snapshots import read_sighting
from bellwether.domain.errors import Unavailable
from bellwether_api.database import asking, reading
from bellwether_api.incidents import Incidents
from bellwether_api.stream.place import Place
from bellwether_api.stream.selection import Marks, Reading, Selection, Update
from bellwether_api.stream.shapes import Lost
from bellwether_api.stream.steps import told_of
from bellwether_api.stream.subscription import Subscription, Told
from bellwether_api.stream.wholes import Wholes

MOST_WORDS: Final = 1_000
"""Steps of crises that are told at once, to who was away for long; beyond it whoever listens begins anew."""

_CHUNK: Final = 20
_LONGEST_PAUSE_S: Final = 2.0
_SHARE: Final = 10  # of the time, one part is spent looking
_log = structlog.get_logger(__name__)


class _Watch:
    """Who listens to one selection of a line, and what was last seen of it."""

    def __init__(self) -> None:
        self.marks: Marks = {}
        self.listeners: set[Subscription] = set()


class _News(NamedTuple):
    """What one look found: what is new up to `place`.

    crowded: brands of which there are more words than can be told
    is_gap: whether it does not continue the look before
    """

    place: Place
    moved: Mapping[Line, Version] = {}
    words: Sequence[NewWord] = ()
    crowded: Collection[int] = ()
    is_gap: bool = False


class Hub:
    """Tells subscriptions what is new. `pause_s`: least time between two looks, in seconds."""

    def __init__(self, pool: Pool, incidents: Incidents, definitions: Definitions, pause_s: float) -> None:
        self._pool = pool
        self._incidents = incidents
        self._definitions = definitions
        self._pause_s = pause_s
        self._wholes = Wholes(pool, definitions)
        self._seen: Place | None = None
        self._known: dict[Line, Version] = {}
        self._watched: dict[Line, dict[Selection, _Watch]] = {}
        self._active: set[Subscription] = set()
        self._joining: list[tuple[Subscription, asyncio.Future[None]]] = []
        self._wanted = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look until the block ends."""
        looking = asyncio.create_task(self._look_for_ever(), name="stream")
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def join(self, subscription: Subscription) -> None:
        """Tell a subscription what is new from the next look on, whose place it then has. Raises Unavailable."""
        joined = asyncio.get_running_loop().create_future()
        self._joining.append((subscription, joined))
        self._wanted.set()
        await joined

    def leave(self, subscription: Subscription) -> None:
        """Tell it nothing more."""
        self._active.discard(subscription)
        self._joining = [one for one in self._joining if one[0] is not subscription]
        for line in subscription.lines:
            watches = self._watched.get(line, {})
            watch = watches.get(subscription.asked.selection)
            if watch is None:
                continue
            watch.listeners.discard(subscription)
            if not watch.listeners:
                del watches[subscription.asked.selection]
            if not watches:
                del self._watched[line]

    async def _look_for_ever(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            began = time.monotonic()
            joining, self._joining = self._joining, []
            try:
                await self._look([subscription for subscription, _ in joining])
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look goes on where the last one ended
                _log.warning("the stream waits for postgres", error=str(error) or type(error).__name__)
                _answer(joining, Unavailable("The database does not answer."))
            else:
                _answer(joining, None)
            took = time.monotonic() - began
            await asyncio.sleep(min(max(self._pause_s, _SHARE * took), _LONGEST_PAUSE_S))
            if self._active:
                self._wanted.set()

    async def _look(self, joining: Sequence[Subscription]) -> None:
        active = list(self._active)
        news = await self._news(active)
        if news.is_gap:
            self._begin_anew(active)
        for lines in _chunks(line for line, version in news.moved.items() if self._known.get(line) != version):
            await self._offer(lines)
        told = await told_of(self._incidents, _brands(active), news.words) if news.words else []
        # From here on nothing waits, so that no listener is told of a part.
        for subscription in active:
            _tell(subscription, news, told, self._seen)
            subscription.advance(news.place)
        self._known, self._seen = dict(news.moved), news.place
        for subscription in joining:
            self._admit(subscription, news.place)

    async def _news(self, active: Sequence[Subscription]) -> _News:
        """What is new since the last look."""
        async with reading(self._pool) as connection:
            place = Place(*await read_sighting(connection))
            before = self._seen
            if not active or before is None:
                return _News(place)
            if place.lineage != before.lineage or place.seen.beyond < before.seen.beyond:
                return _News(place, is_gap=True)
            moved = await read_moved(connection, self._watched, before.seen, place.seen)
            heard = _heard(active)
            words = await read_words(connection, heard, before.seen, MOST_WORDS + 1)
            if len(words) <= MOST_WORDS:
                return _News(place, moved, words)
            return _News(place, moved, crowded=await read_spoken_of(connection, heard, before.seen))

    async def _offer(self, lines: Sequence[Line]) -> None:
        """Read lines, and offer what has changed to those who listen to it."""
        async with asking(self._pool) as connection:
            rows = await read_kept(connection, lines)
        for row in rows:
            line = row.brand_id, row.cut
            self._known[line] = row.version
            await asyncio.sleep(0)  # a row takes about a millisecond, and requests are waiting
            watches, found = self._watched.get(line), None
            for selection, watch in list(watches.items()) if watches else ():
                brand = next(iter(watch.listeners)).brands[row.brand_id]
                found = found or Reading(row, brand)
                update = found.changes(self._definitions.of(brand.tenant_id), selection, watch.marks)
                if update is not None:
                    for subscription in watch.listeners:
                        subscription.offer(update)

    async def wholes(self, lines: Sequence[Line], subscription: Subscription) -> list[Update]:
        """All figures that a listener asks for, of a few lines as they are now. Raises Unavailable."""
        selection = subscription.asked.selection
        found = await self._wholes.read(lines, subscription.brands, selection)
        for line, whole in found.items():
            watch = self._watched.get(line, {}).get(selection)
            # Only what everybody has who listens may be what the next version is compared with.
            if watch is not None and not watch.marks and self._seen and whole.version.was_there(self._seen.seen):
                watch.marks = dict(whole.marks)
        return [whole.update for whole in found.values()]

    async def since(self, place: Place, now: Place, subscription: Subscription) -> tuple[list[Line], list[NewWord]]:
        """What a listener has to be told who stands at `place`, up to `now`: lines, and words in order.

        More than `MOST_WORDS` words are not all there are.
        """
        async with reading(self._pool) as connection:
            moved = await read_moved(connection, subscription.lines, place.seen, now.seen)
            heard = [brand_id for brand_id in subscription.brands if subscription.hears(brand_id)]
            words = await read_words(connection, heard, place.seen, MOST_WORDS + 1)
        if len(words) > MOST_WORDS:
            return list(moved), words
        return list(moved), [word for word in words if now.seen.sees(word.written) and not place.holds(word)]

    async def told(self, subscription: Subscription, words: Sequence[NewWord]) -> list[tuple[NewWord, str]]:
        """Words as they are told."""
        return await told_of(self._incidents, subscription.brands, words)

    def _admit(self, subscription: Subscription, place: Place) -> None:
        subscription.seen = place
        if subscription.ended:
            return
        self._active.add(subscription)
        for line in subscription.lines:
            watch = self._watched.setdefault(line, {}).setdefault(subscription.asked.selection, _Watch())
            watch.listeners.add(subscription)

    def _begin_anew(self, active: Iterable[Subscription]) -> None:
        self._known = {}
        for watches in self._watched.values():
            for watch in watches.values():
                watch.marks.clear()
        for subscription in active:
            subscription.lose(Lost.UNKNOWN)


def _tell(subscription: Subscription, news: _News, told: Iterable[tuple[NewWord, str]], before: Place | None) -> None:
    if any(subscription.hears(brand_id) for brand_id in news.crowded):
        subscription.lose(Lost.TOO_MUCH)
        return
    for word, data in told:
        if before is not None and subscription.hears(word.brand_id):
            subscription.tell(Told(word, data, before, news.place.seen))


def _answer(joining: Iterable[tuple[Subscription, asyncio.Future[None]]], error: Unavailable | None) -> None:
    for _, joined in joining:
        if joined.done():
            continue
        if error is None:
            joined.set_result(None)
        else:
            joined.set_exception(error)


def _heard(active: Iterable[Subscription]) -> set[int]:
    return {brand_id for one in active for brand_id in one.brands if one.hears(brand_id)}


def _brands(active: Iterable[Subscription]) -> dict[int, Brand]:
    return {brand_id: brand for one in active for brand_id, brand in one.brands.items()}


def _chunks(lines: Iterable[Line]) -> Iterable[list[Line]]:
    remaining = iter(lines)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
