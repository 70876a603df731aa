"""How soon after its 202 an event is in the values that the API gives, while events flow.

The services run as their users run them: three processes with default settings, sharing all cores with Kafka,
PostgreSQL and this script. Some brands are probed: mentions one at a time, and a reader who never stops asking.
"""

from __future__ import annotations

import asyncio
import math
import random
import secrets
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from bellwether_cli.stack.folder import open_folder
from bellwether_cli.stack.services import Service, Services, Wiring, running_services
from tests.bench.drive import quantile
from tests.bench.effort import Effort
from tests.bench.http_client import Connection, connected, get, post
from tests.bench.load import BRANDS, events
from tests.bench.parts import PEPPER, Ground, ground, new_key, new_topic, until_applied, written_records
from tests.bench.report import Report, Row

_EVENTS = "/v1/events"
_MENTION = "social.mention.v1"
_BUCKET = "bellwether_freshness_seconds_bucket"
_QUIET = tuple(f"quiet-{number}" for number in range(8))
_BUSY = BRANDS[:8]
_WINDOW = "24h"
_POLL_S = 0.025
_WARM_UP_S = 4.0
_REQUEST_EVENTS = 10
_SENDERS = 4
_CATCH_UP_S = 60.0
_GIVE_UP_S = 30.0
_ENOUGH = 100
_HOW = (
    "Ingest, compute and API with default settings, Kafka, PostgreSQL and the load share all cores. A steady stream "
    f"over {len(BRANDS)} brands in requests of {_REQUEST_EVENTS}; besides, single mentions of {len(_BUSY)} of them and "
    f"of {len(_QUIET)} brands without other events, each sent at a random moment once the last is visible. `202 to "
    f"readable` is from that mention's 202 until `GET /v1/brands/…/kpis/brand_mentions`, asked every "
    f"{_POLL_S * 1000:.0f} ms, counts it, the API's cache of 1 s included: a brand that stood still is refreshed at "
    "once, a busy one once a second. `intake to committed` is compute's own `bellwether_freshness_seconds` meanwhile: "
    "of each row of current values the age of the oldest event that came into it, as precise as its buckets."
)


class _Windowed(msgspec.Struct):
    value: float | None


class _Cut(msgspec.Struct):
    windows: dict[str, _Windowed]


class _Reading(msgspec.Struct):
    cuts: list[_Cut]


_reading = msgspec.json.Decoder(_Reading)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen: sorted waits, compute's buckets, events a second, and the longest delay of a request."""

    busy_s: list[float]
    quiet_s: list[float]
    buckets: dict[float, float]
    rate: float
    late_s: float


async def measure(effort: Effort) -> Report:
    """Let events flow, and probe."""
    async with ground((*BRANDS, *_QUIET)) as place:
        topic, key = await new_topic(place), await new_key(place)
        async with _services(place, topic) as services:
            print(f"  {effort.rate:g} events/s for {effort.steady_s:g} s", flush=True)
            seen = await _flow(services, key, effort)
            written = await written_records(place, topic)
            await until_applied(place, topic, written, _CATCH_UP_S)
    return _report(seen, effort)


@asynccontextmanager
async def _services(place: Ground, topic: str) -> AsyncIterator[Services]:
    names = (topic, f"quarantine.{topic}", f"updates.{topic}")
    with open_folder(None) as folder:
        async with running_services(folder, Wiring(place.kafka_bootstrap, place.dsn, PEPPER, *names)) as services:
            yield services


async def _flow(services: Services, key: str, effort: Effort) -> _Seen:
    """What was seen once things had warmed up."""
    stream = _Stream(_port(services.ingest), key, effort.rate)
    async with asyncio.TaskGroup() as tasks:
        senders = [tasks.create_task(stream.send(number)) for number in range(_SENDERS)]
        await _probes(services, key, _WARM_UP_S)
        before, sent, started = await _freshness(services.compute), stream.sent, time.perf_counter()
        stream.late_s = 0.0
        busy_s, quiet_s = await _probes(services, key, effort.steady_s)
        rate, after = (stream.sent - sent) / (time.perf_counter() - started), await _freshness(services.compute)
        for sender in senders:
            sender.cancel()
    return _Seen(busy_s, quiet_s, {bound: after[bound] - before[bound] for bound in after}, rate, stream.late_s)


class _Stream:
    """Events at a steady rate, whatever the intake makes of them. `late_s`: the longest delay of a request."""

    def __init__(self, port: int, key: str, rate: float) -> None:
        self.sent = 0
        self.late_s = 0.0
        self._port, self._key = port, key
        self._gap_s = _REQUEST_EVENTS / rate
        self._events = filter(_is_no_probe, events(sys.maxsize, start=time.time(), per_s=rate))
        self._started = time.perf_counter()

    async def send(self, sender: int) -> None:
        """Send every so manieth request, for ever. Raises RuntimeError where one is refused."""
        async with connected(self._port) as connection:
            for number in count(sender, _SENDERS):
                due = self._started + number * self._gap_s
                await asyncio.sleep(due - time.perf_counter())
                body = msgspec.json.encode(list(islice(self._events, _REQUEST_EVENTS)))
                self.late_s = max(self.late_s, time.perf_counter() - due)
                await _sent(connection, post(_EVENTS, "application/cloudevents-batch+json", body, self._key))
                self.sent += _REQUEST_EVENTS


def _is_no_probe(event: Mapping[str, Any]) -> bool:
    return event["type"] != _MENTION or event["data"]["brand"] not in _BUSY


async def _probes(services: Services, key: str, seconds: float) -> tuple[list[float], list[float]]:
    """The waits of busy and of quiet brands, sorted, of so many seconds."""
    until = time.perf_counter() + seconds
    waits_s = await asyncio.gather(*(_probe(services, key, brand, until) for brand in (*_BUSY, *_QUIET)))
    busy, quiet = waits_s[: len(_BUSY)], waits_s[len(_BUSY) :]
    return sorted(chain(*busy)), sorted(chain(*quiet))


async def _probe(services: Services, key: str, brand: str, until: float) -> list[float]:
    """Pause, send a mention, wait until it is counted, again; infinite for what is given up."""
    waits_s: list[float] = []
    question = get(f"/v1/brands/{brand}/kpis/brand_mentions", key)
    async with connected(_port(services.ingest)) as writer, connected(_port(services.api)) as reader:
        while time.perf_counter() < until:
            # Read in the pause as well: the cache of answers has a rhythm, and a probe must not set it.
            shown = await _read(reader, question, math.inf, time.perf_counter() + random.random())
            await _sent(writer, post(_EVENTS, "application/cloudevents+json", _mention(brand), key))
            accepted_at = time.perf_counter()
            is_shown = await _read(reader, question, shown + 1, accepted_at + _GIVE_UP_S) > shown
            waits_s.append(time.perf_counter() - accepted_at if is_shown else math.inf)
    return waits_s


async def _read(reader: Connection, question: bytes, wanted: float, until: float) -> int:
    """The mentions shown once there are as many as wanted, or at the end of the time."""
    while (shown := await _mentions(reader, question)) < wanted and time.perf_counter() < until:
        await asyncio.sleep(_POLL_S)
    return shown


def _mention(brand: str) -> bytes:
    data = {"brand": brand, "channel": "x", "of": brand, "text": "is it there yet"}
    envelope = {"specversion": "1.0", "id": secrets.token_hex(8), "source": "/bench", "type": _MENTION}
    return msgspec.json.encode({**envelope, "data": data})


async def _sent(connection: Connection, request: bytes) -> None:
    answer = await connection.ask(request)
    if answer.status != 202:
        raise RuntimeError(f"the intake answered {answer.status}: {answer.body[:200]!r}")


async def _mentions(reader: Connection, question: bytes) -> int:
    answer = await reader.ask(question)
    if answer.status != 200:
        raise RuntimeError(f"the API answered {answer.status}: {answer.body[:200]!r}")
    return int(_reading.decode(answer.body).cuts[0].windows[_WINDOW].value or 0)


async def _freshness(compute: Service) -> dict[float, float]:
    """Compute's histogram: how many events took at most so many seconds."""
    async with httpx2.AsyncClient() as client:
        exposition = (await client.get(f"{compute.url}/metrics")).text
    families: Iterable[Metric] = text_string_to_metric_families(exposition)
    samples = (sample for family in families for sample in family.samples if sample.name == _BUCKET)
    return {float(sample.labels["le"]): sample.value for sample in samples}


def _quantile(buckets: Mapping[float, float], share: float) -> float:
    """As histogram_quantile does: evenly spread within a bucket. In seconds; NaN of none."""
    wanted, lower, below = share * buckets[math.inf], 0.0, 0.0
    for bound, so_far in sorted(buckets.items()):
        if so_far >= wanted and so_far > below:
            return lower if bound == math.inf else lower + (bound - lower) * (wanted - below) / (so_far - below)
        lower, below = bound, so_far
    return math.nan


def _report(seen: _Seen, effort: Effort) -> Report:
    p50_s, p99_s = (_quantile(seen.buckets, share) for share in (0.5, 0.99))
    rows = f"{seen.buckets[math.inf]:,.0f} rows"
    return Report(
        title="Freshness",
        unit="events",
        how=f"{_HOW} {effort.steady_s:g} s.",
        rows=[
            _row("202 to readable, busy brands", seen.busy_s),
            _row("202 to readable, quiet brands", seen.quiet_s),
            Row("intake to committed", p50_ms=p50_s * 1e3, p99_ms=p99_s * 1e3, note=rows),
        ],
        remarks=[
            f"The stream had {seen.rate:.0f} events/s; its requests went out at most {seen.late_s * 1e3:.0f} ms late."
        ],
    )


def _row(what: str, waits_s: Sequence[float]) -> Row:
    p50_s, p99_s = (quantile(waits_s, share) for share in (0.5, 0.99))
    few = "" if len(waits_s) >= _ENOUGH else ", too few for p99"
    lost = f", {missing} not readable after {_GIVE_UP_S:.0f} s" if (missing := waits_s.count(math.inf)) else ""
    note = f"{len(waits_s)} probes{few}{lost}, longest {waits_s[-1] * 1e3:,.0f} ms"
    return Row(what, p50_ms=p50_s * 1e3, p99_ms=p99_s * 1e3, note=note)


def _port(service: Service) -> int:
    return urlsplit(service.url).port or 0
