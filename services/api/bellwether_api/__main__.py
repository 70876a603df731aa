"""`python -m bellwether_api`: serve until SIGTERM or Ctrl-C. The only place that reads the environment."""

import gc
import sys

from bellwether.adapters.http.server import Listening, serve
from bellwether.observability.logging import configure
from bellwether_api.app import Service
from bellwether_api.settings import Settings

_GC_THRESHOLD = 50_000  # what a request makes is gone with it: looking for cycles finds none
_SWITCH_S = 0.0005  # a thread that evaluates a long period hands over so often, since requests are waiting


def main() -> None:
    """Serve with the settings of the environment."""
    settings = Settings()
    configure("api", settings.log_level)
    gc.set_threshold(_GC_THRESHOLD, 20, 100)
    sys.setswitchinterval(_SWITCH_S)
    service = Service(settings)
    listening = Listening(
        host=settings.host, port=settings.port, drain_s=settings.drain_s, stop_timeout_s=settings.stop_timeout_s
    )
    serve(service.asgi, service.readiness, listening)


if __name__ == "__main__":
    main()
