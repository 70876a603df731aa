"""A ledger sent over HTTP by a client that repeats what was not acknowledged, and a reader of the API beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import httpx2
from aiokafka import AIOKafkaConsumer, TopicPartition

from bellwether.adapters.postgres.keys import create_key
from bellwether.domain.keys import Scope
from tests.support.ledger import TENANT, Entry

_BATCH = 20
_AGAIN_S = 0.1
_LOOK_S = 0.3
_ACCEPTED = 202
_WINDOW = "90d"
Answered = int | str
"""A status, or the name of the error that stood in place of an answer."""


async def key_headers(dsn: str, pepper: str, *scopes: Scope) -> dict[str, str]:
    """The headers of a new key of the ledger's tenant."""
    connection = await asyncpg.connect(dsn)
    try:
        tenant_id = await connection.fetchval("SELECT tenant_id FROM tenant WHERE slug = $1", TENANT)
        key = await create_key(connection, tenant_id, "faults", scopes, None, None, pepper)
    finally:
        await connection.close()
    return {"Authorization": f"Bearer {key}"}


async def log_size(bootstrap: str, topic: str) -> int:
    """How many records a topic has. Its first offsets have to be 0."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        parts = [TopicPartition(topic, part) for part in consumer.partitions_for_topic(topic)]
        return sum((await consumer.end_offsets(parts)).values())


@dataclass
class HttpSender:
    """Sends sound entries through the intake, in order, each batch until it is acknowledged as a whole.

    aside: what the intake would refuse, for somebody else to write into the log
    """

    url: str
    headers: Mapping[str, str]
    aside: list[Entry] = field(default_factory=list)
    accepted: Counter[tuple[bytes | None, bytes | None]] = field(default_factory=Counter)
    answers: Counter[Answered] = field(default_factory=Counter)
    troubled: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, entries: Sequence[Entry]) -> None:
        """Send all that is sound; returns when every one of them is in the log."""
        async with httpx2.AsyncClient(base_url=self.url, headers=self.headers, timeout=15) as client:
            for start in range(0, len(entries), _BATCH):
                batch = entries[start : start + _BATCH]
                sound = [entry for entry in batch if entry.spoiled is None]
                while await self._try(client, sound) != _ACCEPTED:
                    self.troubled.set()
                    await asyncio.sleep(_AGAIN_S)
                self.accepted.update((entry.key, entry.value) for entry in sound)
                self.aside += (entry for entry in batch if entry.spoiled is not None)

    async def _try(self, client: httpx2.AsyncClient, entries: list[Entry]) -> Answered:
        body = b"[" + b",".join(entry.value or b"" for entry in entries) + b"]"
        answer: Answered
        try:
            response = await client.post(
                "/v1/events", content=body, headers={"Content-Type": "application/cloudevents-batch+json"}
            )
        except httpx2.TransportError as error:
            answer = type(error).__name__
        else:
            answer = response.status_code
            if answer == _ACCEPTED:
                assert response.json()["accepted"] == len(entries), response.text
        self.answers[answer] += 1
        return answer


@dataclass
class ApiReader:
    """Reads the mentions of every brand all the time: no answer may fall, or tell of more than there is at the end."""

    url: str
    headers: Mapping[str, str]
    finals: Mapping[str, int]
    last: Counter[str] = field(default_factory=Counter)
    answers: Counter[Answered] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Read until cancelled."""
        async with httpx2.AsyncClient(base_url=self.url, headers=self.headers, timeout=10) as client:
            while True:
                await self.look(client)
                await asyncio.sleep(_LOOK_S)

    async def look(self, client: httpx2.AsyncClient) -> None:
        """Read every brand once."""
        for brand, final in self.finals.items():
            found = await self._read(client, brand)
            if found is None:
                continue
            if not self.last[brand] <= found <= final:
                self.violations.append(f"{brand}: {self.last[brand]}, then {found}, at the end {final}")
            self.last[brand] = found

    async def parts(self, brand: str) -> dict[str, int]:
        """The measures behind all KPIs of a brand, in a window that holds all of the ledger."""
        async with httpx2.AsyncClient(base_url=self.url, headers=self.headers, timeout=10) as client:
            response = await client.get(f"/v1/brands/{brand}/kpis", params={"window": _WINDOW})
        (total,) = response.json()["cuts"]
        found: dict[str, int] = {}
        for windows in total["kpis"].values():
            found |= windows[_WINDOW]["parts"]
        return found

    async def _read(self, client: httpx2.AsyncClient, brand: str) -> int | None:
        try:
            response = await client.get(
                f"/v1/brands/{brand}/kpis", params={"window": _WINDOW, "keys": "brand_mentions"}
            )
        except httpx2.TransportError as error:
            self.answers[type(error).__name__] += 1
            return None
        self.answers[response.status_code] += 1
        if response.status_code != httpx2.codes.OK:
            return None
        return _mentions(response)


def _mentions(response: httpx2.Response) -> int:
    """The value; nothing counted yet is no value, with a reason."""
    (total,) = response.json()["cuts"]
    return int(total["kpis"].get("brand_mentions", {}).get(_WINDOW, {}).get("value") or 0)
