"""The arithmetic of a backtest in a process of its own, so that requests do not wait for the interpreter.

What it is to do comes on standard input, what came out goes to standard output, both as MessagePack.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

import msgspec

from bellwether.domain.detection import (
    Backtest,
    Counts,
    DetectorSettings,
    Interval,
    SimpleRule,
    backtest,
    backtest_simple,
)

_NICENESS = 10


class Work(msgspec.Struct, frozen=True):
    """What a backtest is made of: the stored hours by UTC second, and the rules that are tried on them.

    start, to: UTC seconds; detectors: the settings of each detector; simple: other rules
    """

    start: int
    to: int
    time_zone: str
    hours: dict[int, Counts]
    campaigns: Sequence[Interval]
    known: Sequence[Interval]
    detectors: Sequence[DetectorSettings]
    simple: Sequence[SimpleRule]


class Died(RuntimeError):
    """The process ended without an answer; the message says how."""


async def work_out(work: Work) -> list[Backtest]:
    """What came out of each detector and then of each other rule. The process ends with the caller."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, stdin=PIPE, stdout=PIPE)
    try:
        told, _ = await process.communicate(msgspec.msgpack.encode(work))
    finally:
        await _end(process)
    if process.returncode != 0:
        raise Died(f"it ended with {process.returncode}")
    return msgspec.msgpack.decode(told, type=list[Backtest])


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await asyncio.shield(process.wait())


def outcomes(work: Work) -> list[Backtest]:
    """The same, in this process."""
    zone, known, since, until = work.time_zone, work.known, work.start, work.to
    by_detectors = [
        backtest(work.hours, settings, zone, known=known, campaigns=work.campaigns, since=since, until=until)
        for settings in work.detectors
    ]
    by_rules = [backtest_simple(work.hours, rule, zone, known=known, since=since, until=until) for rule in work.simple]
    return by_detectors + by_rules


def main() -> None:
    """Read what is to be done, do it while nothing else needs the processor, and write what came out."""
    os.nice(_NICENESS)
    work = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Work)
    sys.stdout.buffer.write(msgspec.msgpack.encode(outcomes(work)))


if __name__ == "__main__":
    main()
