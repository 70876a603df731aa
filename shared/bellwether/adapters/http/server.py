"""uvicorn as every service runs it: a stop in good order, and clients that send nothing for ever do not stay."""

import asyncio
import socket
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bellwether.adapters.http.probes import Readiness

_MOST_HEAD_BYTES = 65_536
_PATIENCE = 2  # signals
_CYCLE = "bellwether.cycle"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where to listen and how to stop. Times in seconds.

    `drain_s`: how long requests are still taken after readiness fell; `stop_timeout_s`: the longest that those in
    flight may take after that; `head_timeout_s`: the longest that a client may take for its request's head.
    """

    host: str
    port: int
    drain_s: float = 0.0
    stop_timeout_s: float = 15.0
    head_timeout_s: float = 10.0


def body_is_here(scope: MutableMapping[str, Any]) -> bool:
    """Whether all of a request's body has arrived; False where the server does not tell."""
    cycle = scope.get("state", {}).get(_CYCLE)
    return cycle is not None and not cycle.more_body


def answer_at_once(
    scope: MutableMapping[str, Any], status: int, fields: Sequence[tuple[bytes, bytes]], body: bytes
) -> bool:
    """Write a whole answer in one piece; False where that is not possible, and then nothing is written.

    `fields` have legal, lower-case names and a content-length: uvicorn's own way looks at each, twice, and writes head
    and body apart, which takes longer than all that becomes of a small request.
    """
    cycle = scope.get("state", {}).get(_CYCLE)
    if cycle is None or cycle.disconnected or cycle.response_started or not cycle.keep_alive:
        return False
    if cycle.flow.write_paused or scope["method"] == "HEAD":
        return False
    pieces = [STATUS_LINE[status]]
    for name, value in (*cycle.default_headers, *fields):
        pieces += (name, b": ", value, b"\r\n")
    pieces += (b"\r\n", body)
    cycle.waiting_for_100_continue = False
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(b"".join(pieces))
    cycle.message_event.set()
    cycle.on_response()
    return True


def bound_unread(scope: MutableMapping[str, Any], most_bytes: int) -> None:
    """Let the kernel hold about so many bytes at most of what the client has not read yet, instead of megabytes."""
    cycle = scope.get("state", {}).get(_CYCLE)
    connected = cycle.transport.get_extra_info("socket") if cycle is not None else None
    if connected is not None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, most_bytes)


def cut_off(scope: MutableMapping[str, Any]) -> None:
    """End a connection at once, with all that its client has not read."""
    cycle = scope.get("state", {}).get(_CYCLE)
    if cycle is not None:
        cycle.transport.abort()


def serve(app: Any, readiness: Readiness, listening: Listening) -> None:
    """Serve an ASGI application until SIGTERM or Ctrl-C. Exits with status 3 where its start fails."""
    _Server(app, readiness, listening).run()


class _Server(uvicorn.Server):
    def __init__(self, app: Any, readiness: Readiness, listening: Listening) -> None:
        super().__init__(_config(app, listening))
        self._readiness = readiness
        self._drain_s = listening.drain_s
        self._signals = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is uvicorn's
        """Let readiness fall, and close the port a while later. A second signal does not wait, a third not even for
        what is in flight.

        uvicorn's own raises the signal again at the end, so that an orderly stop looks like a death.
        """
        self._signals += 1
        self._readiness.drain()
        _log.info("stopping", signal=sig)
        self.force_exit = self._signals > _PATIENCE
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, self._drain_s if self._signals == 1 else 0.0, self._leave)

    def _leave(self) -> None:
        self.should_exit = True


def _config(app: Any, listening: Listening) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=listening.host,
        port=listening.port,
        loop="uvloop",
        http=_protocol(listening.head_timeout_s),
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(listening.stop_timeout_s),
    )


def _protocol(head_timeout_s: float) -> type[asyncio.Protocol]:
    class Guarded(_GuardedProtocol):
        patience_s = head_timeout_s

    return Guarded


class _GuardedProtocol(HttpToolsProtocol):
    """uvicorn bounds neither the size of a request's head nor the time that it takes: this does."""

    patience_s: float
    _in_head = True
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_is_there()
        super().on_headers_complete()
        self.scope["state"][_CYCLE] = self.cycle

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > _MOST_HEAD_BYTES:
                self.transport.write(_TOO_LARGE)
                self.transport.close()
            elif self._head_timer is None:
                self._wait_for_head()

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.patience_s, self.transport.close)

    def _head_is_there(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
