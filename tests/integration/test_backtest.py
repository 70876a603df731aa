"""Backtests over the API and the command: of hours as the detector stores them, beside the crises that are known."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from bellwether.adapters.postgres.keys import create_key
from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection import ChangeKind, Detector, History, Live
from bellwether.domain.detection.settings import BIN_S
from bellwether_cli.stack.folder import open_folder
from bellwether_cli.stack.ports import free_port
from bellwether_cli.stack.services import Service, Wiring
from tests.support.api import PEPPER, READER, Seed, seeding, serving
from tests.support.backends import Servers
from tests.support.command import command
from tests.support.databases import Topics
from tests.support.patience import PATIENCE_S
from tests.unit.domain.detection_streams import CRISIS_AT, MONDAY, Event, burst, merged, regular, told

_ZONE = "America/New_York"
_STREAM = merged(regular(8, 12), burst(CRISIS_AT, 60), burst(CRISIS_AT + 2 * DAY_S, 60))
_ASKED = {"from": "2026-01-06T00:00:00Z", "to": "2026-01-13T00:00:00Z"}
_NOW = "2026-02-01T00:00:00Z"
_PATH = "/v1/brands/acme/backtests"


async def heard(seed: Seed, brand_id: int, events: Iterable[Event], cut: str = "") -> None:
    """Store the hours of events as compute does."""
    history = History({})
    detector = Detector(Live(), history, time_zone=_ZONE)
    for event in events:
        detector.observe(*event)
    detector.save()
    rows = [(brand_id, cut, hour, counts) for hour, counts in history.take_added().items()]
    await seed.connection.executemany("INSERT INTO detector_hour VALUES ($1, $2, $3, $4)", rows)


async def crisis(seed: Seed, brand_id: int, name: str, opened_at: int, reason: str | None) -> None:
    """A crisis of an hour as compute keeps it."""
    await seed.connection.execute(
        "INSERT INTO incident (brand_id, incident_id, state, since, opened_at, opened_by, source, cuts, signal,"
        " numbers, merged_into, steps, recorded_at, resolved_at, reason)"
        " VALUES ($1, $2, 'resolved', $3, $3, '', '', '{\"\"}', '', '', '', 0, $3, $4, $5)",
        *(brand_id, name, opened_at, opened_at + HOUR_S, reason),
    )


async def world(seed: Seed) -> dict[str, str]:
    """A brand with two bursts, of which one is known, and a crisis in which nothing was heard; the reader's headers."""
    brand_id = await seed.brand("acme", _ZONE)
    await heard(seed, brand_id, _STREAM)
    await crisis(seed, brand_id, "real-1", CRISIS_AT - 300, "real")
    await crisis(seed, brand_id, "quiet-1", MONDAY + 7 * DAY_S, "false")
    return await seed.key(READER)


def iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


async def test_a_backtest_tells_what_the_live_detector_told_to_five_minutes(database: str) -> None:
    async with seeding(database) as seed, serving(database, _NOW) as client:
        headers = await world(seed)
        answer = await client.post(_PATH, json=_ASKED, headers=headers)
        assert answer.status_code == 200, answer.text
        found = answer.json()
    live = told(_STREAM, time_zone=_ZONE)
    opened = [one for one in live if one.kind is ChangeKind.OPENED]
    assert len(opened) == 2
    assert [one["opened_at"] for one in found["armed"]["fired"]] == [iso(one.at - one.at % BIN_S) for one in opened]
    assert [one["onset"] for one in found["armed"]["fired"]] == [iso(one.onset - one.onset % BIN_S) for one in opened]
    closed = [one for one in live if one.kind is ChangeKind.CLOSED]
    assert [one["closed_at"] for one in found["armed"]["fired"]] == [iso(one.at) for one in closed]
    assert [one["severity"] for one in found["armed"]["fired"]] == [round(one.severity, 2) for one in closed]
    assert found["tried"] == found["armed"]
    assert found["resolution_s"] == BIN_S


async def test_it_tells_known_crises_rates_and_hours_beside_the_armed_settings(database: str) -> None:
    async with seeding(database) as seed, serving(database, _NOW) as client:
        headers = await world(seed)
        body = {**_ASKED, "settings": {"open_severity": 9}}
        found = (await client.post(_PATH, json=body, headers=headers)).json()
    armed, tried = found["armed"], found["tried"]
    assert [one["incidents"] for one in armed["fired"]] == [["real-1"], []]
    assert [(one["incident"], one["reason"]) for one in armed["caught"]] == [("real-1", "real")]
    assert 300 <= armed["caught"][0]["delay_s"] <= 900
    assert armed["missed"] == [{"incident": "quiet-1", "reason": "false"}]
    assert armed["per_week"] == pytest.approx(2 / armed["weeks"], rel=0.01)
    assert armed["unknown_per_week"] == pytest.approx(1 / armed["weeks"], rel=0.01)
    assert (armed["by_hour"][7], sum(armed["by_hour"])) == (2, 2)
    assert armed["by_weekday"] == [0, 0, 0, 1, 0, 1, 0]
    assert [one["incidents"] for one in tried["fired"]] == [["real-1"]]
    assert (tried["unknown_per_week"], tried["missed"]) == (0, armed["missed"])
    assert tried["settings"]["open_severity"] == 9
    coverage = found["coverage"]
    assert (coverage["hours"], coverage["heard_hours"], coverage["longest_silence_hours"]) == (168, 168, 0)


async def test_where_nothing_is_stored_nothing_is_zero_but_null_with_a_reason(database: str) -> None:
    async with seeding(database) as seed, serving(database, _NOW) as client:
        headers = await world(seed)
        young = await seed.brand("young", _ZONE)
        await heard(seed, young, regular(0.5, 12, start=MONDAY + 2 * DAY_S))
        for path, body, reason in (
            (_PATH, {**_ASKED, "cut": "channel=x"}, "nothing_stored"),
            ("/v1/brands/young/backtests", _ASKED, "warm_up"),
        ):
            armed = (await client.post(path, json=body, headers=headers)).json()["armed"]
            rates = armed["per_week"], armed["unknown_per_week"], armed["judged_from"]
            assert (armed["reason"], armed["weeks"], rates) == (reason, 0, (None, None, None))


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"to": "2026-01-06T00:00:00Z"}, ""),
        ({"to": "2026-04-20T00:00:00Z"}, ""),
        ({"cut": "campaign=spring"}, ""),
        ({"settings": {"open_severity": 11}}, "/settings/open_severity"),
        ({"settings": {"open_severity": 1.0}}, "/settings"),
        ({"settings": {"speed": 1}}, "/settings/speed"),
        ({"settings": {"span_minutes": 7}}, "/settings/span_minutes"),
        ({"from": "yesterday"}, "/from"),
    ],
    ids=["empty", "too long", "cut", "range", "contradiction", "unknown", "steps", "moment"],
)
async def test_what_is_wrong_is_pointed_at(database: str, wrong: dict[str, Any], pointer: str) -> None:
    async with seeding(database) as seed, serving(database, _NOW) as client:
        headers = await world(seed)
        answer = await client.post(_PATH, json={**_ASKED, **wrong}, headers=headers)
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_one_backtest_runs_at_a_time_and_others_are_told_when_to_come_again(database: str) -> None:
    async with seeding(database) as seed, serving(database, _NOW) as client:
        headers = await world(seed)
        answers = await asyncio.gather(*(client.post(_PATH, json=_ASKED, headers=headers) for _ in range(3)))
        codes = sorted(answer.status_code for answer in answers)
        assert codes[0] == 200
        assert codes[-1] == 429
        assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)
        assert (await client.post(_PATH, json=_ASKED, headers=headers)).status_code == 200


async def test_other_rules_are_told_beside_the_detector(database: str) -> None:
    rules = ["zscore", "zscore:z=50", "volume>40/h", "negative_volume>1000/h,quiet_hours=6"]
    async with seeding(database) as seed, serving(database, _NOW) as client:
        headers = await world(seed)
        answer = await client.post(_PATH, json={**_ASKED, "rules": rules}, headers=headers)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        wrong = await client.post(_PATH, json={**_ASKED, "rules": ["zscore", "volume>x/h"]}, headers=headers)
    assert [fault["pointer"] for fault in wrong.json()["errors"]] == ["/rules/1"]
    zscore, high, bound, negative = found["rules"]
    assert zscore["rule"] == {"kind": "zscore", "z": 6, "days": 3, "quiet_hours": 24}
    assert [one["opened_at"] for one in zscore["fired"]] == [iso(CRISIS_AT), iso(CRISIS_AT + 2 * DAY_S)]
    assert [(one["severity"], one["incidents"]) for one in zscore["fired"]] == [(None, ["real-1"]), (None, [])]
    assert (zscore["by_hour"][7], zscore["missed"]) == (2, found["armed"]["missed"])
    assert [one["incidents"] for one in high["fired"]] == [["real-1"]], "the first burst widens the spread"
    assert bound["rule"] == {"kind": "threshold", "signal": "volume", "per_hour": 40, "quiet_hours": 24}
    assert [one["signal"] for one in bound["fired"]] == ["volume", "volume"]
    assert (negative["fired"], negative["settings"]) == ([], None)


async def test_a_backtest_ends_with_whoever_asked_for_it(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    wiring = Wiring(stack.kafka_bootstrap, database, PEPPER, topics.events, topics.quarantine, topics.updates)
    async with seeding(database) as seed:
        brand_id = await seed.brand("acme", _ZONE)
        await seed.connection.executemany("INSERT INTO detector_hour VALUES ($1, '', $2, $3)", _busy(brand_id))
        headers = await seed.key(READER)
        with open_folder(tmp_path / "api") as folder:
            service = Service(folder, "api", free_port(), wiring.environment("api"))
            await service.start()
            try:
                await service.ready()
                async with httpx2.AsyncClient(base_url=service.url, headers=headers, timeout=60) as client:
                    await _left_by_its_client(client)
                    asking = asyncio.ensure_future(client.post(_PATH, json=_LONG))
                    (child,) = await _children(1)
                    async with asyncio.timeout(PATIENCE_S):
                        assert (await client.get("/v1/brands")).status_code == 200
            finally:
                await service.stop()
            asking.cancel()
    assert not child.is_running()


_LONG = {"from": "2025-10-10T00:00:00Z", "to": "2026-01-10T00:00:00Z"}


def _busy(brand_id: int) -> list[tuple[int, int, list[int]]]:
    """Hours of four months in which something was heard in each bin."""
    start = MONDAY // HOUR_S * HOUR_S - 110 * DAY_S
    row = [n % 5 + 1 for n in range(12)]
    return [(brand_id, start + hour * HOUR_S, [*row, *row, *([0] * 12)]) for hour in range(120 * 24)]


async def _left_by_its_client(client: httpx2.AsyncClient) -> None:
    """Ask, go away, and see the process end and the turn be free again."""
    asking = asyncio.ensure_future(client.post(_PATH, json=_LONG))
    (child,) = await _children(1)
    assert (await client.post(_PATH, json=_LONG)).status_code == 429
    asking.cancel()
    await _children(0)
    assert not child.is_running()


async def _children(count: int) -> list[psutil.Process]:
    """The processes that work out backtests below this one, once there are so many."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            below = [one for one in psutil.Process().children(recursive=True) if _works_out(one)]
            if len(below) == count:
                return below
            await asyncio.sleep(0.02)


def _works_out(process: psutil.Process) -> bool:
    try:
        return "bellwether_api.backtest_process" in process.cmdline()
    except psutil.Error:
        return False


async def test_the_command_shows_what_would_have_fired(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    wiring = Wiring(stack.kafka_bootstrap, database, PEPPER, topics.events, topics.quarantine, topics.updates)
    async with seeding(database) as seed:
        await world(seed)
        key = await create_key(seed.connection, seed.tenant_id, "reader", READER, None, None, PEPPER)
        with open_folder(tmp_path / "api") as folder:
            service = Service(folder, "api", free_port(), wiring.environment("api"))
            await service.start()
            try:
                await service.ready()
                stretch = ("--from", _ASKED["from"], "--to", _ASKED["to"])
                asked = ("backtest", "acme", "--api", service.url, "--key", key, *stretch)
                code, shown = await command(*asked, "--rule", "open_severity=9")
                assert code == 0, shown
                assert "catches real-1 (real) after 5 min" in shown
                assert "hours of the day (America/New_York): 07h 1; weekdays: Thu 1\n" in shown
                assert "hours of the day (America/New_York): 07h 2; weekdays: Thu 1, Sat 1\n" in shown
                code, shown = await command(*asked, "--rule", "detector", "--rule", "zscore", "--rule", "volume>1000/h")
                assert code == 0, shown
                rows = [line.split() for line in shown.splitlines()]
                assert [row[1] for row in rows if row[:1] == ["armed"] and len(row) > 1] == ["2"], shown
                assert "zscore z=6 days=3 quiet_hours=24" in shown
                assert "volume>1000/h quiet_hours=24\nnothing would have fired" in shown
                assert "\ntried" not in shown
                code, shown = await command(*asked, "--rule", "open_severity=11")
                assert code == 1, shown
                assert "/settings/open_severity" in shown
            finally:
                await service.stop()
