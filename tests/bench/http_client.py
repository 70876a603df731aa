"""HTTP/1.1 as a load generator speaks it: requests are bytes made beforehand, answers are barely looked at.

A client library costs more processor time for a request than the servers do that are measured here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple, cast

LOOPBACK = "127.0.0.1"


class Answer(NamedTuple):
    """Status, body and head of a response."""

    status: int
    body: bytes
    head: bytes


def post(path: str, content_type: str, body: bytes, key: str) -> bytes:
    """A POST request."""
    return _head("POST", path, key, f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n") + body


def get(path: str, key: str, etag: str = "") -> bytes:
    """A GET request; with the ETag of what the caller has already, if it has it."""
    return _head("GET", path, key, f"If-None-Match: {etag}\r\n" if etag else "")


def _head(method: str, path: str, key: str, fields: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nAuthorization: Bearer {key}\r\n{fields}\r\n".encode()


class Connection(asyncio.Protocol):
    """One connection that is kept alive. One request at a time; answers need a Content-Length."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[Answer] | None = None
        self._received = b""
        self._head_bytes = 0
        self._whole_bytes = 0

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for its answer. Raises ConnectionError where the server hangs up."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._head_bytes:
            self._read_head()
        if self._head_bytes and len(self._received) >= self._whole_bytes:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server hung up"))

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def _read_head(self) -> None:
        end = self._received.find(b"\r\n\r\n")
        if end >= 0:
            _, found, rest = self._received[:end].lower().partition(b"\r\ncontent-length:")
            self._head_bytes = end + 4
            self._whole_bytes = self._head_bytes + (int(rest.partition(b"\r\n")[0]) if found else 0)

    def _finish(self) -> None:
        head, body = self._received[: self._head_bytes], self._received[self._head_bytes : self._whole_bytes]
        answer = Answer(int(head[9:12]), body, head)
        self._received, self._head_bytes = b"", 0
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    """A connection to a server on this machine."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, LOOPBACK, port)
    try:
        yield connection
    finally:
        connection.close()


async def until_ready(port: int) -> None:
    """Wait until a server listens and does not say that it is not ready yet; one without probes is ready at once."""
    while True:
        try:
            async with connected(port) as connection:
                if (await connection.ask(get("/readyz", ""))).status != 503:
                    return
        except OSError:
            pass
        await asyncio.sleep(0.05)
