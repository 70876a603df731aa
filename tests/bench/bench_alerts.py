"""How long it takes from the event that makes a crisis, taken by the intake, to the webhook about it.

Brands with a day and a half of calm behind them go through a crisis each, while other brands' events flow. Which event
is the one too many, the detector says on its own, fed with the same events beforehand.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from bellwether.domain.clock import HOUR_S
from bellwether.domain.detection import ChangeKind, Detector, History, Live
from bellwether_cli.stack.folder import open_folder
from bellwether_cli.stack.services import Services, Wiring, running_services
from tests.bench.bench_freshness import Stream, port_of
from tests.bench.drive import quantile
from tests.bench.effort import Effort
from tests.bench.http_client import Connection, connected, post
from tests.bench.load import BRANDS
from tests.bench.parts import PEPPER, Ground, fill, ground, new_key, new_topic, until_applied
from tests.bench.report import Ratio, Report, Row
from tests.support.alert_receiver import Receiver, receiving
from tests.support.alerting import KEY, LOOPBACK, Desk

_MENTION = "social.mention.v1"
_CALM_S = 36 * HOUR_S
_CALM_PER_HOUR = 3
_BACKGROUND_PER_S = 500.0
_SENDERS = 4
_GAP_S = 0.3
_FLOW_S = 5.0
_CALM_APPLIED_S = 120.0
_GIVE_UP_S = 30.0
_MOST_MENTIONS = 500
_GOAL_S = 2.0
_PER_MINUTE = 100_000
_ROUNDED = 0.01
_UNLIMITED = {"events_per_s": "1e9", "burst_events": "1000000000"}
_HOW = (
    f"Ingest, compute and API as their users run them, {_BACKGROUND_PER_S:,.0f} events a second of {len(BRANDS)} other "
    f"brands in the background. Brands of their own have had {_CALM_PER_HOUR} mentions an hour for "
    f"{_CALM_S // HOUR_S} hours; every {_GAP_S:g} s one of them gets just as many angry mentions, in one request, as "
    "open a crisis: the last one is the one too many. `202 to webhook` is from the answer to that request to the "
    "arrival of the webhook at an HTTP endpoint; `outbox to webhook` from the beginning of the transaction that "
    "counted the event. A crisis counts only with the severity and the onset that the detector tells on its own."
)


@dataclass(frozen=True, slots=True)
class _Calm:
    """The mentions that a brand had before its crisis: moments in UTC seconds, ascending."""

    brand: str
    moments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Wait:
    """How long a webhook took, in seconds; `found` is what the detector opens on its own: onset and severity."""

    brand: str
    accepted_at: float
    found: tuple[int, float]


async def measure(effort: Effort) -> Report:
    """One crisis after the other, while events flow."""
    brands = [f"crisis-{number}" for number in range(effort.crises)]
    calm = [_calm(brand) for brand in brands]
    async with ground((*BRANDS, *brands)) as place, receiving() as receiver:
        topic, key = await new_topic(place), await new_key(place)
        await _route_to(place, receiver)
        await fill(place, topic, list(_encoded(calm)))
        async with _services(place, topic) as services:
            await until_applied(place, topic, sum(len(each.moments) for each in calm), _CALM_APPLIED_S)
            waits = await _crises(services, key, calm, receiver)
        outbox = await _written(place)
    return _report(waits, receiver, outbox)


def _calm(brand: str) -> _Calm:
    rng = random.Random(brand)
    until = int(time.time()) - HOUR_S
    moments = (until - int(rng.random() * _CALM_S) for _ in range(_CALM_PER_HOUR * _CALM_S // HOUR_S))
    return _Calm(brand, tuple(sorted(moments)))


def _encoded(calm: Sequence[_Calm]) -> Iterator[tuple[str, bytes]]:
    for each in calm:
        for number, moment in enumerate(each.moments):
            yield each.brand, msgspec.json.encode(_mention(each.brand, f"calm-{number}", moment, 0.0))


def _mention(brand: str, name: str, moment: int, sentiment: float) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": f"/bench/{brand}",
        "type": _MENTION,
        "time": datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z"),
        "data": {"brand": brand, "channel": "x", "of": brand, "sentiment": sentiment},
    }


async def _route_to(place: Ground, receiver: Receiver) -> None:
    """Have every crisis of the tenant told to the receiver."""
    connection = await asyncpg.connect(place.dsn)
    try:
        desk = Desk(connection, place.dsn, await connection.fetchval("SELECT tenant_id FROM tenant"), 0)
        await desk.route(await desk.endpoint(receiver.url, per_minute=_PER_MINUTE))
    finally:
        await connection.close()


@asynccontextmanager
async def _services(place: Ground, topic: str) -> AsyncIterator[Services]:
    names = (topic, f"quarantine.{topic}", f"updates.{topic}")
    alerts = {"alert_key": KEY, "alert_networks": msgspec.json.encode(LOOPBACK).decode()}
    settings = {"ingest": _UNLIMITED, "compute": alerts}
    with open_folder(None) as folder:
        wiring = Wiring(place.kafka_bootstrap, place.dsn, PEPPER, *names)
        async with running_services(folder, wiring, settings=settings) as services:
            yield services


async def _crises(services: Services, key: str, calm: Sequence[_Calm], receiver: Receiver) -> list[_Wait]:
    """Let events flow, and one brand after the other go through a crisis."""
    seconds = _FLOW_S + _GAP_S * len(calm) + _GIVE_UP_S
    stream, waits = Stream(port_of(services.ingest), key, _BACKGROUND_PER_S, seconds, 0), list[_Wait]()
    async with asyncio.TaskGroup() as tasks, connected(port_of(services.ingest)) as connection:
        senders = [tasks.create_task(stream.send(number)) for number in range(_SENDERS)]
        begin = stream.started + _FLOW_S
        for number, each in enumerate(calm):
            await asyncio.sleep(begin + _GAP_S * number - time.perf_counter())
            waits.append(await _burst(connection, key, each))
        await receiver.until(lambda: len(_arrivals(receiver)) == len(calm), _GIVE_UP_S)
        for sender in senders:
            sender.cancel()
    return waits


async def _burst(connection: Connection, key: str, calm: _Calm) -> _Wait:
    now = int(time.time())
    count, found = _one_too_many(calm, now)
    burst = [_mention(calm.brand, f"burst-{number}", now, -0.9) for number in range(count)]
    request = post("/v1/events", "application/cloudevents-batch+json", msgspec.json.encode(burst), key)
    answer = await connection.ask(request)
    if answer.status != 202:
        raise RuntimeError(f"the intake answered {answer.status}: {answer.body[:200]!r}")
    return _Wait(calm.brand, time.time(), found)


def _one_too_many(calm: _Calm, now: int) -> tuple[int, tuple[int, float]]:
    """How many angry mentions at once open a crisis, and with which onset and severity."""
    detector = Detector(Live(), History({}))
    for moment in calm.moments:
        if detector.observe(moment, negative=False):
            raise RuntimeError(f"{calm.brand} has a crisis in its calm")
    for count in range(1, _MOST_MENTIONS):
        for change in detector.observe(now, negative=True):
            if change.kind is ChangeKind.OPENED:
                return count, (change.onset, change.severity)
    raise RuntimeError(f"{_MOST_MENTIONS} mentions at once are no crisis for {calm.brand}")


def _arrivals(receiver: Receiver) -> dict[str, tuple[float, int, float]]:
    """By brand when the webhook about its crisis came first, and the onset and severity that it tells."""
    found: dict[str, tuple[float, int, float]] = {}
    for request in receiver.taken:
        document: Mapping[str, Any] = request.document
        if document["type"] == "crisis.opened":
            data = document["data"]
            onset = int(datetime.fromisoformat(data["onset"]).timestamp())
            found.setdefault(data["brand"], (request.at, onset, data["severity"]))
    return found


async def _written(place: Ground) -> dict[str, float]:
    """By brand when the transaction began that wrote the alert."""
    query = "SELECT slug, extract(epoch FROM min(written_at))::float8 FROM alert JOIN brand USING (brand_id) GROUP BY 1"
    connection = await asyncpg.connect(place.dsn)
    try:
        return {row[0]: row[1] for row in await connection.fetch(query)}
    finally:
        await connection.close()


def _report(waits: Sequence[_Wait], receiver: Receiver, outbox: Mapping[str, float]) -> Report:
    arrivals = _arrivals(receiver)
    others = [one.brand for one in waits if not _is_same(one, arrivals[one.brand])]
    if others:
        raise RuntimeError(f"crises other than the detector's own: {', '.join(others[:5])}")
    whole = sorted(arrivals[one.brand][0] - one.accepted_at for one in waits)
    sending = sorted(arrivals[one.brand][0] - outbox[one.brand] for one in waits)
    return Report(
        title="Alerts",
        unit="crises",
        how=_HOW,
        rows=[_row("202 to webhook", whole), _row("outbox to webhook", sending)],
        ratios=[Ratio("p99 from 202 to webhook, s", quantile(whole, 0.99), _GOAL_S, at_most=True)],
        remarks=[],
    )


def _is_same(wait: _Wait, arrival: tuple[float, int, float]) -> bool:
    onset, severity = wait.found
    return onset == arrival[1] and abs(severity - arrival[2]) < _ROUNDED


def _row(what: str, waits_s: Sequence[float]) -> Row:
    p50_ms, p99_ms = (quantile(waits_s, share) * 1e3 for share in (0.5, 0.99))
    return Row(what, p50_ms=p50_ms, p99_ms=p99_ms, note=f"{len(waits_s)} crises, longest {waits_s[-1] * 1e3:,.0f} ms")
