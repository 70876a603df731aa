"""Values that take long to make and may lag a little: made again in the background, so that few callers wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _Entry(NamedTuple, Generic[T]):
    made_at: float
    task: asyncio.Task[T]


class RefreshingCache(Generic[T]):
    """Values by key, at most `entries` of them.

    One younger than `keep_s` seconds is given as it is; one younger than twice that, too, while it is
    made anew; for an older one the caller waits. `now` gives seconds of a clock that never goes back.
    """

    def __init__(self, keep_s: float, entries: int, now: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._most = entries
        self._now = now
        self._entries: dict[Hashable, _Entry[T]] = {}
        self._refreshing: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The value for the key. An error is told to all who wait, and not kept."""
        entry, now = self._entries.get(key), self._now()
        if entry is not None and now - entry.made_at >= self._keep_s:
            if entry.task.done() and now - entry.made_at < 2 * self._keep_s:
                self._refresh(key, make, now)
            else:
                entry = None
        entry = entry or self._begin(key, make, now)
        if entry.task.done():
            return entry.task.result()
        # Shielded: whoever goes away must not take the value from the others.
        return await asyncio.shield(entry.task)

    def _begin(self, key: Hashable, make: Callable[[], Awaitable[T]], now: float) -> _Entry[T]:
        entry = _Entry(now, asyncio.create_task(_made(make)))
        self._put(key, entry)
        entry.task.add_done_callback(lambda task: self._forget_failed(key, task))
        return entry

    def _put(self, key: Hashable, entry: _Entry[T]) -> None:
        self._entries.pop(key, None)
        while len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = entry

    def _refresh(self, key: Hashable, make: Callable[[], Awaitable[T]], now: float) -> None:
        if key not in self._refreshing:
            task = self._refreshing[key] = asyncio.create_task(_made(make))
            task.add_done_callback(lambda done: self._refreshed(key, _Entry(now, done)))

    def _refreshed(self, key: Hashable, entry: _Entry[T]) -> None:
        del self._refreshing[key]
        if not _failed(entry.task):  # else the old value goes on, until somebody has to wait and is told
            self._put(key, entry)

    def _forget_failed(self, key: Hashable, task: asyncio.Task[T]) -> None:
        if _failed(task) and (entry := self._entries.get(key)) is not None and entry.task is task:
            del self._entries[key]


def _failed(task: asyncio.Task[T]) -> bool:
    return task.cancelled() or task.exception() is not None


async def _made(make: Callable[[], Awaitable[T]]) -> T:
    return await make()
