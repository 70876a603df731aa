"""`bellwether up` as a person meets it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

pytestmark = pytest.mark.real


@asynccontextmanager
async def bellwether_up(data_dir: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The command, up; with what it has printed."""
    command = [sys.executable, "-m", "bellwether_cli", "up", "--data-dir", str(data_dir)]
    output = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=asyncio.subprocess.STDOUT)
    assert process.stdout is not None
    try:
        try:
            async with asyncio.timeout(90):
                printed = (await process.stdout.readuntil(b"Ctrl-C stops everything")).decode()
        except asyncio.IncompleteReadError as error:
            pytest.fail(f"it gave up: {error.partial.decode()}")
        yield process, printed
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def address(printed: str, part: str) -> str:
    return next(line.split()[-1] for line in printed.splitlines() if line.startswith(part))


async def rest(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(40):
        return (await process.stdout.read()).decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_it_is_told_to_stop_and_leaves_nothing_running(
    reachable_path: Path, number: signal.Signals
) -> None:
    async with bellwether_up(reachable_path) as (process, printed):
        children = psutil.Process(process.pid).children(recursive=True)
        async with httpx2.AsyncClient() as client:
            page = await client.get(address(printed, "API"))
        assert page.status_code == httpx2.codes.OK
        process.send_signal(number)
        await rest(process)
        assert await process.wait() == 0
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


async def test_the_crash_of_a_service_ends_it_with_an_error_that_names_the_service(reachable_path: Path) -> None:
    async with bellwether_up(reachable_path) as (process, _):
        children = psutil.Process(process.pid).children(recursive=True)
        next(child for child in children if "bellwether_compute" in child.cmdline()).kill()
        told = await rest(process)
        assert await process.wait() == 1
    assert "compute: has died" in told
    assert str(reachable_path / "log" / "compute.log") in told
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
