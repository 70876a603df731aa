"""The worker: reads its partitions, runs cycles, and starts over from Postgres after any failure."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from bellwether.adapters.kafka.log_reader import LogReader, NoAnswer, Record
from bellwether.adapters.kafka.partitions import Partitions as Partitioner
from bellwether.adapters.postgres.pool import Pool, is_transient, refuses_data
from bellwether.domain.errors import Unavailable
from bellwether.observability import metrics
from bellwether_compute.ahead import Polled
from bellwether_compute.claims import Claimant, Halted
from bellwether_compute.cycle import Batches, Cycle, Partitions
from bellwether_compute.settings import Settings
from bellwether_compute.state import BrandState
from bellwether_compute.store import Fenced

log = structlog.get_logger(__name__)

_REVOKE_WAIT_S = 3.0
_HALT_AFTER_S = 8.0
_CLOCK_WAS_SET_S = 5.0
_SMALLER, _LARGER = 4, 2
_SHOWN = "SELECT brand_id, cut FROM kpi_current WHERE brand_id = ANY($1::int[])"
_FAILURE = {TimeoutError: "timeout", Fenced: "fenced"}


class Worker:
    """One process of compute. `run` ends when `stop` is called, or by an error it cannot mend."""

    def __init__(self, settings: Settings, reader: LogReader, claimant: Claimant, cycle: Cycle, pool: Pool) -> None:
        self._settings = settings
        self._reader = reader
        self._claimant = claimant
        self._cycle = cycle
        self._pool = pool
        self._claimed: Partitions = {}
        self._ahead = Polled()
        self._halted: dict[int, str] = {}
        self._suspects: dict[int, tuple[float, float]] = {}
        self._busy = asyncio.Lock()
        self._stopping = False
        self._has_lost = False
        self._wall_less_monotonic = time.time() - time.monotonic()
        self._alone_until: dict[int, int] = {}
        self._split = 1
        self.last_turn = time.monotonic()
        self.trouble: str | None = "starting"
        self.lacks_kafka = False

    @property
    def claimed(self) -> Collection[int]:
        """The partitions that are read."""
        return self._claimed.keys()

    @property
    def halted(self) -> dict[int, str]:
        """The partitions that a guard stopped, and why."""
        return dict(self._halted)

    def positions(self) -> dict[int, int]:
        """The offset that is applied next, by partition."""
        return {part: state.next_offset for part, state in self._claimed.items()}

    def applied_ms(self) -> dict[int, int]:
        """When the intake took the last applied record, in ms, by partition where one was applied."""
        found = {part: state.applied_ms for part, state in self._claimed.items()}
        return {part: ms for part, ms in found.items() if ms is not None}

    def note_ends(self, ends: Mapping[int, int], asked_ms: int) -> None:
        """The log ended at these offsets, by partition, at a moment or later; in ms."""
        for part, state in self._claimed.items():
            if state.next_offset >= ends.get(part, state.next_offset + 1):
                state.whole_ms = asked_ms

    def stop(self) -> None:
        """End `run` after the cycle that is running."""
        self._stopping = True

    async def _revoked(self) -> None:
        """Drain: let the running cycle end, then let go. The epoch fences what is slower."""
        metrics.REBALANCES.labels("revoked").inc()
        self._cycle.failpoint.reach("in_revoke")
        self._has_lost = True
        try:
            async with asyncio.timeout(_REVOKE_WAIT_S), self._busy:
                self._drop([*self._claimed])
        except TimeoutError:
            log.warning("revoked during a cycle that did not end")

    async def _assigned(self) -> None:
        """Nothing is read before it is claimed; the loop does that."""
        metrics.REBALANCES.labels("assigned").inc()

    async def run(self) -> None:
        """Read and apply until stopped."""
        self._reader.join(self._revoked, self._assigned)
        while not self._stopping:
            try:
                self._let_go_of_lost()
                self._let_go_where_clock_was_set()
                await self._claim_assigned()
                if self._has_lost:
                    continue
                polled = await self._next()
                self._cycle.failpoint.reach("after_poll")
                async with self._busy:
                    await self._apply(polled)
            except Exception as error:
                if not (isinstance(error, Fenced) or is_transient(error) or refuses_data(error)):
                    raise
                await self._back_off(error)
            self.last_turn = time.monotonic()

    def _let_go_of_lost(self) -> None:
        """Drop what was revoked while it was being applied, or claimed: all is claimed anew."""
        if self._has_lost:
            self._has_lost = False
            self._drop([*self._claimed])

    def _let_go_where_clock_was_set(self) -> None:
        """Moments that were noted by another time would keep values stale until it comes: claim anew."""
        before, self._wall_less_monotonic = self._wall_less_monotonic, time.time() - time.monotonic()
        if abs(by_s := self._wall_less_monotonic - before) > _CLOCK_WAS_SET_S:
            log.warning("the wall clock was set", by_s=round(by_s))
            self._drop([*self._claimed])

    async def _claim_assigned(self) -> None:
        for part in self._reader.assigned():
            if part in self._claimed or part in self._halted or self._is_put_off(part):
                continue
            try:
                state = await self._claimant.claim(part, int(time.time()))
            except Halted as halt:
                self._suspect(part, halt)
                continue
            self._suspects.pop(part, None)
            self._cycle.failpoint.reach("after_claim")
            await self._cycle.own.refresh()
            self._claimed[part] = state
            await self._resume_refreshing(part)
        metrics.CLAIMED_PARTITIONS.set(len(self._claimed))

    def _is_put_off(self, part: int) -> bool:
        return time.monotonic() < self._suspects.get(part, (0.0, 0.0))[1]

    def _suspect(self, part: int, halt: Halted) -> None:
        """Halt what stays wrong for a while: a broker that has just started may not know all yet."""
        now = time.monotonic()
        since, _ = self._suspects.setdefault(part, (now, now))
        self._suspects[part] = (since, now + 1.0)
        if now - since >= _HALT_AFTER_S:
            self._halt(part, halt)

    def _halt(self, part: int, halt: Halted) -> None:
        self._halted[part] = str(halt)
        metrics.HALTED_PARTITIONS.labels(halt.reason).inc()
        log.error("halted", part=part, reason=halt.reason, detail=str(halt))

    async def _resume_refreshing(self, part: int) -> None:
        """Values shown for brands of this partition go stale while nobody has it: refresh them."""
        state = self._claimed[part]
        partitioner = Partitioner(self._reader.partition_count())
        for brand in self._cycle.directory.every_brand():
            key = f"{brand.tenant}/{brand.slug}".encode()
            if partitioner.of(key) == part:
                state.by_key[key] = state.brands[brand.brand_id] = BrandState(brand, part)
        shown = await self._pool.fetch(_SHOWN, list(state.brands))
        if self._claimed.get(part) is not state:
            return  # revoked meanwhile: what is noted now, nobody would forget
        for brand_id, cut in shown:
            self._cycle.refresher.slide_at(state.brands[brand_id], cut, time.time())

    async def _next(self) -> Polled:
        """Records of claimed partitions, in order from where each one stands."""
        polled, self._ahead = self._ahead, Polled()
        if not polled.batches:
            polled = await self._poll(self._settings.max_wait_s, self._most)
        elif (room := self._most - polled.records) > 0:
            polled = polled.followed_by(await self._poll(0.0, room))  # what came since need not wait for another turn
        batches = {part: records for part, records in polled.batches.items() if self._is_next(part, records)}
        return Polled(batches, polled.read)

    @property
    def _most(self) -> int:
        """How many records a cycle takes at most."""
        return 1 if self._alone_until else max(1, self._settings.max_events // self._split)

    async def _poll(self, max_wait_s: float, most: int) -> Polled:
        if not self._claimed:
            self._reader.stay()
            await asyncio.sleep(max_wait_s)
            return Polled()
        return Polled(await self._reader.poll(self._claimed, max_wait_s, most))

    @asynccontextmanager
    async def _reading_ahead(self) -> AsyncIterator[None]:
        """Take what is there of the next batch, and read it whenever this one waits for Postgres.

        No cycle waits for it: the brokers may have nothing, or be sharing out the partitions anew, and what is not
        read ahead is read when its turn comes.
        """
        reading = asyncio.create_task(self._read_ahead())
        try:
            yield
        finally:
            reading.cancel()
            (outcome,) = await asyncio.gather(reading, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome

    async def _read_ahead(self) -> None:
        self._ahead = await self._poll(0.0, self._most)
        await self._ahead.read_ahead(self._cycle.pipeline.score_ahead)

    def _is_next(self, part: int, records: Sequence[Record]) -> bool:
        """Whether records may be applied: still claimed, and nothing before them is missing."""
        state = self._claimed.get(part)
        if state is None or not records:
            return False
        if records[0].offset < state.next_offset:
            raise Unavailable(f"partition {part} gave {records[0].offset}, next is {state.next_offset}")
        return True

    async def _apply(self, polled: Polled) -> None:
        batches = {part: records for part, records in polled.batches.items() if part in self._claimed}
        started = time.monotonic()
        try:
            async with self._reading_ahead():
                await self._cycle.run(self._claimed, batches, self._split, polled.read)
        except BaseException as error:
            self._note_slowness(error)
            self._note_refusal(batches, error)
            self._drop([*self._claimed])
            raise
        self._note_progress(batches, started)

    def _note_progress(self, batches: Batches, started: float) -> None:
        self.trouble, self.lacks_kafka = None, False
        self._split = max(1, self._split // _LARGER)
        for part, until in [*self._alone_until.items()]:
            if part not in self._claimed or self._claimed[part].next_offset >= until:
                del self._alone_until[part]
        metrics.LAST_PROGRESS.set_to_current_time()
        metrics.KPI_REFRESH_AGE.set(self._cycle.refresher.stalest_s(time.time()))
        if events := sum(map(len, batches.values())):
            metrics.CYCLE_EVENTS.observe(events)
            metrics.CYCLE_DURATION.observe(time.monotonic() - started)

    def _note_refusal(self, batches: Batches, error: BaseException) -> None:
        """Postgres refuses data: go record by record, and quarantine the one that it refuses."""
        if not refuses_data(error):
            return
        if sum(map(len, batches.values())) == 1:
            part, (record,) = next(iter(batches.items()))
            self._cycle.condemned.setdefault(part, set()).add(record.offset)
        self._alone_until.update({part: records[-1].offset + 1 for part, records in batches.items()})

    def _note_slowness(self, error: BaseException) -> None:
        """What did not end in time would not the next time either, with nothing in memory: try less of it."""
        if isinstance(error, TimeoutError):
            self._split = min(self._split * _SMALLER, self._settings.max_events)

    def _drop(self, parts: Sequence[int]) -> None:
        """Forget all state of these partitions, and all that was read ahead; what is committed is in Postgres."""
        self._ahead = Polled()
        for part in parts:
            if (state := self._claimed.pop(part, None)) is not None:
                self._cycle.refresher.forget(state.brands.values())
        metrics.CLAIMED_PARTITIONS.set(len(self._claimed))

    async def _back_off(self, error: Exception) -> None:
        """After any failure: claim again, which seeks to what Postgres says is next."""
        reason = _FAILURE.get(type(error), "error")
        metrics.COMMIT_FAILURES.labels(reason).inc()
        self.trouble, self.lacks_kafka = f"{type(error).__name__}: {error}", isinstance(error, NoAnswer)
        log.warning("cycle failed", error=self.trouble)
        self._drop([*self._claimed])
        await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311 - jitter, not a secret
