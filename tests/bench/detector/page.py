"""The table of the findings, on the screen and in docs/detector.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bellwether.domain.detection import DEFAULTS
from tests.bench.detector.finding import Finding

PAGE = Path(__file__).resolve().parents[3] / "docs" / "detector.md"
_SECTIONS = ("settings", "score")


def table(findings: Sequence[Finding]) -> str:
    """One row for each finding."""
    rows = [f"| {one.name} | {'yes' if one.met else '**no**'} | {one.figures} |" for one in findings]
    return "\n".join(["| what | as expected | figures |", "|---|---|---|", *rows])


def settings() -> str:
    """The settings as they are shipped."""
    rows = [f"| `{name}` | {value} |" for name, value in msgspec.to_builtins(DEFAULTS).items()]
    return "\n".join(["| setting | default |", "|---|---|", *rows])


def write(findings: Sequence[Finding]) -> None:
    """Put both into the page, between their marks."""
    text = PAGE.read_text()
    for name, content in zip(_SECTIONS, (settings(), table(findings)), strict=True):
        text = replaced(text, name, content)
    PAGE.write_text(text)


def replaced(text: str, name: str, content: str) -> str:
    """The text with other content between the marks of a section; raises ValueError where they are not."""
    begin, end = f"<!-- {name}: written by `make bench-detector ARGS=--write` -->\n", f"<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no section {name}")
    return f"{before}{begin}{content}\n{end}{after}"
