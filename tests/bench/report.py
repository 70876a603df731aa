"""What a benchmark found, as text for the terminal and as sections of a Markdown page."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from statistics import median

import psutil

from bellwether_cli.stack.jars import KAFKA_VERSION

_PACKAGES = ("fastapi", "uvicorn", "uvloop", "httptools", "pydantic", "msgspec", "aiokafka", "asyncpg")
_MODEL = re.compile(r"^model name\s*: (.+)$", re.MULTILINE)
_SECTION = re.compile(r"^## ", re.MULTILINE)
_PREFACE = """# Benchmarks

Written by `make bench ARGS=--write`, which measures all of it anew; each section tells when, on what and with which
command it was measured. Every figure is a median over rounds in which the things compared take turns, so that all of
them share the machine's moods: **trust the ratios of one section, not figures of different sections or machines.**
Where a goal stands beside a ratio, it says whether it was met. Rates `/cpu-s` are per second of processor time of the
process under test, the steadier measure. Memory is resident. All is on the loopback interface with one broker, which
replicates to nobody.

"""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured; None where a figure has no meaning for it."""

    what: str
    per_s: float | None = None
    per_cpu_s: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    mib: float | None = None
    note: str = ""

    @classmethod
    def middle(cls, what: str, runs: Sequence[Row], note: str = "") -> Row:
        """The median of each figure over the rounds."""
        figures = {name: _median(getattr(run, name) for run in runs) for name in _FIGURES}
        return cls(what, **figures, note=note)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How one thing stands to another of the same run, or to a limit. `goal` is the least, or the most if `at_most`."""

    what: str
    value: float
    goal: float | None = None
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of one benchmark. `unit` is what the rates count; `how` tells what was done."""

    title: str
    unit: str
    how: str
    rows: Sequence[Row]
    ratios: Sequence[Ratio] = ()
    remarks: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Kept in a folder beside the page, by name."""


_FIGURES = tuple(each.name for each in fields(Row) if each.name not in {"what", "note"})


def ratio_of(what: str, ours: Sequence[Row], theirs: Sequence[Row], figure: str, goal: float | None = None) -> Ratio:
    """The median over the rounds of the ratio within each round."""
    pairs = zip(ours, theirs, strict=True)
    return Ratio(what, median(getattr(own, figure) / getattr(other, figure) for own, other in pairs), goal)


def text(report: Report) -> str:
    """The findings as aligned tables."""
    parts = [_figures(report)]
    if report.ratios:
        lines = [[ratio.what, f"{ratio.value:.2f}", _goal(ratio)] for ratio in report.ratios]
        parts.append(table(["compared", "measured", "goal"], lines))
    parts.extend(report.remarks)
    return "\n\n".join(parts)


def write(page: Path, reports: Sequence[Report], command: str) -> None:
    """Put the sections into the page, with the command that made them; those of other benchmarks stay as they are."""
    for name, content in chain.from_iterable(report.files.items() for report in reports):
        folder = page.with_suffix("")
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    sections = _sections(page.read_text()) if page.exists() else {}
    sections |= {report.title: _section(report, command) for report in reports}
    page.write_text(_PREFACE + "\n".join(f"## {title}\n{body.rstrip()}\n" for title, body in sections.items()))


def _sections(written: str) -> dict[str, str]:
    _, *found = _SECTION.split(written)
    return {title: body for title, _, body in (each.partition("\n") for each in found)}


def _section(report: Report, command: str) -> str:
    return f"\n{report.how}\n\n{text(report)}\n\n`{command}`, {datetime.now(UTC):%Y-%m-%d}: {_machine()}.\n"


def _machine() -> str:
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{_processor()}"
    memory = f"{psutil.virtual_memory().total / 1024**3:.0f} GiB"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    packages = (f"{name} {version(name)}" for name in _PACKAGES)
    return f"{machine}, {memory}; {', '.join((python, f'Kafka {KAFKA_VERSION}', *packages))}"


def _processor() -> str:
    """The model of the processor, where the system tells."""
    told = Path("/proc/cpuinfo")
    found = _MODEL.search(told.read_text()) if told.exists() else None
    return f" of {found[1]}" if found else ""


def _figures(report: Report) -> str:
    heads = ["", f"{report.unit}/s", f"{report.unit}/cpu-s", "p50 ms", "p99 ms", "MiB", "note"]
    lines = [
        [row.what, _whole(row.per_s), _whole(row.per_cpu_s), *map(_short, (row.p50_ms, row.p99_ms, row.mib)), row.note]
        for row in report.rows
    ]
    filled = [at == 0 or any(line[at] for line in lines) for at in range(len(heads))]
    return table(_picked(heads, filled), [_picked(line, filled) for line in lines])


def _picked(cells: Sequence[str], filled: Sequence[bool]) -> list[str]:
    return [cell for cell, is_filled in zip(cells, filled, strict=True) if is_filled]


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns, the first to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(cells, widths) for cells in (heads, rule, *lines))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    shown = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return f"| {' | '.join(shown)} |"


def _whole(figure: float | None) -> str:
    return "" if figure is None else f"{figure:,.0f}"


def _short(figure: float | None) -> str:
    return "" if figure is None else f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}"


def _goal(ratio: Ratio) -> str:
    if ratio.goal is None:
        return ""
    sign, is_met = ("≤", ratio.value <= ratio.goal) if ratio.at_most else ("≥", ratio.value >= ratio.goal)
    return f"{sign} {ratio.goal:g} {'met' if is_met else 'MISSED'}"


def _median(figures: Iterable[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return median(known) if known else None
