"""One POST to an address that tenants name: bounded in time, to the address that was judged, and nowhere else."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2

from bellwether.adapters.alerting.addresses import Destination, Forbidden, Network, judged
from bellwether.adapters.alerting.messages import Outcome

TOTAL_S: Final = 15.0
"""Longest time for one attempt: name, connection, TLS, request, and the head of the answer."""
_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "Bellwether"}
_OK: Final = range(200, 300)
_GONE: Final = 410


class Client:
    """Posts to addresses that were judged. Open one with `Client.open`."""

    def __init__(self, http: httpx2.AsyncClient, allowed: Sequence[Network], total_s: float) -> None:
        self._http = http
        self._allowed = allowed
        self._total_s = total_s

    @classmethod
    @asynccontextmanager
    async def open(
        cls, allowed: Sequence[Network], *, total_s: float = TOTAL_S, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Client]:
        """A client until the end of the block.

        allowed: networks that may be reached though they are not public
        total_s: longest time for one attempt
        tls: whom to trust instead of whom the system trusts
        """
        # A connection is never used again: the next attempt's address is judged anew, and two names can share one.
        limits = httpx2.Limits(max_keepalive_connections=0)
        async with httpx2.AsyncClient(
            verify=tls or ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=total_s,
            limits=limits,
        ) as http:
            yield cls(http, allowed, total_s)

    @property
    def allowed(self) -> Sequence[Network]:
        """The networks that may be reached though they are not public."""
        return self._allowed

    async def post(self, place: Destination, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send, and judge by the status alone: 2xx is success, all else is not, redirects least of all."""
        try:
            async with asyncio.timeout(self._total_s):
                return await self._post(place, body, headers)
        except TimeoutError:
            return Outcome(error=f"no answer within {self._total_s:.0f} s")
        except Forbidden as error:
            return Outcome(error=f"the address {error}")
        except (OSError, httpx2.HTTPError) as error:
            return Outcome(error=_words(error))

    async def _post(self, place: Destination, body: bytes, headers: Mapping[str, str]) -> Outcome:
        address = await judged(place, self._allowed)
        host = f"[{address}]" if ":" in address else address
        request = self._http.build_request(
            "POST",
            f"{place.scheme}://{host}:{place.port}{place.target}",
            content=body,
            headers={**_HEADERS, **headers, "Host": place.authority},
            extensions={"sni_hostname": place.host},
        )
        # The body of the answer is not read: it could be endless, and nobody is shown it.
        answer = await self._http.send(request, stream=True)
        await answer.aclose()
        return _outcome(answer.status_code, answer.headers.get("retry-after"))


def _outcome(status: int, retry_after: str | None) -> Outcome:
    if status in _OK:
        return Outcome(status)
    return Outcome(status, f"answered {status}", _seconds(retry_after), status == _GONE)


def _seconds(retry_after: str | None) -> float:
    """Retry-After (RFC 9110) in seconds from now; 0 for none, and for what cannot be read."""
    if not retry_after:
        return 0.0
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
        return max(0.0, moment.timestamp() - time.time())
    except ValueError:
        return 0.0


def _words(error: Exception) -> str:
    if isinstance(error, httpx2.ConnectError | OSError):
        return "cannot be connected to"
    return f"did not answer as HTTP does ({type(error).__name__})"
