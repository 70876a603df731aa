"""Compute as a process of its own, on the test's database and topics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bellwether_cli.stack.folder import open_folder
from bellwether_cli.stack.ports import free_port
from bellwether_cli.stack.services import Service, Wiring
from tests.support.backends import Servers
from tests.support.clock import WallClock
from tests.support.databases import Topics


@asynccontextmanager
async def computing(
    stack: Servers,
    database: str,
    topics: Topics,
    path: Path,
    clock: WallClock | None = None,
    /,
    **settings: str,
) -> AsyncIterator[Service]:
    """Run compute until the block ends, by a clock of its own if one is given; it can be killed and started again."""
    names = (topics.events, topics.quarantine, topics.updates)
    wiring = Wiring(stack.kafka_bootstrap, database, "pepper-of-the-tests", *names)
    own = {"group": f"compute-{topics.events}", "session_timeout_s": "6", **settings}
    environment = {f"BELLWETHER_COMPUTE_{name}".upper(): value for name, value in own.items()}
    theirs = clock.variables if clock else {}
    with open_folder(path / "compute") as folder:
        service = Service(folder, "compute", free_port(), {**wiring.environment("compute"), **environment, **theirs})
        try:
            await service.start()
            yield service
        finally:
            await service.stop()
