"""The probes as a FastAPI service has them: described in its OpenAPI document.

Apart, because FastAPI takes longer to import than all of a worker that needs none of it.
"""

from typing import Any

from fastapi import APIRouter

from bellwether.adapters.http.probes import Readiness, probes

_DESCRIBED: dict[str, dict[str, Any]] = {
    "/healthz": {
        "operation_id": "read_health",
        "summary": "Whether the process lives",
        "response_model": dict[str, str],
    },
    "/readyz": {
        "operation_id": "read_readiness",
        "summary": "Whether it can do its work",
        "responses": {503: {"description": "Not ready; the body names the part"}},
    },
    "/metrics": {"include_in_schema": False},
}


def probe_router(readiness: Readiness) -> APIRouter:
    """The same routes as `probes`."""
    router = APIRouter(tags=["operations"])
    for route in probes(readiness):
        router.add_api_route(route.path, route.endpoint, **_DESCRIBED[route.path])
    return router
