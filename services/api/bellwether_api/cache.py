"""Answers that are made once and given to everybody who asks within a second.

Bytes are kept, not objects. Whoever asks while an answer is being made waits for that one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from hashlib import blake2b
from typing import NamedTuple

from bellwether.observability import metrics


class Encoded(NamedTuple):
    """The bytes of an answer, the ETag that names them, and until when, by the loop's clock, it may be given again."""

    body: bytes
    etag: str
    until: float = 0.0


def encoded(body: bytes, until: float = 0.0) -> Encoded:
    """An answer with its ETag."""
    return Encoded(body, f'"{blake2b(body, digest_size=12).hexdigest()}"', until)


class _Entry(NamedTuple):
    made_at: float
    task: asyncio.Task[Encoded]


class AnswerCache:
    """Answers by all that they depend on, for `keep_s` seconds after their making began.

    At most `entries` of them, of `most_bytes` together; the oldest go first.
    """

    def __init__(self, keep_s: float, entries: int, most_bytes: int = 64 * 1024**2) -> None:
        self._keep_s = keep_s
        self._most = entries
        self._most_bytes = most_bytes
        self._bytes = 0
        self._sizes: dict[Hashable, int] = {}
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
        if entry.task.done():
            return entry.task.result()
        # Shielded: whoever goes away must not take the answer from the others.
        return await asyncio.shield(entry.task)

    def _is_stale(self, entry: _Entry, now: float) -> bool:
        return entry.task.done() and now - entry.made_at >= self._keep_s

    def _begin(self, key: Hashable, make: Callable[[], Awaitable[bytes]], now: float) -> _Entry:
        self._drop(key)
        while len(self._entries) >= self._most:
            self._drop(next(iter(self._entries)))
        entry = self._entries[key] = _Entry(now, asyncio.create_task(_made(make, now + self._keep_s)))
        entry.task.add_done_callback(lambda task: self._done(key, task))
        return entry

    def _drop(self, key: Hashable) -> None:
        self._entries.pop(key, None)
        self._bytes -= self._sizes.pop(key, 0)

    def _done(self, key: Hashable, task: asyncio.Task[Encoded]) -> None:
        entry = self._entries.get(key)
        if entry is None or entry.task is not task:
            return
        if task.cancelled() or task.exception() is not None:
            self._drop(key)
            return
        size = self._sizes[key] = len(task.result().body)
        self._bytes += size
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._sizes)))


async def _made(make: Callable[[], Awaitable[bytes]], until: float) -> Encoded:
    return encoded(await make(), until)
