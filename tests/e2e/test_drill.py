"""A drill through all of Bellwether: a shadow brand has a crisis, the team is timed, the brand is not touched."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.whole import Bellwether, bellwether

_SHADOW = "/v1/brands/aurora-drill/incidents"
_SHOWN = ("/v1/brands/aurora/kpis", "/v1/brands/aurora/incidents")


def mention(number: int) -> dict[str, Any]:
    data = {"brand": "aurora", "of": "aurora", "channel": "x", "text": "fine"}
    at = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    return {
        "specversion": "1.0",
        "id": f"m{number}",
        "source": "/t",
        "type": "social.mention.v1",
        "time": at,
        "data": data,
    }


async def begin_drill(running: Bellwether, *options: str) -> asyncio.subprocess.Process:
    services = running.services
    told = {"KEY": running.key, "API_URL": services.api.url, "INGEST_URL": services.ingest.url}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bellwether_cli", "drill", "aurora", *options),
        env={**os.environ, **{f"BELLWETHER_{name}": value for name, value in told.items()}},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def crisis(running: Bellwether, state: str, process: asyncio.subprocess.Process) -> Any:
    """The crisis of the shadow, once it is in a state."""
    async with asyncio.timeout(90), httpx2.AsyncClient(headers=running.headers) as client:
        while True:
            assert process.returncode is None, (await process.communicate())[0].decode()
            answer = await client.get(running.services.api.url + _SHADOW)
            if answer.status_code == httpx2.codes.OK:
                found = [one for one in answer.json()["items"] if one["state"] == state]
                if found:
                    return found[0]
            await asyncio.sleep(0.2)


async def take(running: Bellwether, incident: str, action: str, **told: str) -> None:
    async with httpx2.AsyncClient(headers=running.headers, timeout=30) as client:
        url = f"{running.services.api.url}{_SHADOW}/{incident}/{action}"
        answer = await client.post(url, json={"by": "Dana", **told})
    assert answer.status_code in (httpx2.codes.OK, httpx2.codes.CREATED), answer.text


async def shown(running: Bellwether) -> list[Any]:
    """What the API shows of the brand itself, at a moment of before the drill."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    told = [await running.get(_SHOWN[0], window="28d", as_of=now.isoformat().replace("+00:00", "Z"))]
    kept = (await running.get(_SHOWN[0], keys="brand_mentions", window="28d"))["cuts"][0]["kpis"]
    return [told[0]["cuts"][0]["kpis"].keys(), kept["brand_mentions"]["28d"]["value"], await running.get(_SHOWN[1])]


async def test_a_drill_times_the_team_and_leaves_the_brand_as_it_was(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    async with bellwether(stack, database, topics, tmp_path) as running:
        await running.create_brand("aurora")
        await running.send([mention(number) for number in range(7)])
        before = await shown(running)
        process = await begin_drill(running)
        incident = (await crisis(running, "open", process))["id"]
        for action, told in (("acknowledge", {}), ("respond", {}), ("resolve", {"reason": "real"})):
            await take(running, incident, action, **told)
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, out.decode()
        lines = out.decode().splitlines()
        assert any("opened by detector" in line for line in lines), out.decode()
        timed = {line.split()[0]: line.split()[1] for line in lines[-4:]}
        assert timed.keys() == {"noticed", "acknowledged", "responded", "resolved"}
        assert "–" not in timed.values()
        assert await shown(running) == before
        assert before[1] == 7

        process = await begin_drill(running)
        again = await crisis(running, "open", process)
        assert again["id"] == incident, "it flares up"
        process.send_signal(signal.SIGINT)
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 130, out.decode()
        left = await running.get(f"{_SHADOW}/{incident}")
        assert (left["state"], left["reason"]) == ("resolved", "benign"), (left["steps"], out.decode())
