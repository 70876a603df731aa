"""Looks after the worker from beside it: measures its lag, and ends a process that is stuck.

Both client libraries have waits without an end; a process that ended is started again and
goes on from Postgres, one that hangs is not.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import time
from collections.abc import Mapping
from typing import NoReturn

import structlog

from bellwether.adapters.kafka.log_reader import LogReader
from bellwether.domain.errors import Unavailable
from bellwether.observability import metrics
from bellwether_compute.worker import Worker

log = structlog.get_logger(__name__)

_EVERY_S = 2.0
_EXIT_STUCK = 75  # EX_TEMPFAIL of sysexits.h: worth another try


class Watchdog:
    """Measures and watches one worker."""

    def __init__(self, worker: Worker, reader: LogReader, stuck_after_s: float) -> None:
        self._worker = worker
        self._reader = reader
        self._stuck_after_s = stuck_after_s
        self.lag: dict[int, int] = {}
        self._kafka_answers = False
        self._partitions: set[int] = set()
        self._known: dict[int, int] = {}
        self._applied_ms: dict[int, int] = {}
        self._standstill = Standstill()

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self._measure()
            self._judge()

    async def _measure(self) -> None:
        self._kafka_answers = False
        claimed = self._worker.positions()
        positions, asked_ms = self._positions(claimed), int(time.time() * 1000)
        try:
            ends = await self._reader.ends(positions)
        except Unavailable as error:
            log.info("lag is not known", error=str(error))
            return
        self._kafka_answers = True
        self._worker.note_ends(ends, asked_ms)
        self.lag = {part: max(0, ends[part] - position) for part, position in positions.items()}
        for part in self._partitions | self.lag.keys():
            metrics.LAG_RECORDS.labels(str(part)).set(self.lag.get(part, 0))
        self._partitions |= self.lag.keys()
        behind = [ms for part, ms in self._applied_ms.items() if self.lag.get(part)]
        metrics.LAG_SECONDS.set(max(0.0, time.time() - min(behind) / 1000) if behind else 0.0)
        await self._tell_progress(claimed)

    async def _tell_progress(self, claimed: Mapping[int, int]) -> None:
        """For lag tools; a group that takes no offsets must not hide that nothing is applied."""
        try:
            await self._reader.tell_progress(claimed)
        except Unavailable as error:
            log.info("the group was not told how far this worker is", error=str(error))

    def _positions(self, claimed: Mapping[int, int]) -> dict[int, int]:
        """Where all assigned partitions stand: one that cannot be claimed at the moment, where it was seen last."""
        self._known.update(claimed)
        self._applied_ms.update(self._worker.applied_ms())
        assigned = self._reader.assigned()
        for gone in self._known.keys() - set(assigned):
            del self._known[gone]
            self._applied_ms.pop(gone, None)
        return dict(self._known)

    def _judge(self) -> None:
        now = time.monotonic()
        if now - self._worker.last_turn > self._stuck_after_s:
            _end("the worker's loop does not turn")
        if self._reader.is_broken:
            _end("nothing is fetched any more")
        if self._is_excused():
            self._standstill = Standstill()  # what is wrong is known, and tried again
            return
        still = self._standstill.look(self._watched(), self.lag, now)
        if max(still.values(), default=0.0) > self._stuck_after_s:
            part = max(still, key=still.__getitem__)
            _end(f"partition {part} has lag, Kafka answers, and nothing of it is applied")

    def _is_excused(self) -> bool:
        """Whether the worker waits for a server. For Kafka it does not where Kafka answers the same client here."""
        return self._worker.trouble is not None and not (self._worker.lacks_kafka and self._kafka_answers)

    def _watched(self) -> dict[int, int]:
        """Where partitions stand that ought to move: the claimed ones, and what cannot be claimed for lack of Kafka."""
        if not self._worker.lacks_kafka:
            return self._worker.positions()
        return {part: at for part, at in self._known.items() if part not in self._worker.halted}


class Standstill:
    """For how long partitions that have lag have not moved."""

    def __init__(self) -> None:
        self._since: dict[int, tuple[int, float]] = {}

    def look(self, positions: Mapping[int, int], lag: Mapping[int, int], now: float) -> dict[int, float]:
        """Seconds since each one that lags was first seen where it is.

        positions: the offset that is applied next, by partition; lag: how many records wait; now: in seconds
        """
        before, self._since = self._since, {}
        for part, position in positions.items():
            if lag.get(part, 0) > 0:
                was_at, since = before.get(part, (position, now))
                self._since[part] = (position, since if was_at == position else now)
        return {part: now - since for part, (_, since) in self._since.items()}


def _end(why: str) -> NoReturn:
    log.error("stuck", why=why)
    faulthandler.dump_traceback()
    os._exit(_EXIT_STUCK)
