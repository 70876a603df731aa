"""Receivers are away, and those who send die meanwhile: every alert arrives all the same, under its own id."""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial
from pathlib import Path

from tests.faults.conftest import Report
from tests.faults.profile import Profile
from tests.support.alert_receiver import Receiver, receiving
from tests.support.alerting import KEY, Desk, desk
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment
from tests.support.databases import Topics

_ALERTS = 120
_RECOVERY_S = 150.0  # the wait of the schedule that a minute's absence leads to, and a lease


async def test_receivers_that_are_away_while_senders_are_killed_get_every_alert_under_its_own_id(
    stack: Servers, database: str, topics: Topics, tmp_path: Path, profile: Profile, report: Report
) -> None:
    away_s = 60.0 if profile.is_long else 12.0
    environment = compute_environment(stack.kafka_bootstrap, database, topics, alert_key=KEY)
    senders = [ComputeProcess(tmp_path, name, environment) for name in ("first", "second")]
    async with receiving() as webhook, receiving() as manager, desk(database) as at_desk:
        receivers = webhook, manager
        await at_desk.route(await at_desk.endpoint(webhook.url))
        await at_desk.route(await at_desk.endpoint(manager.url, kind="alertmanager"))
        try:
            for sender in senders:
                await sender.start()
            await at_desk.until("EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN%')")
            written = await _write_while_receivers_are_away(at_desk, receivers, senders, away_s, profile.seed)
            came_back = time.time()
            for receiver in receivers:
                await receiver.until(partial(_has, receiver, written), _RECOVERY_S)
        finally:
            for sender in senders:
                await sender.kill()
    last = max(request.at for receiver in receivers for request in receiver.taken)
    repeats = len(webhook.taken) - len(written)
    rows = ("alerts", len(written)), ("away, s", away_s), ("last one after, s", round(last - came_back, 1))
    report("Alerts while receivers are away and senders die", [*rows, ("repeats", repeats)])
    assert _arrived(webhook) == _arrived(manager) == written


async def _write_while_receivers_are_away(
    at_desk: Desk, receivers: tuple[Receiver, ...], senders: list[ComputeProcess], away_s: float, seed: int
) -> set[str]:
    """Write alerts before, during and after; kill the senders in turn and start them again. Gives the alerts' ids."""
    draw = random.Random(seed)
    written = set[str]()
    step_s = away_s / _ALERTS * 1.5
    for number in range(_ALERTS):
        if number == _ALERTS // 6:
            for receiver in receivers:
                await receiver.go_away()
        if number == _ALERTS * 5 // 6:
            for receiver in receivers:
                await receiver.come()
        if number % (_ALERTS // 6) == _ALERTS // 12:
            victim = draw.choice([sender for sender in senders if sender.running] or senders)
            await victim.kill()
            await victim.start()
        alert = at_desk.alert(f"incident {number}", at=1_700_000_000 + number)
        await at_desk.write(alert)
        written.add(alert.id)
        await asyncio.sleep(step_s)
    return written


def _has(receiver: Receiver, written: set[str]) -> bool:
    return _arrived(receiver) >= written


def _arrived(receiver: Receiver) -> set[str]:
    """The ids of the alerts that it took, from a webhook's header or from an Alertmanager's annotation."""
    found = set[str]()
    for request in receiver.taken:
        if "webhook-id" in request.headers:
            found.add(request.headers["webhook-id"])
        else:
            found |= {one["annotations"]["alert_id"] for one in request.listed}
    return found
