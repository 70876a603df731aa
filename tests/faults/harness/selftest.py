"""Proves the harness: a build with a planted bug turns its run red, and the same run is green without the bug."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults.harness.kinds import KINDS
from tests.faults.harness.plants import BUGS, Bug, Hunt, plant
from tests.faults.harness.profiles import SEED
from tests.faults.harness.run import Outcome, Plan, run
from tests.faults.harness.servers import ProxiedServers, proxied_servers
from tests.faults.harness.tables import aligned
from tests.support.databases import migrated_template

_RATE = 300.0
_CALM_S = (0.1, 0.5)
_PATIENCE_S = 90.0
_SHOWN = 90
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a hunt found with and without a bug."""

    bug: str
    found: list[str]
    without: list[str]

    @property
    def is_caught(self) -> bool:
        """Red with the bug, green without it."""
        return bool(self.found) and not self.without


async def selftest(path: Path, words: str | None, tell: Tell) -> bool:
    """Hunt all bugs whose names contain one of the words, print the table; whether each was caught."""
    wanted = words.split(",") if words else [""]
    bugs = [bug for bug in BUGS if any(word in bug.name for word in wanted)]
    tell("starting Kafka and PostgreSQL")
    async with proxied_servers() as servers, migrated_template(servers.stack.postgres_dsn) as template:
        ground = _Ground(servers, template, path, tell)
        trials = await _trials(ground, bugs)
    rows = [(trial.bug, _told(trial.found), "caught" if trial.is_caught else "NOT CAUGHT") for trial in trials]
    tell("\n\n" + aligned([("planted bug", "found by", "verdict"), *rows]))
    for trial in trials:
        for line in trial.without:
            tell(f"{trial.bug}: red without the bug: {line}")
    return bool(trials) and all(trial.is_caught for trial in trials)


async def _trials(ground: _Ground, bugs: Sequence[Bug]) -> list[Trial]:
    clean: dict[Hunt, list[str]] = {}
    trials = []
    for bug in bugs:
        if bug.hunt not in clean:
            clean[bug.hunt] = (await ground.hunt(None, bug.hunt, f"without {bug.name}")).failures
        outcome = await ground.hunt(bug, bug.hunt, bug.name)
        trials.append(Trial(bug.name, outcome.failures, clean[bug.hunt]))
    return trials


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where hunts take place: one Kafka and one PostgreSQL, with a topic and a database for each hunt."""

    servers: ProxiedServers
    template: str
    path: Path
    tell: Tell

    async def hunt(self, bug: Bug | None, hunt: Hunt, title: str) -> Outcome:
        """One run."""
        path = self.path / title.replace(" ", "-")
        packages = await asyncio.to_thread(plant, bug, path / "packages")
        kinds = [KINDS[name] for name in hunt.kinds]
        plan = Plan(SEED, hunt.events, _RATE, kinds, hunt.faults, _CALM_S, hunt.mix, {"PYTHONPATH": str(packages)})
        plan = replace(plan, patience_s=_PATIENCE_S)
        self.tell(f"{title} …")
        outcome = await run(plan, self.servers, self.template, path, lambda line: self.tell(f"{title}: {line}"))
        self.tell(f"{title}: {_told(outcome.failures)}")
        return outcome


def _told(failures: list[str]) -> str:
    """The first finding, in a line."""
    return " ".join(failures[0].split())[:_SHOWN] if failures else "nothing"
