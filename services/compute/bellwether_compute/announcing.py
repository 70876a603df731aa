"""Announces refreshed values on the updates topic, after they are committed.

A hint for partners who read Kafka: the newest values of a brand and cut follow each other
under one key. Postgres has the truth, so an announcement that cannot be sent is let go.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
import structlog

from bellwether.adapters.kafka.producer import Producer
from bellwether.adapters.postgres.directory import Brand
from bellwether.domain.errors import Unavailable
from bellwether_compute.refresh import Due
from bellwether_compute.store import CurrentRow

log = structlog.get_logger(__name__)

TOTAL_NAME = "total"
"""How the cut that holds everything is called in a record's key."""


class Update(msgspec.Struct, frozen=True):
    """The payload: `kpis` are the values by KPI and window, as Postgres holds them."""

    tenant: str
    brand: str
    cut: str
    as_of: datetime
    kpis: msgspec.Raw


class Announcer:
    """Keeps the newest unsent update of every brand and cut, and sends them."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._unsent: dict[bytes, bytes] = {}
        self._woken = asyncio.Event()

    def announce(self, refreshed: Iterable[tuple[Due, CurrentRow]]) -> None:
        """Queue what was just committed; an older update of the same key is overtaken."""
        for due, row in refreshed:
            key, value = _record(due.brand.brand, row)
            self._unsent[key] = value
        if self._unsent:
            self._woken.set()

    async def run(self) -> None:
        """Send, for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            unsent, self._unsent = self._unsent, {}
            try:
                records = {key: [value] for key, value in unsent.items()}
                await self._producer.produce(self._topic, records, int(time.time() * 1000))
            except Unavailable as error:
                log.info("updates were not announced", updates=len(unsent), error=str(error))


def _record(brand: Brand, row: CurrentRow) -> tuple[bytes, bytes]:
    cut = row.cut or TOTAL_NAME
    as_of = datetime.fromtimestamp(row.as_of, UTC)
    update = Update(brand.tenant, brand.slug, cut, as_of, msgspec.Raw(row.body))
    return f"{brand.tenant}/{brand.slug}/{cut}".encode(), msgspec.json.encode(update)
