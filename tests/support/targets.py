"""Setting targets over HTTP."""

from __future__ import annotations

from typing import Any

import httpx2

from bellwether.domain.keys import Scope
from tests.support.api import serving

SET_AT = "2026-11-01T10:00:00+00:00"
NOW = "2026-12-21T12:00:30+00:00"
TARGETS = "/v1/brands/acme/targets"
EVERY_MONTH = {"kind": "every", "period": "month", "since": "2026-05-01"}
NEW_SUBSCRIBERS = {"kpi": "subscriber_growth", "aim": {"form": "level", "value": 1000}, "time": EVERY_MONTH}
SETTER = (Scope.KPIS_READ, Scope.TARGETS_WRITE)


async def put(database: str, headers: dict[str, str], body: dict[str, Any], at: str = SET_AT) -> httpx2.Response:
    """Set the target `one` of the brand acme at a moment."""
    async with serving(database, at) as client:
        return await client.put(f"{TARGETS}/one", json=body, headers=headers)
