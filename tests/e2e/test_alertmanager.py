"""A real Prometheus Alertmanager takes alerts, groups them by its own rules, and sees them resolved."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from bellwether.adapters.alerting import alertmanager as told
from bellwether.domain.alerts import Kind
from tests.support.alert_receiver import Receiver, receiving
from tests.support.alerting import delivering, desk
from tests.support.alertmanager import Alertmanager, alertmanager
from tests.support.patience import PATIENCE_S


async def test_alertmanager_receives_groups_keeps_and_resolves_incidents(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "REPEAT_S", 2)  # it fires for three of these without hearing of it
    now = int(time.time())
    async with (
        receiving() as people,
        alertmanager(tmp_path, people.url) as manager,
        desk(database) as at_desk,
        delivering(database),
    ):
        await at_desk.route(await at_desk.endpoint(manager.url, kind="alertmanager"))
        await at_desk.write(*(at_desk.alert(name, at=now - 60) for name in ("storm", "leak")))
        await people.until(lambda: _status(people) == {"storm": "firing", "leak": "firing"})
        assert {len(one.document["alerts"]) for one in people.requests[-1:]} == {2}
        await _firing_for(manager, {"storm", "leak"}, 9.0)
        await at_desk.write(at_desk.alert("storm", Kind.GREW, now, severity=9.0))
        await _labelled(manager, "storm", "critical")
        await at_desk.write(at_desk.alert("storm", Kind.RESOLVED, now + 1, severity=0.0))
        await people.until(lambda: _status(people) == {"storm": "resolved", "leak": "firing"})
        assert {one["labels"]["incident"] for one in await manager.alerts()} == {"leak"}


def _status(people: Receiver) -> dict[str, str]:
    """How each incident stands, as Alertmanager last told; one that fires under any of its words fires."""
    found: dict[str, str] = {}
    for alert in people.requests[-1].document["alerts"] if people.requests else ():
        name = alert["labels"]["incident"]
        found[name] = "firing" if "firing" in (alert["status"], found.get(name)) else alert["status"]
    return found


async def _firing_for(manager: Alertmanager, incidents: set[str], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert {one["labels"]["incident"] for one in await manager.alerts()} == incidents
        await asyncio.sleep(0.5)


async def _labelled(manager: Alertmanager, incident: str, severity: str) -> None:
    """Wait until the incident fires under this word alone."""
    async with asyncio.timeout(PATIENCE_S):
        while {
            one["labels"]["severity"] for one in await manager.alerts() if one["labels"]["incident"] == incident
        } != {severity}:
            await asyncio.sleep(0.1)
