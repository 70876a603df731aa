"""The table of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import quantiles

from tests.faults.harness.battle import Struck
from tests.faults.harness.judgement import Verdict
from tests.faults.harness.kinds import Part

_AIMS_S = {Part.COMPUTE: 15, Part.KAFKA: 20, Part.POSTGRES: 10}


def recovery(times: Sequence[float]) -> str:
    """Median and 95th percentile in seconds."""
    if not times:
        return "-"
    if len(times) == 1:
        return f"{times[0]:.1f}"
    cuts = quantiles(times, n=20, method="inclusive")
    return f"{cuts[9]:.1f} / {cuts[18]:.1f}"


def faults(struck: Iterable[Struck]) -> Iterator[tuple[str, str, str]]:
    """Kind, count and recovery of each kind, then of each part with the aim for it."""
    came = [one for one in struck if one.trouble is None]
    for name in sorted({one.strike.kind.name for one in came}):
        mine = [one for one in came if one.strike.kind.name == name]
        yield name, str(len(mine)), recovery(_times(mine))
    for part in Part:
        mine = [one for one in came if one.strike.kind.part is part]
        aim = f" (aim {_AIMS_S[part]})" if part in _AIMS_S else ""
        yield f"all of {part}", str(len(mine)), recovery(_times(mine)) + aim
    yield "all", str(len(came)), recovery(_times(came))
    if missed := sum(one.trouble is not None for one in struck):
        yield "planned, but the moment did not come", str(missed), "-"


def _times(struck: Iterable[Struck]) -> list[float]:
    return [one.recovery_s for one in struck if one.recovery_s is not None]


def books(verdict: Verdict) -> Iterator[tuple[str, int]]:
    """What became of the events."""
    outcomes = verdict.outcomes
    yield "events sent", verdict.sent
    yield "accepted", verdict.accepted
    yield "records in the log, with repeats by the sender", verdict.records
    yield "applied", outcomes["applied"]
    yield "duplicates", outcomes["duplicate"]
    yield "quarantined", outcomes["quarantined"] + outcomes["conflicting"]
    yield "lost", verdict.lost
    yield "double", verdict.double


def aligned(rows: Iterable[Sequence[object]]) -> str:
    """Rows of texts in columns: the first to the left, others to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in texts) for at in range(len(texts[0]))]
    return "\n".join(_line(row, widths) for row in texts)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = row
    shown = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return "  " + "  ".join([first.ljust(widths[0]), *shown])
