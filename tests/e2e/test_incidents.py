"""The life of a crisis through all of Bellwether: opened over the API, acknowledged by an event, resolved by a command.

Compute is killed on the way; the KPIs follow from the moments of the steps.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.patience import PATIENCE_S
from tests.support.whole import Bellwether, bellwether

BASE = "/v1/brands/aurora/incidents"


async def post(running: Bellwether, path: str, body: dict[str, Any], *statuses: int) -> Any:
    """The answer to a step; repeated while the API has no connection to Kafka yet."""
    async with httpx2.AsyncClient(timeout=30, headers=running.headers) as client, asyncio.timeout(PATIENCE_S):
        while True:
            answer = await client.post(running.services.api.url + path, json=body)
            if answer.status_code != 503:
                assert answer.status_code in statuses, answer.text
                return answer.json()
            await asyncio.sleep(0.1)


async def command(running: Bellwether, *arguments: str) -> str:
    """What `bellwether incidents` prints."""
    told = {"BELLWETHER_KEY": running.key, "BELLWETHER_API_URL": running.services.api.url}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bellwether_cli", "incidents", *arguments),
        env={**os.environ, **told},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


def acknowledgement(incident: str) -> dict[str, Any]:
    told = {"incident_id": incident, "phase": "acknowledged", "severity": "critical", "by": "Dana"}
    data = {"brand": "aurora", "channel": "instagram", **told}
    now = datetime.now(UTC).isoformat()
    return {"specversion": "1.0", "id": "a", "source": "/t", "type": "crisis.incident.v1", "time": now, "data": data}


async def crisis(running: Bellwether, incident: str, state: str) -> Any:
    """The crisis, once it is in a state."""
    async with asyncio.timeout(PATIENCE_S):
        while (told := await running.get(f"{BASE}/{incident}"))["state"] != state:
            await asyncio.sleep(0.1)
    return told


def seconds(told: Any, phase: str) -> int:
    """From the opening to a step."""
    moments = {step["phase"]: datetime.fromisoformat(step["at"]) for step in told["steps"]}
    return int((moments[phase] - moments["opened"]).total_seconds())


async def test_a_crisis_opened_acknowledged_and_resolved_on_three_ways_counts_by_its_moments_whatever_dies(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    async with bellwether(stack, database, topics, tmp_path) as running:
        await running.create_brand("aurora")
        opened = await post(running, BASE, {"channel": "x", "severity": "critical", "by": "Maria"}, 201, 202)
        incident = opened.get("id") or opened["incident"]
        await crisis(running, incident, "open")
        await running.send([acknowledgement(incident)])
        await crisis(running, incident, "acknowledged")

        compute = running.services.compute
        await compute.kill()
        noted = await post(running, f"{BASE}/{incident}/notes", {"note": "while compute is dead"}, 202)
        assert noted["phase"] == "noted"
        assert len((await running.get(f"{BASE}/{incident}"))["steps"]) == 2
        await compute.start()
        await compute.ready()

        async with asyncio.timeout(PATIENCE_S):
            while len((await running.get(f"{BASE}/{incident}"))["steps"]) < 3:
                await asyncio.sleep(0.1)
        said = await command(running, "resolve", "aurora", incident, "real", "--by", "Eve")
        assert said.startswith(incident)
        told = await crisis(running, incident, "resolved")
        assert [step["by"] for step in told["steps"] if step["phase"] != "noted"] == ["Maria", "Dana", "Eve"]
        assert {step["origin"] for step in told["steps"]} == {"person", "partner"}
        shown = await command(running, "show", "aurora", incident)
        assert "while compute is dead" in shown
        assert incident in await command(running, "list", "aurora", "--state", "resolved")
        await counts(running, seconds(told, "acknowledged"), seconds(told, "resolved"))


async def counts(running: Bellwether, response: int, resolution: int) -> None:
    """Wait until the KPIs are those of the moments."""
    expected = {
        "crisis_response_time": response,
        "crisis_resolution_rate.time": resolution,
        "crisis_resolution_rate": 100,
    }
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(PATIENCE_S):
            while found != expected:
                await asyncio.sleep(0.2)
                kpis = await running.get(
                    "/v1/brands/aurora/kpis", keys=",".join(expected), window="24h", cut="channel=x"
                )
                found = {key: kpis["cuts"][0]["kpis"][key]["24h"]["value"] for key in expected}
    except TimeoutError:
        assert found == expected
