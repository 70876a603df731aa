"""Compute's way through a log and a database that fail at every step, decided by seeds and by hypothesis.

`BELLWETHER_SIMULATIONS=10000` walks so many seeds; a seed that fails is walked again by
`BELLWETHER_SIMULATION_SEED=17 pytest tests/faults/test_simulation.py -k seed`.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.simulation import NO_FLAWS, World, simulated
from tests.support.simulation_store import Flaws
from tests.support.simulation_walk import walk

_SEED = os.environ.get("BELLWETHER_SIMULATION_SEED")
SEEDS = (
    range(int(os.environ.get("BELLWETHER_SIMULATIONS", "500"))) if _SEED is None else range(int(_SEED), int(_SEED) + 1)
)
_BATCH = 25
"""How many seeds are one test, so that a slow machine does not run into the limit of a test's time."""
_TRIES = 40
"""Within so many seeds every planted bug has to show."""


def told(seed: int, flaws: Flaws = NO_FLAWS) -> list[str]:
    """Walk a seed; what was wrong, in words."""
    with simulated(seed, flaws) as world:
        try:
            walk(world)
        except AssertionError as error:
            return [f"{error} ({error.__cause__!r})"]
        return world.judge()


@pytest.mark.parametrize("first", SEEDS[::_BATCH])
def test_whatever_fails_in_whatever_order_every_seed_comes_out_as_the_oracle_says(first: int) -> None:
    seeds = range(first, min(first + _BATCH, SEEDS.stop))
    wrong = {seed: words for seed in seeds if (words := told(seed))}
    again = "BELLWETHER_SIMULATION_SEED={} pytest tests/faults/test_simulation.py -k seed"
    assert not wrong, "\n".join(f"{again.format(seed)}\n    {words}" for seed, words in wrong.items())


@pytest.mark.parametrize("flaw", Flaws._fields)
def test_a_planted_bug_is_found(flaw: str) -> None:
    assert any(told(seed, Flaws(**{flaw: True})) for seed in range(_TRIES))


def trace(seed: int) -> list[object]:
    """All that a walk is, step by step."""
    steps: list[object] = []
    with simulated(seed) as world:
        usual = world.go

        def go(pending: object, how: str = "go") -> None:
            steps.append((world.loop.now, pending.life.number, pending.point, how))  # type: ignore[attr-defined]
            usual(pending, how)  # type: ignore[arg-type]

        world.go = go  # type: ignore[method-assign]
        walk(world)
        return [*steps, sorted(world.database.tables.outcomes.items())]


def test_the_same_seed_gives_the_same_run() -> None:
    assert trace(7) == trace(7)
    assert trace(7) != trace(8)


def test_zombies_and_lost_answers_happen() -> None:
    stale, kinds = 0, Counter[str]()
    for seed in range(_TRIES):
        with simulated(seed) as world:
            walk(world)
            stale += world.database.stale
            kinds.update(world.faults)
    assert stale > _TRIES // 4
    assert min(kinds["fail"], kinds["lose"], kinds["crash"]) > _TRIES


def test_what_does_not_end_in_time_is_tried_in_smaller_parts() -> None:
    with simulated(3) as world:
        world.database.most_events = 1
        world.start(0)
        world.come_to_rest()
        assert not world.judge()


class Machine(RuleBasedStateMachine):
    """What hypothesis picks from. A failing run is shortened to the few choices that make it fail."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.world: World

    @initialize(seed=st.integers(0, 10_000))
    def begin(self, seed: int) -> None:
        self.world = self._stack.enter_context(simulated(seed, events=24))
        for number in (0, 1):
            self.world.start(number)
        self.world.share_out(told=(0, 1))

    @rule(count=st.integers(1, 8))
    def produce(self, count: int) -> None:
        self.world.produce(count)

    @rule(picks=st.lists(st.integers(0, 9), min_size=1, max_size=12))
    def go_on(self, picks: list[int]) -> None:
        for pick in picks:
            if turns := self.world.turns():
                self.world.go(turns[pick % len(turns)])
            else:
                self.world.pass_time(0.3)

    @precondition(lambda self: self.world.turns())
    @rule(pick=st.integers(0, 9), how=st.sampled_from(["fail", "lose"]))
    def fail(self, pick: int, how: str) -> None:
        turns = self.world.turns()
        self.world.go(turns[pick % len(turns)], how)

    @rule(number=st.integers(0, 1), heard=st.booleans())
    def crash_and_restart(self, number: int, heard: bool) -> None:
        self.world.crash(number)
        self.world.start(number)
        if heard:
            self.world.tell(number)

    @rule(told=st.sets(st.integers(0, 1)))
    def share_out(self, told: set[int]) -> None:
        self.world.share_out(told)

    @rule(number=st.integers(0, 1), frozen=st.booleans())
    def freeze_or_thaw(self, number: int, frozen: bool) -> None:
        self.world.lives[number].frozen = frozen

    @invariant()
    def everything_is_accounted_for(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.world.come_to_rest()
                assert self.world.judge() == []
        finally:
            self._stack.close()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
