"""`python -m tests.bench [sentiment|compute|ingest|freshness|scorecard …]`: measures, and prints what was found."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from tests.bench import bench_compute, bench_freshness, bench_ingest, bench_scorecard, bench_sentiment
from tests.bench.effort import FULL, QUICK, Effort
from tests.bench.report import Report, text, write

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BENCHMARKS: dict[str, Callable[[Effort], Awaitable[Report]]] = {
    "sentiment": bench_sentiment.measure,
    "compute": bench_compute.measure,
    "ingest": bench_ingest.measure,
    "freshness": bench_freshness.measure,
    "scorecard": bench_scorecard.measure,
}


def main() -> None:
    """Measure, print, and write the page if asked to."""
    options = _options()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it complains of new topics, and tries again
    reports = asyncio.run(_measure(options.names or list(BENCHMARKS), _effort(options)))
    for report in reports:
        print(f"\n{report.title}\n\n{text(report)}")
    if options.write:
        write(PAGE, reports, _command())
        print(f"\nwritten to docs/{PAGE.name}")


async def _measure(names: list[str], effort: Effort) -> list[Report]:
    reports = []
    for name in names:
        started = time.monotonic()
        print(f"{name} …", flush=True)
        reports.append(await BENCHMARKS[name](effort))
        print(f"{name}: done in {time.monotonic() - started:.0f} s", flush=True)
    return reports


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHMARKS)}; all if none is named"
    )
    parser.add_argument("--quick", action="store_true", help="short runs: to see that it works, not how fast")
    parser.add_argument("--rounds", type=int, help="alternating rounds of each thing that is compared")
    parser.add_argument("--rate", type=float, help="freshness: events a second")
    parser.add_argument("--seconds", type=float, dest="steady_s", help="freshness: how long it is watched")
    parser.add_argument("--write", action="store_true", help=f"put the results into docs/{PAGE.name}")
    options = parser.parse_args()
    if unknown := set(options.names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return options


def _command() -> str:
    """How to measure the same again."""
    arguments = " ".join(argument for argument in sys.argv[1:] if argument != "--write")
    return f"make bench ARGS='{arguments}'" if arguments else "make bench"


def _effort(options: argparse.Namespace) -> Effort:
    chosen = {name: getattr(options, name) for name in ("rounds", "rate", "steady_s")}
    given = {name: value for name, value in chosen.items() if value is not None}
    return replace(QUICK if options.quick else FULL, **given)


if __name__ == "__main__":
    main()
