"""What faults are made of: each a way to strike an arena, or to heal it. `pick` says which of several is meant."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import psutil

from tests.faults.harness.arena import Arena
from tests.faults.harness.places import Place
from tests.support.proxy import Proxy, Snap, Trap

Blow = Callable[[Arena, int], Awaitable[None]]

_SPRUNG_S = 40.0
_CLAIMED_S = 60.0
_POLL_S = 0.05
_STEAL = """
    UPDATE stream_offset SET epoch = epoch + 1, owner = 'nobody' WHERE stream = $1 RETURNING part, epoch, next_offset
"""
_CLAIMED = '"event": "claimed"'
_SPEAKERS = {"kafka": None, "postgres": b"bellwether-compute"}
"""Who has to say the words of a trap: clients of Kafka give no name."""
_STANDING = "SELECT part, epoch, next_offset FROM stream_offset WHERE stream = $1"


class NotStruck(Exception):
    """The moment for a blow did not come."""


_PLACES: dict[str, Callable[[Arena], Sequence[Place]]] = {
    "ingest": lambda arena: arena.ingests,
    "compute": lambda arena: arena.computes,
    "api": lambda arena: [arena.api],
    "spare": lambda arena: [arena.spare],
}


async def nothing(arena: Arena, pick: int) -> None:
    """It heals by itself."""


def one(service: str, what: Callable[[Place], Awaitable[None] | None]) -> Blow:
    """Do it to one process of a service."""

    async def blow(arena: Arena, pick: int) -> None:
        places = _PLACES[service](arena)
        done = what(places[pick % len(places)])
        if done is not None:
            await done

    return blow


def every(service: str, what: Callable[[Place], Awaitable[None]]) -> Blow:
    """Do it to all processes of a service at once."""

    async def blow(arena: Arena, pick: int) -> None:
        await asyncio.gather(*(what(place) for place in _PLACES[service](arena)))

    return blow


def together(*blows: Blow) -> Blow:
    """All of them at once."""

    async def blow(arena: Arena, pick: int) -> None:
        await asyncio.gather(*(each(arena, pick) for each in blows))

    return blow


def after_one_another(*blows: Blow) -> Blow:
    """One after the other."""

    async def blow(arena: Arena, pick: int) -> None:
        for each in blows:
            await each(arena, pick)

    return blow


def server(name: str, what: str) -> Blow:
    """`kill`, `stop` or `start` Kafka or PostgreSQL."""

    async def blow(arena: Arena, pick: int) -> None:
        await getattr(getattr(arena.servers.stack, name), what)()

    return blow


def signalled(name: str, number: signal.Signals) -> Blow:
    """Send a signal to the process of Kafka or PostgreSQL itself."""

    async def blow(arena: Arena, pick: int) -> None:
        pid = getattr(arena.servers.stack, name).pid
        if pid is not None:
            os.kill(pid, number)

    return blow


def network(name: str, what: Callable[[Proxy], Awaitable[None] | None]) -> Blow:
    """Do it to the proxy before Kafka or PostgreSQL."""

    async def blow(arena: Arena, pick: int) -> None:
        done = what(getattr(arena.servers, f"{name}_proxy"))
        if done is not None:
            await done

    return blow


def slowed(seconds: float) -> Callable[[Proxy], None]:
    """Delay every answer by so much."""

    def slow(proxy: Proxy) -> None:
        proxy.delay_s = seconds

    return slow


def trapped(name: str, words: bytes, snap: Snap, requests: int = 1) -> Blow:
    """Wait until a request with these words, or the pick-th of so many after it, is lost or its answer is."""

    async def blow(arena: Arena, pick: int) -> None:
        proxy: Proxy = getattr(arena.servers, f"{name}_proxy")
        await _sprung(proxy, Trap(words, snap, pick % requests, client=_SPEAKERS[name]))

    return blow


async def _sprung(proxy: Proxy, trap: Trap) -> Trap:
    proxy.lay(trap)
    try:
        await asyncio.wait_for(trap.sprung.wait(), _SPRUNG_S)
    except TimeoutError:
        proxy.take_up()
        raise NotStruck(f"nobody said {trap.words!r}") from None
    return trap


def frozen_inside(words: bytes) -> Blow:
    """Freeze the compute that says these words to PostgreSQL, with its request on the way."""

    async def blow(arena: Arena, pick: int) -> None:
        trap = await _sprung(arena.servers.postgres_proxy, Trap(words, Snap.HOLD))
        arena.held.append(trap)
        speakers = [place for place in arena.computes if place.speaks_from(trap.client_port)]
        if not speakers:
            raise NotStruck("it was no compute that said it")
        speakers[0].freeze()

    return blow


async def released(arena: Arena, pick: int) -> None:
    """Let go on whatever was held or frozen."""
    while arena.held:
        arena.held.pop().release()
    for place in arena.places:
        place.thaw()


def armed(point: str, least: int, most: int) -> Blow:
    """Start a compute anew with a failpoint that lets it pass a few times, and wait until it dies there."""

    async def blow(arena: Arena, pick: int) -> None:
        place = arena.computes[pick % len(arena.computes)]
        await _arm(place, f"{point}:{least + pick % (most - least + 1)}")
        await _died(place)

    return blow


async def revoked_to_death(arena: Arena, pick: int) -> None:
    """A compute dies as it gives partitions away, because another one joins."""
    place = arena.computes[pick % len(arena.computes)]
    said = len(place.log)
    await _arm(place, "in_revoke:2")  # once at its own joining, once at the other's
    await _claims(place, said)  # who joins before that joins with it, and nothing is taken from it
    await arena.spare.start()
    await _died(place)


async def _claims(place: Place, said: int) -> None:
    """Wait until a process has claimed something, or has ended; `said`: characters of its log before it."""
    async with asyncio.timeout(_SPRUNG_S):
        while _CLAIMED not in place.log[said:] and place.pid is not None:
            await asyncio.sleep(_POLL_S)


async def _arm(place: Place, failpoint: str) -> None:
    await place.stop()
    place.armed = failpoint
    try:
        await place.start()
    finally:
        place.armed, place.wanted = None, False


async def _died(place: Place) -> None:
    try:
        await asyncio.wait_for(place.ended(), _SPRUNG_S)
    except TimeoutError:
        await place.kill()
        raise NotStruck("the failpoint was not reached") from None


async def backend_killed(arena: Arena, pick: int) -> None:
    """SIGKILL to one process that serves a session: PostgreSQL ends all the others and recovers."""
    root = psutil.Process(arena.servers.stack.postgres.pid)
    sessions = [child for child in root.children() if "bellwether" in " ".join(child.cmdline())]
    if not sessions:
        raise NotStruck("PostgreSQL serves nobody")
    sessions[pick % len(sessions)].kill()


async def sessions_ended(arena: Arena, pick: int) -> None:
    """All sessions of the run's database are ended by an administrator."""
    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
    async with arena.connection() as connection:
        await connection.fetchval(f"{query} AND application_name LIKE 'bellwether-%'")


def locked(table: str) -> Blow:
    """Lock a table against everybody."""

    async def blow(arena: Arena, pick: int) -> None:
        opened = AsyncExitStack()
        connection = await opened.enter_async_context(arena.connection())
        await connection.execute(f"BEGIN; SET LOCAL lock_timeout = '30s'; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        arena.locks = opened

    return blow


async def unlocked(arena: Arena, pick: int) -> None:
    """Let go of the lock."""
    await arena.locks.aclose()


async def epochs_stolen(arena: Arena, pick: int) -> None:
    """Claim all partitions and do nothing with them, until those who had them have noticed and claimed them again."""
    async with arena.connection() as connection:
        stolen = {part: (epoch, at) for part, epoch, at in await connection.fetch(_STEAL, arena.topics.events)}
        deadline = time.monotonic() + _CLAIMED_S
        while stolen and time.monotonic() < deadline:
            for part, epoch, at in await connection.fetch(_STANDING, arena.topics.events):
                if part in stolen and epoch > stolen[part][0]:
                    del stolen[part]
                elif part in stolen and at > stolen[part][1]:
                    arena.violations.append(f"partition {part} moved to {at} under an epoch that was lost")
                    return
            await asyncio.sleep(_POLL_S)
