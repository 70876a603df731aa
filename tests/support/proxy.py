"""A TCP proxy for faults of the network: silence, cut connections, lost requests and lost answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto


class Snap(Enum):
    """What happens at a request that a trap was laid for."""

    LOSE_REQUEST = auto()
    """It never arrives, and the connection ends."""
    LOSE_ANSWER = auto()
    """It arrives and is answered; the answer is lost, and the connection ends."""
    SWALLOW_ANSWER = auto()
    """It arrives and is answered; the answer is lost, and nothing tells the client."""
    HOLD = auto()
    """It waits until `release`."""


@dataclass(slots=True)
class Trap:
    """Lies on the first connection of a client that says the words; snaps at the request so many after them, once.

    client: the name that it gave PostgreSQL; None for whoever says the words, as Kafka's clients give none
    latest: words at which it snaps even if fewer requests have passed
    request: the one at which it has snapped
    client_port: where the connection comes from that lies on it
    """

    words: bytes
    snap: Snap
    after: int = 0
    latest: bytes | None = None
    client: bytes | None = b"bellwether-compute"
    request: bytes = b""
    client_port: int = 0
    sprung: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let a held request go on."""
        self._released.set()

    async def released(self) -> None:
        """Wait for `release`."""
        await self._released.wait()


class Proxy:
    """Between a client and `host:port`. `silence` swallows nothing: what waits goes on after `heal`.

    delay_s: by how much everything that is answered comes later
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._open = asyncio.Event()
        self._open.set()
        self._links: set[asyncio.Task[None]] = set()
        self._trap: Trap | None = None
        self._laid: Trap | None = None
        self.port = 0
        self.delay_s = 0.0

    def silence(self) -> None:
        """Let nothing through from now on, in either direction, on old connections and new ones."""
        self._open.clear()

    def heal(self) -> None:
        """Let everything through again."""
        self._open.set()

    def lay(self, trap: Trap) -> Trap:
        """Lay a trap, in place of an earlier one that nobody has trodden on."""
        self._trap = self._laid = trap
        return trap

    def lay_again(self, trap: Trap) -> None:
        """Lay a trap whose connection ended before it snapped, unless it was taken up or followed by another one."""
        if trap is self._laid:
            self._trap = trap

    def take_up(self) -> None:
        """Take away a trap that nobody has trodden on."""
        self._trap = self._laid = None

    def tread(self, chunk: bytes, client: bytes) -> Trap | None:
        """The trap that lies on a connection of this client which says this, if it is the first to say its words."""
        trap = self._trap
        if trap is None or trap.words not in chunk or trap.client not in (None, client):
            return None
        self._trap = None
        return trap

    async def opened(self) -> None:
        """Wait while there is silence."""
        await self._open.wait()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.ensure_future(self._link(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        link = _Link(self, writer.get_extra_info("peername")[1])
        try:
            await asyncio.gather(link.requests(reader, far_writer), link.answers(far_reader, writer))
        except OSError:
            pass
        finally:
            link.give_back()
            for one in (writer, far_writer):
                one.close()

    async def cut(self) -> None:
        """End all connections."""
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client_port: int) -> None:
        self._proxy = proxy
        self._client_port = client_port
        self._client = b""
        self._trap: Trap | None = None
        self._left = 0
        self._loses: Trap | None = None

    async def requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            await self._proxy.opened()
            self._client = _client_of(chunk) or self._client
            if self._snaps(chunk) and (trap := self._trap):
                self._trap = None
                trap.request, trap.client_port = chunk, self._client_port
                await self._spring(trap)
            writer.write(chunk)
            await writer.drain()
        writer.close()

    def _snaps(self, chunk: bytes) -> bool:
        if self._trap is None:
            self._trap = self._proxy.tread(chunk, self._client)
            self._left = self._trap.after if self._trap else 0
        else:
            self._left -= 1
        if self._trap is None:
            return False
        return self._left == 0 or (self._trap.latest is not None and self._trap.latest in chunk)

    def give_back(self) -> None:
        """Leave a trap that has not snapped to a later connection: a transaction may end early by its own deadline."""
        if self._trap is not None:
            self._proxy.lay_again(self._trap)

    async def _spring(self, trap: Trap) -> None:
        match trap.snap:
            case Snap.LOSE_REQUEST:
                trap.sprung.set()
                raise ConnectionAbortedError
            case Snap.HOLD:
                trap.sprung.set()
                await trap.released()
            case _:
                self._loses = trap

    async def answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            await asyncio.sleep(self._proxy.delay_s)
            await self._proxy.opened()
            if self._loses is None:
                writer.write(chunk)
                await writer.drain()
                continue
            self._loses.sprung.set()
            if self._loses.snap is Snap.LOSE_ANSWER:
                raise ConnectionAbortedError
        writer.close()


def _client_of(chunk: bytes) -> bytes:
    """The name that a client of PostgreSQL gives when it connects; empty in all that it says later."""
    return chunk.partition(b"application_name\0")[2].partition(b"\0")[0]


@asynccontextmanager
async def proxy_to(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy on a free port of the loopback interface, ended with all its connections."""
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.cut()
