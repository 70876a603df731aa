"""The disk of Kafka, then that of PostgreSQL's log, is full: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from bellwether_cli.stack import Stack, StackError, embedded_stack
from bellwether_cli.stack.part import Part
from tests.faults.conftest import Report
from tests.faults.front import Front, open_front
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.databases import database_from, fresh_topics, migrated_template
from tests.support.ledger import make_ledger
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.fault, pytest.mark.real, pytest.mark.timeout(900)]

_SLICE = 400
_SPARE_MB = 48
_A_SEGMENT = "SELECT pg_switch_wal(), pg_logical_emit_message(false, 'x', repeat('x', 1000000))"


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Put what a folder holds on a disk of its own with little room left; gives a file to fill the rest with.

    At the end it is in the folder again. Nobody may have it open at the beginning or at the end.
    """
    if os.geteuid():
        pytest.skip("a disk of its own needs root")
    held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) >> 20
    aside = folder.with_name(f"{folder.name}.aside")
    shutil.move(folder, aside)
    folder.mkdir()
    size = f"size={held + _SPARE_MB}m"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=False).returncode:
        shutil.move(aside, folder)
        pytest.skip("mounting a disk is not allowed here")
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", str(folder)], check=True)
        yield folder / "ballast"
    finally:
        shutil.rmtree(aside)
        subprocess.run(["cp", "-a", str(folder), str(aside)], check=True)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()
        shutil.move(aside, folder)


def fill(ballast: Path) -> None:
    """Leave no room."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            return


async def dies(part: Part) -> bool:
    """Whether a server ends by itself in time."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while part.pid is not None:
                await asyncio.sleep(0.1)
    except TimeoutError:
        return False
    return True


@pytest.fixture
async def stack(profile: Profile, reachable_path: Path) -> AsyncIterator[Stack]:
    if not profile.is_long:
        pytest.skip("in the long form: it starts servers of its own on disks of their own")
    async with embedded_stack(reachable_path / "stack") as running:
        yield running


@pytest.fixture
async def front(stack: Stack, profile: Profile, tmp_path: Path) -> AsyncIterator[Front]:
    servers = Servers(stack.kafka_bootstrap, stack.postgres_dsn, stack)
    ledger = make_ledger(profile.seed + 95, 20 * _SLICE, int(time.time()))
    async with (
        migrated_template(stack.postgres_dsn) as template,
        database_from(stack.postgres_dsn, template) as database,
        fresh_topics(stack.kafka_bootstrap) as topics,
        open_front(servers, database, topics, tmp_path, ledger) as opened,
    ):
        await opened.arena.process(opened.arena.direct).start()
        await opened.send(opened.take(_SLICE))
        await opened.caught_up()
        yield opened


async def test_a_full_disk_of_kafka_costs_503s_and_no_acknowledged_event(
    front: Front, stack: Stack, report: Report
) -> None:
    await stack.kafka.stop()
    with small_disk(stack.folder.path / "kafka" / "data") as ballast:
        await stack.kafka.start()
        await front.send(front.take(_SLICE))
        fill(ballast)
        sending = asyncio.create_task(front.send(front.take(8 * _SLICE)))
        died = await dies(stack.kafka)
        async with asyncio.timeout(PATIENCE_S):
            while not (refused := front.answers[503]):
                await asyncio.sleep(0.05)
        ballast.unlink()
        await stack.kafka.kill()
        await stack.kafka.start()
        await sending
        await front.caught_up()
        assert not await front.differences()
        await stack.kafka.stop()
    await stack.kafka.start()
    rows = [("Kafka ended by itself", died), ("answers 503", refused), ("acknowledged and lost", 0)]
    report("Kafka's disk is full", rows)
    assert refused


async def test_a_full_disk_of_the_write_ahead_log_loses_nothing_that_was_counted(
    front: Front, stack: Stack, report: Report
) -> None:
    await stack.postgres.stop()
    with small_disk(stack.folder.path / "postgres" / "data" / "pg_wal") as ballast:
        await stack.postgres.start()
        await front.send(front.take(_SLICE))
        fill(ballast)
        await front.send(front.take(4 * _SLICE))
        await write_ahead(stack)
        died = await dies(stack.postgres)
        ballast.unlink()
        await stack.postgres.kill()
        await stack.postgres.start()
        await front.caught_up()
        assert not await front.differences()
        await stack.postgres.stop()
    await stack.postgres.start()
    report("The disk of PostgreSQL's log is full", [("PostgreSQL ended by itself", died), ("counted and lost", 0)])


async def write_ahead(stack: Stack) -> None:
    """Use up what room the server has kept for its log."""
    try:
        connection = await asyncpg.connect(stack.postgres.superuser_dsn)
        try:
            for _ in range(64):
                await connection.execute(_A_SEGMENT)
        finally:
            await connection.close(timeout=2)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, StackError, TimeoutError):
        return
