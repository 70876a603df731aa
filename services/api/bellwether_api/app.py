"""The service as an ASGI application."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI

from bellwether.adapters.alerting.addresses import networks
from bellwether.adapters.http.probe_router import probe_router
from bellwether.adapters.http.probes import Readiness
from bellwether.adapters.http.problems import install
from bellwether.adapters.kafka.producer import Producer, ProducerSettings
from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.pool import Pool, open_pool
from bellwether.adapters.sealing import Sealer
from bellwether.observability import metrics
from bellwether_api.alert_endpoints import Endpoints
from bellwether_api.alert_messages import Messages
from bellwether_api.alert_routes import AlertRoutes
from bellwether_api.backtests import Backtests
from bellwether_api.brands import Brands
from bellwether_api.cache import AnswerCache
from bellwether_api.campaigns import Campaigns
from bellwether_api.card_answers import CardAnswers
from bellwether_api.incident_steps import IncidentSteps
from bellwether_api.incidents import Incidents
from bellwether_api.integrity import Marks
from bellwether_api.issuing import IssuedCards
from bellwether_api.label import LabelReader
from bellwether_api.limits import bounded
from bellwether_api.metering import metered
from bellwether_api.openapi import DESCRIPTION, TAGS, TITLE, describe
from bellwether_api.own_kpis import OwnDefinitions
from bellwether_api.parameters import checked_parameters
from bellwether_api.parts import Parts
from bellwether_api.receipts import ReceiptReader
from bellwether_api.routes import (
    alert_routes,
    backtests,
    brands,
    campaigns,
    catalogue,
    incidents,
    integrity,
    kpis,
    labels,
    receipts,
    scorecards,
    stream,
    targets,
    webhook_endpoints,
)
from bellwether_api.scorecards import ScorecardReader
from bellwether_api.series import SeriesReader
from bellwether_api.settings import Settings
from bellwether_api.shortcut import Shortcut
from bellwether_api.stream.hub import Hub
from bellwether_api.stream.streams import Limits, Streams
from bellwether_api.targets import Targets
from bellwether_api.values import ValueReader

VERSION = "1.0.0"
_STATEMENT_SHARE = 0.8  # the server gives up a statement before the client gives up its connection
_REFRESHES_MISSED = 3


class Service:
    """The running service: `readiness` falls before it stops; `asgi` is what a server serves."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.readiness = Readiness()
        self.app = _fastapi(self.readiness, self._running)
        self.asgi = Shortcut(metered(bounded(self.app, settings.max_body_bytes)), settings.cache_entries)
        self._now = now
        metrics.READY.set_function(lambda: float(self.readiness.ready))

    @asynccontextmanager
    async def _running(self, app: FastAPI) -> AsyncIterator[None]:
        settings = self.settings
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(_pool(settings))
            directory = await stack.enter_async_context(_directory(settings, pool))
            definitions = await stack.enter_async_context(Definitions.open(pool, settings.directory_refresh_s))
            patience_s = _REFRESHES_MISSED * settings.directory_refresh_s
            self.readiness.add("postgres", lambda: None if directory.reachable(patience_s) else "does not answer")
            app.state.directory = directory
            producer = await stack.enter_async_context(Producer.open(_producer_settings(settings)))
            crises = Incidents(pool)
            cards = ScorecardReader(pool, definitions, settings.comparison_s, self._now)
            cache = AnswerCache(settings.cache_s, settings.cache_entries)
            answers = CardAnswers(cards, cache)
            self.asgi.begin(directory, answers)
            streams = self._streams(Hub(pool, crises, definitions, settings.stream_pause_s), directory)
            await stack.enter_async_context(streams.running())
            app.state.parts = Parts(
                brands=Brands(pool, directory, settings.idempotency_s),
                values=ValueReader(pool, definitions, self._now),
                series=SeriesReader(pool, self._now),
                scorecards=cards,
                issued=IssuedCards(pool, cards, settings.idempotency_s, self._now),
                labels=LabelReader(pool, self._now),
                receipts=ReceiptReader(pool, self._now),
                marks=Marks(pool, self._now),
                incidents=crises,
                incident_steps=IncidentSteps(crises, producer, settings.events_topic, settings.step_wait_s),
                own=OwnDefinitions(pool, definitions, self._now),
                definitions=definitions,
                targets=Targets(pool, definitions, self._now),
                cache=cache,
                cards=answers,
                endpoints=_endpoints(settings, pool, self._now),
                alert_routes=AlertRoutes(pool, settings.idempotency_s),
                messages=Messages(pool),
                shortcut=self.asgi,
                streams=streams,
                backtests=Backtests(pool, self._now),
                campaigns=Campaigns(pool),
            )
            yield

    def _streams(self, hub: Hub, directory: Directory) -> Streams:
        settings, readiness = self.settings, self.readiness
        limits = Limits(settings.streams, settings.streams_per_key)
        keep_alive_s = settings.stream_keep_alive_s
        return Streams(hub, directory, limits, keep_alive_s, lambda: readiness.stopping, self._now)


def _pool(settings: Settings) -> Any:
    return open_pool(
        settings.postgres_dsn,
        application="bellwether-api",
        max_size=settings.connections,
        deadline_s=settings.read_timeout_s,
        statement_s=_STATEMENT_SHARE * settings.read_timeout_s,
    )


def _producer_settings(settings: Settings) -> ProducerSettings:
    return ProducerSettings(
        bootstrap=settings.kafka_bootstrap,
        topics=(settings.events_topic,),
        client_id="bellwether-api",
        deadline_s=settings.produce_timeout_s,
    )


def _endpoints(settings: Settings, pool: Pool, now: Callable[[], float]) -> Endpoints:
    keys = [key.get_secret_value() for key in (settings.alert_key, *settings.older_alert_keys) if key]
    return Endpoints(pool, Sealer(*keys), networks(settings.alert_networks), settings.idempotency_s, now)


def _directory(settings: Settings, pool: Pool) -> Any:
    peppers = [pepper.get_secret_value() for pepper in (settings.key_pepper, *settings.older_peppers)]
    return Directory.open(pool, *peppers, refresh_s=settings.directory_refresh_s)


def _fastapi(readiness: Readiness, lifespan: Callable[[FastAPI], Any] | None) -> FastAPI:
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    install(app)
    for router in (
        brands.router,
        catalogue.router,
        incidents.router,
        integrity.router,
        kpis.router,
        labels.router,
        receipts.router,
        scorecards.router,
        stream.router,
        targets.router,
        alert_routes.router,
        webhook_endpoints.router,
        backtests.router,
        campaigns.router,
    ):
        app.include_router(router, dependencies=[Depends(checked_parameters)])
    app.include_router(probe_router(readiness))
    describe(app)
    return app


def documentation() -> dict[str, Any]:
    """The OpenAPI document, without anything running."""
    return _fastapi(Readiness(), None).openapi()
