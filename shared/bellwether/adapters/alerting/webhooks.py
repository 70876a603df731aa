"""Standard Webhooks 1.0.0 (https://www.standardwebhooks.com): the body, the id and the signature of a message."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from bellwether.adapters.alerting.messages import Message, Secret
from bellwether.domain.alerts import Alert, Kind

PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
_GENERAL: Final = frozenset({Kind.TEST, Kind.CANARY, Kind.UNDELIVERABLE})


def new_secret() -> str:
    """A fresh secret of 256 bits, as both sides keep it."""
    return PREFIX + base64.b64encode(randomness.token_bytes(_SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and HMAC-SHA256 over id, timestamp (UTC seconds) and body. Raises ValueError for what is no secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret is whsec_ and base64") from None
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def headers(message_id: str, timestamp: int, body: bytes, secrets: Iterable[Secret]) -> dict[str, str]:
    """The three headers of a message, signed with every secret that still holds at `timestamp`."""
    valid = [one.text for one in secrets if one.until is None or timestamp < one.until]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in valid),
    }


def body(message: Message) -> bytes:
    """An alert as `{type, timestamp, data}`; several as one such of the type `crisis.alerts`, which lists them."""
    told = [_told(message, alert) for alert in message.alerts]
    if len(told) == 1:
        return msgspec.json.encode(told[0])
    last = max(one["timestamp"] for one in told)
    return msgspec.json.encode({"type": "crisis.alerts", "timestamp": last, "data": {"alerts": told}})


def event_type(kind: Kind) -> str:
    """The type of a webhook that tells of one alert."""
    return f"alert.{kind.value}" if kind in _GENERAL else f"crisis.{kind.value}"


def _told(message: Message, alert: Alert) -> dict[str, Any]:
    return {
        "type": event_type(alert.kind),
        "timestamp": moment(alert.at),
        "data": {
            "id": alert.id,
            "tenant": message.tenant,
            "brand": message.brand,
            "incident": alert.incident,
            "severity": alert.severity,
            "cut": alert.cut or None,
            "onset": None if alert.onset is None else moment(alert.onset),
            "title": alert.title,
            "unacknowledged": message.escalates,
            "evidence": msgspec.Raw(alert.evidence.encode()),
        },
    }


def moment(second: int) -> str:
    """A UTC second as RFC 3339 tells it."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def titles(alerts: Sequence[Alert]) -> str:
    """The titles of alerts, a line each."""
    return "\n".join(alert.title for alert in alerts)
