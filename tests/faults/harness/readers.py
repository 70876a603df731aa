"""Readers that look all through a run: no number may ever be more than there is at the end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2

from tests.support.flow import Onlooker
from tests.support.http_flow import Answered
from tests.support.oracle import GROWING, Expected

_LOOK_S = 0.4
_POLL_S = 0.02
_WINDOW = "90d"
_KEYS = "brand_mentions,response_rate,community_sentiment"


@dataclass
class ApiWatch:
    """Reads every brand through the API, over and over.

    asked_at: when it asked for what it last got, by the monotonic clock
    """

    url: str
    headers: Mapping[str, str]
    finals: Mapping[tuple[str, str, str], int]
    answers: Counter[Answered] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked_at: float = 0.0

    async def run(self) -> None:
        """Read until cancelled."""
        brands = sorted({brand for brand, _, _ in self.finals})
        async with httpx2.AsyncClient(base_url=self.url, headers=self.headers, timeout=5) as client:
            while True:
                for brand in brands:
                    await self._look(client, brand)
                    await asyncio.sleep(_LOOK_S / len(brands))

    async def good_after(self, moment: float) -> None:
        """Wait until something that was asked after a moment of the monotonic clock is answered."""
        while self.asked_at <= moment:
            await asyncio.sleep(_POLL_S)

    async def _look(self, client: httpx2.AsyncClient, brand: str) -> None:
        started = time.monotonic()
        try:
            response = await client.get(f"/v1/brands/{brand}/kpis", params={"window": _WINDOW, "keys": _KEYS})
        except httpx2.TransportError as error:
            self.answers[type(error).__name__] += 1
            return
        self.answers[response.status_code] += 1
        if response.status_code == httpx2.codes.OK:
            self.asked_at = started
            self._judge(brand, parts_of(response.json()))
        elif response.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
            self.violations.append(f"{brand}: the API answers {response.status_code} {response.text[:200]}")

    def _judge(self, brand: str, found: Mapping[str, int]) -> None:
        for measure in GROWING & found.keys():
            before, now, final = self.seen[brand, measure], found[measure], self.finals[brand, "", measure]
            if not before <= now <= final:
                self.violations.append(f"{brand} {measure}: {before}, then {now}, at the end {final}")
            self.seen[brand, measure] = now


def parts_of(answer: Mapping[str, Any]) -> dict[str, int]:
    """The measures behind the KPIs of an answer in the window that holds everything."""
    (total,) = answer["cuts"]
    found: dict[str, int] = {}
    for windows in total["kpis"].values():
        found |= windows.get(_WINDOW, {}).get("parts") or {}
    return found


async def look_on(onlooker: Onlooker) -> None:
    """Look into the database until cancelled, also after it was away."""
    while True:
        with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await onlooker.run()
        await asyncio.sleep(_LOOK_S)


async def told_wrong(url: str, headers: Mapping[str, str], expected: Expected, within_s: float) -> list[str]:
    """What the API says otherwise than the oracle, of every measure behind its KPIs, once it has had time."""
    wanted = {brand: expected.sums(brand) for brand in sorted({bucket.brand for bucket in expected.rollups["day"]})}
    deadline = time.monotonic() + within_s
    while (wrong := await _differences(url, headers, wanted)) and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_S)
    return wrong


async def _differences(url: str, headers: Mapping[str, str], wanted: Mapping[str, Counter[str]]) -> list[str]:
    known = {measure for sums in wanted.values() for measure in sums}
    wrong = []
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=20) as client:
        for brand, sums in wanted.items():
            found = parts_of((await client.get(f"/v1/brands/{brand}/kpis", params={"window": _WINDOW})).json())
            if not {"mentions", "messages_answered"} <= found.keys():
                wrong.append(f"the API tells nothing of {brand}")
            shown = (m for m in sorted(found.keys() & known) if found[m] != sums[m])
            wrong += (f"the API: {brand} {measure} {found[measure]} instead of {sums[measure]}" for measure in shown)
    return wrong
