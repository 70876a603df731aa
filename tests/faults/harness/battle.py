"""Lets strikes fall one after the other, and measures how long it takes until all goes on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg
from aiokafka.errors import KafkaError

from bellwether_cli.stack import StackError
from tests.faults.harness.arena import Arena
from tests.faults.harness.blows import NotStruck
from tests.faults.harness.load import Load
from tests.faults.harness.readers import ApiWatch
from tests.faults.harness.schedule import Strike

_POLL_S = 0.1
_AGAIN = 0.25
"""The part of the next share that is let go for a strike that is tried once more."""
_LOOK_S = 0.2
_STUCK = 75
"""The exit code by which the watchdog ends a compute that makes no progress, to be started again."""
AWAY = (OSError, TimeoutError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault as it came to pass. `at_s` since the start of the run; recovery in seconds, None where there was none."""

    strike: Strike
    at_s: float
    recovery_s: float | None
    trouble: str | None = None


@dataclass
class Battle:
    """The strikes of one run against its arena. `patience_s`: how long recovery from one may take."""

    arena: Arena
    load: Load
    watch: ApiWatch
    tell: Callable[[str], None]
    patience_s: float
    struck: list[Struck] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    async def fight(self, strikes: list[Strike]) -> None:
        """Let the strikes fall, each into its share of the events, until something fails."""
        share = len(self.load.entries) / (len(strikes) + 1)
        for number, strike in enumerate(strikes, start=1):
            self.load.allowed = (number - 0.5) * share
            await asyncio.sleep(strike.calm_s)
            title = f"{number}/{len(strikes)} {strike.kind.name}"
            struck = await self._strike(strike, number * share)
            if struck.trouble and not self.failures:
                self.tell(f"{title}: {struck.trouble}, once more")
                struck = await self._strike(strike, (number + _AGAIN) * share)
            self.struck.append(struck)
            took = f"{struck.recovery_s:.1f} s" if struck.recovery_s is not None else struck.trouble or "never"
            self.tell(f"{title}: {took}")
            if self.failures or self.arena.violations:
                break
        self.load.allowed = len(self.load.entries)

    async def _strike(self, strike: Strike, allowed: float) -> Struck:
        trouble = None
        try:
            await strike.kind.strike(self.arena, strike.pick)
        except (NotStruck, StackError, *AWAY) as missed:
            trouble = f"not struck: {type(missed).__name__} {missed}"
        fell_at = time.monotonic()
        await asyncio.sleep(strike.hold_s)
        healed_at = await self._healed(strike)
        self.load.allowed = max(self.load.allowed, allowed)
        recovery = await self._recovered(strike, fell_at if strike.kind.since_strike else healed_at)
        return Struck(strike, fell_at - self._started, None if trouble else recovery, trouble)

    async def _healed(self, strike: Strike) -> float:
        try:
            await strike.kind.heal(self.arena, strike.pick)
        except StackError as error:
            self.failures.append(f"{strike.kind.name}: not healed: {error}")
        return time.monotonic()

    async def _recovered(self, strike: Strike, since: float) -> float | None:
        try:
            async with asyncio.timeout(self.patience_s):
                if strike.kind.is_read_again:
                    await self.watch.good_after(since)
                else:
                    await self.counted_again(since)
        except TimeoutError:
            self.failures.append(f"{strike.kind.name}: no progress within {self.patience_s:.0f} s")
            return None
        return time.monotonic() - since

    async def counted_again(self, moment: float) -> None:
        """Wait until everything is applied that was in the log when something sent after a moment had come there."""
        await self.load.acknowledged_after(moment)
        ends: dict[int, int] = {}
        while True:
            with contextlib.suppress(*AWAY):
                ends = ends or await self.arena.ends()
                applied = await self.arena.applied()
                if all(applied[part] >= end for part, end in ends.items()):
                    return
            await asyncio.sleep(_POLL_S)

    async def supervise(self) -> None:
        """Start again what ended by itself, as whoever runs it would, until cancelled."""
        while True:
            for place in self.arena.places:
                if place.wanted and place.pid is None:
                    code = await place.ended()
                    self.restarts.append(f"{place.title} ended by itself with {code}")
                    if code != _STUCK:
                        self.failures.append(f"{self.restarts[-1]}\n{place.log[-2000:]}")
                    with contextlib.suppress(StackError):
                        await place.start()
            await asyncio.sleep(_LOOK_S)
