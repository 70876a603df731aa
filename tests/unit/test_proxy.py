"""The proxy through which tests reach their servers: a trap snaps once, on whichever connection gets that far."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.proxy import Proxy, Snap, Trap, proxy_to


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(1_000):
        writer.write(chunk)
    writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, proxy_to("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


class _Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def says(self, words: bytes) -> bytes:
        """What comes back, empty where the connection ends."""
        self.writer.write(words)
        return await self._reader.read(1_000)


async def _client(proxy: Proxy) -> _Client:
    return _Client(*await asyncio.open_connection("127.0.0.1", proxy.port))


async def test_a_trap_snaps_at_the_request_so_many_after_its_words_and_once(proxy: Proxy) -> None:
    trap = proxy.lay(Trap(b"BEGIN", Snap.LOSE_REQUEST, after=1, client=None))
    one, other = await _client(proxy), await _client(proxy)
    assert [await one.says(b"BEGIN"), await other.says(b"BEGIN"), await other.says(b"b")] == [b"BEGIN", b"BEGIN", b"b"]
    assert await one.says(b"a") == b""
    assert (trap.sprung.is_set(), trap.request) == (True, b"a")


async def test_a_trap_whose_connection_ends_before_it_snaps_lies_for_the_next_one(proxy: Proxy) -> None:
    trap = proxy.lay(Trap(b"BEGIN", Snap.LOSE_REQUEST, after=1, client=None))
    first, second = await _client(proxy), await _client(proxy)
    assert await first.says(b"BEGIN") == b"BEGIN"
    first.writer.close()
    while not trap.sprung.is_set():
        said = [await second.says(b"BEGIN"), await second.says(b"a")]
    assert said == [b"BEGIN", b""]


async def test_a_trap_that_was_taken_up_comes_back_to_nobody(proxy: Proxy) -> None:
    trap = proxy.lay(Trap(b"BEGIN", Snap.LOSE_REQUEST, after=1, client=None))
    first, second = await _client(proxy), await _client(proxy)
    await first.says(b"BEGIN")
    proxy.take_up()
    first.writer.close()
    await first.writer.wait_closed()
    for _ in range(20):
        assert [await second.says(b"BEGIN"), await second.says(b"a")] == [b"BEGIN", b"a"]
    assert not trap.sprung.is_set()
