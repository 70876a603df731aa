"""A real HTTP endpoint of the test's own that alerts are sent to: it fails, dawdles and goes away as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from tests.support.patience import PATIENCE_S

ACCEPT = b"HTTP/1.1 204 No Content\r\n\r\n"


def status(code: int, *headers: str) -> bytes:
    """An answer without a body."""
    lines = [f"HTTP/1.1 {code} Because", "Content-Length: 0", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


class Request(NamedTuple):
    """What was received, when, and what was answered."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    answer: bytes

    @property
    def taken(self) -> bool:
        return self.answer.startswith(b"HTTP/1.1 2")

    @property
    def listed(self) -> list[dict[str, Any]]:
        return msgspec.json.decode(self.body, type=list[dict[str, Any]])

    @property
    def document(self) -> dict[str, Any]:
        return msgspec.json.decode(self.body, type=dict[str, Any])


class Receiver:
    """Answers as `behave` says, given the number of the request from 1; keeps all that it received."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.behave: Callable[[int], bytes] = lambda _number: ACCEPT
        self.dawdle_s = 0.0
        self.open_now = 0
        self.most_open = 0
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def taken(self) -> list[Request]:
        """What was answered with 2xx."""
        return [request for request in self.requests if request.taken]

    async def come(self) -> None:
        """Listen, again on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go_away(self) -> None:
        """Stop listening: connections are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def until(self, condition: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
        """Wait until something received makes the condition true. Raises TimeoutError with what came."""
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            told = [(one.headers.get("webhook-id"), one.answer[:30]) for one in self.requests]
            raise TimeoutError(f"received only {told}") from None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
            try:
                await self._one(reader, writer)
            finally:
                self.open_now -= 1
                writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        answer = self.behave(len(self.requests) + 1)
        self.requests.append(Request(first.split()[1], headers, body, time.time(), answer))
        await asyncio.sleep(self.dawdle_s)
        writer.write(answer)
        await writer.drain()
        self._changed.set()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens until the block ends."""
    receiver = Receiver()
    await receiver.come()
    try:
        yield receiver
    finally:
        await receiver.go_away()
