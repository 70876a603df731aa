"""How soon after its 202 an event is in the values that the API gives, while events flow.

The services run as their users run them: three processes with default settings, sharing all cores with Kafka,
PostgreSQL and this script. Some brands are probed: mentions one at a time, and a reader who never stops asking.
"""

from __future__ import annotations

import asyncio
import math
import random
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain, islice
from statistics import median
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
from tests.bench.parts import PEPPER, Ground, applied, ground, new_key, new_topic, until_applied, written_records
from tests.bench.report import Ratio, Report, Row

_EVENTS = "/v1/events"
_MENTION = "social.mention.v1"
_BUCKET = "bellwether_freshness_seconds_bucket"
_QUIET = tuple(f"quiet-{number}" for number in range(8))
_BUSY = BRANDS[:8]
_WINDOW = "24h"
_POLL_S = 0.05
_WARM_UP_S = 4.0
_SETTLE_S = 1.0
_TAIL_S = 4.0
_REQUEST_EVENTS = 10
_LEAST_GAP_S = 0.01
_MAKING_S = 50e-6
_SENDERS = 4
_CATCH_UP_S = 120.0
_GIVE_UP_S = 15.0
_TAKEN = 202
_GOAL_RATE = 1_000.0
_UNLIMITED = {"events_per_s": "1e9", "burst_events": "1000000000"}
_HOW = (
    "Ingest, compute and API with default settings but for the limit of events per key; Kafka, PostgreSQL and the load "
    f"share all cores with them. A steady stream over {len(BRANDS)} brands in requests of {_REQUEST_EVENTS} events, at "
    f"most one each {_LEAST_GAP_S * 1e3:.0f} ms; besides, single mentions of {len(_BUSY)} of them and "
    f"of {len(_QUIET)} brands without other events, each sent at a random moment once the last is visible. `202 to "
    f"readable` is from that mention's 202 until `GET /v1/brands/…/kpis/brand_mentions`, asked every "
    f"{_POLL_S * 1000:.0f} ms, counts it, the API's cache of 0.25 s included: a brand that stood still is refreshed at "
    "once, a busy one once a second. `intake to committed` is compute's own `bellwether_freshness_seconds` meanwhile: "
    "of each row of current values the age of the oldest event that came into it, as precise as its buckets. At the "
    "last rate more is sent than compute can take: events wait in Kafka, none is lost."
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
    """What was seen at a rate: sorted waits, compute's buckets, events a second, and what became of the requests."""

    busy_s: list[float]
    quiet_s: list[float]
    buckets: dict[float, float]
    rate: float
    late_s: float
    refused: int
    backlog: int


async def measure(effort: Effort) -> Report:
    """Let events flow at each rate in turn, and probe; at last at more than compute can take."""
    found: dict[float, list[_Seen]] = {rate: [] for rate in effort.rates}
    async with ground((*BRANDS, *_QUIET)) as place:
        flow = _Flow(place, await new_topic(place), await new_key(place))
        async with _services(place, flow.topic) as services:
            await flow.watch(services, effort.rates[0], _WARM_UP_S)
            for number in range(effort.rounds):
                for rate in effort.rates:
                    found[rate].append(await flow.watch(services, rate, effort.steady_s))
                    await flow.caught_up()
                    print(f"  round {number + 1}, {rate:g}/s: {_told(found[rate][-1])}", flush=True)
            if effort.overload:
                found[effort.overload] = [await flow.watch(services, effort.overload, effort.steady_s)]
                print(f"  {effort.overload:g}/s: {_told(found[effort.overload][0])}", flush=True)
    return _report(found, effort)


def _told(seen: _Seen) -> str:
    p99_s = quantile(sorted(seen.busy_s + seen.quiet_s), 0.99)
    return f"p99 {p99_s:.2f} s, {seen.rate:,.0f} events/s sent, backlog {seen.backlog:,}"


@asynccontextmanager
async def _services(place: Ground, topic: str) -> AsyncIterator[Services]:
    names = (topic, f"quarantine.{topic}", f"updates.{topic}")
    wiring = Wiring(place.kafka_bootstrap, place.dsn, PEPPER, *names)
    with open_folder(None) as folder:
        async with running_services(folder, wiring, settings={"ingest": _UNLIMITED}) as services:
            yield services


class _Flow:
    """Events that flow through the services, and the probes beside them."""

    def __init__(self, place: Ground, topic: str, key: str) -> None:
        self.topic = topic
        self._place = place
        self._key = key
        self._sent = 0

    async def watch(self, services: Services, rate: float, seconds: float) -> _Seen:
        """What was seen of so many seconds at a rate, once it had flowed for a moment."""
        stream = Stream(port_of(services.ingest), self._key, rate, _SETTLE_S + seconds + _TAIL_S, self._sent)
        self._sent += stream.events
        async with asyncio.TaskGroup() as tasks:
            senders = [tasks.create_task(stream.send(number)) for number in range(_SENDERS)]
            await asyncio.sleep(max(0.0, stream.started - time.perf_counter()) + _SETTLE_S)
            before, pace = await _freshness(services.compute), tasks.create_task(stream.pace(seconds))
            busy_s, quiet_s = await _probes(services, self._key, seconds)
            measured, after = await pace, await _freshness(services.compute)
            backlog = await self.backlog()
            for sender in senders:
                sender.cancel()
        buckets = {bound: after[bound] - before[bound] for bound in after}
        return _Seen(busy_s, quiet_s, buckets, measured, stream.late_s, stream.refused, backlog)

    async def backlog(self) -> int:
        """How many records wait to be applied."""
        return await written_records(self._place, self.topic) - await applied(self._place, self.topic)

    async def caught_up(self) -> None:
        """Wait until nothing waits. Raises TimeoutError."""
        await until_applied(self._place, self.topic, await written_records(self._place, self.topic), _CATCH_UP_S)


class Stream:
    """Events at a steady rate, whatever the intake makes of them; the requests are made beforehand.

    `late_s`: the longest delay of a request. `started`: when the first one is due.
    """

    def __init__(self, port: int, key: str, rate: float, seconds: float, first: int) -> None:
        self.sent = self.refused = 0
        self.late_s = 0.0
        self.events = int(rate * seconds)
        self._port = port
        self._size = max(_REQUEST_EVENTS, int(rate * _LEAST_GAP_S))
        self._gap_s = self._size / rate
        self._requests = list(self._made(key, rate, first))
        self.started = time.perf_counter()

    def _made(self, key: str, rate: float, first: int) -> Iterator[bytes]:
        # They happen a little later than they are made here, so that none is older than it will be when it is sent.
        start = time.time() + self.events * _MAKING_S
        wanted = filter(_is_no_probe, events(self.events, seed=first, start=start, per_s=rate))
        while batch := list(islice(wanted, self._size)):
            for event in batch:
                event["id"] = f"{first}-{event['id']}"
            yield post(_EVENTS, "application/cloudevents-batch+json", msgspec.json.encode(batch), key)

    async def pace(self, seconds: float) -> float:
        """Events a second that are taken in the next so many seconds; `late_s` begins anew."""
        self.late_s, sent, started = 0.0, self.sent, time.perf_counter()
        await asyncio.sleep(seconds)
        return (self.sent - sent) / (time.perf_counter() - started)

    async def send(self, sender: int) -> None:
        """Send every so manieth request until there is none left."""
        async with connected(self._port) as connection:
            for number in range(sender, len(self._requests), _SENDERS):
                due = self.started + number * self._gap_s
                await asyncio.sleep(due - time.perf_counter())
                self.late_s = max(self.late_s, time.perf_counter() - due)
                if (await connection.ask(self._requests[number])).status == _TAKEN:
                    self.sent += self._size
                else:
                    self.refused += 1


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
    async with connected(port_of(services.ingest)) as writer, connected(port_of(services.api)) as reader:
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
    """Send. Raises RuntimeError where it is refused."""
    answer = await connection.ask(request)
    if answer.status != _TAKEN:
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


def _report(found: dict[float, list[_Seen]], effort: Effort) -> Report:
    return Report(
        title="Freshness",
        unit="events",
        how=f"{_HOW} {effort.rounds} rounds of {effort.steady_s:g} s at each rate in turn; one at the last rate.",
        rows=[row for rate, runs in found.items() for row in _rows(rate, runs)],
        ratios=[ratio for rate, runs in found.items() if rate == _GOAL_RATE for ratio in _limits(rate, runs)],
        remarks=[_sent_at(rate, runs) for rate, runs in found.items()],
    )


def _rows(rate: float, runs: Sequence[_Seen]) -> list[Row]:
    buckets = {bound: sum(run.buckets[bound] for run in runs) for bound in runs[0].buckets}
    p50_s, p99_s = (_quantile(buckets, share) for share in (0.5, 0.99))
    note = f"{buckets[math.inf]:,.0f} rows"
    return [
        _row(f"{rate:,.0f}/s: 202 to readable, busy brands", [run.busy_s for run in runs]),
        _row(f"{rate:,.0f}/s: 202 to readable, quiet brands", [run.quiet_s for run in runs]),
        Row(f"{rate:,.0f}/s: intake to committed", p50_ms=p50_s * 1e3, p99_ms=p99_s * 1e3, note=note),
    ]


def _row(what: str, rounds: Sequence[list[float]]) -> Row:
    """Medians over the rounds of what each round saw."""
    waits_s = sorted(chain(*rounds))
    lost = f", {missing} not readable after {_GIVE_UP_S:.0f} s" if (missing := waits_s.count(math.inf)) else ""
    note = f"{len(waits_s)} probes{lost}, longest {waits_s[-1] * 1e3:,.0f} ms"
    return Row.middle(what, [_quantiles(what, each) for each in rounds], note=note)


def _quantiles(what: str, waits_s: Sequence[float]) -> Row:
    return Row(what, p50_ms=quantile(waits_s, 0.5) * 1e3, p99_ms=quantile(waits_s, 0.99) * 1e3)


def _limits(rate: float, runs: Sequence[_Seen]) -> list[Ratio]:
    kinds = {"busy": [run.busy_s for run in runs], "quiet": [run.quiet_s for run in runs]}
    return [
        Ratio(f"p99 at {rate:,.0f}/s, {kind} brands, s", median(quantile(w, 0.99) for w in waits_s), 1.0, at_most=True)
        for kind, waits_s in kinds.items()
    ]


def _sent_at(rate: float, runs: Sequence[_Seen]) -> str:
    measured, late_s = median(run.rate for run in runs), max(run.late_s for run in runs)
    refused, backlog = sum(run.refused for run in runs), max(run.backlog for run in runs)
    return (
        f"{rate:,.0f}/s: {measured:,.0f} events/s were taken, {refused} requests refused; requests went out at most "
        f"{late_s * 1e3:,.0f} ms late; at most {backlog:,} events were not applied at the end of a round."
    )


def port_of(service: Service) -> int:
    return urlsplit(service.url).port or 0
