"""`python -m tests.faults.harness`: run a profile, or prove the harness itself; exit code 1 when anything is wrong."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.harness.kinds import KINDS
from tests.faults.harness.profiles import PROFILES, SEED, Profile
from tests.faults.harness.run import run_profile
from tests.faults.harness.selftest import selftest


def main() -> None:
    """Run, print the table, and exit with 1 when anything is wrong."""
    options = _options()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it reports every fault that is struck here
    path = options.keep or Path(tempfile.mkdtemp(prefix="bellwether-chaos-"))
    path.mkdir(parents=True, exist_ok=True)
    if options.selftest:
        sys.exit(not asyncio.run(selftest(path, options.bugs, _say)))
    sys.exit(not asyncio.run(_profile(_chosen(options), options.seed, path)))


async def _profile(profile: Profile, seed: int, path: Path) -> bool:
    try:
        async with asyncio.timeout(profile.deadline_s):
            outcome = await run_profile(profile, seed, path, _say)
    except TimeoutError:
        _say(f"not done within {profile.deadline_s:.0f} s; logs are in {path}")
        return False
    sys.stdout.write(f"\n{outcome.text()}\n\nthe faults, the journal and the logs are in {path}\n")
    return not outcome.failures


def _say(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.harness", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="full")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed gives the same faults in the same order")
    parser.add_argument("--faults", metavar="KINDS", help="only kinds whose names contain one of these, by commas")
    parser.add_argument("--events", type=int, help="instead of the profile's")
    parser.add_argument("--count", type=int, help="how many faults, instead of the profile's")
    parser.add_argument("--keep", type=Path, help="folder for the fault log, the journal and the processes' logs")
    parser.add_argument("--selftest", action="store_true", help="plant bugs, each of which has to turn a run red")
    parser.add_argument("--bugs", help="with --selftest: only bugs whose names contain one of these, by commas")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> Profile:
    profile = PROFILES[options.profile]
    only = _named(options.faults) if options.faults else profile.only
    return profile._replace(events=options.events or profile.events, faults=options.count or profile.faults, only=only)


def _named(words: str) -> tuple[str, ...]:
    kinds = tuple(name for name in KINDS if any(word in name for word in words.split(",")))
    if not kinds:
        sys.exit(f"no kind of fault is named like {words}; there are {', '.join(KINDS)}")
    return kinds


if __name__ == "__main__":
    main()
