"""/healthz, /readyz and /metrics, alike on every service.

Liveness knows no dependency: a restart would not bring Kafka or Postgres back. Readiness tells which part is
missing, from what the parts themselves last noticed: a probe never waits for I/O.
"""

from collections.abc import Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Check = Callable[[], str | None]  # why the part is not ready, None when it is


class Readiness:
    """The named checks of a service, and whether it is about to stop."""

    def __init__(self, checks: Mapping[str, Check] | None = None) -> None:
        self._checks = dict(checks or {})
        self._stopping = False

    def add(self, name: str, check: Check) -> None:
        """Ask one more part."""
        self._checks[name] = check

    def drain(self) -> None:
        """Say not ready from now on, so that no new work is sent here while the rest is finished."""
        self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether the service is about to stop."""
        return self._stopping

    def report(self) -> dict[str, str]:
        """What each part says: 'ok', or why not."""
        told = {name: check() or "ok" for name, check in self._checks.items()}
        return {**told, "service": "stopping"} if self._stopping else told

    @property
    def ready(self) -> bool:
        """Whether all parts say ok and the service is to stay."""
        return all(said == "ok" for said in self.report().values())


def probes(readiness: Readiness) -> list[Route]:
    """The three routes; none needs a key, none tells anything of a tenant."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        checks = readiness.report()
        ready = all(said == "ok" for said in checks.values())
        return JSONResponse({"ready": ready, "checks": checks}, status_code=200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
