"""The smoke profile: everything runs behind the fault proxies, and a dozen faults strike while events flow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.conftest import Report
from tests.faults.harness.kinds import KINDS
from tests.faults.harness.plants import BUGS, Bug, changed
from tests.faults.harness.profiles import PROFILES
from tests.faults.harness.resources import Growth, Sample
from tests.faults.harness.run import run_profile
from tests.faults.harness.schedule import make_schedule
from tests.faults.harness.tables import books, faults
from tests.faults.profile import Profile


@pytest.mark.fault
@pytest.mark.real
@pytest.mark.timeout(900)
async def test_a_dozen_faults_while_events_flow_change_no_number(
    profile: Profile, tmp_path: Path, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}", end="")  # noqa: T201 - a run of minutes that says nothing looks dead

    outcome = await run_profile(PROFILES["smoke"], profile.seed, tmp_path, tell)
    report("Smoke: faults, count, recovery p50 / p95 in s", ((n, f"{c:>3}  {r}") for n, c, r in faults(outcome.struck)))
    report("Smoke: events", [*books(outcome.verdict), ("looks of readers", outcome.looks)])
    assert not outcome.failures, "\n".join(outcome.failures)
    assert outcome.faults >= 12
    assert outcome.looks > outcome.faults


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_every_bug_that_proves_the_harness_can_still_be_planted(bug: Bug) -> None:
    for module, text in changed(bug).items():
        compile(text, module, "exec")
    assert KINDS.keys() >= set(bug.hunt.kinds)


def test_the_same_seed_gives_the_same_faults_and_every_kind_has_its_turn() -> None:
    kinds = list(KINDS.values())
    first, second, other = (make_schedule(seed, kinds, 2 * len(kinds), (0, 1)) for seed in (1, 1, 2))
    assert first == second
    assert first != other
    for turn in (first[: len(kinds)], first[len(kinds) :]):
        assert {strike.kind.name for strike in turn} == KINDS.keys()


def test_the_profiles_are_as_hard_as_they_are_meant_to_be() -> None:
    smoke, full, soak = PROFILES["smoke"], PROFILES["full"], PROFILES["soak"]
    assert smoke.faults >= 12
    assert (full.faults >= 100, full.kinds >= 15, full.events) == (True, True, 200_000)
    assert (soak.faults >= 200, soak.kinds >= 15, soak.events) == (True, True, 1_000_000)
    assert len(KINDS) >= soak.kinds


def test_what_grows_all_through_a_run_is_told_and_what_goes_up_and_down_is_not() -> None:
    growth = Growth(list)
    for at in range(300):
        growth.samples.setdefault("leaking", []).append(Sample(at, rss=10**8, descriptors=20 + at, tasks=9))
        growth.samples.setdefault("steady", []).append(Sample(at, rss=10**8 * (1 + at % 3), descriptors=20, tasks=9))
    (found,) = growth.failures()
    assert found.startswith("leaking: descriptors grew from ")
    assert "steady" in growth.text()
