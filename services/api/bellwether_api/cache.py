"""Answers that are made once and given to everybody who asks within a second.

Bytes are kept, not objects. Whoever asks while an answer is being made waits for that one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from hashlib import blake2b
from typing import NamedTuple

from bellwether.observability import metrics


class Encoded(NamedTuple):
    """The bytes of an answer and the ETag that names them."""

    body: bytes
    etag: str


def encoded(body: bytes) -> Encoded:
    """An answer with its ETag."""
    return Encoded(body, f'"{blake2b(body, digest_size=12).hexdigest()}"')


class _Entry(NamedTuple):
    made_at: float
    task: asyncio.Task[Encoded]


class AnswerCache:
    """Answers by all that they depend on, for `keep_s` seconds after their making began, at most `entries` of them."""

    def __init__(self, keep_s: float, entries: int) -> None:
        self._keep_s = keep_s
        self._most = entries
        self._entries: dict[Hashable, _Entry] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> Encoded:
        """The answer for the key: kept, being made, or made now. An error is told to all who wait, and not kept."""
        now = asyncio.get_running_loop().time()
        entry = self._entries.get(key)
        if entry is None or self._is_stale(entry, now):
            metrics.READ_CACHE.labels(result="miss").inc()
            entry = self._begin(key, make, now)
        else:
            metrics.READ_CACHE.labels(result="hit").inc()
        # Shielded: whoever goes away must not take the answer from the others.
        return await asyncio.shield(entry.task)

    def _is_stale(self, entry: _Entry, now: float) -> bool:
        return entry.task.done() and now - entry.made_at >= self._keep_s

    def _begin(self, key: Hashable, make: Callable[[], Awaitable[bytes]], now: float) -> _Entry:
        self._entries.pop(key, None)
        while len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        entry = self._entries[key] = _Entry(now, asyncio.create_task(_made(make)))
        entry.task.add_done_callback(lambda task: self._forget_failed(key, task))
        return entry

    def _forget_failed(self, key: Hashable, task: asyncio.Task[Encoded]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and (entry := self._entries.get(key)) is not None and entry.task is task:
            del self._entries[key]


async def _made(make: Callable[[], Awaitable[bytes]]) -> Encoded:
    return encoded(await make())
