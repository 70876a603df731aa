"""A listener to the API's stream: a client of server-sent events on a bare socket, so that it can also stop reading."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.support.patience import PATIENCE_S


class Heard(NamedTuple):
    """An event. at: when it was read, by the monotonic clock; lines: how many lines of data it had."""

    event: str
    data: Any
    id: str | None
    at: float
    lines: int


class Ended(Exception):
    """The server ended the stream, in good order or not."""


class Listener:
    """One connection. `last_id` is what a client sends back; `comments` and `retry_ms` are what came beside events."""

    def __init__(self, reader: asyncio.StreamReader, last_id: str) -> None:
        self._reader = reader
        self._text = b""
        self.last_id = last_id
        self.comments = 0
        self.retry_ms = 0
        self.status = 0
        self.head: dict[str, str] = {}

    async def read_head(self) -> None:
        """Read status and header fields."""
        first, *fields = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.head = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields if field)}

    async def body(self) -> Any:
        """The JSON of an answer that is no stream."""
        return json.loads(await self._reader.readexactly(int(self.head["content-length"])))

    async def next(self, within_s: float = PATIENCE_S) -> Heard:
        """The next event. Raises TimeoutError, and Ended."""
        async with asyncio.timeout(within_s):
            while True:
                while b"\n\n" not in self._text:
                    self._text += await self._chunk()
                block, _, self._text = self._text.partition(b"\n\n")
                if (found := self._parsed(block.decode())) is not None:
                    return found

    async def until(self, wanted: Callable[[Heard], bool], within_s: float = PATIENCE_S) -> list[Heard]:
        """All events up to one that is wanted."""
        heard: list[Heard] = []
        async with asyncio.timeout(within_s):
            while not heard or not wanted(heard[-1]):
                heard.append(await self.next(within_s))
        return heard

    async def ready(self, within_s: float = PATIENCE_S) -> list[Heard]:
        """All events up to the next `ready`."""
        return await self.until(lambda one: one.event == "ready", within_s)

    async def _chunk(self) -> bytes:
        try:
            size = int(await self._reader.readline() or b"0", 16)
            found = await self._reader.readexactly(size + 2)
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            raise Ended from error
        if not size:
            raise Ended
        return found[:-2]

    def _parsed(self, block: str) -> Heard | None:
        fields: list[tuple[str, str]] = []
        for line in block.split("\n"):
            name, _, value = line.partition(": ")
            self.comments += name == ""
            fields.append((name, value))
        told = dict(fields)
        self.retry_ms = int(told.get("retry", self.retry_ms))
        self.last_id = told.get("id", self.last_id)
        if "data" not in told:
            return None
        lines = sum(name == "data" for name, _ in fields)
        return Heard(told["event"], json.loads(told["data"]), told.get("id"), time.monotonic(), lines)


@asynccontextmanager
async def listening(
    url: str, headers: Mapping[str, str], query: str = "", last_id: str = "", *, receive_bytes: int = 0
) -> AsyncIterator[Listener]:
    """Ask for the stream of the API at `url`; the connection is closed at the end.

    receive_bytes: how much the kernel takes of what nobody reads; 0 leaves it as it is
    """
    address = urlsplit(url)
    connected = socket.socket()
    if receive_bytes:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connected.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connected, (address.hostname or "", address.port or 0))
    reader, writer = await asyncio.open_connection(sock=connected, limit=2**16 if receive_bytes else 2**22)
    told = {"Host": "api", "Accept": "text/event-stream", **headers, **({"Last-Event-ID": last_id} if last_id else {})}
    fields = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    writer.write(f"GET /v1/stream{query} HTTP/1.1\r\n{fields}\r\n".encode("latin-1"))
    listener = Listener(reader, last_id)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await listener.read_head()
        yield listener
    finally:
        writer.transport.abort()
