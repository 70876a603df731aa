"""How much is measured: enough to trust, just enough to see that it works, or all that there is."""

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
    """Length of a round of the intake, for each server and shape of request, and of a round of reads."""
    steady_s: float
    """Length of a round of freshness at one rate, and of reads at a fixed rate."""
    peer_rounds: int
    """Rounds of the peers, each of two runs of every engine."""
    peer_share: float
    """Share of their usual events that the peers get."""
    growth_s: float
    """How long compute is watched at each point of a growth curve."""
    profile_s: float
    """How long a profiler looks at compute, for the stages and again for the flame graph."""
    stored: tuple[int, ...]
    """Events already stored, by point of that curve."""
    read_events: int = 20_000
    """Events that are applied before values are read."""
    growth_rounds: int = 1
    growth_events: int = 30_000
    """Events at a point of a growth curve, at least; of one with many brands more."""
    brands: tuple[int, ...] = (10, 1_000, 20_000)
    tenants: tuple[int, ...] = (1, 10, 100)
    own_kpis: tuple[int, ...] = (0, 20, 200)
    rates: tuple[float, ...] = (100.0, 1_000.0)
    """Events a second while freshness is watched, in alternating rounds."""
    connections: tuple[int, ...] = ()
    """Numbers of connections to the intake; none: those alone at which its goals hold."""
    crises: int = 200
    """Crises, each of a brand of its own, of which the alerts are timed."""
    overload: float = 10_000.0
    """Events a second of the last round of freshness; 0 leaves it out."""


_MILLION = 1_000_000
FULL = Effort(
    rounds=5,
    events=100_000,
    texts=3_000,
    round_s=1.0,
    connections=(1, 8, 32),
    steady_s=8.0,
    peer_rounds=5,
    peer_share=1.0,
    growth_s=8.0,
    profile_s=6.0,
    stored=(_MILLION, 10 * _MILLION),
)
QUICK = Effort(
    rounds=2,
    events=20_000,
    texts=500,
    round_s=1.0,
    steady_s=4.0,
    peer_rounds=1,
    peer_share=0.5,
    growth_s=3.0,
    profile_s=2.0,
    stored=(_MILLION // 10,),
    read_events=4_000,
    growth_events=20_000,
    brands=(10, 1_000),
    tenants=(10,),
    own_kpis=(20,),
    crises=10,
)
THOROUGH = Effort(
    rounds=9,
    events=300_000,
    texts=10_000,
    round_s=4.0,
    connections=(1, 8, 32),
    steady_s=20.0,
    peer_rounds=7,
    peer_share=2.0,
    growth_s=20.0,
    profile_s=15.0,
    stored=(_MILLION, 10 * _MILLION, 50 * _MILLION),
    growth_rounds=5,
)
