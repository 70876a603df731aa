"""A deterministic simulation: real workers of compute against a log and a database that fail at every step.

The code under test is the product's own: `Worker`, `Claimant`, `Cycle`, `Pipeline`, `SeenEvents`, `Changes` and all
that they fold with. Models are Kafka (`simulation_log`) and Postgres (`simulation_store`). The seam is where the
product has one already: a reader, a pool, and the functions that load and commit. SQL is not imitated statement by
statement: an imitation would have to be right about PostgreSQL, and that is what the tests on the real one are for. So
a transaction has its row locks, its compare-and-set and its all or nothing; what its statements do is tested there.
Refreshed values are left out, which follow from the totals, and so are people.

Every call into a model waits at a point. Whoever drives the simulation picks who goes on, and how: as usual, with an
error instead of the effect, or with the effect and an error instead of the answer. Time stands still until it is moved.
The same choices give the same run.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, cast

import msgspec
import pytest
import structlog

from bellwether.adapters.postgres.directory import Brand
from bellwether.catalogue.measures import MEASURES
from bellwether_compute import claims, cycle, verdicts, worker
from bellwether_compute.claims import Claimant
from bellwether_compute.cycle import Cycle
from bellwether_compute.dedup import identity_of
from bellwether_compute.failpoints import Failpoint
from bellwether_compute.measuring import compile_measures
from bellwether_compute.own_measures import OwnMeasures
from bellwether_compute.pipeline import Pipeline
from bellwether_compute.refresh import Refresher
from bellwether_compute.settings import Settings
from bellwether_compute.worker import Worker
from tests.support import simulation_store
from tests.support.ledger import TENANT, ZONES, Entry, Mix, make_ledger
from tests.support.oracle import Expected, Logged, Oracle
from tests.support.simulation_audit import Watch, differences
from tests.support.simulation_log import Log, Reader
from tests.support.simulation_store import Database, Flaws, Lost, Pool

NOW = 1_767_268_800
"""2026-01-01T12:00:00Z, when every simulation takes place."""
PARTITIONS = 3
_MIX = Mix(span_s=2 * 86_400, duplicates=0.12, conflicts=0.04, poison=0.06, delayed=0.2, late=0.1, future=1)
_CLUSTER = "the-cluster"
_SETTINGS = Settings(max_events=5)
_COUNTS = compile_measures(MEASURES)
_NO_REFRESHES = 10**9
_MOST_STEPS = 3_000
_LOSABLE = {"commit", "claim"}
NO_FLAWS = Flaws()


class _NoFiles(selectors.SelectSelector):
    """Nothing is ever read from a file here, and nobody waits."""

    def select(self, timeout: float | None = None) -> list[Any]:
        return []


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still unless it is moved."""

    def __init__(self) -> None:
        super().__init__(_NoFiles())
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def settle(self) -> None:
        """Run whatever can run."""
        while True:
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready:  # type: ignore[attr-defined]
                return


class _Clock:
    """Stands in for the module `time`."""

    def __init__(self, loop: _Loop) -> None:
        self._loop = loop

    def time(self) -> float:
        return NOW + self._loop.now

    def monotonic(self) -> float:
        return self._loop.now


class _Directory:
    """Brands that everybody knows."""

    version = 1

    def __init__(self) -> None:
        self._brands = {
            slug: Brand(number, 1, TENANT, slug, slug, zone, "USD", ())
            for number, (slug, zone) in enumerate(ZONES.items(), start=1)
        }

    def brand(self, tenant: str, slug: str) -> Brand | None:
        return self._brands.get(slug) if tenant == TENANT else None

    async def brand_fresh(self, tenant: str, slug: str) -> Brand | None:
        return self.brand(tenant, slug)

    def every_brand(self) -> Collection[Brand]:
        return self._brands.values()


class _Definitions:
    """Nobody has defined anything."""

    version = 0

    def by_tenant(self) -> dict[int, Any]:
        return {}

    async def refresh(self) -> None:
        return


class _Announcer:
    """Nobody listens."""

    def announce(self, refreshed: object) -> None:
        return


class Pending(NamedTuple):
    """Somebody waits at a point."""

    life: Life
    point: str
    turn: asyncio.Future[bool]


@dataclass(eq=False)
class Life:
    """One process of compute, from its start to its death. `frozen`: it is not scheduled."""

    number: int
    reader: Reader
    worker: Worker
    refresher: Refresher
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    frozen: bool = False

    def strays(self) -> set[str]:
        """Brands that are to be refreshed although their partitions are not claimed."""
        noted = {brand for brand, _ in self.refresher._slides_at}
        return {brand.brand.slug for brand in noted if brand.part not in self.worker.claimed}


def _refused(entries: list[Entry], random: Random) -> set[bytes]:
    """The identity of a sound event of which Postgres is to refuse what it folds into."""
    sound = [entry for entry in entries if entry.spoiled is None]
    return {_identity(random.choice(sound))}


def _identity(entry: Entry) -> bytes:
    event, slug = msgspec.json.decode(entry.value or b""), (entry.key or b"").decode().partition("/")[2]
    return identity_of([*ZONES].index(slug) + 1, event["source"], event["id"])


class World:
    """A log, a database, and processes that come and go. The driver calls its methods; `random` is the driver's."""

    def __init__(self, seed: int, events: int = 40, flaws: Flaws = NO_FLAWS) -> None:
        self.random = Random(seed)
        self.loop = _Loop()
        self.lives: dict[int, Life] = {}
        self.pending: list[Pending] = []
        self.steps = 0
        self.faults: Counter[str] = Counter()
        self._flaws = flaws
        entries = make_ledger(seed, events, NOW, _MIX).entries
        refused = _refused(entries, self.random)
        self._entries = [
            e._replace(spoiled="unwritable") if e.spoiled is None and _identity(e) in refused else e for e in entries
        ]
        self._unwritten = list(self._entries)
        self.log = Log(PARTITIONS)
        self.database = Database(_CLUSTER, PARTITIONS, refused, flaws)
        self.expected = self._expected()
        self._watch = Watch(self.database, self.expected, {b.brand_id: b.slug for b in _Directory().every_brand()})
        self._owners = [0] * PARTITIONS

    def _expected(self) -> Expected:
        whole = Log(PARTITIONS)
        spoiled = {(e.key, e.value): e.spoiled for e in self._entries if e.spoiled}
        oracle = Oracle(ZONES, spoiled)
        for r in map(whole.append, self._entries):
            oracle.take(Logged(r.partition, r.offset, r.timestamp, r.key, r.value))
        return oracle.expected()

    @property
    def accepted(self) -> int:
        """How many records are in the log."""
        return sum(map(len, self.log.parts))

    def produce(self, count: int) -> None:
        """Append the next records of the ledger."""
        now, self._unwritten = self._unwritten[:count], self._unwritten[count:]
        for entry in now:
            self.log.append(entry)

    def start(self, number: int) -> None:
        """Start a process in a free place; it owns nothing until somebody shares out."""
        life = self._life(number)
        self.lives[number] = life
        life.tasks.append(self.loop.create_task(life.worker.run()))
        self.loop.settle()

    def _life(self, number: int) -> Life:
        life = Life.__new__(Life)

        async def point(name: str) -> bool:
            pending = Pending(life, name, self.loop.create_future())
            self.pending.append(pending)
            try:
                lost: bool = await pending.turn
            except asyncio.CancelledError:
                self.pending = [other for other in self.pending if other is not pending]
                raise
            return lost

        reader = Reader(self.log, point, self.random, self._flaws)
        pool = cast(Any, Pool(self.database, point))
        claimant = Claimant(cast(Any, reader), pool, f"worker-{number}", _CLUSTER)
        cycle_of_it = self._cycle(pool)
        made = Worker(_SETTINGS, cast(Any, reader), claimant, cycle_of_it, pool)
        life.__init__(number, reader, made, cycle_of_it.refresher)  # type: ignore[misc]
        return life

    def _cycle(self, pool: Any) -> Cycle:
        return Cycle(
            stream=Reader.topic,
            pool=pool,
            directory=cast(Any, _Directory()),
            pipeline=Pipeline(_COUNTS, lambda _: 0.0),
            refresher=Refresher(),
            announcer=cast(Any, _Announcer()),
            own=OwnMeasures(cast(Any, _Definitions())),
            failpoint=Failpoint(None),
            timeout_s=10.0,
            max_events=_NO_REFRESHES,
            max_refreshes=0,
            max_cached=4,
        )

    def crash(self, number: int) -> None:
        """End a process at once, wherever it is; its transaction goes with it."""
        self.faults["crash"] += 1
        life = self.lives.pop(number)
        for task in life.tasks:
            task.cancel()
        self.pending = [pending for pending in self.pending if pending.life is not life]
        self.loop.settle()

    def share_out(self, told: Collection[int], among: Collection[int] = ()) -> None:
        """Give every partition to some process; those who are not told believe what they did before."""
        alive = sorted(self.lives)
        self._owners = [self.random.choice([*among] or alive) for _ in range(PARTITIONS)]
        for number in alive:
            if number in told:
                self.tell(number)

    def tell(self, number: int) -> None:
        """Let a process hear what it owns, as the group's protocol does: first all goes, then some comes."""
        life = self.lives[number]
        owned = [part for part, owner in enumerate(self._owners) if owner == number]
        life.tasks.append(self.loop.create_task(self._hear(life, owned)))
        self.loop.settle()

    async def _hear(self, life: Life, owned: list[int]) -> None:
        await life.reader.on_revoked()
        life.reader.believe(owned)
        await life.reader.on_assigned()

    def turns(self) -> list[Pending]:
        """Who could go on."""
        return [pending for pending in self.pending if not pending.life.frozen]

    def go(self, pending: Pending, how: str = "go") -> None:
        """Let somebody go on: `go`, `fail` or, where an answer can get lost, `lose`."""
        self.pending.remove(pending)
        self.steps += 1
        how = "go" if how == "lose" and pending.point not in _LOSABLE else how
        self.faults[how] += 1
        if how == "fail":
            pending.turn.set_exception(Lost(pending.point))
        else:
            pending.turn.set_result(how == "lose")
        self.loop.settle()
        self._end_broken()
        self.check()

    def pass_time(self, seconds: float) -> None:
        """Move the clocks on."""
        self.loop.now += seconds
        self.loop.settle()
        self._end_broken()

    def _end_broken(self) -> None:
        """A process that raises what it cannot mend ends; somebody starts it again."""
        for number, life in [*self.lives.items()]:
            if any(task.done() and not task.cancelled() and task.exception() for task in life.tasks):
                broken = next(task.exception() for task in life.tasks if task.done() and task.exception())
                self.crash(number)
                raise AssertionError(f"worker {number} broke") from broken

    def check(self) -> None:
        """Hold what has to hold at every moment against what is. Raises AssertionError."""
        self._watch.look(self.log)
        for life in self.lives.values():
            assert not (strays := life.strays()), f"worker {life.number} refreshes {strays} of others"

    def come_to_rest(self) -> None:
        """No more faults: everything is written, everybody lives, hears and goes on until all is applied."""
        self.produce(len(self._unwritten))
        for life in self.lives.values():
            life.frozen = False
        if not self.lives:
            self.start(0)
        self.share_out(told=list(self.lives))
        until = self.steps + _MOST_STEPS
        while self.in_flight or any(self.database.tables.offsets[p].holder for p in range(PARTITIONS)):
            assert self.steps < until, "no progress"
            if turns := self.turns():
                self.go(self.random.choice(turns))
            self.pass_time(0.2 if not self.turns() else 0.01)

    @property
    def in_flight(self) -> int:
        """How many records of the log are not applied, as far as the offsets tell."""
        return self.accepted - sum(offset.next_offset for offset in self.database.tables.offsets)

    def judge(self) -> list[str]:
        """In what the database differs from the oracle, in words."""
        return differences(self.database.tables, self.expected, self._watch.slugs)

    def close(self) -> None:
        """End everybody."""
        for number in [*self.lives]:
            self.crash(number)
        self.loop.close()


def _silent(*_: object) -> Any:
    raise structlog.DropEvent


@contextmanager
def simulated(seed: int, flaws: Flaws = NO_FLAWS, events: int = 40) -> Iterator[World]:
    """A world around which the product's modules meet the models instead of the clock and Postgres."""
    world = World(seed, events, flaws)
    with pytest.MonkeyPatch.context() as patch:
        for module in (worker, cycle, verdicts):
            patch.setattr(module, "time", _Clock(world.loop))
        for module in (worker, claims):
            patch.setattr(module, "log", structlog.wrap_logger(None, processors=[_silent]))
        patch.setattr(worker, "random", world.random)
        patch.setattr(cycle, "load_for", simulation_store.load_for)
        patch.setattr(cycle, "load_chunks", simulation_store.load_chunks)
        patch.setattr(cycle, "commit", simulation_store.commit)
        patch.setattr(cycle, "settle_people", simulation_store.settle_nobody)
        if flaws.keeps_state:
            patch.setattr(Worker, "_drop", lambda *_: None)
        try:
            yield world
        finally:
            world.close()
