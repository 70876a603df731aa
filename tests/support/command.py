"""The command `bellwether`, as a process of its own."""

from __future__ import annotations

import asyncio
import sys

from tests.support.tenancy import TENANT
from tests.support.whole import Bellwether


async def command(*arguments: str) -> tuple[int | None, str]:
    """The exit code of `bellwether` and all that it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bellwether_cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def rebuild(running: Bellwether) -> str:
    """What `bellwether rebuild` prints; it has to succeed."""
    wiring = running.services.wiring
    places = ("--kafka", wiring.kafka_bootstrap, "--postgres", wiring.postgres_dsn, "--topic", wiring.events_topic)
    code, told = await command("rebuild", "--tenant", TENANT, *places)
    assert code == 0, told
    return told
