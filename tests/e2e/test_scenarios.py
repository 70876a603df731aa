"""Every KPI of the catalogue, moved by events and computed by hand: through the whole of Bellwether, to the last digit.

The files under tests/scenarios are lists of cases: what happened to a brand, and what its KPIs are then.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.pool import open_pool
from bellwether.catalogue.builtin import CATALOGUE
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.kept import Stored, differing
from tests.support.tenancy import TENANT
from tests.support.whole import PEPPER, Bellwether, bellwether

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
Case = dict[str, Any]
Event = dict[str, Any]

_GRAINS = {7: "month", 8: "week", 10: "day"}
"""By the length of a period's name: 2026-06, 2026-W23, 2026-06-10."""


def cases() -> list[Case]:
    """All cases, each with the slug of its brand."""
    found = [case for path in SCENARIOS for case in yaml.safe_load(path.read_text("utf-8"))]
    return [{**case, "brand": case["name"].lower().replace(",", "").replace(" ", "-")[:60]} for case in found]


CASES = cases()


def events_of(case: Case) -> Iterator[Event]:
    """The events of a case.

    One that repeats is so many events, `{n}` in its words is the number of each, and each is `later`
    seconds later than the one before it.
    """
    for number, line in enumerate(case["events"]):
        told = dict(line)
        kind, at, repeat = told.pop("type"), str(told.pop("at")), told.pop("repeat", 1)
        later = timedelta(seconds=told.pop("later", 0))
        moment = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(case.get("time_zone", "UTC")))
        for n in range(1, repeat + 1):
            time = (moment + n * later).isoformat()
            data = {"brand": case["brand"], "channel": "instagram", **_worded(told, n, case["brand"])}
            if kind == "social.content.metrics.v1":
                data["observed_at"] = time
            yield {
                "specversion": "1.0",
                "id": f"{number}-{n}",
                "source": "/scenario",
                "type": kind,
                "time": time,
                "data": data,
            }


def _worded(told: Any, n: int, brand: str) -> Any:
    if isinstance(told, dict):
        return {name: _worded(value, n, brand) for name, value in told.items()}
    return told.replace("{n}", str(n)).replace("$brand", brand) if isinstance(told, str) else told


def bounds(period: str) -> dict[str, str]:
    """A period as the parameters of a series with one bucket, in UTC."""
    grain = _GRAINS[len(period)]
    first = datetime.fromisoformat(f"{period}-01" if grain == "month" else period)
    following = (first.replace(day=1) + timedelta(days=32)).replace(day=1) if grain == "month" else first + timedelta(1)
    return {"from": f"{first.isoformat()}Z", "to": f"{following.isoformat()}Z", "grain": grain}


async def told(whole: Bellwether, case: Case, expected: dict[str, Any]) -> dict[str, Any]:
    """What the API says where a case expects something."""
    params = bounds(str(expected.get("period", case["period"])))
    if cut := expected.get("cut"):
        params["cut"] = cut
    answer = await whole.get(f"/v1/brands/{case['brand']}/kpis/{expected['kpi']}/series", **params)
    (found,) = answer["cuts"]
    (point,) = found["points"]
    point_told: dict[str, Any] = point
    return point_told


def differs(expected: dict[str, Any], point: dict[str, Any]) -> bool:
    """Whether a point is not what is expected."""
    if "reason" in expected and point["reason"] != expected["reason"]:
        return True
    named = (name for name in ("value", "screened") if name in expected)
    return not all(_equal(expected[name], point[name]) for name in named)


def _equal(expected: object, found: float | None) -> bool:
    if expected is None or found is None:
        return expected is found
    return math.isclose(found, float(Fraction(str(expected))), rel_tol=1e-13, abs_tol=1e-13)


@pytest.fixture(scope="module")
def catalogue_keys() -> set[str]:
    return set(CATALOGUE)


def test_every_kpi_of_the_catalogue_has_a_value_that_was_computed_by_hand(catalogue_keys: set[str]) -> None:
    expected = {line["kpi"] for case in CASES for line in case["expect"] if line["value"] is not None}
    assert expected == catalogue_keys


async def test_all_kpis_are_what_was_computed_by_hand(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    async with bellwether(stack, database, topics, tmp_path) as whole:
        for case in CASES:
            zone, currency = case.get("time_zone", "UTC"), case.get("currency", "EUR")
            await whole.create_brand(case["brand"], time_zone=zone, currency=currency, competitors=["rival"])
        await whole.send([event for case in CASES for event in events_of(case)])
        wrong = []
        for case in CASES:
            for expected in case["expect"]:
                point = await told(whole, case, expected)
                if differs(expected, point):
                    wrong.append(f"{case['name']}: {expected} but {point['value']} {point['reason']} {point['parts']}")
        assert not wrong, "\n".join(wrong)
        await assert_kept(whole)


async def assert_kept(whole: Bellwether) -> None:
    """The values that compute keeps become those of an evaluation, for every KPI, window and cut."""
    async with open_pool(whole.dsn) as pool, Directory.open(pool, PEPPER) as directory:
        brands = {case["brand"]: directory.brand(TENANT, case["brand"]) for case in CASES}
    stored = Stored(whole.dsn, {slug: brand for slug, brand in brands.items() if brand})
    async with asyncio.timeout(120):
        while await differing(stored) or len({slug for slug, _ in await stored.lines()}) < len(CASES):
            await asyncio.sleep(0.5)
    assert len(await stored.lines()) > 2 * len(CASES)
