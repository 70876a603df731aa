"""`python -m tests.bench [NAME …]`: measures, and prints what was found; without names, everything."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from tests.bench import (
    bench_alerts,
    bench_compute,
    bench_dedup,
    bench_freshness,
    bench_growth,
    bench_ingest,
    bench_peers,
    bench_scorecard,
    bench_sentiment,
    bench_streams,
)
from tests.bench.effort import FULL, QUICK, THOROUGH, Effort
from tests.bench.report import Report, text, write

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
_LONGEST_S = 3_600.0
BENCHMARKS: dict[str, Callable[[Effort], Awaitable[Report]]] = {
    "sentiment": bench_sentiment.measure,
    "compute": bench_compute.measure,
    "dedup": bench_dedup.measure,
    "peers": bench_peers.measure,
    "ingest": bench_ingest.measure,
    "freshness": bench_freshness.measure,
    "alerts": bench_alerts.measure,
    "scorecard": bench_scorecard.measure,
    "streams": bench_streams.measure,
    "growth": bench_growth.measure,
}


def main() -> None:
    """Measure, print, and write the page if asked to; what fails is told at the end, by the exit code, too."""
    options = _options()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it complains of new topics, and tries again
    failed = asyncio.run(_measure(options.names or list(BENCHMARKS), _effort(options), write_it=options.write))
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


async def _measure(names: list[str], effort: Effort, *, write_it: bool) -> list[str]:
    """Measure one after the other; gives the names of those that failed."""
    failed = []
    for name in names:
        started = time.monotonic()
        print(f"{name} …", flush=True)
        try:
            report = await asyncio.wait_for(BENCHMARKS[name](effort), _LONGEST_S)
        except Exception:  # noqa: BLE001 - whatever broke one, the others are still worth their time
            traceback.print_exc()
            failed.append(name)
            continue
        print(f"{name}: done in {time.monotonic() - started:.0f} s\n\n{report.title}\n\n{text(report)}\n", flush=True)
        if write_it:
            write(PAGE, [report], _command())
    return failed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHMARKS)}; all if none is named"
    )
    parser.add_argument("--quick", action="store_true", help="short runs: to see that it works, not how fast")
    parser.add_argument("--rounds", type=int, help="alternating rounds of each thing that is compared")
    parser.add_argument(
        "--thorough", action="store_true", help="longer runs, and the largest growth: more than an hour"
    )
    parser.add_argument("--seconds", type=float, dest="steady_s", help="freshness: length of a round")
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
    chosen = {name: getattr(options, name) for name in ("rounds", "steady_s")}
    given = {name: value for name, value in chosen.items() if value is not None}
    return replace(THOROUGH if options.thorough else QUICK if options.quick else FULL, **given)


if __name__ == "__main__":
    main()
