"""A compute that lives and applies nothing, though the servers are well, ends itself to be started again.

One that has nothing to apply stays what it is.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient

from bellwether.adapters.kafka.log_reader import LogReader, ReaderSettings
from bellwether_compute import watchdog
from bellwether_compute.watchdog import Watchdog
from bellwether_compute.worker import Worker
from tests.support.backends import Servers
from tests.support.databases import PARTITIONS, Topics
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.fault

_STUCK_AFTER_S = 0.3
_EX_TEMPFAIL = 75
_LEAVES_AFTER_S = 3


class Ended(BaseException):
    """The process would be gone."""


@pytest.fixture(autouse=True)
def ends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The exit codes with which the process would have ended."""
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(watchdog, "_EVERY_S", 0.1)
    return codes


@asynccontextmanager
async def member(stack: Servers, topics: Topics, **settings: Any) -> AsyncIterator[LogReader]:
    """A reader that joins the group of its topic."""
    group = f"group-of-{topics.events}"
    wanted = ReaderSettings(bootstrap=stack.kafka_bootstrap, topic=topics.events, group=group)
    async with LogReader.open(replace(wanted, **settings)) as reader:
        reader.join(_nothing, _nothing)
        yield reader


async def _nothing() -> None:
    pass


async def given(reader: LogReader, count: int) -> None:
    """Wait until the group has given it so many partitions."""
    async with asyncio.timeout(PATIENCE_S):
        while len(reader.assigned()) != count:
            await asyncio.sleep(0.05)


@asynccontextmanager
async def reading(stack: Servers, topics: Topics) -> AsyncIterator[LogReader]:
    """A reader that has been given all partitions, of which one holds a record."""
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap) as producer:
        await producer.send_and_wait(topics.events, b"{}", partition=0)
    async with member(stack, topics) as reader:
        await given(reader, PARTITIONS)
        for part in range(PARTITIONS):
            reader.seek(part, 0)
        yield reader


def worker(**said: Any) -> Any:
    """One that stands at the beginning of each partition."""
    state: dict[str, Any] = {
        "trouble": None,
        "lacks_kafka": False,
        "halted": {},
        "last_turn": float("inf"),
        "claimed": range(PARTITIONS),
    }
    positions = dict.fromkeys(range(PARTITIONS), 0)
    told = {"positions": lambda: positions, "applied_ms": dict, "note_ends": lambda ends, asked_ms: None}
    return SimpleNamespace(**(state | told | said))


async def watched(dog: Watchdog, for_s: float) -> bool:
    """Whether the watchdog has ended the process within so many seconds."""
    try:
        await asyncio.wait_for(dog.run(), for_s)
    except TimeoutError:
        return False
    except Ended:
        pass
    return True


async def test_who_applies_nothing_of_one_partition_is_ended(stack: Servers, topics: Topics, ends: list[int]) -> None:
    async with reading(stack, topics) as reader:
        assert await watched(Watchdog(worker(), reader, _STUCK_AFTER_S), 30)
    assert ends == [_EX_TEMPFAIL]


async def test_who_waits_for_postgres_is_not_ended(stack: Servers, topics: Topics) -> None:
    async with reading(stack, topics) as reader:
        waiting = worker(trouble="TimeoutError: ")
        assert not await watched(Watchdog(waiting, reader, _STUCK_AFTER_S), 8 * _STUCK_AFTER_S)


async def test_who_says_that_kafka_is_away_while_it_answers_the_watchdog_is_ended(
    stack: Servers, topics: Topics, ends: list[int]
) -> None:
    async with reading(stack, topics) as reader:
        failing = worker()
        dog = Watchdog(failing, reader, _STUCK_AFTER_S)
        await dog._measure()  # it has claimed all, once
        failing.trouble, failing.lacks_kafka = "NoAnswer: Kafka: TimeoutError ", True
        failing.positions = dict
        assert await watched(dog, 30)
    assert ends == [_EX_TEMPFAIL]


async def test_what_a_guard_has_halted_is_not_ended_for_it(stack: Servers, topics: Topics) -> None:
    async with reading(stack, topics) as reader:
        failing = worker()
        dog = Watchdog(failing, reader, _STUCK_AFTER_S)
        await dog._measure()
        failing.trouble, failing.lacks_kafka = "NoAnswer: Kafka: TimeoutError ", True
        failing.positions, failing.halted = dict, dict.fromkeys(range(PARTITIONS), "partitions: …")
        assert not await watched(dog, 8 * _STUCK_AFTER_S)


async def test_who_fetches_no_more_since_its_client_failed_unforeseen_is_ended(
    stack: Servers, topics: Topics, ends: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reading(stack, topics) as reader:
        assert await reader.poll([0], 10.0, 10)
        dog = Watchdog(worker(positions=dict), reader, 600)
        assert not await watched(dog, 0.5)
        monkeypatch.setattr(AIOKafkaClient, "send", _lost_connection(AIOKafkaClient.send))
        assert await watched(dog, 30)
        monkeypatch.undo()
        assert not await reader.poll([0], 0.5, 10)
    assert ends == [_EX_TEMPFAIL]


def _lost_connection(send: Any) -> Any:
    """What aiokafka raises where another request, that ran out of time too, has taken the connection away."""

    async def lose(client: AIOKafkaClient, node: int, request: Any, **group: Any) -> Any:
        if type(request).__name__.startswith("FetchRequest"):
            raise KeyError((node, group))
        return await send(client, node, request, **group)

    return lose


async def test_a_worker_that_has_nothing_to_poll_stays_in_the_group_and_takes_over(
    stack: Servers, topics: Topics
) -> None:
    none: Any = None
    async with member(stack, topics, most_between_polls_s=_LEAVES_AFTER_S) as spare:
        worker_of_spare = Worker(none, spare, none, none, none)
        async with member(stack, topics) as first:
            while len(first.assigned()) != PARTITIONS // 2 or len(spare.assigned()) != PARTITIONS // 2:
                await worker_of_spare._poll(0.1, 1_000)
            for _ in range(20 * _LEAVES_AFTER_S):
                await worker_of_spare._poll(0.1, 1_000)
        async with asyncio.timeout(PATIENCE_S):
            while len(spare.assigned()) != PARTITIONS:
                await worker_of_spare._poll(0.1, 1_000)
