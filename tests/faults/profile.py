"""How hard the fault tests try."""

from __future__ import annotations

from typing import NamedTuple


class Profile(NamedTuple):
    """How many events flow and how often something dies.

    rounds: how often every point and pair of processes has its turn
    """

    seed: int
    events: int
    random_kills: int
    rounds: int

    @property
    def is_long(self) -> bool:
        """Whether what takes long has its place."""
        return self.rounds > 1


PROFILES = {
    "short": Profile(seed=20_261_122, events=20_000, random_kills=20, rounds=1),
    "long": Profile(seed=20_261_122, events=200_000, random_kills=100, rounds=4),
}
"""`short` is what every test run does, `long` what `make chaos` does."""
