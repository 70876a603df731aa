"""Counts and times every request by its route, never by its path."""

import time

from bellwether.observability import metrics
from bellwether_api.asgi import Asgi, Message, Receive, Scope, Send

_FAILED = 500
STREAM = "/v1/stream"


def metered(app: Asgi) -> Asgi:
    """The app, with its requests in the metrics. What no route answered is named `unmatched`."""

    async def measured(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started, status = time.perf_counter(), _FAILED

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            metrics.REQUESTS.labels(route=route, status=f"{status // 100}xx").inc()
            if route != STREAM:  # it is open for as long as somebody listens
                metrics.REQUEST_DURATION.labels(route=route).observe(time.perf_counter() - started)

    return measured
