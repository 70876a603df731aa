"""How generated pages of docs/ are put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

COMMAND: Final = "python -m tests.contract.pages"


def page(title: str, source: str, lines: Iterable[str]) -> str:
    """A page that says what it is generated from."""
    head = [f"# {title}", "", f"Generated from {source} by `{COMMAND}`; edit the code, not this page.", ""]
    return "\n".join([*head, *lines]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [row(header), "|" + "---|" * len(header), *map(row, rows)]


def row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
