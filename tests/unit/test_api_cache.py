"""Answers are made once for all who ask at the same time, kept for a moment, and bounded in number."""

from __future__ import annotations

import asyncio

import pytest

from bellwether_api.cache import AnswerCache


class Maker:
    """Counts how often it was asked, and answers when it is let."""

    def __init__(self) -> None:
        self.times = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> bytes:
        self.times += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return b"answer %d" % self.times


async def test_who_asks_together_gets_one_answer() -> None:
    cache, make = AnswerCache(60, 10), Maker()
    asking = [asyncio.create_task(cache.get("key", make)) for _ in range(5)]
    await asyncio.sleep(0)
    make.gate.set()
    assert {answer.body for answer in await asyncio.gather(*asking)} == {b"answer 1"}
    assert (await cache.get("key", make)).body == b"answer 1"
    assert (await cache.get("other", make)).body == b"answer 2"


async def test_whoever_goes_away_does_not_take_the_answer_along() -> None:
    cache, make = AnswerCache(60, 10), Maker()
    first, second = (asyncio.create_task(cache.get("key", make)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    make.gate.set()
    assert (await second).body == b"answer 1"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    cache, make = AnswerCache(60, 10), Maker()
    make.error = OSError("away")
    asking = [asyncio.create_task(cache.get("key", make)) for _ in range(3)]
    await asyncio.sleep(0)
    make.gate.set()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in told] == [OSError] * 3
    make.error = None
    assert (await cache.get("key", make)).body == b"answer 2"


async def test_without_time_to_keep_every_answer_is_new() -> None:
    cache, make = AnswerCache(0, 10), Maker()
    make.gate.set()
    assert [(await cache.get("key", make)).body for _ in range(3)] == [b"answer 1", b"answer 2", b"answer 3"]


async def test_the_oldest_answer_makes_room() -> None:
    cache, make = AnswerCache(60, 2), Maker()
    make.gate.set()
    first = await cache.get("one", make)
    for key in ("two", "three"):
        await cache.get(key, make)
    assert (await cache.get("one", make)).body != first.body
    assert make.times == 4


async def test_an_etag_names_the_bytes() -> None:
    cache, make = AnswerCache(0, 2), Maker()
    make.gate.set()
    one, two = await cache.get("key", make), await cache.get("key", make)
    assert one.etag != two.etag
    assert one.etag.startswith('"')
