"""/healthz, /readyz and /metrics, alike on every service.

Liveness knows no dependency: a restart would not bring Kafka or Postgres back. Readiness tells which part is
missing, from what the parts themselves last noticed: a probe never waits for I/O.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

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


def probes(readiness: Readiness) -> APIRouter:
    """The three routes; none needs a key, none tells anything of a tenant."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", operation_id="read_health", summary="Whether the process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    not_ready: dict[int | str, dict[str, Any]] = {503: {"description": "Not ready; the body names the part"}}

    @router.get("/readyz", operation_id="read_readiness", summary="Whether it can do its work", responses=not_ready)
    async def readyz() -> JSONResponse:
        checks = readiness.report()
        ready = all(said == "ok" for said in checks.values())
        return JSONResponse({"ready": ready, "checks": checks}, status_code=200 if ready else 503)

    @router.get(
        "/metrics",
        operation_id="read_metrics",
        summary="Metrics in Prometheus' text format",
        include_in_schema=False,
    )
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
