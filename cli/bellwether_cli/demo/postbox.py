"""An HTTP endpoint on this machine that takes the demo's webhooks, and checks what a receiver should check."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

import msgspec

from bellwether.adapters.alerting.webhooks import signature
from bellwether_cli.stack.ports import LOOPBACK

_TOLERANCE_S = 300


class Letter(NamedTuple):
    """A webhook as it arrived at UTC second `at`; `signed`: with our secret, and lately."""

    type: str
    timestamp: str
    data: Mapping[str, Any]
    at: float
    signed: bool


class Postbox:
    """Keeps the webhooks that arrive. `secret` is told once the endpoint is made, before anything is sent to it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.letters: list[Letter] = []
        self.secret = ""
        self.url = ""
        self._loop = loop
        self._changed = asyncio.Event()

    def take(self, headers: Mapping[str, str], body: bytes, at: float) -> None:
        """Keep a webhook; called from threads."""
        told = msgspec.json.decode(body, type=dict[str, Any])
        letter = Letter(told["type"], told["timestamp"], told["data"], at, is_signed(self.secret, headers, body, at))
        self._loop.call_soon_threadsafe(self._keep, letter)

    def _keep(self, letter: Letter) -> None:
        self.letters.append(letter)
        self._changed.set()

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Wait until a letter makes the condition true; False where none has in that time."""
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether one of the signatures is of Standard Webhooks under the secret, and not older than five minutes."""
    try:
        name, timestamp = headers["webhook-id"], int(headers["webhook-timestamp"])
        told = headers["webhook-signature"].split()
    except (KeyError, ValueError):
        return False
    wanted = signature(secret, name, timestamp, body)
    return abs(now - timestamp) < _TOLERANCE_S and any(hmac.compare_digest(one, wanted) for one in told)


@asynccontextmanager
async def open_postbox() -> AsyncIterator[Postbox]:
    """A postbox on a free port of the loopback interface, until the block ends."""
    box = Postbox(asyncio.get_running_loop())
    server = ThreadingHTTPServer((LOOPBACK, 0), _handler(box))
    box.url = f"http://{LOOPBACK}:{server.server_port}/alerts"
    serving = Thread(target=server.serve_forever, args=(0.05,), name="postbox", daemon=True)
    serving.start()
    try:
        yield box
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


def _handler(box: Postbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at = time.time()
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            box.take({name.lower(): value for name, value in self.headers.items()}, body, at)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_told: object) -> None:
            """Nothing: the terminal is the demo's."""

    return Handler
