"""`python -m bellwether_api`: serve until SIGTERM or Ctrl-C. The only place that reads the environment."""

import asyncio
from types import FrameType

import structlog
import uvicorn

from bellwether.observability.logging import configure
from bellwether_api.app import Service
from bellwether_api.settings import Settings


class Server(uvicorn.Server):
    """uvicorn, but a stop first lets readiness fall, so that no new work is sent here, and then closes the port."""

    def __init__(self, service: Service) -> None:
        super().__init__(_config(service))
        self._service = service
        self._asked_to_stop = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called for SIGTERM and SIGINT; a second one does not wait."""
        delay_s = 0.0 if self._asked_to_stop else self._service.settings.drain_s
        self._asked_to_stop = True
        self._service.readiness.drain()
        structlog.get_logger(__name__).info("stopping", signal=sig)
        asyncio.get_running_loop().call_later(delay_s, super().handle_exit, sig, frame)


def _config(service: Service) -> uvicorn.Config:
    settings = service.settings
    return uvicorn.Config(
        service.asgi,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(settings.stop_timeout_s),
    )


def main() -> None:
    """Serve with the settings of the environment."""
    settings = Settings()
    configure("api", settings.log_level)
    Server(Service(settings)).run()


if __name__ == "__main__":
    main()
