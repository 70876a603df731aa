"""`python -m bellwether_compute`: work until SIGTERM or Ctrl-C. The only place that reads the environment."""

from __future__ import annotations

import gc

import uvicorn

from bellwether.observability.logging import configure
from bellwether_compute.service import Service
from bellwether_compute.settings import Settings

_GC_THRESHOLD = 50_000  # events are structs outside the collector's reach: looking for cycles finds none


def main() -> None:
    """Work with the settings of the environment."""
    settings = Settings()
    configure("compute", settings.log_level)
    gc.set_threshold(_GC_THRESHOLD, 20, 100)
    uvicorn.run(
        Service(settings).app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
