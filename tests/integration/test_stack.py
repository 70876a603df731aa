"""The embedded stack itself: what it keeps, what it leaves behind, what it says when it cannot start."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from bellwether_cli.stack import Stack, StackError, embedded_stack, folder, jars, ports
from bellwether_cli.stack.ports import PortChoice
from tests.support.backends import Servers
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.real

NOBODY = 65_534
GONE_WITHIN_S = 60


@pytest.fixture(scope="module")
async def jar_cache() -> Path:
    """Kafka's jars, fetched before the clock of the first test runs."""
    return await jars.kafka_jars()


@pytest.fixture
def data_dir(reachable_path: Path) -> Path:
    """A folder that a stack can use and that is not there yet."""
    return reachable_path / "stack"


@asynccontextmanager
async def driver(data_dir: Path, jar_cache: Path, *uid: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The stack in a process of its own, not yet up."""
    arguments = [str(argument) for argument in (data_dir, jar_cache, *uid)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.stack_driver", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        return (await process.stdout.readline()).decode().strip()


def family(process: asyncio.subprocess.Process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


async def all_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Wait for the end of processes; gives those that live on. A zombie has ended: its parent is not ours to mend."""
    async with asyncio.timeout(GONE_WITHIN_S):
        while living := [process for process in processes if lives(process)]:
            await asyncio.sleep(0.05)
        return living


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_second_start_keeps_the_data_and_the_addresses_and_fetches_nothing(
    data_dir: Path, jar_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with embedded_stack(data_dir, durable=False, jar_cache=jar_cache) as stack:
        before = (stack.kafka_bootstrap, stack.postgres_dsn, stack.key_pepper)
        connection = await asyncpg.connect(stack.postgres_dsn)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()
    forbidden = tmp_path / "mvn"
    forbidden.write_text("#!/bin/sh\nexit 1\n")
    forbidden.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    async with embedded_stack(data_dir, durable=False, jar_cache=jar_cache) as stack:
        assert (stack.kafka_bootstrap, stack.postgres_dsn, stack.key_pepper) == before
        connection = await asyncpg.connect(stack.postgres_dsn)
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()


async def test_kafka_starts_from_an_archive_of_its_classes_once_one_has_ended_in_order(
    jar_cache: Path, tmp_path: Path
) -> None:
    jars_only = tmp_path / "jars"
    shutil.copytree(jar_cache, jars_only, ignore=shutil.ignore_patterns("*.jsa*"), copy_function=os.link)
    async with embedded_stack(durable=False, jar_cache=jars_only) as stack:
        assert not archive_of(stack)
    async with embedded_stack(durable=False, jar_cache=jars_only) as stack:
        (archive,) = archive_of(stack)
        await stack.kafka.kill()
        archive.write_bytes(b"what a full disk leaves")
        await stack.kafka.start()
        assert not archive_of(stack)


def archive_of(stack: Stack) -> list[Path]:
    """The archive that the broker has mapped into its memory."""
    mapped = {Path(place.path) for place in psutil.Process(stack.kafka.pid).memory_maps()}
    return [path for path in mapped if path.match("kafka.Kafka-*.jsa")]


async def test_two_stacks_do_not_share_a_folder(data_dir: Path, jar_cache: Path) -> None:
    with folder.open_folder(data_dir), pytest.raises(StackError, match="in use by another stack"):
        async with embedded_stack(data_dir, jar_cache=jar_cache):
            pass


async def test_a_killed_parent_leaves_no_process_behind_and_the_folder_can_be_used_again(
    data_dir: Path, jar_cache: Path
) -> None:
    async with driver(data_dir, jar_cache) as process:
        await line(process)
        children = family(process)
        assert {"java", "postgres"} <= {child.name() for child in children}
        process.kill()
        await process.wait()
        assert not await all_gone(children)
    async with embedded_stack(data_dir, durable=False, jar_cache=jar_cache) as stack:
        assert stack.kafka.pid is not None


async def test_sigterm_during_the_start_leaves_no_process_behind(data_dir: Path, jar_cache: Path) -> None:
    async with driver(data_dir, jar_cache) as process:
        async with asyncio.timeout(PATIENCE_S):
            while not family(process):
                await asyncio.sleep(0.01)
        children = family(process)
        process.terminate()
        assert await process.wait() == 0
        assert not await all_gone(children)


async def test_sigterm_stops_everything_in_order(data_dir: Path, jar_cache: Path) -> None:
    async with driver(data_dir, jar_cache) as process:
        await line(process)
        children = family(process)
        process.terminate()
        assert await process.wait() == 0
        assert not await all_gone(children)
    assert "database system is shut down" in (data_dir / "log" / "postgres.log").read_text()


@pytest.mark.parametrize("part", ["kafka", "postgres"])
async def test_the_crash_of_a_part_is_noticed_and_ends_the_rest(data_dir: Path, jar_cache: Path, part: str) -> None:
    async with driver(data_dir, jar_cache) as process:
        await line(process)
        children = family(process)
        program = {"kafka": "java", "postgres": "postgres"}[part]
        next(child for child in children if child.name() == program and child.ppid() == process.pid).kill()
        assert await line(process) == part
        assert await process.wait() == 0
        assert not await all_gone(children)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_root_starts_postgres_as_somebody_else(stack: Servers) -> None:
    pid = stack.postgres.pid
    assert pid is not None
    assert psutil.Process(pid).uids().real == pwd.getpwnam("nobody").pw_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs all the other tests")
async def test_an_ordinary_user_starts_the_stack(data_dir: Path, jar_cache: Path) -> None:
    reachable = data_dir.parent / "jars"
    shutil.copytree(jar_cache, reachable)
    data_dir.mkdir()
    os.chown(data_dir, NOBODY, NOBODY)
    async with driver(data_dir, reachable, NOBODY) as process:
        assert json.loads(await line(process))["bootstrap"].startswith("127.0.0.1:")
        assert {child.uids().real for child in family(process)} == {NOBODY}


async def test_a_port_that_the_user_named_and_somebody_has_is_reported(data_dir: Path, jar_cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        with pytest.raises(StackError, match=f"kafka: port {port} of 127.0.0.1 is taken"):
            async with embedded_stack(data_dir, ports=PortChoice({"kafka": port}), jar_cache=jar_cache):
                pass


@pytest.mark.parametrize("part", ["kafka", "postgres"])
async def test_a_port_stolen_between_choice_and_start_is_replaced(
    data_dir: Path, jar_cache: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as thief:
        stolen = thief.getsockname()[1]
        with folder.open_folder(data_dir) as made:
            memory = folder.recall(made, PortChoice())
            folder.remember(made, folder.with_new_ports(memory, PortChoice({part: stolen})))
        # The check comes too early to see the thief, as it would in life.
        monkeypatch.setattr(ports, "is_free", lambda port: True)
        async with embedded_stack(data_dir, durable=False, jar_cache=jar_cache) as stack:
            assert str(stolen) not in (stack.kafka_bootstrap + stack.postgres_dsn)


async def test_a_part_that_cannot_start_says_which_why_and_where_its_log_is(data_dir: Path, jar_cache: Path) -> None:
    meta = data_dir / "kafka" / "data" / "meta.properties"
    meta.parent.mkdir(parents=True)
    meta.write_text("version=1\n")
    with pytest.raises(StackError) as caught:
        async with embedded_stack(data_dir, durable=False, jar_cache=jar_cache):
            pass
    told = str(caught.value)
    assert told.startswith("kafka: ended at its start (exit code 1)")
    assert "meta.properties" in told
    assert told.endswith(f"its log: {data_dir / 'log' / 'kafka.log'}")


async def test_what_was_committed_outlives_a_kill_of_either_server_but_not_a_temporary_stack(jar_cache: Path) -> None:
    async with embedded_stack(durable=False, jar_cache=jar_cache) as stack:
        path = stack.folder.path
        connection = await asyncpg.connect(stack.postgres_dsn)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        crash = asyncio.create_task(stack.wait_crashed())
        for part in (stack.kafka, stack.postgres):
            await part.kill()
            await part.start()
        connection = await asyncpg.connect(stack.postgres_dsn)
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()
        assert not crash.done()  # what was asked for is no crash
        assert stack.kafka.pid is not None
        os.kill(stack.kafka.pid, signal.SIGKILL)
        assert await asyncio.wait_for(crash, GONE_WITHIN_S) == "kafka"
    assert not path.exists()
