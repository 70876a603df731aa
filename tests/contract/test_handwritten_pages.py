"""What the handwritten pages name is there: files, modules, tests and commands."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from bellwether_cli.__main__ import app

ROOT = Path(__file__).parents[2]
PAGES = sorted(p for p in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if p.is_file())

page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())


@cache
def known_tests() -> frozenset[str]:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(re.findall(r"def (test_\w+)\(", source))


@cache
def targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@page
def test_every_link_leads_to_a_file(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (path.parent / link).exists()]


@page
def test_every_test_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"`(test_\w+)`", path.read_text(encoding="utf-8")))
    assert named <= known_tests()


@page
def test_every_module_and_file_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    modules = re.findall(r"(?:`|-m )(bellwether(?:_[a-z]+)?(?:\.[a-z_]+)+)\b(?![.(])", text)
    assert not [name for name in modules if "." in name and not exists(name)]
    files = re.findall(r"`((?:shared|services|cli|tests|docs|requirements)/[\w./-]+)`", text)
    assert not [name for name in files if not (ROOT / name).exists()]


def exists(dotted: str) -> bool:
    try:
        return importlib.util.find_spec(dotted) is not None
    except ModuleNotFoundError:
        return False


@page
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets()


def test_every_import_contract_is_explained() -> None:
    contracts = re.findall(r'^name = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert not [name for name in contracts if " " in name and name not in text]


def test_every_table_is_explained() -> None:
    migrations = ROOT / "shared" / "bellwether" / "adapters" / "postgres" / "migrations"
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(migrations.glob("*.sql")))
    tables = set(re.findall(r"^create table (\w+)", source, re.MULTILINE))
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert not {table for table in tables if f"`{table}`" not in text}


def test_every_command_that_is_named_exists() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    named = set(re.findall(r"(?:`|^|[(/])bellwether ([a-z]+)", text, re.MULTILINE))
    assert named
    assert named <= set(getattr(get_command(app), "commands", {}))
