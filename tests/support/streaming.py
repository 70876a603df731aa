"""The API as a process of its own on a database of its own, and brands in it whose streams are listened to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bellwether_cli.stack.services import Wiring
from tests.faults.harness.places import Place
from tests.support.api import PEPPER, Seed, seeding
from tests.support.backends import Servers
from tests.support.databases import database_from
from tests.support.listener import listening
from tests.support.telling import Teller, telling

SETTINGS = {
    "STREAM_KEEP_ALIVE_S": "0.4",
    "STREAM_PAUSE_S": "0.05",
    "STREAMS_PER_KEY": "4",
    "DIRECTORY_REFRESH_S": "0.3",
}
_names = count()


@dataclass(frozen=True, slots=True)
class World:
    """What tests share."""

    place: Place
    dsn: str
    seed: Seed

    @property
    def url(self) -> str:
        """Of the API."""
        return self.place.url


@dataclass(frozen=True, slots=True)
class Ground:
    """A brand of a test's own, a key that sees it alone, and somebody who writes."""

    world: World
    slug: str
    brand_id: int
    headers: dict[str, str]
    teller: Teller

    def listen(self, query: str = "", last_id: str = "", **more: Any) -> Any:
        """Listen with the brand's key; as `listening`."""
        return listening(self.world.url, self.headers, query, last_id, **more)


@asynccontextmanager
async def streaming(stack: Servers, template: str, path: Path) -> AsyncIterator[World]:
    """The API with short patience."""
    async with AsyncExitStack() as exits:
        dsn = await exits.enter_async_context(database_from(stack.postgres_dsn, template))
        seed = await exits.enter_async_context(seeding(dsn))
        wiring = Wiring(stack.kafka_bootstrap, dsn, PEPPER)
        own = {f"BELLWETHER_API_{name}": value for name, value in SETTINGS.items()}
        place = Place(path, "api", 1, {**wiring.environment("api"), **own})
        exits.push_async_callback(place.kill)
        await place.start()
        await place.ready()
        yield World(place, dsn, seed)


@asynccontextmanager
async def on_ground(world: World) -> AsyncIterator[Ground]:
    """A brand, and a key that sees it alone."""
    slug = new_slug()
    brand_id = await world.seed.brand(slug)
    headers = await world.seed.key(brands=[slug])
    async with telling(world.dsn) as teller:
        yield Ground(world, slug, brand_id, headers, teller)


def new_slug() -> str:
    """A name that nobody had before."""
    return f"brand-{next(_names)}"
