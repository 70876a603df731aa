"""`python -m bellwether_ingest`: serve until SIGTERM or Ctrl-C. The only place that reads the environment."""

import gc

from bellwether.adapters.http.server import Listening, serve
from bellwether.observability.logging import configure
from bellwether_ingest.app import Service
from bellwether_ingest.settings import Settings

_GC_THRESHOLD = 50_000  # events are structs outside the collector's reach: looking for cycles finds none


def main() -> None:
    """Serve with the settings of the environment."""
    settings = Settings()
    configure("ingest", settings.log_level)
    gc.set_threshold(_GC_THRESHOLD, 20, 100)
    service = Service(settings)
    listening = Listening(
        host=settings.host,
        port=settings.port,
        drain_s=settings.drain_s,
        stop_timeout_s=settings.stop_timeout_s,
        head_timeout_s=settings.head_timeout_s,
    )
    serve(service.asgi, service.readiness, listening)


if __name__ == "__main__":
    main()
