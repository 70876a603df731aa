"""The release before this one goes on with its successor's schema, hands over, and takes back what it handed over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bellwether.adapters.postgres.migrations import migrate
from tests.faults.arena import Arena, open_arena
from tests.faults.profile import Profile
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment, dismiss_members, group_of
from tests.support.databases import Topics, database_from
from tests.support.ledger import make_ledger
from tests.support.releases import Release, migrations_of, previous_release

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

_SLICE = 160
_LOADED_FROM = "SELECT string_agg(version, ' ' ORDER BY version) FROM schema_migrations"


@pytest.fixture
def revision() -> str:
    return previous_release()


@pytest.fixture
def before(revision: str, tmp_path: Path) -> Release:
    """The release before this one."""
    return Release(revision, tmp_path / "before")


@pytest.fixture
async def arena(
    stack: Servers, before: Release, topics: Topics, profile: Profile, tmp_path: Path
) -> AsyncIterator[Arena]:
    """On a database of the earlier release."""
    ledger = make_ledger(profile.seed + 14, 5 * _SLICE, int(time.time()))
    async with database_from(stack.postgres_dsn, "template0") as dsn:
        await before.migrate(dsn)
        async with open_arena(stack, dsn, topics, tmp_path, ledger) as opened:
            yield opened


def old_process(arena: Arena, before: Release) -> ComputeProcess:
    """Compute of the earlier release."""
    environment = compute_environment(arena.stack.kafka_bootstrap, arena.direct, arena.topics, max_events=100)
    process = ComputeProcess(arena.path, "compute-before", {**environment, **before.environment})
    arena.processes.append(process)
    return process


async def slice_by(arena: Arena, process: ComputeProcess) -> None:
    """Have a process apply a slice, and die before it has ended the next one."""
    await process.start()
    await arena.write(_SLICE // 2)
    await arena.caught_up()
    writing = asyncio.create_task(arena.write(_SLICE // 2))
    await process.kill()
    await writing
    await dismiss_members(arena.stack.kafka_bootstrap, group_of(arena.topics))


async def test_a_release_and_the_one_before_it_hand_the_log_to_one_another_and_count_everything_once(
    arena: Arena, before: Release, revision: str
) -> None:
    old, new = old_process(arena, before), arena.process(arena.direct, max_events=100)
    await old.start()
    await arena.write(_SLICE // 2)
    await arena.caught_up()
    had = str(await arena.fetchval(_LOADED_FROM))
    assert {name[:4] for name in migrations_of(revision)} == set(had.split())

    writing = asyncio.create_task(arena.write(_SLICE // 2))
    await asyncio.to_thread(migrate, arena.direct)  # the schema first, under the services that are still the old ones
    await writing
    await arena.caught_up()
    assert str(await arena.fetchval(_LOADED_FROM)) > had
    await old.kill()
    await dismiss_members(arena.stack.kafka_bootstrap, group_of(arena.topics))

    await slice_by(arena, new)
    await slice_by(arena, old)
    await slice_by(arena, new)
    await new.start()
    await arena.write(_SLICE)
    await arena.caught_up()
    assert not await arena.differences()
