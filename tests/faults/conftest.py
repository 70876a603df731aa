"""What the fault tests share: how hard they try, and the tables that they print at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import pytest

from tests.faults.profile import PROFILES, Profile

_TABLES = pytest.StashKey[list[str]]()

Report = Callable[[str, Iterable[tuple[str, object]]], None]


@pytest.fixture(scope="session")
def profile() -> Profile:
    """BELLWETHER_FAULTS names it; BELLWETHER_FAULTS_SEED repeats a run."""
    chosen = PROFILES[os.environ.get("BELLWETHER_FAULTS", "short")]
    seed = os.environ.get("BELLWETHER_FAULTS_SEED")
    return chosen if seed is None else chosen._replace(seed=int(seed))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Prints a table of names and values after all tests."""
    tables = request.config.stash.setdefault(_TABLES, [])

    def add(title: str, rows: Iterable[tuple[str, object]]) -> None:
        told = [(name, str(value)) for name, value in rows]
        width = max(len(name) for name, _ in told)
        tables.append("\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in told)]))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for table in config.stash.get(_TABLES, []):
        terminalreporter.write_line(table)
