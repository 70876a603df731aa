"""Places in which processes of Bellwether run, are killed, frozen, armed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil

from bellwether_cli.stack.folder import Folder
from bellwether_cli.stack.ports import free_port
from bellwether_cli.stack.process import Command
from bellwether_cli.stack.services import Service

_ARMED = "BELLWETHER_COMPUTE_FAILPOINT"


class Place(Service):
    """One place of a service; its folder holds its log. `armed`: the failpoint of the next start."""

    start_deadline_s = 90.0

    def __init__(self, root: Path, service: str, number: int, environment: Mapping[str, str]) -> None:
        self.title = f"{service}-{number}"
        path = root / self.title
        (path / "log").mkdir(parents=True)
        super().__init__(Folder(path), service, free_port(), environment)
        self.armed: str | None = None
        self.wanted = False

    @property
    def log(self) -> str:
        """Everything that its processes have logged."""
        path = self._folder.log(self.name)
        return path.read_text() if path.exists() else ""

    async def start(self) -> None:
        """Start a process here and wait until it answers. Raises StackError."""
        await super().start()
        self.wanted = True

    async def kill(self) -> None:
        """SIGKILL; nobody starts it again but who wants it."""
        self.wanted = False
        await super().kill()

    async def stop(self) -> None:
        """SIGTERM, and by force after a while."""
        self.wanted = False
        await super().stop()

    async def ended(self) -> int:
        """Wait until the process ends by itself; gives its exit code."""
        assert self._child is not None
        return await self._child.wait()

    def freeze(self) -> None:
        """SIGSTOP: alive, and doing nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def speaks_from(self, port: int) -> bool:
        """Whether one of its connections comes from this port."""
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(self.pid).net_connections("tcp") if self.pid else []
            return any(one.laddr.port == port for one in found)
        return False

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            os.killpg(self.pid, number)

    def _command(self, lock_fd: int) -> Command:
        command = super()._command(lock_fd)
        if self.armed is None:
            return command
        return replace(command, settings={**command.settings, _ARMED: self.armed})
