"""The generated pages of docs/ and the code may not part, and `make docs` writes every generated file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.markdown import COMMAND
from tests.contract.pages import documents

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("file", "text"), documents().items())
def test_a_generated_page_is_what_the_code_says(file: str, text: str) -> None:
    assert (ROOT / "docs" / file).read_text(encoding="utf-8") == text, f"run `make docs` (or `{COMMAND}`)"


def test_every_setting_and_every_label_is_explained() -> None:
    settings = [line for line in documents()["settings.md"].splitlines() if line.startswith("| `")]
    assert settings
    assert not [row for row in settings if row.endswith("|  |")]
    rows = [line.split(" | ") for line in documents()["metrics.md"].splitlines() if line.startswith("| `")]
    unexplained = {labels for _, _, labels, *_ in rows if labels.strip().endswith("`")}
    assert unexplained <= {"`route`", "`partition`"}  # open by nature: a path's template, a number


def test_every_generator_is_part_of_make_docs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    generators = {
        path.relative_to(ROOT)
        for folder in ("shared", "services", "tests/contract")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^`python -m [\w.]+` writes", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert generators
    named = {
        re.search(r"`python -m ([\w.]+)` writes", (ROOT / path).read_text(encoding="utf-8")) for path in generators
    }
    assert not [found[1] for found in named if found and f"-m {found[1]}\n" not in makefile]
