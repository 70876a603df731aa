"""A real Prometheus Alertmanager, from the Debian package, as a process of the test's own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bellwether_cli.stack.ports import free_port
from bellwether_cli.stack.process import ChildProcess, Command
from tests.support.patience import PATIENCE_S

PROGRAM = "prometheus-alertmanager"
_CONFIGURATION = """
route:
  receiver: people
  group_by: [brand]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: people
    webhook_configs:
      - url: {url}
        send_resolved: true
"""


class Alertmanager:
    """What it knows, through its API."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def alerts(self) -> list[dict[str, Any]]:
        """The alerts that fire."""
        async with httpx2.AsyncClient(timeout=5) as client:
            answer = await client.get(f"{self.url}/api/v2/alerts")
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found


@asynccontextmanager
async def alertmanager(path: Path, receiver_url: str) -> AsyncIterator[Alertmanager]:
    """Alertmanager until the block ends, which tells a receiver. The test is skipped where it is not installed."""
    program = shutil.which(PROGRAM)
    if program is None:
        pytest.skip(f"needs the Debian package {PROGRAM}: make alertmanager")
    configuration = path / "alertmanager.yml"
    configuration.write_text(_CONFIGURATION.format(url=receiver_url))
    port = free_port()
    argv = [
        program,
        f"--config.file={configuration}",
        f"--storage.path={path / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    child = await ChildProcess.spawn(Command(argv=argv, log=path / "alertmanager.log", settings={}))
    try:
        await _ready(f"http://127.0.0.1:{port}")
        yield Alertmanager(f"http://127.0.0.1:{port}")
    finally:
        await child.stop(10.0)


async def _ready(url: str) -> None:
    async with asyncio.timeout(PATIENCE_S), httpx2.AsyncClient(timeout=5) as client:
        while True:
            try:
                if (await client.get(f"{url}/-/ready")).is_success:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)
