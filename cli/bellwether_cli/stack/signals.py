"""An end asked for from outside: Ctrl-C, SIGTERM, a closed terminal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_signalled(work: Coroutine[Any, Any, T]) -> T | None:
    """Run `work`; the first SIGINT, SIGTERM or SIGHUP cancels it, so that it can clean up, and later ones wait for it.

    Gives its result, or None when it was ended by a signal.
    """
    return asyncio.run(_until_signalled(work))


async def _until_signalled(work: Coroutine[Any, Any, T]) -> T | None:
    task = asyncio.ensure_future(work)
    signalled = False

    def end() -> None:
        nonlocal signalled
        if not signalled:
            signalled = True
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in _ENDINGS:
        loop.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return None
