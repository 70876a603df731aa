"""All streams of this process: who may open one, and when one has to end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from bellwether.adapters.http.auth import visible_brand
from bellwether.adapters.postgres.directory import Brand, Directory
from bellwether.domain.errors import RateLimited, Unavailable
from bellwether.domain.keys import Caller, Scope
from bellwether.observability import metrics
from bellwether_api.stream.hub import Hub
from bellwether_api.stream.place import Place, parse_place
from bellwether_api.stream.shapes import Lost
from bellwether_api.stream.subscription import Asked, Subscription
from bellwether_api.stream.telling import EventStream, Teller

_LOOK_S: Final = 0.5
_STUCK_S: Final = 60.0
_LAST_WORDS_S: Final = 2.0
_LATER_S: Final = 10


class Limits(NamedTuple):
    """How many streams there may be in this process, and of one key in it."""

    streams: int
    of_a_key: int


class _Open(NamedTuple):
    response: EventStream
    teller: Teller


class Streams:
    """Opens streams, and ends those whose key may no longer see what they tell, and all when the service stops.

    keep_alive_s: seconds without an event after which a comment is sent; is_stopping: whether the service is
    """

    def __init__(
        self,
        hub: Hub,
        directory: Directory,
        limits: Limits,
        keep_alive_s: float,
        is_stopping: Callable[[], bool],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._hub = hub
        self._directory = directory
        self._limits = limits
        self._keep_alive_s = keep_alive_s
        self._is_stopping = is_stopping
        self._now = now
        self._open: dict[Subscription, _Open | None] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look for news and after the streams until the block ends."""
        async with self._hub.running():
            keeping = asyncio.create_task(self._keep(), name="streams")
            try:
                yield
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)

    async def open(self, who: Caller, asked: Asked, last_event_id: str) -> EventStream:
        """A stream that goes on after the last event that the listener has; '' if it has none.

        Raises UnknownBrand, RateLimited where there are too many of the key, Unavailable.
        """
        for slug in asked.brands or ():
            await visible_brand(self._directory, who, slug)
        self._admit(who)
        subscription = Subscription(who.key_id, asked, self._visible(who, asked))
        self._count(subscription, None)
        try:
            await self._hub.join(subscription)
        except BaseException:
            self._release(subscription)
            raise
        teller = Teller(self._hub, subscription, self._keep_alive_s, self._now)
        response = EventStream(teller, _told(last_event_id), lambda: self._release(subscription))
        self._count(subscription, _Open(response, teller))
        return response

    def _admit(self, who: Caller) -> None:
        if self._is_stopping() or len(self._open) >= self._limits.streams:
            raise Unavailable("There is no room for another stream.", retry_after_s=_LATER_S)
        if sum(one.key_id == who.key_id for one in self._open) >= self._limits.of_a_key:
            metrics.REQUESTS_REFUSED.labels(reason="rate").inc()
            detail = f"A key may have {self._limits.of_a_key} streams at once."
            raise RateLimited(detail, retry_after_s=_LATER_S)

    def _visible(self, who: Caller, asked: Asked) -> dict[int, Brand]:
        """The brands that are asked for and that the key may see, by id."""
        named = (brand for brand in self._directory.brands(who.tenant) if who.sees(brand.slug))
        return {brand.brand_id: brand for brand in named if asked.brands is None or brand.slug in asked.brands}

    def _count(self, subscription: Subscription, opened: _Open | None) -> None:
        self._open[subscription] = opened
        metrics.STREAMS_OPEN.set(len(self._open))

    def _release(self, subscription: Subscription) -> None:
        subscription.end()
        self._hub.leave(subscription)
        self._open.pop(subscription, None)
        metrics.STREAMS_OPEN.set(len(self._open))

    async def _keep(self) -> None:
        version = self._directory.version
        while True:
            await asyncio.sleep(_LOOK_S)
            before, version = version, self._directory.version
            now = asyncio.get_running_loop().time()
            for subscription, opened in list(self._open.items()):
                if self._is_stopping() or not self._may_go_on(subscription, is_same=version == before):
                    subscription.end()
                if opened is not None and _is_stuck(subscription, opened.teller, now):
                    opened.response.cut_off()

    def _may_go_on(self, subscription: Subscription, *, is_same: bool) -> bool:
        """Whether the key still sees just the brands of the stream. Who listens to all opens anew where one is new.

        is_same: whether keys and brands are those of the last look, so that a key can only have expired
        """
        who = self._directory.caller(subscription.key_id)
        if who is None or is_same:
            return who is not None
        return who.may(Scope.KPIS_READ) and self._visible(who, subscription.asked) == subscription.brands


def _is_stuck(subscription: Subscription, teller: Teller, now: float) -> bool:
    patience_s = _LAST_WORDS_S if subscription.ended else _STUCK_S
    return teller.writing_since is not None and now - teller.writing_since > patience_s


def _told(last_event_id: str) -> Place | Lost | None:
    if not last_event_id:
        return None
    try:
        return parse_place(last_event_id)
    except ValueError:
        return Lost.UNKNOWN
