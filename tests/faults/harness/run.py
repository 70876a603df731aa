"""One run: load, strikes and readers on an arena, and the judgement at the end."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bellwether.domain.keys import Scope
from tests.faults.harness.arena import open_arena
from tests.faults.harness.battle import Battle, Struck
from tests.faults.harness.judgement import Verdict, all_applied, judge
from tests.faults.harness.kinds import KINDS, Kind
from tests.faults.harness.load import Load
from tests.faults.harness.profiles import Profile
from tests.faults.harness.readers import ApiWatch, look_on
from tests.faults.harness.resources import Growth
from tests.faults.harness.schedule import Strike, make_schedule
from tests.faults.harness.servers import ProxiedServers, proxied_servers
from tests.faults.harness.tables import aligned, books, faults
from tests.support.databases import migrated_template
from tests.support.flow import Onlooker, expected_of
from tests.support.http_flow import key_headers
from tests.support.ledger import Ledger, Mix, make_ledger

_STRUCK = 0.92
"""The share of the planned faults that has to strike: the moment for one may not come, as where nobody says a word."""
Tell = Callable[[str], None]


_MIX = Mix(future=0, future_share=0.001)
"""Beside the usual duplicates, conflicts, late and useless records, one in a thousand from the future."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does; the same seed and ledger give the same strikes.

    environment: variables of every process, by which they can be made to run other code
    patience_s: how long recovery from a fault may take, and applying what is left at the end
    """

    seed: int
    events: int
    rate: float
    kinds: Sequence[Kind]
    faults: int
    calm_s: tuple[float, float]
    mix: Mix = field(default_factory=Mix)
    environment: Mapping[str, str] = field(default_factory=dict)
    samples_resources: bool = False
    patience_s: float = 120.0

    @property
    def strikes(self) -> list[Strike]:
        """The schedule."""
        return make_schedule(self.seed, self.kinds, self.faults, self.calm_s)

    def ledger(self) -> Ledger:
        """The events, at the rate at which they are sent, but before now: none is sent before it happens."""
        span = 60 + max(60, round(self.events / self.rate))
        return make_ledger(self.seed, self.events, int(time.time()), self.mix._replace(span_s=span))


@dataclass
class Outcome:
    """How a run ended."""

    plan: Plan
    verdict: Verdict
    struck: list[Struck]
    looks: int
    took_s: float
    failures: list[str]
    resources: str = ""

    @property
    def kinds(self) -> int:
        """Of how many kinds the faults were that struck."""
        return len({one.strike.kind.name for one in self.struck if one.trouble is None})

    @property
    def silent(self) -> list[str]:
        """The kinds of several strikes none of which found its moment: what they wait for is no longer there."""
        came = {one.strike.kind.name for one in self.struck if one.trouble is None}
        tried = Counter(one.strike.kind.name for one in self.struck)
        return sorted(name for name, times in tried.items() if times > 1 and name not in came)

    @property
    def faults(self) -> int:
        """How many faults struck."""
        return sum(one.trouble is None for one in self.struck)

    def text(self) -> str:
        """The table."""
        head = [("fault", "count", "recovery p50 / p95, s"), *faults(self.struck)]
        rows = [*books(self.verdict), ("looks of readers", self.looks), ("seed", self.plan.seed)]
        rows += [("took, s", round(self.took_s)), ("failures", len(self.failures))]
        parts = [aligned(head), aligned(rows), self.resources, *self.failures[:20]]
        return "\n\n".join(part for part in parts if part)


async def run_profile(profile: Profile, seed: int, path: Path, tell: Tell) -> Outcome:
    """Run a profile on servers of its own. Its failures include too few faults or kinds of them, and silent kinds."""
    kinds = [KINDS[name] for name in profile.only or KINDS]
    plan = Plan(
        seed, profile.events, profile.rate, kinds, profile.faults, profile.calm_s, _MIX,
        samples_resources=profile.samples_resources,
    )  # fmt: skip
    tell("starting Kafka and PostgreSQL")
    async with proxied_servers() as servers, migrated_template(servers.stack.postgres_dsn) as template:
        outcome = await run(plan, servers, template, path, tell)
    if outcome.kinds < min(profile.kinds, len(kinds), profile.faults):
        outcome.failures.append(f"only {outcome.kinds} kinds of faults came to pass")
    if outcome.faults < _STRUCK * profile.faults:
        outcome.failures.append(f"only {outcome.faults} of {profile.faults} faults came to pass")
    outcome.failures += [f"{kind}: no strike of this kind came to pass" for kind in outcome.silent]
    return outcome


async def run(plan: Plan, servers: ProxiedServers, template: str, path: Path, tell: Tell) -> Outcome:
    """Do all of it. What goes wrong is told by the outcome's failures."""
    started = time.monotonic()
    ledger = await asyncio.to_thread(plan.ledger)
    foreseen = asyncio.create_task(asyncio.to_thread(expected_of, ledger))
    path.mkdir(parents=True, exist_ok=True)
    async with open_arena(servers, template, path, plan.environment) as arena:
        headers = await key_headers(arena.dsn, servers.stack.key_pepper, Scope.EVENTS_WRITE, Scope.KPIS_READ)
        await arena.start()
        expected = await foreseen
        tell(f"{len(ledger.entries)} events at {plan.rate:g} a second, {plan.faults} faults, seed {plan.seed}")
        watch = ApiWatch(arena.api.url, headers, expected.finals())
        onlooker = Onlooker(arena.dsn, expected, poll_s=0.5)
        load = Load(arena, ledger.entries, headers, plan.rate, path / "journal.txt")
        battle = Battle(arena, load, watch, tell, plan.patience_s)
        growth = Growth(arena.processes) if plan.samples_resources else None
        beside = [watch.run(), look_on(onlooker), battle.supervise(), *([growth.run()] if growth else [])]
        async with _beside(*beside):
            await _fought(battle, plan.strikes)
            verdict = await _judged(battle, ledger, headers)
        (path / "faults.jsonl").write_text("".join(map(_line, battle.struck)))
    seen = dict.fromkeys([*arena.violations, *watch.violations, *onlooker.violations])
    failures = [*battle.failures, *verdict.failures, *(growth.failures() if growth else []), *seen]
    (path / "failures.txt").write_text("\n".join(failures))
    looks = watch.answers[200] + onlooker.looks
    took = time.monotonic() - started
    return Outcome(plan, verdict, battle.struck, looks, took, failures, growth.text() if growth else "")


async def _fought(battle: Battle, strikes: list[Strike]) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(battle.load.run())
        await battle.fight(strikes)


async def _judged(battle: Battle, ledger: Ledger, headers: Mapping[str, str]) -> Verdict:
    arena, load = battle.arena, battle.load
    try:
        await all_applied(arena, 1.0 if battle.failures else battle.patience_s)
    except TimeoutError:
        battle.failures.append("not everything in the log was applied in the end")
    return await judge(arena, ledger, load.sent, load.accepted, headers)


def _line(struck: Struck) -> str:
    kind, pick, calm_s, hold_s = struck.strike
    told = {"at_s": struck.at_s, "kind": kind.name, "pick": pick, "calm_s": calm_s, "hold_s": hold_s}
    return json.dumps({**told, "recovery_s": struck.recovery_s, "trouble": struck.trouble}) + "\n"


@asynccontextmanager
async def _beside(*coroutines: Coroutine[None, None, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
