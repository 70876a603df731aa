"""Fixtures for every test that needs the real thing, and the count of those tests."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bellwether_cli.stack.jars import kafka_jars
from tests.support.backends import Servers, chosen_backend, servers
from tests.support.databases import Topics, database_from, fresh_topics, migrated_template

# A machine that does other things at the same time makes an example slow, not wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

_REAL_FIXTURES = {"stack", "database", "topics"}
_BACKEND = pytest.StashKey[str]()
_MET = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_BACKEND] = chosen_backend()
    config.stash[_MET] = 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _REAL_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("real")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka before the first test starts its clock: once on a new machine that takes a minute or two."""
    wanted = any(item.get_closest_marker("real") for item in session.items)
    if wanted and not session.config.option.collectonly and session.config.stash[_BACKEND] == "embedded":
        reporter = session.config.pluginmanager.getplugin("terminalreporter")
        asyncio.run(kafka_jars(tell=reporter.write_line if reporter else None))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> object:
    result = yield
    if item.get_closest_marker("real"):
        item.config.stash[_MET] += 1
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes that test side by side tells how many of its tests met the real thing."""
    told: dict[str, int] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["met"] = session.config.stash[_MET]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    told: dict[str, int] = getattr(node, "workeroutput", {})
    config: pytest.Config = getattr(node, "config")  # noqa: B009 - a type of pytest-xdist's, which has none
    config.stash[_MET] += told.get("met", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    met, backend = config.stash[_MET], config.stash[_BACKEND]
    terminalreporter.write_line(f"{met} tests met real Kafka and PostgreSQL (backend: {backend})")


@pytest.fixture(scope="session")
async def stack(pytestconfig: pytest.Config) -> AsyncIterator[Servers]:
    """One Kafka and one PostgreSQL for the whole session."""
    async with servers(pytestconfig.stash[_BACKEND]) as running:
        yield running


@pytest.fixture(scope="session")
async def template_database(stack: Servers) -> AsyncIterator[str]:
    """The name of a database with the whole schema, which `database` copies."""
    async with migrated_template(stack.postgres_dsn) as template:
        yield template


@pytest.fixture
async def database(stack: Servers, template_database: str) -> AsyncIterator[str]:
    """The DSN of a database of the test's own, empty but for the schema."""
    async with database_from(stack.postgres_dsn, template_database) as dsn:
        yield dsn


@pytest.fixture
async def topics(stack: Servers) -> AsyncIterator[Topics]:
    """Topics of the test's own, for events and for what is quarantined."""
    async with fresh_topics(stack.kafka_bootstrap) as fresh:
        yield fresh


@pytest.fixture
def reachable_path() -> Iterator[Path]:
    """A folder that every user can reach, unlike `tmp_path`: started by root, PostgreSQL runs as somebody else."""
    path = Path(tempfile.mkdtemp(prefix="bellwether-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
