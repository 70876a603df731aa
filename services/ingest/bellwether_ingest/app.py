"""The service as an ASGI application: the intake in front, FastAPI for everything else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from bellwether.adapters.http.probe_router import probe_router
from bellwether.adapters.http.probes import Readiness
from bellwether.adapters.http.problems import install
from bellwether.adapters.kafka.producer import Producer, ProducerSettings
from bellwether.adapters.postgres.directory import Directory
from bellwether.adapters.postgres.pool import open_pool
from bellwether.observability import metrics
from bellwether_ingest.body import Receive
from bellwether_ingest.intake import PATH, ASGIScope, Intake, Send
from bellwether_ingest.openapi import DESCRIPTION, TITLE, describe
from bellwether_ingest.settings import Settings

Asgi = Callable[[ASGIScope, Receive, Send], Awaitable[None]]
VERSION = "1.0.0"


class Service:
    """The running service: `readiness` falls before it stops; `asgi` is what a server serves."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.readiness = Readiness()
        metrics.READY.set_function(lambda: float(self.readiness.ready))
        self._intake: Intake | None = None
        self._rest = _fastapi(settings, self.readiness, self._running)

    def asgi(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """One connection, request or the lifespan."""
        if scope["type"] == "http" and scope["path"] == PATH and self._intake is not None:
            return self._intake(scope, receive, send)
        return self._rest(scope, receive, send)

    @asynccontextmanager
    async def _running(self, _app: FastAPI) -> AsyncIterator[None]:
        settings = self.settings
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(open_pool(settings.postgres_dsn, application="bellwether-ingest"))
            peppers = [pepper.get_secret_value() for pepper in (settings.key_pepper, *settings.older_peppers)]
            directory = await stack.enter_async_context(Directory.open(pool, *peppers))
            producer = await stack.enter_async_context(Producer.open(_producer_settings(settings)))
            self.readiness.add("postgres", lambda: None if directory.reachable() else "does not answer")
            self.readiness.add("kafka", lambda: None if producer.reachable else "does not answer")
            self._intake = Intake(settings, directory, producer)
            yield


def documentation() -> dict[str, Any]:
    """The OpenAPI document, without anything running."""
    settings = Settings.model_construct(key_pepper=SecretStr("only for the document"))  # defaults, whatever is set here
    return _fastapi(settings, Readiness(), None).openapi()


def _fastapi(settings: Settings, readiness: Readiness, lifespan: Callable[[FastAPI], Any] | None) -> FastAPI:
    app = FastAPI(title=TITLE, version=VERSION, description=DESCRIPTION, lifespan=lifespan)
    install(app)
    app.include_router(probe_router(readiness))
    describe(app, settings)
    return app


def _producer_settings(settings: Settings) -> ProducerSettings:
    return ProducerSettings(
        bootstrap=settings.kafka_bootstrap,
        topics=(settings.events_topic,),
        client_id="bellwether-ingest",
        deadline_s=settings.produce_timeout_s,
        linger_s=settings.linger_s,
        compression=settings.compression,
    )
