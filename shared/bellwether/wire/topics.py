"""The Kafka topics: names, keys, headers, and the settings that a new one gets unless the operator says otherwise."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

import msgspec


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic and the defaults it is created with.

    `retention` None keeps records for ever; a compacted topic keeps the last record of each key.
    """

    name: str
    summary: str
    partitions: int
    retention: timedelta | None
    compacted: bool = False
    max_message_bytes: int

    def config(self) -> dict[str, str]:
        """The topic settings in Kafka's own names."""
        retention_ms = -1 if self.retention is None else self.retention // timedelta(milliseconds=1)
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            # Freshness is reckoned from the record's timestamp, which is when the intake took the event.
            "message.timestamp.type": "CreateTime",
        }


_MIB: Final = 1024 * 1024

EVENTS: Final = Topic(
    name="social.events.v1",
    summary="Every event that was taken in, as it was sent. All of a brand is in one partition, in order.",
    partitions=12,
    retention=timedelta(days=400),  # a year and what it is compared with can be counted anew from the log
    max_message_bytes=2 * _MIB,
)
QUARANTINE: Final = Topic(
    name="social.quarantine.v1",
    summary="What is genuine but cannot be used, byte for byte, with the reason. It can be replayed after a fix.",
    partitions=3,
    retention=timedelta(days=90),
    max_message_bytes=6 * _MIB,  # the largest body that the intake reads, whole, and room for headers
)
KPI_UPDATES: Final = Topic(
    name="kpi.updates.v1",
    summary="The current KPI values of each brand and cut: the last record of a key is the current one.",
    partitions=12,
    retention=None,
    compacted=True,
    max_message_bytes=2 * _MIB,
)
CRISIS_ALERTS: Final = Topic(
    name="crisis.alerts.v1",
    summary="Every step in the life of a crisis, at least once, under a stable id.",
    partitions=3,
    retention=timedelta(days=30),
    max_message_bytes=1 * _MIB,
)

TOPICS: Final = (EVENTS, QUARANTINE, KPI_UPDATES, CRISIS_ALERTS)


class QuarantineHeader(StrEnum):
    """The record headers of the quarantine topic; their values are UTF-8."""

    REASON = "reason"
    DETAIL = "detail"
    TENANT = "tenant"
    ORIGIN = "origin"


def event_key(tenant: str, brand: str) -> bytes:
    """The record key of a brand's events: both slugs, so that all of a brand falls into one partition."""
    return f"{tenant}/{brand}".encode()
