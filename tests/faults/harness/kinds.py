"""The faults that there are: how each strikes, how it is healed, and what recovery from it means."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.faults.harness.blows import (
    Blow,
    after_one_another,
    armed,
    backend_killed,
    epochs_stolen,
    every,
    frozen_inside,
    locked,
    network,
    nothing,
    one,
    released,
    revoked_to_death,
    server,
    sessions_ended,
    signalled,
    slowed,
    together,
    trapped,
    unlocked,
)
from tests.faults.harness.places import Place
from tests.support.proxy import Proxy, Snap


class Part(StrEnum):
    """What is hit."""

    INGEST = "ingest"
    COMPUTE = "compute"
    API = "api"
    KAFKA = "kafka"
    POSTGRES = "postgres"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    hold_s: the least and the most time between strike and healing
    since_strike: recovery is counted from the strike on, not from the healing on
    is_read_again: recovered is when the API answers, else when an event accepted afterwards is applied
    """

    name: str
    part: Part
    strike: Blow
    heal: Blow = nothing
    hold_s: tuple[float, float] = (0.0, 0.0)
    since_strike: bool = False
    is_read_again: bool = False


_BRIEF = (0.0, 1.0)
_SILENCE_S = (2.0, 6.0)
_FREEZE_S = (1.0, 3.0)
_LONGER_THAN_SESSION_S = (8.0, 11.0)
_POINTS = {
    "after_poll": (20, 60),  # reached ten times a second, also with nothing in hand
    "after_fold": (20, 60),
    "before_commit": (2, 8),
    "after_commit": (2, 8),
    "after_claim": (1, 4),
}
"""Failpoints of compute, and the least and the greatest number of times that one is reached until it kills."""
_RECORD = b"acme/"
"""What only requests to write records say: the beginning of every key."""


def _services() -> Iterator[Kind]:
    for part in (Part.INGEST, Part.COMPUTE, Part.API):
        start, read = one(part, Place.start), part is Part.API
        yield Kind(f"{part} killed", part, one(part, Place.kill), start, _BRIEF, since_strike=True, is_read_again=read)
        yield Kind(f"{part} stopped", part, one(part, Place.stop), start, _BRIEF, is_read_again=read)
        freeze = one(part, Place.freeze)
        yield Kind(f"{part} frozen", part, freeze, one(part, Place.thaw), _FREEZE_S, is_read_again=read)
    for part in (Part.INGEST, Part.COMPUTE):
        yield Kind(f"every {part} killed", part, every(part, Place.kill), every(part, Place.start), _BRIEF)


def _computes() -> Iterator[Kind]:
    start, spare = one("compute", Place.start), one("spare", Place.start)
    long = _LONGER_THAN_SESSION_S
    yield Kind("compute frozen beyond its session", Part.COMPUTE, one("compute", Place.freeze), released, long)
    yield Kind("compute frozen before a transaction", Part.COMPUTE, frozen_inside(b"BEGIN;"), released, long)
    yield Kind("compute frozen at COMMIT", Part.COMPUTE, frozen_inside(b"COMMIT;"), released, long)
    for point, times in _POINTS.items():
        yield Kind(f"compute killed {point}", Part.COMPUTE, armed(point, *times), start, since_strike=True)
    back = after_one_another(start, one("spare", Place.stop))
    yield Kind("compute killed in_revoke", Part.COMPUTE, revoked_to_death, back)
    yield Kind("a compute joins and leaves", Part.COMPUTE, spare, one("spare", Place.stop), _FREEZE_S)
    yield Kind("a compute joins and is killed", Part.COMPUTE, spare, one("spare", Place.kill), _FREEZE_S)
    yield Kind("epochs stolen", Part.COMPUTE, epochs_stolen)


def _servers() -> Iterator[Kind]:
    for part in (Part.KAFKA, Part.POSTGRES):
        start = server(part, "start")
        yield Kind(f"{part} killed", part, server(part, "kill"), start, _BRIEF)
        yield Kind(f"{part} restarted", part, server(part, "stop"), start)
        yield Kind(f"{part}: connections cut", part, network(part, Proxy.cut))
        yield Kind(f"{part} silent", part, network(part, Proxy.silence), network(part, Proxy.heal), _SILENCE_S)
        slow, swift = network(part, slowed(0.2)), network(part, slowed(0.0))
        yield Kind(f"{part} slow", part, slow, swift, _SILENCE_S)
    frozen = (signalled("kafka", signal.SIGSTOP), signalled("kafka", signal.SIGCONT))
    yield Kind("kafka frozen", Part.KAFKA, *frozen, _FREEZE_S)
    yield Kind("kafka: answer to a write lost", Part.KAFKA, trapped("kafka", _RECORD, Snap.LOSE_ANSWER))
    yield Kind("kafka: a write lost", Part.KAFKA, trapped("kafka", _RECORD, Snap.LOSE_REQUEST))
    kill, start = one("compute", Place.kill), one("compute", Place.start)
    both = together(server("kafka", "kill"), kill)
    yield Kind("kafka and a compute killed", Part.KAFKA, both, after_one_another(server("kafka", "start"), start))


def _databases() -> Iterator[Kind]:
    part = Part.POSTGRES
    yield Kind("postgres: a backend killed", part, backend_killed)
    yield Kind("postgres: sessions ended", part, sessions_ended)
    yield Kind("postgres: answer to COMMIT lost", part, trapped(part, b"COMMIT;", Snap.LOSE_ANSWER))
    yield Kind("postgres: answer to COMMIT swallowed", part, trapped(part, b"COMMIT;", Snap.SWALLOW_ANSWER))
    yield Kind("postgres: a request of a transaction lost", part, trapped(part, b"BEGIN;", Snap.LOSE_REQUEST, 24))
    yield Kind("postgres: rollups locked", part, locked("rollup_hour"), unlocked, _SILENCE_S)
    yield Kind("postgres: offsets locked", part, locked("stream_offset"), unlocked, _SILENCE_S)
    kill, start = one("compute", Place.kill), one("compute", Place.start)
    both = together(server("postgres", "kill"), kill)
    yield Kind("postgres and a compute killed", part, both, after_one_another(server("postgres", "start"), start))


KINDS = {kind.name: kind for kind in (*_services(), *_computes(), *_servers(), *_databases())}
