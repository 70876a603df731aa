"""How much is measured: enough to trust, or just enough to see that it works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Sizes of all benchmarks. Medians are over `rounds` alternating rounds."""

    rounds: int
    events: int
    """Events in a round of compute."""
    texts: int
    """Texts in a round of sentiment."""
    round_s: float
    """Length of a round of the intake, for each server and shape of request."""
    steady_s: float
    """How long freshness is watched."""
    rate: float = 500.0
    """Events a second while freshness is watched."""


FULL = Effort(rounds=5, events=200_000, texts=3_000, round_s=4.0, steady_s=30.0)
QUICK = Effort(rounds=3, events=40_000, texts=500, round_s=1.0, steady_s=12.0)
