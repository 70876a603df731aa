"""Targets of a real creator through the whole of Bellwether: every month stands as the file says."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from tests.e2e.test_real_campaigns import FOLLOWERS, audience_events, day_of, needs_followers, rows
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.whole import Bellwether, bellwether

NEW_ONES = {
    "kpi": "subscriber_growth",
    "aim": {"form": "level", "value": 10},
    "time": {"kind": "every", "period": "month", "since": "2020-05-01"},
}
CHURN = {**NEW_ONES, "kpi": "audience_churn_rate", "aim": {"form": "maximum", "value": 5}}


async def set_target(whole: Bellwether, name: str, body: dict[str, Any]) -> dict[str, Any]:
    async with httpx2.AsyncClient(timeout=30, headers=whole.headers) as client:
        answer = await client.put(f"{whole.services.api.url}/v1/brands/creator/targets/{name}", json=body)
    assert answer.status_code == httpx2.codes.CREATED, answer.text
    target: dict[str, Any] = answer.json()
    return target


async def command(whole: Bellwether, *arguments: str) -> str:
    """What `bellwether targets` prints."""
    urls = {"BELLWETHER_KEY": whole.key, "BELLWETHER_API_URL": whole.services.api.url}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bellwether_cli", "targets", *arguments),
        env={**os.environ, **urls},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def stands(whole: Bellwether, name: str, as_of: datetime) -> tuple[float | None, float | None, str]:
    """The value over the month that ends then, the percent attained and the status."""
    read = await whole.get(f"/v1/brands/creator/targets/{name}", as_of=as_of.isoformat())
    progress = read["progress"]
    return progress["figure"]["value"], progress["attainment"], progress["status"]


def expected_growth(net: int) -> tuple[float, float, str]:
    return net, 100 * net / 10, "on_track" if net >= 10 else "off_track"


def expected_churn(lost: int, before: int) -> tuple[float, float, str]:
    rate = 100 * lost / before
    return (rate, 100.0, "on_track") if rate <= 5 else (rate, 100 * 5 / rate, "off_track")


@needs_followers
async def test_targets_of_a_real_creator_stand_every_month_as_the_file_says(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    months = list(rows(FOLLOWERS))
    async with bellwether(stack, database, topics, tmp_path) as whole:
        await whole.create_brand("creator")
        await whole.send([e for row in months for e in audience_events(row)])
        made = await set_target(whole, "new-ones", NEW_ONES)
        await set_target(whole, "churn", CHURN)
        assert made["words"] == "at least 10 every month"
        told = 0
        for before, row in pairwise(months):
            end = day_of(row["period_end"], "%m/%d/%Y") + timedelta(days=1)
            net, lost = int(row["subscribers_net"]), int(row["subscribers_lost"])
            size = int(before["subscribers_total"])
            assert await stands(whole, "new-ones", end) == expected_growth(net), end
            if size:
                assert await stands(whole, "churn", end) == expected_churn(lost, size), end
                told += 1
        assert told == 9
        table = await command(whole, "list", "creator", "--as-of", "2021-08-01T00:00:00Z")
        assert "140 %" in table
        assert "46.6667 %" in table
        (tmp_path / "more.json").write_bytes(msgspec.json.encode({**NEW_ONES, "aim": {"form": "level", "value": 20}}))
        assert "at least 20 every month" in await command(whole, "set", "creator", "more", str(tmp_path / "more.json"))
        assert "more is deleted" in await command(whole, "delete", "creator", "more")
        listed = await whole.get("/v1/brands/creator/targets", as_of="2021-08-01T00:00:00Z")
    assert [(one["id"], one["progress"]["attainment"]) for one in listed["items"]] == [
        ("churn", 100 * 5 / (100 * 6 / 56)),
        ("new-ones", 140.0),
    ]
