"""More comes in than may: who sends too much is told so, and the others hardly notice."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx2
import psutil
import pytest

from tests.faults.conftest import Report
from tests.faults.counts import seconds
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.intake import FOREIGN_BRAND, Intake, Keys, intake_process, mention, populate, written
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

_ALLOWED_A_SECOND = 100
_MOST_IN_FLIGHT = 32
_OWN_IN_FLIGHT = 24
"""Of one tenant."""
_BATCH = 100
_MOST_RSS = 400 * 1024**2
_REFUSALS = {429, 503}


@pytest.fixture
async def keys(database: str) -> Keys:
    return await populate(database)


@pytest.fixture
async def intake(stack: Servers, database: str, topics: Topics, keys: Keys, tmp_path: Path) -> AsyncIterator[Intake]:
    limits = {
        "events_per_s": _ALLOWED_A_SECOND,
        "burst_events": 2 * _ALLOWED_A_SECOND,
        "max_requests_in_flight": _MOST_IN_FLIGHT,
    }
    servers = {"kafka": stack.kafka_bootstrap, "dsn": database, "events_topic": topics.events}
    async with intake_process(tmp_path, **servers, **limits) as running:  # type: ignore[arg-type]
        yield running


@dataclass
class Sender:
    """Sends without pause, or so often, and notes what is answered."""

    intake: Intake
    key: str
    name: str
    brand: str
    size: int = 1
    text: str = "hello"
    pause_s: float = 0.0
    accepted: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)
    unexplained: int = 0

    async def run(self, until: float) -> None:
        """Send until a moment of the monotonic clock."""
        number = 0
        while time.monotonic() < until:
            number += 1
            ids = [f"{self.name}-{number}-{n}" for n in range(self.size)]
            started = time.monotonic()
            batch = [mention(one, self.brand, data={"text": self.text}) for one in ids]
            answer = await self.intake.send(batch, self.key)
            self.answers[answer.status_code] += 1
            if answer.status_code == httpx2.codes.ACCEPTED:
                self.accepted += ids
                self.took_s.append(time.monotonic() - started)
            elif "retry-after" not in answer.headers:
                self.unexplained += 1
            await asyncio.sleep(self.pause_s)


async def test_a_tenant_who_sends_far_too_much_is_told_so_and_another_is_served(
    stack: Servers, topics: Topics, keys: Keys, intake: Intake, profile: Profile, report: Report
) -> None:
    until = time.monotonic() + seconds(profile, 5, 180)
    flood = [Sender(intake, keys.writer, f"flood-{n}", "acme", size=_BATCH) for n in range(4)]
    heavy = Sender(intake, keys.only_acme, "heavy", "acme", text="x" * 10_000, size=100)
    calm = Sender(intake, keys.foreign, "calm", FOREIGN_BRAND, pause_s=0.05)
    everyone = [*flood, heavy, calm]
    largest = 0

    async def watch() -> None:
        nonlocal largest
        while time.monotonic() < until:
            largest = max(largest, psutil.Process(intake.process.pid).memory_info().rss)
            await asyncio.sleep(0.1)

    await asyncio.gather(*(sender.run(until) for sender in everyone), watch())
    told = sum((sender.answers for sender in flood), Counter())
    assert told[429] > 4 * told[202]
    assert set(told) | set(heavy.answers) <= {202, *_REFUSALS}
    assert not any(sender.unexplained for sender in everyone)
    assert calm.answers[202] >= 0.99 * calm.answers.total()
    assert largest < _MOST_RSS
    accepted = [one for sender in everyone for one in sender.accepted]
    log = Counter(json.loads(record.value)["id"] for record in await written(stack.kafka_bootstrap, topics.events))
    assert log == Counter(accepted)
    rows = [
        ("answers to who sends too much", dict(told)),
        ("answers to who sends 1 MB at a time", dict(heavy.answers)),
        ("answers to another tenant", dict(calm.answers)),
        ("p99 of what was accepted of that tenant", f"{quantiles(calm.took_s, n=100)[98] * 1000:.0f} ms"),
        ("largest RSS", f"{largest >> 20} MB"),
    ]
    report("Overload by one tenant", rows)


async def test_a_tenant_who_holds_all_requests_that_it_can_leaves_room_for_others(intake: Intake, keys: Keys) -> None:
    async def drip() -> AsyncIterator[bytes]:
        yield b"["
        await released.wait()
        yield json.dumps(mention("slow")).encode() + b"]"

    released = asyncio.Event()
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    limits = httpx2.Limits(max_connections=2 * _MOST_IN_FLIGHT)
    async with httpx2.AsyncClient(base_url=str(intake.client.base_url), limits=limits, timeout=30) as client:
        own = {**kind, "Authorization": f"Bearer {keys.writer}"}
        slow = [
            asyncio.create_task(client.post("/v1/events", content=drip(), headers=own)) for _ in range(_MOST_IN_FLIGHT)
        ]
        async with asyncio.timeout(PATIENCE_S):
            while f"in_flight_requests {_OWN_IN_FLIGHT:.1f}" not in (await intake.client.get("/metrics")).text:
                await asyncio.sleep(0.02)
        assert (await intake.send(mention("of another", FOREIGN_BRAND), keys.foreign)).status_code == 202
        released.set()
        # Who was refused before having sent everything may find the connection closed instead of an answer.
        answers = await asyncio.gather(*slow, return_exceptions=True)
    taken = [one for one in answers if isinstance(one, httpx2.Response) and one.status_code == httpx2.codes.ACCEPTED]
    assert len(taken) == _OWN_IN_FLIGHT
