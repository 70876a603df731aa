"""Keeps evidence of crises, at their opening and at their peak, beside the worker.

Counting never waits for it, and nothing that goes wrong here ends the process: it is tried again. What is to be kept
follows from the steps of a crisis, and what it says from the log, so it does not matter who collects it, or how often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping

import structlog

from bellwether.adapters.kafka.log_range import LogRange, open_log
from bellwether.adapters.kafka.partitions import Partitions
from bellwether.adapters.lexicon import vader_lexicon
from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.evidence import (
    DueEvidence,
    confirm_evidence,
    due_evidence,
    kept_evidence,
    write_evidence,
)
from bellwether.adapters.postgres.incidents import STEPS, stored_step
from bellwether.adapters.postgres.pool import Pool, is_transient, open_pool
from bellwether.domain.clock import HOUR_S
from bellwether.domain.evidence import IncidentEvidence, tell
from bellwether.domain.incidents import Step
from bellwether.domain.occasions import Occasion, Sought, occasions
from bellwether.domain.sentiment import SentimentScorer
from bellwether.observability import metrics
from bellwether_compute.episode_texts import Quarantined, Stretch, read_texts
from bellwether_compute.episodes import SOURCE
from bellwether_compute.settings import Settings
from bellwether_compute.state import BrandState

log = structlog.get_logger(__name__)

_EVERY_S = 1.0
_RETRY_S = 30.0
_MOST = 100
_LATE_S = 5
"""Records of so much later are read: several intakes write to the log, each by its own clock."""
_STEPS = f"{STEPS} WHERE s.brand_id = $1 AND s.incident_id = $2"
_APPLIED = "SELECT next_offset FROM stream_offset WHERE stream = $1 AND part = $2"
_QUARANTINED = """
    SELECT log_offset FROM quarantine WHERE stream = $1 AND part = $2 AND log_offset >= $3 AND log_offset < $4
"""

Found = dict[Occasion, tuple[Sought, IncidentEvidence]]


class Claimed:
    """The brands in the partitions that the worker reads at this moment.

    brands, parts, count: tell all brands, those partitions, and how many partitions the stream has
    """

    def __init__(
        self, brands: Callable[[], Iterable[Brand]], parts: Callable[[], Collection[int]], count: Callable[[], int]
    ) -> None:
        self._brands = brands
        self._parts = parts
        self._count = count
        self._partitions: Partitions | None = None

    def by_brand(self) -> dict[int, tuple[Brand, int]]:
        """Each of those brands with its partition, by id."""
        parts, count = set(self._parts()), self._count()
        if not parts or count < 1:
            return {}
        if self._partitions is None or self._partitions.count != count:
            self._partitions = Partitions(count)
        placed = ((one, self._partitions.of(f"{one.tenant}/{one.slug}".encode())) for one in self._brands())
        return {brand.brand_id: (brand, part) for brand, part in placed if part in parts}


async def keep_evidence(settings: Settings, claimed: Claimed) -> None:
    """Keep evidence of the crises of the claimed partitions, for ever."""
    # A connection of its own: whatever it waits for, counting does not wait for it.
    async with open_pool(settings.postgres_dsn, application="bellwether-evidence", max_size=1) as pool:
        keeper = EvidenceKeeper(pool, settings.kafka_bootstrap, settings.events_topic, claimed)
        while True:
            try:
                await keeper.look()
            except Exception as error:  # counting goes on whatever becomes of evidence
                metrics.EVIDENCE.labels("failed").inc()
                log.warning("evidence is looked for again", exc_info=not is_transient(error), error=str(error))
            await asyncio.sleep(_EVERY_S)


class EvidenceKeeper:
    """Finds crises whose evidence is missing or of an earlier peak, and collects it."""

    def __init__(self, pool: Pool, bootstrap: str, stream: str, claimed: Claimed) -> None:
        self._pool = pool
        self._bootstrap = bootstrap
        self._stream = stream
        self._claimed = claimed
        self._score = SentimentScorer(vader_lexicon()).score
        self._not_before: dict[DueEvidence, float] = {}

    async def look(self) -> int:
        """Collect all that is due; gives of how many crises. What fails is put off, and does not hold up the others."""
        brands = self._claimed.by_brand()
        found = await due_evidence(self._pool, brands, _MOST) if brands else []
        now = time.monotonic()
        self._not_before = {due: at for due, at in self._not_before.items() if at > now}
        wanted = [due for due in found if due not in self._not_before]
        if wanted:
            async with open_log(self._bootstrap, self._stream, "bellwether-evidence") as opened:
                for due in wanted:
                    await self._try(opened, due, BrandState(*brands[due.brand_id]))
        return len(wanted)

    async def _try(self, opened: LogRange, due: DueEvidence, brand: BrandState) -> None:
        try:
            with metrics.EVIDENCE_DURATION.time():
                result = await self._collect(opened, due, brand)
        except Exception as error:  # whatever is wrong with one crisis, the others have their evidence
            result = "failed"
            told = {"brand_id": due.brand_id, "incident": due.incident_id, "error": str(error)}
            log.warning("evidence of a crisis is put off", exc_info=not is_transient(error), **told)
        self._not_before[due] = time.monotonic() + _RETRY_S
        metrics.EVIDENCE.labels(result).inc()

    async def _collect(self, opened: LogRange, due: DueEvidence, brand: BrandState) -> str:
        async with self._pool.connection() as connection:
            rows = [stored_step(row) for row in await connection.fetch(_STEPS, due.brand_id, due.incident_id)]
            kept = await kept_evidence(connection, due)
        recorded = {one.step: one.recorded_at for one in rows}
        sought = occasions(recorded)
        wanted = {name: one for name, one in sought.items() if kept.get(name) != (one.span, one.severity)}
        found = await self._tell(opened, brand, wanted, recorded)
        async with self._pool.transaction() as connection:
            await confirm_evidence(connection, due, [name for name in sought if name not in wanted])
            await write_evidence(connection, due, found)
        return "written" if found else "unchanged"

    async def _tell(
        self,
        opened: LogRange,
        brand: BrandState,
        wanted: Mapping[Occasion, Sought],
        recorded: Mapping[Step, int | None],
    ) -> Found:
        """The evidence of each occasion; the log is read once where two of them are of one step."""
        told: dict[Sought, IncidentEvidence] = {}
        for sought in wanted.values():
            if sought not in told:
                whole = await self._stretch(opened, brand.part, sought, recorded[sought.step])
                texts, reading = await read_texts(opened, brand, whole, self._quarantined(brand.part), self._score)
                told[sought] = await asyncio.to_thread(tell, sought.span, texts, reading)
        return {name: (sought, told[sought]) for name, sought in wanted.items()}

    async def _stretch(self, opened: LogRange, part: int, sought: Sought, recorded_at: int | None) -> Stretch:
        """Where in the log the episode and its baseline are.

        Nothing is recorded before it happened. What a detector found was in the log by then; what a person says of an
        earlier moment may be said long after it.
        """
        until = sought.span.at + HOUR_S
        if recorded_at is not None:
            until = recorded_at if sought.step.word.source == SOURCE else min(recorded_at, until)
        start = await opened.offset_at(part, sought.span.baseline_since * 1000)
        stop = await opened.offset_at(part, (until + _LATE_S) * 1000)
        applied = await self._pool.fetchval(_APPLIED, self._stream, part)
        return Stretch(start, max(start, min(stop, applied or 0)))

    def _quarantined(self, part: int) -> Quarantined:
        async def offsets(start: int, stop: int) -> set[int]:
            return {row[0] for row in await self._pool.fetch(_QUARANTINED, self._stream, part, start, stop)}

        return offsets
