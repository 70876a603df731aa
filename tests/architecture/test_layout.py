"""Rules that hold for every file of the project."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE_LINES = 400
FUNCTION_LINES = 60
PACKAGES = ["shared/bellwether", *(f"services/{name}/bellwether_{name}" for name in ("ingest", "compute", "api"))]
PACKAGES += ["cli/bellwether_cli"]

# Written apart, so that this file does not name them either. Requirements files come with hashes and need no address.
REGISTRY = re.compile(
    "|".join(("py" + "pi", r"files\.python" + "hosted", "repo1?.maven" + r"\.(org|apache)", "npm" + r"js\.(org|com)"))
)

# They start other programs, which inherit the environment, or look for Java, whose place only the environment tells.
READS_ENVIRONMENT = {"cli/bellwether_cli/stack/process.py", "cli/bellwether_cli/stack/java.py"}


def committed(*suffixes: str) -> list[Path]:
    """What is or could be committed, so without caches and environments."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    paths = (ROOT / name for name in listed)
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def modules() -> list[Path]:
    return committed(".py")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_import_contracts_hold() -> None:
    lint = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert lint.returncode == 0, lint.stdout


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    too_long = {name(path): lines for path in modules() if (lines := len(path.read_text().splitlines())) > MODULE_LINES}
    assert not too_long


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = [
        f"{name(path)}: {function.name}"
        for path in modules()
        for function in functions(path)
        # Parameters are not counted: a command's options are a table, one line each.
        if (function.end_lineno or 0) - function.body[0].lineno >= FUNCTION_LINES
    ]
    assert not too_long


def test_no_file_names_the_host_of_a_registry() -> None:
    text = committed(".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".cfg", ".sh", "")
    found = [name(path) for path in text if REGISTRY.search(path.read_text(errors="ignore").lower())]
    assert not found


def test_every_requirement_has_a_version_and_a_hash() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        logical = path.read_text().replace("\\\n", " ").splitlines()
        pins = [line for line in logical if line.strip() and not line.lstrip().startswith("#")]
        assert pins
        assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_only_main_modules_read_the_environment() -> None:
    readers = {
        name(path)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__main__.py" and re.search(r"os\.environ|getenv|environb", path.read_text())
    }
    assert readers == READS_ENVIRONMENT


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
