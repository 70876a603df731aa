"""A server of the stack: started until it really answers, watched, killed and started again on the same port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence

from bellwether_cli.stack.errors import StackError, tail
from bellwether_cli.stack.folder import Folder
from bellwether_cli.stack.process import ChildProcess, Command

_PREVIOUS_GONE_S = 20.0
_TAKEN_S = 2.0
_POLL_S = 0.05
_PORT_TAKEN = "address already in use"


class PortTaken(StackError):
    """Somebody else took the port between its choice and the start."""


class Part(ABC):
    """One server. `prepare` once, then `start`, `kill`, `stop` as often as wanted."""

    name: str
    start_deadline_s = 60.0
    stop_patience_s = 15.0

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._child: ChildProcess | None = None
        self._started = asyncio.Event()

    @property
    def leaves_something(self) -> bool:
        """Whether an orderly end leaves something for later starts: then even what is thrown away is ended in order."""
        return False

    @abstractmethod
    async def prepare(self) -> None:
        """Make what the server needs on disk; nothing where an earlier start has made it."""

    @abstractmethod
    def _command(self, lock_fd: int) -> Command: ...

    @abstractmethod
    async def _answers(self) -> bool:
        """Talk to the server as a client does: whether it gives a right answer yet."""

    @property
    def pid(self) -> int | None:
        """The server's process id, None while it does not run."""
        return None if self._child is None or self._child.exit_code is not None else self._child.pid

    async def start(self) -> None:
        """Start the server and wait until it answers.

        Raises StackError with the end of its log when it dies on the way or does not answer within the deadline,
        PortTaken when its port is in use.
        """
        lock_fd = await self._locked()
        try:
            self._child = await ChildProcess.spawn(self._command(lock_fd))
        except OSError as error:
            raise StackError(self.name, f"cannot be executed: {error}") from error
        finally:
            os.close(lock_fd)
        await self._await_answer(self._child)
        self._started.set()

    async def kill(self) -> None:
        """SIGKILL: what a power cut leaves behind. Nothing happens when it does not run."""
        await self._end(lambda child: child.kill())

    async def stop(self) -> None:
        """End the server in order, by force after a while. Nothing happens when it does not run."""
        await self._end(lambda child: child.stop(self.stop_patience_s))

    async def gone(self) -> None:
        """Wait until nothing that it has started runs any more, so that nothing writes to its folder.

        Raises StackError when something still runs after 20 seconds.
        """
        os.close(await self._locked())

    async def crashed(self) -> int:
        """Wait until the server dies by itself, over any number of wanted stops; gives its exit code."""
        while True:
            await self._started.wait()
            child = self._child
            if child is None or child.ending:
                self._started.clear()
                continue
            code = await child.wait()
            if not child.ending:
                return code

    async def _locked(self) -> int:
        return await self._folder.part_lock(self.name, _PREVIOUS_GONE_S)

    async def _await_answer(self, child: ChildProcess) -> None:
        try:
            reason = await _answer(child, self._answers, self.start_deadline_s)
        except BaseException:
            await child.kill()
            raise
        if reason is not None:
            await child.kill()
            log = self._folder.log(self.name)
            taken = any(_PORT_TAKEN in line.lower() for line in tail(log))
            raise (PortTaken if taken else StackError)(self.name, reason, log)

    async def _end(self, how: Callable[[ChildProcess], Awaitable[None]]) -> None:
        if self._child is not None:
            await how(self._child)


async def bring_up(parts: Sequence[Part]) -> None:
    """Prepare and start parts side by side. When one fails or we are interrupted, none of them is left running."""
    starting = [asyncio.create_task(_prepare_and_start(part)) for part in parts]
    try:
        await asyncio.gather(*starting)
    except BaseException:
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        await asyncio.gather(*(part.kill() for part in parts))
        await asyncio.gather(*(part.gone() for part in parts))
        raise


async def first_crash(parts: Sequence[Part]) -> str:
    """Wait until one of the parts dies by itself; gives its name."""
    watches = [asyncio.create_task(part.crashed(), name=part.name) for part in parts]
    try:
        done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().get_name()
    finally:
        for watch in watches:
            watch.cancel()


async def _prepare_and_start(part: Part) -> None:
    await part.prepare()
    await part.start()


async def _answer(child: ChildProcess, answers: Callable[[], Awaitable[bool]], deadline_s: float) -> str | None:
    """Wait until the child answers; gives the reason why it never will."""
    try:
        async with asyncio.timeout(deadline_s):
            while not await answers():
                if child.exit_code is not None:
                    return f"ended at its start ({_in_words(child.exit_code)})"
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return f"gave no answer within {deadline_s:.0f} s"
    except StackError:
        # Who refuses us may be somebody else's server on the port: ours then ends within moments.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TAKEN_S):
                await child.wait()
        if child.exit_code is None:
            raise
    # Somebody else may be answering on the port, while our own server found it taken.
    return None if child.exit_code is None else f"ended at its start ({_in_words(child.exit_code)})"


def _in_words(exit_code: int) -> str:
    return f"exit code {exit_code}" if exit_code >= 0 else f"by {signal.Signals(-exit_code).name}"
