"""`python -m bellwether_compute`: work until SIGTERM or Ctrl-C. The only place that reads the environment."""

from __future__ import annotations

import gc

from bellwether.adapters.http.server import Listening, serve
from bellwether.observability.logging import configure
from bellwether_compute.service import Service
from bellwether_compute.settings import Settings

_GC_THRESHOLD = 50_000  # events are structs outside the collector's reach: looking for cycles finds none


def main() -> None:
    """Work with the settings of the environment."""
    settings = Settings()
    configure("compute", settings.log_level)
    gc.set_threshold(_GC_THRESHOLD, 20, 100)
    service = Service(settings)
    serve(service.app, service.readiness, Listening(host=settings.host, port=settings.port))


if __name__ == "__main__":
    main()
