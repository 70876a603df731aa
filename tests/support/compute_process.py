"""Compute as a process to be killed, frozen and started again, and the consumer group that it is a member of."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx2
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest

from bellwether_cli.stack.ports import free_port
from bellwether_cli.stack.process import ChildProcess, Command
from bellwether_cli.stack.services import Wiring
from tests.support.databases import Topics
from tests.support.patience import PATIENCE_S

_PEPPER = "pepper of the tests"
_POLL_S = 0.05
_MEMBERS = 5  # the place of the members in the description of a group


def group_of(topics: Topics) -> str:
    """The consumer group of a test."""
    return f"compute-{topics.events}"


def compute_environment(bootstrap: str, dsn: str, topics: Topics, **settings: object) -> dict[str, str]:
    """Compute's settings as environment variables, with the shortest session that Kafka's defaults allow."""
    wiring = Wiring(bootstrap, dsn, _PEPPER, topics.events, topics.quarantine, topics.updates)
    own = {"group": group_of(topics), "session_timeout_s": 6, **settings}
    return {**wiring.environment("compute"), **{f"BELLWETHER_COMPUTE_{k}".upper(): str(v) for k, v in own.items()}}


class ComputeProcess:
    """One place in which a compute process runs, again and again."""

    def __init__(self, path: Path, name: str, environment: Mapping[str, str]) -> None:
        self._log = path / f"{name}.log"
        self._environment = environment
        self._child: ChildProcess | None = None
        self._port = 0

    @property
    def log(self) -> str:
        """Everything that its processes have logged."""
        return self._log.read_text()

    @property
    def running(self) -> bool:
        """Whether a process runs here."""
        return self._child is not None and self._child.exit_code is None

    @property
    def pid(self) -> int:
        """The running process. Raises LookupError if none does."""
        if self._child is None or not self.running:
            raise LookupError("no process runs here")
        return self._child.pid

    async def start(self, failpoint: str | None = None) -> None:
        """Start the process and return at once; `failpoint` is like before_commit:3."""
        self._port = free_port()
        own = {"BELLWETHER_COMPUTE_PORT": str(self._port)}
        if failpoint:
            own["BELLWETHER_COMPUTE_FAILPOINT"] = failpoint
        argv = [sys.executable, "-m", "bellwether_compute"]
        self._child = await ChildProcess.spawn(Command(argv=argv, log=self._log, settings={**self._environment, **own}))

    async def kill(self) -> None:
        """SIGKILL; nothing happens where no process runs."""
        if self._child is not None:
            await self._child.kill()

    async def died(self) -> int:
        """Wait until the process ends by itself; gives its exit code. Raises TimeoutError."""
        assert self._child is not None
        return await asyncio.wait_for(self._child.wait(), PATIENCE_S)

    async def stop(self, patience_s: float = 20.0) -> int:
        """SIGTERM; gives the exit code, negative where it had to be killed after the patience."""
        assert self._child is not None
        await self._child.stop(patience_s)
        return await self._child.wait()

    def freeze(self) -> None:
        """SIGSTOP: alive, and doing nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    async def get(self, path: str) -> httpx2.Response | None:
        """What its probes answer; None while they do not."""
        async with httpx2.AsyncClient(timeout=10) as client:
            try:
                return await client.get(f"http://127.0.0.1:{self._port}{path}")
            except httpx2.TransportError:
                return None

    async def says(self, path: str, words: str, within_s: float = PATIENCE_S) -> None:
        """Wait until a probe's answer contains the words. Raises TimeoutError with the last answer."""
        text = None
        try:
            async with asyncio.timeout(within_s):
                while text is None or words not in text:
                    answer = await self.get(path)
                    text = answer.text if answer else None
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise TimeoutError(f"{path} never said {words!r}, but: {text}") from None

    async def metric(self, sample: str) -> float:
        """The value of a sample, named with its labels as in the exposition; 0 where there is none yet."""
        answer = await self.get("/metrics")
        for line in (answer.text if answer else "").splitlines():
            if line.startswith(f"{sample} "):
                return float(line.rpartition(" ")[2])
        return 0.0


async def dismiss_members(bootstrap: str, group: str) -> None:
    """Tell the brokers at once that all members of a group are gone, which they would find out after the session.

    Kafka's own tool for it is kafka-consumer-groups --remove-members.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        coordinator = await admin.find_coordinator(group)
        for answer in await admin.describe_consumer_groups([group], coordinator):
            members = [member for described in answer.groups for member in described[_MEMBERS]]
            for member in members:
                await admin._send_request(LeaveGroupRequest(group, member[0]), coordinator)
    finally:
        await admin.close()
