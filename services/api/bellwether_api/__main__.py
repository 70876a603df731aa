"""`python -m bellwether_api`: serve until SIGTERM or Ctrl-C. The only place that reads the environment."""

from bellwether.adapters.http.server import Listening, serve
from bellwether.observability.logging import configure
from bellwether_api.app import Service
from bellwether_api.settings import Settings


def main() -> None:
    """Serve with the settings of the environment."""
    settings = Settings()
    configure("api", settings.log_level)
    service = Service(settings)
    listening = Listening(
        host=settings.host, port=settings.port, drain_s=settings.drain_s, stop_timeout_s=settings.stop_timeout_s
    )
    serve(service.asgi, service.readiness, listening)


if __name__ == "__main__":
    main()
