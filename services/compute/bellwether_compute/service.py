"""Puts the worker together and runs it beside its probes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import structlog
from starlette.applications import Starlette

from bellwether.adapters.http.probes import Readiness, probes
from bellwether.adapters.kafka.log_reader import LogReader, ReaderSettings
from bellwether.adapters.kafka.producer import Producer, ProducerSettings
from bellwether.adapters.kafka.reachability import cluster_id
from bellwether.adapters.lexicon import vader_lexicon
from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.pool import Pool, open_pool
from bellwether.catalogue.measures import MEASURES
from bellwether.domain.sentiment import CachedScorer, SentimentScorer
from bellwether.observability import metrics
from bellwether_compute.alerting import deliver_alerts
from bellwether_compute.announcing import Announcer
from bellwether_compute.claims import Claimant
from bellwether_compute.cycle import Cycle
from bellwether_compute.evidence import Claimed, keep_evidence
from bellwether_compute.failpoints import Failpoint
from bellwether_compute.measuring import compile_measures
from bellwether_compute.own_measures import OwnMeasures
from bellwether_compute.pipeline import Pipeline
from bellwether_compute.refresh import Refresher
from bellwether_compute.relay import relay_quarantine
from bellwether_compute.retention import forget_old_minutes
from bellwether_compute.settings import Settings
from bellwether_compute.watchdog import Watchdog
from bellwether_compute.worker import Worker

log = structlog.get_logger(__name__)

_RETRY_S = 1.0
_EXIT_BROKEN = 1


async def _cluster(kafka_bootstrap: str) -> str:
    """The id of the cluster behind an address. Waits until a broker answers."""
    while (found := await cluster_id(kafka_bootstrap)) is None:
        log.info("waiting for Kafka", bootstrap=kafka_bootstrap)
        await asyncio.sleep(_RETRY_S)
    return found


class Service:
    """Compute as a process: probes at once, the worker as soon as Kafka and Postgres answer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._worker: Worker | None = None
        self.readiness = Readiness({"worker": self._why_not_ready})
        metrics.READY.set_function(lambda: float(self.readiness.ready))
        self.app = Starlette(routes=probes(self.readiness), lifespan=self._lifespan)

    def _why_not_ready(self) -> str | None:
        if self._worker is None:
            return "waiting for Kafka and Postgres"
        if self._worker.halted:
            return "halted: " + "; ".join(self._worker.halted.values())
        return self._worker.trouble

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(self._run())
        running.add_done_callback(_end_if_broken)
        yield
        if self._worker:
            self._worker.stop()
        else:
            running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    async def _run(self) -> None:
        settings = self._settings
        cluster = await _cluster(settings.kafka_bootstrap)
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(_pool(settings))
            directory = await stack.enter_async_context(Directory.open(pool))
            reader = await stack.enter_async_context(LogReader.open(_reader_settings(settings)))
            aside = await stack.enter_async_context(_producer(settings, settings.quarantine_topic))
            updates = await stack.enter_async_context(_producer(settings, settings.updates_topic))
            owner = f"{socket.gethostname()}:{os.getpid()}"
            claimant = Claimant(reader, pool, owner, cluster)
            announcer = Announcer(updates, settings.updates_topic)
            definitions = await stack.enter_async_context(Definitions.open(pool))
            cycle = _cycle(settings, pool, directory, definitions, announcer)
            worker = self._worker = Worker(settings, reader, claimant, cycle, pool)
            topics = (settings.events_topic, settings.quarantine_topic)
            beside = [
                Watchdog(worker, reader, settings.stuck_after_s).run(),
                relay_quarantine(pool, aside, *topics, lambda: worker.claimed),
                announcer.run(),
                forget_old_minutes(pool),
                deliver_alerts(settings, owner),
                keep_evidence(settings, Claimed(directory.every_brand, lambda: worker.claimed, reader.partition_count)),
            ]
            async with _beside(beside):
                await worker.run()


def _pool(settings: Settings) -> AbstractAsyncContextManager[Pool]:
    return open_pool(
        settings.postgres_dsn,
        application="bellwether-compute",
        deadline_s=settings.commit_timeout_s,
        statement_s=settings.commit_timeout_s,
    )


def _reader_settings(settings: Settings) -> ReaderSettings:
    return ReaderSettings(
        bootstrap=settings.kafka_bootstrap,
        topic=settings.events_topic,
        group=settings.group,
        session_s=settings.session_timeout_s,
    )


def _producer(settings: Settings, topic: str) -> AbstractAsyncContextManager[Producer]:
    """One for each topic: that one of them is missing must not stop the other."""
    own = ProducerSettings(bootstrap=settings.kafka_bootstrap, topics=(topic,), client_id="bellwether-compute")
    return Producer.open(own)


def _cycle(
    settings: Settings, pool: Pool, directory: Directory, definitions: Definitions, announcer: Announcer
) -> Cycle:
    scorer = CachedScorer(SentimentScorer(vader_lexicon()))
    return Cycle(
        stream=settings.events_topic,
        pool=pool,
        directory=directory,
        pipeline=Pipeline(compile_measures(MEASURES), scorer.score),
        refresher=Refresher(),
        announcer=announcer,
        own=OwnMeasures(definitions),
        failpoint=Failpoint(settings.failpoint),
        timeout_s=settings.commit_timeout_s,
        max_events=settings.max_events,
        max_refreshes=settings.max_refreshes,
        max_cached=settings.max_cached,
    )


@asynccontextmanager
async def _beside(coroutines: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run these as long as the block does; an error in one of them ends the process."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for task in tasks:
        task.add_done_callback(_end_if_broken)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _end_if_broken(task: asyncio.Task[None]) -> None:
    """A worker that cannot go on must not look alive: end, and be started again from Postgres."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("compute cannot go on", exc_info=error)
        os._exit(_EXIT_BROKEN)
