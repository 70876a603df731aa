"""docs/promises.md names a test for every promise, and each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMISED = [f"P{number}" for number in (*range(1, 12), 13, 14, *range(16, 21), 24, 25, 28)]


def rows() -> dict[str, list[str]]:
    """The tests by promise."""
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    lines = (line.split("|") for line in page.splitlines() if re.match(r"\| P\d", line))
    return {cells[1].strip(): re.findall(r"`(test_\w+)`", cells[3]) for cells in lines}


def test_every_promise_has_a_test_that_exists() -> None:
    paths = [*(ROOT / "tests" / "faults").glob("test_*.py"), *(ROOT / "tests" / "integration").glob("test_*.py")]
    known = set(re.findall(r"def (test_\w+)\(", "\n".join(path.read_text(encoding="utf-8") for path in paths)))
    assert list(rows()) == PROMISED
    assert not {promise: tests for promise, tests in rows().items() if not tests or not known.issuperset(tests)}
