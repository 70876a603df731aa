"""Which faults strike in which order: the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from tests.faults.harness.kinds import Kind


class Strike(NamedTuple):
    """One fault. `pick` says which of several processes or moments, seconds come before it and until it is healed."""

    kind: Kind
    pick: int
    calm_s: float
    hold_s: float


def make_schedule(seed: int, kinds: Sequence[Kind], faults: int, calm_s: tuple[float, float]) -> list[Strike]:
    """So many strikes; every kind has its turn before one has its next."""
    random = Random(seed)
    strikes: list[Strike] = []
    while len(strikes) < faults:
        turn = random.sample(kinds, k=len(kinds))
        strikes += (_strike(random, kind, calm_s) for kind in turn[: faults - len(strikes)])
    return strikes


def _strike(random: Random, kind: Kind, calm_s: tuple[float, float]) -> Strike:
    return Strike(kind, random.randrange(2**16), random.uniform(*calm_s), random.uniform(*kind.hold_s))
