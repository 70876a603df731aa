"""How long, how fast and how hard a run is."""

from __future__ import annotations

from typing import NamedTuple

SEED = 20_261_122


class Profile(NamedTuple):
    """What a run does.

    rate: events a second that are sent while nothing is broken
    faults, kinds: so many strikes are planned, and they have to be of at least so many kinds
    calm_s: the least and the most time between a recovery and the next strike
    deadline_s: after which a run that still goes on has failed
    only: the kinds that strike; all of them if none is named
    samples_resources: whether the processes' memory, descriptors and tasks are watched for growth
    """

    name: str
    events: int
    rate: float
    faults: int
    kinds: int
    calm_s: tuple[float, float]
    deadline_s: float
    only: tuple[str, ...] = ()
    samples_resources: bool = False

    @property
    def span_s(self) -> int:
        """How long the events take at this rate."""
        return round(self.events / self.rate)


_SMOKE = (
    "ingest killed",
    "ingest frozen",
    "compute killed",
    "compute killed before_commit",
    "compute killed in_revoke",
    "compute frozen before a transaction",
    "every compute killed",
    "epochs stolen",
    "api killed",
    "kafka killed",
    "kafka silent",
    "kafka: answer to a write lost",
    "postgres killed",
    "postgres: answer to COMMIT swallowed",
    "postgres: a request of a transaction lost",
)
PROFILES = {
    "smoke": Profile("smoke", 20_000, 400, len(_SMOKE), 12, (0.1, 0.5), deadline_s=840, only=_SMOKE),
    "full": Profile("full", 200_000, 200, faults=110, kinds=15, calm_s=(0.2, 1.5), deadline_s=2700),
    "soak": Profile("soak", 1_000_000, 300, 220, 15, calm_s=(1.0, 5.0), deadline_s=6000, samples_resources=True),
}
