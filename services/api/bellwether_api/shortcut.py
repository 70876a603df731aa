"""In front of FastAPI, which takes longer to parse a request for a card than the card takes to be made.

What FastAPI has parsed and let pass once is remembered by its bytes; the same bytes need not be parsed again. Who asks
is checked each time. Whatever is unusual goes the long way.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from fastapi import Response

from bellwether.adapters.http.problems import headers_of, problem_of, respond
from bellwether.adapters.http.server import answer_at_once
from bellwether.adapters.postgres.directory import Brand, Directory
from bellwether.domain.errors import BellwetherError, Refused, Unavailable
from bellwether.domain.keys import Scope as KeyScope
from bellwether.observability import metrics
from bellwether_api.asgi import Asgi, Receive, Scope, Send
from bellwether_api.card_answers import CardAnswers, CardAsked
from bellwether_api.conditional import answer, has_it
from bellwether_api.scorecards import RoleCard

PATH = "/v1/brands/{brand}/scorecards/{role}"
_LARGEST_KEPT = 64 * 1024
_AUTHORIZATION, _ACCEPT, _IF_NONE_MATCH = b"authorization", b"accept", b"if-none-match"
_READ = frozenset({_AUTHORIZATION, _ACCEPT, _IF_NONE_MATCH})
_MISSING = b""

_ANSWERED = {hundreds: metrics.REQUESTS.labels(route=PATH, status=f"{hundreds}xx") for hundreds in range(1, 6)}
_DURATION = metrics.REQUEST_DURATION.labels(route=PATH)
_HIT = metrics.READ_CACHE.labels(result="hit")


class _Ready(NamedTuple):
    """An answer as it is sent, what it is an answer about, and until when it may be given again."""

    brand: Brand
    card: RoleCard
    until: float
    etag: str
    whole: Response
    unchanged: Response


@dataclass(slots=True)
class _Known:
    """A request whose bytes were parsed before."""

    slug: str
    asked: CardAsked
    ready: _Ready | None = None


class Shortcut:
    """The app, and a shorter way for requests that it was told of; at most `entries` of them."""

    def __init__(self, app: Asgi, entries: int) -> None:
        self._app = app
        self._most = entries
        self._known: OrderedDict[tuple[str, bytes, bytes], _Known] = OrderedDict()
        self._directory: Directory | None = None
        self._answers: CardAnswers | None = None

    def begin(self, directory: Directory, answers: CardAnswers) -> None:
        """From now on there is somebody to ask."""
        self._directory, self._answers = directory, answers

    def learn(self, scope: Scope, slug: str, asked: CardAsked) -> None:
        """Remember what the bytes of this request mean."""
        if (headers := _headers(scope)) is None:
            return
        while len(self._known) >= self._most:
            self._known.popitem(last=False)
        self._known[_key(scope, headers)] = _Known(slug, asked)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the app answer it."""
        started = time.perf_counter()
        response = await self._response(scope)
        if response is None:
            await self._app(scope, receive, send)
            return
        if not answer_at_once(scope, response.status_code, response.raw_headers, bytes(response.body)):
            await response(scope, receive, send)
        _ANSWERED[response.status_code // 100].inc()
        _DURATION.observe(time.perf_counter() - started)

    async def _response(self, scope: Scope) -> Response | None:
        if scope["type"] != "http" or scope["method"] != "GET" or (headers := _headers(scope)) is None:
            return None
        known = self._known.get(_key(scope, headers))
        brand = None if known is None else self._brand(headers, known.slug)
        if known is None or brand is None:
            return None
        try:
            ready = await self._ready(brand, known)
        except BellwetherError as error:
            return respond(problem_of(error, scope["path"]), headers_of(error))
        told = headers.get(_IF_NONE_MATCH)
        return ready.unchanged if told is not None and has_it(told.decode("latin-1"), ready.etag) else ready.whole

    def _brand(self, headers: dict[bytes, bytes], slug: str) -> Brand | None:
        """The brand, if whoever asks may read it; None sends the request the long way, to be refused there."""
        assert self._directory is not None  # noqa: S101 - nothing is known before `begin`
        try:
            who = self._directory.authenticate(headers.get(_AUTHORIZATION, _MISSING).decode("latin-1"))
        except (Refused, Unavailable):
            return None
        may = who.may(KeyScope.KPIS_READ) and who.sees(slug)
        return self._directory.brand(who.tenant, slug) if may else None

    async def _ready(self, brand: Brand, known: _Known) -> _Ready:
        """The answer for this brand: the same slug is another one to another tenant."""
        assert self._answers is not None  # noqa: S101 - nothing is known before `begin`
        card, ready = self._answers.of_role(brand, known.asked.role), known.ready
        now = asyncio.get_running_loop().time()
        if ready is not None and ready.brand is brand and ready.card == card and now < ready.until:
            _HIT.inc()
            return ready
        made = await self._answers.get(brand, known.asked)
        whole, unchanged = answer(made.encoded, None, made.headers), answer(made.encoded, "*", made.headers)
        ready = _Ready(brand, card, made.encoded.until, made.encoded.etag, whole, unchanged)
        known.ready = ready if len(made.encoded.body) <= _LARGEST_KEPT else None
        return ready


def _headers(scope: Scope) -> dict[bytes, bytes] | None:
    """The headers that an answer hangs on; None where one comes twice."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            if name in found:
                return None
            found[name] = value
    return found


def _key(scope: Scope, headers: dict[bytes, bytes]) -> tuple[str, bytes, bytes]:
    return scope["path"], scope["query_string"], headers.get(_ACCEPT, _MISSING)
