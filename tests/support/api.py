"""The API over a real database: seeds rows as compute writes them, serves, and holds every answer against OpenAPI."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import httpx2
import jsonschema
import msgspec
from pydantic import SecretStr

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.keys import create_key
from bellwether.adapters.postgres.readings import read_sources
from bellwether.adapters.postgres.rollups import TABLE, pack
from bellwether.catalogue.evaluate import Values, current_spans, evaluate
from bellwether.domain.clock import LocalClock, floor_minute
from bellwether.domain.keys import Scope
from bellwether.domain.timeline import Grain
from bellwether.domain.totals import Total, Totals, add_totals
from bellwether_api.app import Service, documentation
from bellwether_api.settings import Settings

PEPPER = "a pepper of the tests"
ZONE = "Europe/Berlin"
CLOCK = LocalClock(ZONE)
READER = (Scope.KPIS_READ,)
WRITER = (Scope.KPIS_READ, Scope.KPIS_WRITE)


def seconds(text: str) -> int:
    """UTC seconds of an RFC 3339 moment."""
    return int(datetime.fromisoformat(text).timestamp())


class Seed:
    """Rows for one tenant, as compute and the command line write them."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], tenant_id: int) -> None:
        self.connection = connection
        self.tenant_id = tenant_id

    async def brand(self, slug: str, zone: str = ZONE, competitors: Sequence[str] = ()) -> int:
        """A brand's id."""
        found = await self.connection.fetchval(
            "INSERT INTO brand (tenant_id, slug, name, time_zone, competitors) VALUES ($1, $2, $2, $3, $4)"
            " RETURNING brand_id",
            *(self.tenant_id, slug, zone, list(competitors)),
        )
        assert isinstance(found, int)
        return found

    async def key(self, scopes: Sequence[str] = READER, brands: Sequence[str] | None = None) -> dict[str, str]:
        """The headers of a new key's holder."""
        key = await create_key(self.connection, self.tenant_id, "a key", scopes, brands, None, PEPPER)
        return {"Authorization": f"Bearer {key}"}

    async def rollups(
        self, brand_id: int, facts: Iterable[tuple[str, str, Mapping[str, Total]]], known_on: int = 0
    ) -> None:
        """Totals by cut and moment, folded into all three grains of Berlin's clock."""
        folded: dict[tuple[Grain, str, int], Totals] = {}
        for cut, text, totals in facts:
            moment = seconds(text)
            hour, day = CLOCK.place(moment)
            for grain, bucket in ((Grain.MINUTE, floor_minute(moment)), (Grain.HOUR, hour), (Grain.DAY, day)):
                add_totals(folded.setdefault((grain, cut, bucket), {}), totals)
        for (grain, cut, bucket), totals in folded.items():
            await self.connection.execute(
                f"INSERT INTO {TABLE[grain]} VALUES ($1, $2, $3, $4, $5)",
                *(brand_id, cut, bucket, known_on, pack(totals)),
            )

    async def level(
        self, brand_id: int, text: str, members: int, *, audience: str = "followers", channel: str = "x"
    ) -> None:
        """A snapshot of the audience of the one account of a channel."""
        await self.connection.execute(
            "INSERT INTO audience_level VALUES ($1, $2, $3, 'main', $4, $5, $4)",
            *(brand_id, channel, audience, seconds(text), members),
        )

    async def receipt(
        self, brand_id: int, message: str, received: str, answered: str | None, kind: str = "query"
    ) -> None:
        """A message received, and when it was answered."""
        await self.connection.execute(
            """
            INSERT INTO receipt
            VALUES ($1, 'x', $2, $2, $3, $4::bigint, $5::bigint, NULL, $4::bigint / 86400, $5::bigint / 86400)
            """,
            *(brand_id, message, kind, seconds(received), seconds(answered) if answered else None),
        )

    async def current(self, brand_id: int, cut: str, text: str, values: Values) -> None:
        """The kept values of a cut."""
        await self.connection.execute(
            "INSERT INTO kpi_current VALUES ($1, $2, $3, $3, $4)",
            *(brand_id, cut, seconds(text), msgspec.json.encode(values)),
        )


async def kept_values(seed: Seed, brand_id: int, cut: str, now: str) -> Values:
    """What compute would keep at a moment, of a brand `acme`."""
    spans = current_spans(seconds(now), CLOCK, seconds(now))
    of_brand = Brand(brand_id, seed.tenant_id, "acme", "acme", "acme", ZONE, "USD", ())
    return evaluate(await read_sources(seed.connection, of_brand, cut, spans.values(), CLOCK), spans)


@asynccontextmanager
async def seeding(dsn: str, tenant: str = "acme") -> AsyncIterator[Seed]:
    """A new tenant to seed."""
    connection = await asyncpg.connect(dsn)
    try:
        yield Seed(
            connection,
            await connection.fetchval("INSERT INTO tenant (slug, name) VALUES ($1, $1) RETURNING tenant_id", tenant),
        )
    finally:
        await connection.close()


@asynccontextmanager
async def serving(dsn: str, now: str, **changed: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """The API as it is at a moment, without its cache unless `changed` says so.

    Every answer is held against OpenAPI.
    """
    settings = Settings(postgres_dsn=dsn, key_pepper=SecretStr(PEPPER), **{"cache_s": 0, **changed})
    service = Service(settings, lambda: float(seconds(now)))
    transport = httpx2.ASGITransport(app=service.asgi, raise_app_exceptions=False)
    async with (
        service.app.router.lifespan_context(service.app),
        httpx2.AsyncClient(
            transport=transport, base_url="http://api", event_hooks={"response": [_as_documented]}
        ) as client,
    ):
        yield client


_DOCUMENT = documentation()


async def _as_documented(response: httpx2.Response) -> None:
    """Fail where an answer is not what the document promises for its route and status."""
    operation = _operation(response.request.method.lower(), response.request.url.path)
    if operation is None:
        return
    assert str(response.status_code) in operation["responses"], f"{response.status_code} is not documented"
    contents = operation["responses"][str(response.status_code)].get("content", {})
    await response.aread()
    if not contents:
        assert not response.content or "security" not in operation
        return
    media_type = response.headers["content-type"].partition(";")[0]
    if not media_type.endswith("json"):
        assert media_type in contents, f"{media_type} is not documented"
        return
    schema = {**contents[media_type].get("schema", {}), "components": _DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(response.json())


def _operation(method: str, path: str) -> Any:
    for template, operations in _DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return operations.get(method)
    return None
