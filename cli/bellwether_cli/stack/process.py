"""Child processes that never outlive us, whatever ends us."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bellwether_cli.stack.errors import StackError

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class User:
    """The account a child runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to start a child, and how to end it."""

    argv: Sequence[str]
    log: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    user: User | None = None
    # An open lock file: as long as the child or any of its own children live, they hold the lock.
    lock_fd: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL


class ChildProcess:
    """A running child in a process group of its own, which the kernel signals when our process dies.

    Make one with `spawn`, from the thread that lives as long as the program: the kernel watches that thread.
    """

    def __init__(self, command: Command, process: asyncio.subprocess.Process) -> None:
        self._command = command
        self._process = process
        self._ending = False
        self._exit = asyncio.create_task(process.wait())

    @classmethod
    async def spawn(cls, command: Command) -> ChildProcess:
        """Start the child; its output goes to the end of its log. Raises OSError when it cannot be executed."""
        process = await _start(command, stdin=asyncio.subprocess.DEVNULL)
        return cls(command, process)

    @property
    def pid(self) -> int:
        """The process id, which is also the id of the process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.returncode

    @property
    def ending(self) -> bool:
        """Whether its end was asked for; if not, it is a crash."""
        return self._ending

    async def wait(self) -> int:
        """Wait for the end of the child, whoever brings it about; gives its exit code."""
        return await asyncio.shield(self._exit)

    async def stop(self, patience_s: float) -> None:
        """Ask it to end; after `patience_s` seconds, make it."""
        self._ending = True
        self._signal(self._command.stop_signal)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), patience_s)
        await self.kill()

    async def kill(self) -> None:
        """End the whole process group at once, with no chance to tidy up."""
        self._ending = True
        self._signal(signal.SIGKILL)
        await self.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


async def run(part: str, command: Command, deadline_s: float, stdin: bytes = b"") -> None:
    """Run a short program to its end. Raises StackError when it fails or is not done within `deadline_s` seconds."""
    process = await _start(command, stdin=asyncio.subprocess.PIPE)
    try:
        await asyncio.wait_for(process.communicate(stdin), deadline_s)
    except TimeoutError:
        raise StackError(part, f"{command.argv[0]} was not done after {deadline_s:.0f} s", command.log) from None
    finally:
        if process.returncode is None:
            await _end(process)
    if process.returncode:
        raise StackError(part, f"{command.argv[0]} failed with exit code {process.returncode}", command.log)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _start(command: Command, stdin: int) -> asyncio.subprocess.Process:
    # A cancelled start would leave the child's own children alone, and may wait for it for ever (asyncio to 3.12).
    starting = asyncio.ensure_future(_started(command, stdin))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(await starting)
        raise


async def _started(command: Command, stdin: int) -> asyncio.subprocess.Process:
    user = command.user
    with command.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *command.argv,
            stdin=stdin,
            stdout=log,
            stderr=log,
            cwd=command.cwd,
            env={**os.environ, **command.settings},
            pass_fds=() if command.lock_fd is None else (command.lock_fd,),
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
            start_new_session=True,
            preexec_fn=_die_with(os.getpid(), command.orphan_signal),
        )


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None] | None:
    """What a child does before it becomes the other program: ask the kernel to signal it when `parent` dies."""
    libc = _LIBC
    if libc is None:
        return None  # elsewhere than on Linux a SIGKILL of the parent leaves its children behind

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it died between the fork and the request
            os._exit(1)

    return arrange
