"""The body of a request, read no further than the limits allow: announced lengths are not trusted, and what is
compressed counts as inflated.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Protocol

from bellwether.domain.errors import Malformed, TooLarge, TooSlow, UnsupportedMediaType
from bellwether_ingest.limits import Hold

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_GZIP = 16 + zlib.MAX_WBITS
_STEP = 65_536


class Gone(Exception):
    """The client hung up: there is nobody to answer."""


class Inflater(Protocol):
    """Takes a body's chunks and gives its true bytes."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The bytes that this chunk stands for, in pieces of bounded size."""

    def end(self) -> None:
        """Raise Malformed when the body stopped in the middle."""


class _Plain:
    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def end(self) -> None:
        return


_PLAIN = _Plain()


class _Gunzip:
    """gzip, one or more members, inflated in pieces so that a bomb is noticed at the limit and not after it."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._started = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            yield self._inflate(chunk)
            self._started = True
            chunk = self._member.unconsumed_tail or self._member.unused_data

    def end(self) -> None:
        if self._started and not self._member.eof:
            raise Malformed("The gzip body ends too early.")

    def _inflate(self, chunk: bytes) -> bytes:
        try:
            return self._member.decompress(chunk, _STEP)
        except zlib.error:
            raise Malformed("The body is not gzip, as Content-Encoding says.") from None


def inflater_for(encoding: str) -> Inflater:
    """For a Content-Encoding. Raises UnsupportedMediaType for any but gzip and identity, and for one in another."""
    match encoding.strip().lower():
        case "" | "identity":
            return _PLAIN
        case "gzip" | "x-gzip":
            return _Gunzip()
        case _:
            raise UnsupportedMediaType("Content-Encoding may be gzip, once, or nothing.")


class BodyReader:
    """Reads one body. `finished` says whether all of it was taken from the connection.

    `is_here`: all of it has arrived, so that no time need be kept.
    """

    def __init__(self, receive: Receive, most_bytes: int, timeout_s: float, *, is_here: bool = False) -> None:
        self._receive = receive
        self._most = most_bytes
        self._timeout_s = timeout_s
        self._is_here = is_here
        self.finished = False

    async def read(self, inflater: Inflater, announced: int | None, hold: Hold) -> bytes:
        """The whole body, inflated.

        Raises TooLarge at the first byte over the limit, TooSlow past the time, Malformed for broken gzip,
        Unavailable when the service holds too much already, Gone when the client hung up.
        """
        if announced is not None and announced > self._most:
            raise self._too_large()
        if self._is_here:
            return await self._read(inflater, hold)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._read(inflater, hold)
        except TimeoutError:
            raise TooSlow(f"The body took longer than {self._timeout_s:g} s.") from None

    async def discard(self, most_bytes: int, within_s: float) -> None:
        """Throw away what still comes, up to a bound: a client that is still sending can then read its answer."""
        try:
            async with asyncio.timeout(within_s):
                while most_bytes > 0 and not self.finished:
                    most_bytes -= len(await self._next())
        except (TimeoutError, Gone):
            return

    async def _read(self, inflater: Inflater, hold: Hold) -> bytes:
        pieces, size = [], 0
        while not self.finished:
            for piece in inflater.feed(await self._next()):
                size += len(piece)
                if size > self._most:
                    raise self._too_large()
                hold.grow(len(piece))
                pieces.append(piece)
        inflater.end()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise Gone
        self.finished = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk

    def _too_large(self) -> TooLarge:
        return TooLarge(f"At most {self._most} bytes in one body, counted after inflation.")
