"""How commands talk: results to standard output, progress and faults to standard error."""

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

T = TypeVar("T")

_UNFOLDED = 200  # columns where nobody's window sets a width

out = Console(width=None if sys.stdout.isatty() else _UNFOLDED)
err = Console(stderr=True)


def say(text: str) -> None:
    """One line of result, as it is."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def note(text: str) -> None:
    """One line that is not the result: what goes on."""
    err.print(f"[dim]{escape(text)}[/dim]", highlight=False, soft_wrap=True)


def fail(text: str) -> None:
    """One line on what went wrong."""
    err.print(f"[red]error:[/red] {escape(text)}", highlight=False, soft_wrap=True)


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """A table; columns named in `numbers` stand to the right. None is shown as a dash."""
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for header in headers:
        drawn.add_column(header, justify="right" if header in numbers else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*("–" if cell is None else escape(str(cell)) for cell in row))
    out.print(drawn)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do asynchronous work to its end; Ctrl-C cancels it, so that it can clean up."""
    return asyncio.run(work)
