"""What takes long is made once, then again in the background, and nobody sees what is too old."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bellwether_api.refreshing import RefreshingCache


class Made:
    """Gives 1, 2, 3, …, each when it is let go; `fails` while it is set."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> int:
        self.calls += 1
        number = self.calls
        await self.gate.wait()
        if self.fails:
            raise LookupError
        return number


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await condition():
            await asyncio.sleep(0)


async def test_all_who_ask_at_once_get_one_value(clock: Clock) -> None:
    cache, made = RefreshingCache[int](10, 8, clock), Made()
    assert await asyncio.gather(*(cache.get("key", made) for _ in range(5))) == [1] * 5
    clock.s = 9.9
    assert (await cache.get("key", made), made.calls) == (1, 1)


async def test_a_value_that_is_due_is_given_once_more_while_it_is_made_anew(clock: Clock) -> None:
    cache, made = RefreshingCache[int](10, 8, clock), Made()
    await cache.get("key", made)
    clock.s = 10
    made.gate.clear()
    assert [await cache.get("key", made) for _ in range(3)] == [1, 1, 1]
    made.gate.set()

    async def is_new() -> bool:
        return await cache.get("key", made) == 2

    await until(is_new)
    assert made.calls == 2


async def test_what_is_too_old_is_waited_for(clock: Clock) -> None:
    cache, made = RefreshingCache[int](10, 8, clock), Made()
    await cache.get("key", made)
    clock.s = 20
    assert await cache.get("key", made) == 2


async def test_a_failed_refresh_leaves_the_value_until_somebody_has_to_wait(clock: Clock) -> None:
    cache, made = RefreshingCache[int](10, 8, clock), Made()
    await cache.get("key", made)
    clock.s, made.fails = 15, True

    async def was_tried() -> bool:
        assert await cache.get("key", made) == 1
        return made.calls > 2

    await until(was_tried)
    clock.s = 20
    with pytest.raises(LookupError):
        await cache.get("key", made)
    made.fails = False
    assert await cache.get("key", made) == made.calls


async def test_nothing_is_kept_where_nothing_may_be(clock: Clock) -> None:
    cache, made = RefreshingCache[int](0, 8, clock), Made()
    assert [await cache.get("key", made) for _ in range(3)] == [1, 2, 3]


async def test_the_oldest_goes_where_there_are_too_many(clock: Clock) -> None:
    cache, made = RefreshingCache[int](10, 2, clock), Made()
    for key in "abc":
        await cache.get(key, made)
    assert [await cache.get(key, made) for key in "cba"] == [3, 2, 4]


async def test_who_goes_away_does_not_take_the_value_from_the_others(clock: Clock) -> None:
    cache, made = RefreshingCache[int](10, 8, clock), Made()
    made.gate.clear()
    first = asyncio.create_task(cache.get("key", made))
    second = asyncio.create_task(cache.get("key", made))
    await asyncio.sleep(0)
    first.cancel()
    made.gate.set()
    assert await second == 1
