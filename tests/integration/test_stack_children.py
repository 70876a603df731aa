"""Child processes on their own, without the servers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.folder import open_folder
from bellwether_cli.stack.part import Part, bring_up
from bellwether_cli.stack.process import ChildProcess, Command, run
from tests.support.patience import PATIENCE_S

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.05; done"


async def spawned(log: Path, script: str, lock_fd: int | None = None) -> ChildProcess:
    return await ChildProcess.spawn(Command(argv=["/bin/sh", "-c", script], log=log, lock_fd=lock_fd))


async def said(log: Path, word: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not log.exists() or word not in log.read_text():
            await asyncio.sleep(0.01)


async def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    child = await spawned(tmp_path / "log", STUBBORN)
    await said(tmp_path / "log", "ready")
    await child.stop(patience_s=0.1)
    assert child.exit_code == -signal.SIGKILL


async def test_a_child_that_ends_by_itself_is_told_from_one_that_was_ended(tmp_path: Path) -> None:
    ended, stopped = await spawned(tmp_path / "a", "exit 3"), await spawned(tmp_path / "b", STUBBORN)
    await stopped.kill()
    assert (await ended.wait(), ended.ending) == (3, False)
    assert (await stopped.wait(), stopped.ending) == (-signal.SIGKILL, True)


async def test_a_killed_parent_takes_its_child_along(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = f"""
import asyncio, pathlib
from bellwether_cli.stack.part import Part, bring_up
from bellwether_cli.stack.process import ChildProcess, Command
async def main():
    child = await ChildProcess.spawn(Command(argv=["/bin/sleep", "60"], log=pathlib.Path({str(log)!r})))
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(PATIENCE_S):
        while lives(pid):
            await asyncio.sleep(0.01)


async def test_a_lock_is_held_until_the_last_grandchild_has_ended(tmp_path: Path) -> None:
    with open_folder(tmp_path) as folder:
        lock = await folder.part_lock("part", 1)
        child = await spawned(folder.log("part"), "sleep 0.5 & exit 0", lock_fd=lock)
        os.close(lock)
        assert await child.wait() == 0
        with pytest.raises(StackError, match="an earlier one still runs"):
            await folder.part_lock("part", 0.05)
        os.close(await folder.part_lock("part", 10))


async def test_a_program_that_fails_is_reported_with_its_last_words(tmp_path: Path) -> None:
    command = Command(argv=["/bin/sh", "-c", "echo no such luck; exit 1"], log=tmp_path / "log")
    with pytest.raises(StackError, match=r"part: /bin/sh failed with exit code 1\n    no such luck\nits log: "):
        await run("part", command, deadline_s=10)


async def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    command = Command(argv=["/bin/sleep", "60"], log=tmp_path / "log")
    with pytest.raises(StackError, match="was not done after 0 s"):
        await run("part", command, deadline_s=0.1)


class Preparing(Part):
    """A part whose preparation is a program with a child of its own."""

    name = "part"

    async def prepare(self) -> None:
        lock_fd = await self._locked()
        script = "(trap '' TERM; echo child; while :; do sleep 0.01; done) & wait"
        argv = ["/bin/sh", "-c", script]
        try:
            await run(self.name, Command(argv=argv, log=self._folder.log(self.name), lock_fd=lock_fd), PATIENCE_S)
        finally:
            os.close(lock_fd)

    def _command(self, lock_fd: int) -> Command:
        raise AssertionError("was never prepared")

    async def _answers(self) -> bool:
        return False


async def test_nothing_that_an_interrupted_preparation_has_started_runs_on(tmp_path: Path) -> None:
    with open_folder(tmp_path) as folder:
        starting = asyncio.create_task(bring_up([Preparing(folder)]))
        await said(folder.log("part"), "child")
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        os.close(await folder.part_lock("part", 0))


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False
