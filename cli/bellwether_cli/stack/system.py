"""All of Bellwether on one machine: both servers, schema, topics and the three services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bellwether.adapters.postgres.migrations import migrate
from bellwether_cli.stack.part import first_crash
from bellwether_cli.stack.ports import ANY_PORT, PortChoice
from bellwether_cli.stack.services import Services, Wiring, running_services
from bellwether_cli.stack.stack import Stack, embedded_stack
from bellwether_cli.topics import bellwether_topics, prepare


@dataclass(frozen=True, slots=True)
class System:
    """Everything, running."""

    stack: Stack
    services: Services

    async def wait_crashed(self) -> str:
        """Wait until a server or a service dies by itself; gives its name. `kill` and `stop` do not count."""
        return await first_crash([self.stack.kafka, self.stack.postgres, *self.services.all])


@asynccontextmanager
async def running_system(
    data_dir: Path | None = None,
    *,
    durable: bool = True,
    ports: PortChoice = ANY_PORT,
    settings: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    tell: Callable[[str], None] | None = None,
) -> AsyncIterator[System]:
    """Start everything and give it when all of it is ready; end it whatever happens.

    Parameters as of `embedded_stack` and `running_services`; `tell` hears of each step in words. Raises StackError.
    """
    tell = tell or _silent
    tell("starting Kafka and PostgreSQL")
    async with embedded_stack(data_dir, durable=durable, ports=ports, tell=tell) as stack:
        tell("preparing the database and the topics")
        wiring = Wiring(stack.kafka_bootstrap, stack.postgres_dsn, stack.key_pepper)
        await asyncio.to_thread(migrate, stack.postgres_dsn)
        await prepare(stack.kafka_bootstrap, stack.postgres_dsn, bellwether_topics())
        tell("starting ingest, compute and api")
        async with running_services(stack.folder, wiring, ports=ports, settings=settings) as services:
            yield System(stack, services)


def _silent(_step: str) -> None:
    """Nobody listens."""
