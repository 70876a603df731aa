"""One JSON object per line on stderr, from our own code and the libraries alike. No secrets, no texts of people."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from bellwether.domain.keys import KEY_PATTERN

_KEY = re.compile(rf"({KEY_PATTERN[: KEY_PATTERN.rindex('_')]}_)[0-9A-Za-z]+")
_SECRET_NAMES = frozenset({"authorization", "key_pepper", "pepper", "password", "secret", "api_key"})
_NOISY = {"aiokafka": logging.WARNING, "uvicorn.access": logging.WARNING, "asyncio": logging.WARNING}


def configure(service: str, level: str = "INFO") -> None:
    """Send every log of the process as JSON lines to stderr, each with the service's name and its time in UTC."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _naming(service),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    _route_everything(_formatter(before), level)


def _formatter(before: list[Processor]) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            without_secrets,
            structlog.processors.JSONRenderer(),
        ],
    )


def _route_everything(formatter: logging.Formatter, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, least in _NOISY.items():
        logging.getLogger(name).setLevel(max(least, root.level))


def without_secrets(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask whatever is named or looks like a secret; of an API key the public id stays readable."""
    for name, value in entry.items():
        if name.lower() in _SECRET_NAMES:
            entry[name] = "***"
        elif isinstance(value, str):
            entry[name] = _KEY.sub(r"\1***", value)
    return entry


def _naming(service: str) -> Processor:
    def name(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        entry["service"] = service
        return entry

    return name
