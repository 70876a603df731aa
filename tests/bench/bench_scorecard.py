"""How fast the card of a role is read, beside a route of the same service that does nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from urllib.parse import urlsplit

import msgspec

from bellwether.catalogue.scorecards import SCORECARDS
from bellwether_cli.stack.folder import open_folder
from bellwether_cli.stack.services import Services, Wiring, running_services
from tests.bench.drive import Driven, drive, quantile
from tests.bench.effort import Effort
from tests.bench.http_client import connected, get, post
from tests.bench.load import BRANDS, events
from tests.bench.parts import PEPPER, Ground, ground, new_key, new_topic, until_applied, written_records
from tests.bench.report import Report, Row, ratio_of

_EVENTS = 20_000
_BATCH = 1_000
_SPREAD_S = 20 * 86_400
_RATE = 50.0
_CONNECTIONS = 8
_HOW = (
    f"{_EVENTS:,} events of {len(BRANDS)} brands over the last 20 days are applied, then each of the cards "
    f"{', '.join(SCORECARDS)} is read for all brands in turn. `steady` sends {_RATE:g} requests a second, whatever "
    f"becomes of them, and counts from the moment each was due; the others keep {_CONNECTIONS} connections busy. "
    "`unchanged` reads one card again and again, from the API's cache of answers. The empty route is `/healthz`."
)


async def measure(effort: Effort) -> Report:
    """Fill, then read."""
    async with ground(BRANDS) as place, _services(place) as (services, key):
        port = urlsplit(services.api.url).port or 0
        cards = [get(f"/v1/brands/{brand}/scorecards/{role}", key) for brand in BRANDS for role in SCORECARDS]
        await drive(port, _CONNECTIONS, effort.round_s, cards)
        steady = await _steady(port, cards, effort.steady_s)
        kinds = {"all cards in turn": cards, "one card, unchanged": cards[:1], "empty route": [get("/healthz", key)]}
        rounds: dict[str, list[Row]] = {kind: [] for kind in kinds}
        for _ in range(effort.rounds):
            for kind, requests in kinds.items():
                rounds[kind].append(_row(kind, await drive(port, _CONNECTIONS, effort.round_s, requests)))
    empty = rounds.pop("empty route")
    return Report(
        title="Scorecards",
        unit="requests",
        how=_HOW,
        rows=[
            _steady_row(steady),
            *(Row.middle(kind, runs) for kind, runs in rounds.items()),
            Row.middle("empty route", empty),
        ],
        ratios=[
            ratio_of(f"{kind} / empty route", runs, empty, "per_s")
            for kind, runs in rounds.items()
            if runs is not empty
        ],
    )


@asynccontextmanager
async def _services(place: Ground) -> AsyncIterator[tuple[Services, str]]:
    """The running services, with the events applied, and a key."""
    topic, key = await new_topic(place), await new_key(place)
    wiring = Wiring(place.kafka_bootstrap, place.dsn, PEPPER, topic, f"quarantine.{topic}", f"updates.{topic}")
    with open_folder(None) as folder:
        async with running_services(folder, wiring) as services:
            await _fill(services, key)
            await until_applied(place, topic, await written_records(place, topic))
            yield services, key


async def _fill(services: Services, key: str) -> None:
    found = list(events(_EVENTS, start=time.time() - _SPREAD_S, per_s=_EVENTS / _SPREAD_S))
    async with connected(urlsplit(services.ingest.url).port or 0) as connection:
        for start in range(0, _EVENTS, _BATCH):
            body = msgspec.json.encode(found[start : start + _BATCH])
            answer = await connection.ask(post("/v1/events", "application/cloudevents-batch+json", body, key))
            if answer.status != 202:
                raise RuntimeError(f"the intake answered {answer.status}: {answer.body[:200]!r}")


async def _steady(port: int, requests: Sequence[bytes], seconds: float) -> list[float]:
    """Waits in seconds, ascending, each from the moment at which the request was due."""
    turns, started, waits_s = cycle(requests), time.perf_counter(), list[float]()

    async def client(first: int) -> None:
        async with connected(port) as connection:
            for number in range(first, int(seconds * _RATE), _CONNECTIONS):
                due = started + number / _RATE
                await asyncio.sleep(due - time.perf_counter())
                answer = await connection.ask(next(turns))
                if answer.status != 200:
                    raise RuntimeError(f"the API answered {answer.status}: {answer.body[:200]!r}")
                waits_s.append(time.perf_counter() - due)

    await asyncio.gather(*map(client, range(_CONNECTIONS)))
    return sorted(waits_s)


def _steady_row(waits_s: Sequence[float]) -> Row:
    p50_s, p99_s = (quantile(waits_s, share) for share in (0.5, 0.99))
    note = f"{len(waits_s)} requests, longest {waits_s[-1] * 1e3:,.0f} ms"
    return Row(f"steady, {_RATE:g}/s", p50_ms=p50_s * 1e3, p99_ms=p99_s * 1e3, note=note)


def _row(kind: str, driven: Driven) -> Row:
    if driven.refused:
        raise RuntimeError(f"{kind}: {driven.refused} requests failed")
    return Row(kind, driven.taken / driven.wall_s, p50_ms=driven.p50_ms, p99_ms=driven.p99_ms)
