"""The release before this one, out of the history of the repository, and its programs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIGRATIONS = "shared/bellwether/adapters/postgres/migrations"
_SOURCES = ("shared", "services/ingest", "services/compute", "services/api", "cli")


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else ""


def migrations_of(revision: str) -> set[str]:
    """The names of the migrations that a commit has."""
    return {Path(name).name for name in _git("ls-tree", "--name-only", revision, f"{MIGRATIONS}/").split()} - {
        "__init__.py"
    }


def previous_release() -> str:
    """The newest commit with fewer migrations than this tree. The test is skipped where the history does not reach."""
    here = {path.name for path in (ROOT / MIGRATIONS).glob("*.sql")}
    for revision in ("HEAD", *(f"{r}^" for r in _git("log", "--format=%H", "--", MIGRATIONS).split())):
        there = migrations_of(revision)
        if there and there < here:
            return _git("rev-parse", revision)
    pytest.skip("the history does not reach back to a commit with fewer migrations")


class Release:
    """The tree of a commit, to run programs from."""

    def __init__(self, revision: str, path: Path) -> None:
        self.path = path
        archive = subprocess.run(["git", "archive", revision, *_SOURCES], cwd=ROOT, capture_output=True, check=True)
        path.mkdir()
        subprocess.run(["tar", "-x", "-C", path], input=archive.stdout, check=True)

    @property
    def environment(self) -> dict[str, str]:
        """Lets a Python process find this release before the one that is installed."""
        return {"PYTHONPATH": ":".join(str(self.path / source) for source in _SOURCES)}

    async def migrate(self, dsn: str) -> None:
        """Bring a database to the schema of this release."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bellwether_cli", "migrate"),
            env={**self.environment, "BELLWETHER_POSTGRES_DSN": dsn, "PATH": "/usr/bin:/bin"},
            cwd=self.path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()
