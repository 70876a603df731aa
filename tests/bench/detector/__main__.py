"""`python -m tests.bench.detector`: the public score of the crisis detector, and everything that is expected of it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from tests.bench.detector.crises import REAL
from tests.bench.detector.data import ABSENT, DATA
from tests.bench.detector.finding import Finding
from tests.bench.detector.made import MADE
from tests.bench.detector.page import PAGE, table, write
from tests.bench.detector.series import SERIES

Check = Callable[[], Finding]


def main() -> None:
    """Run all checks, print one table, and end with 1 if an expectation is not met."""
    options = _options()
    checks: list[Check] = [*MADE]
    if DATA.exists():
        checks = [*SERIES, *REAL, *MADE]
    else:
        print(f"{ABSENT}: only made streams are judged", flush=True)
        if options.write:
            sys.exit("the page is not written without the data sets")
    findings = [_run(check, number, len(checks)) for number, check in enumerate(checks, 1)]
    print("\n" + table(findings))
    if options.write:
        write(findings)
        print(f"written to {PAGE}")
    failed = [finding.name for finding in findings if not finding.met]
    if failed:
        sys.exit(f"not as expected: {', '.join(failed)}")


def _run(check: Check, number: int, of: int) -> Finding:
    started = time.monotonic()
    print(f"{number} of {of}: {check.__name__.replace('_', ' ')} …", end=" ", flush=True)
    finding = check()
    print(f"{'as expected' if finding.met else 'NOT AS EXPECTED'}, {time.monotonic() - started:.0f} s", flush=True)
    return finding


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-detector", description=main.__doc__)
    parser.add_argument("--write", action="store_true", help="write the figures into docs/detector.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
