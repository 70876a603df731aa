"""Whether a target is SMART: specific, measurable, achievable, relevant and time-bound.

Achievable is told from history: the pace that the target needs, beside the pace of the last
periods. A target beyond the best of them is warned of, not refused: history is no law.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from bellwether.domain.targets.aims import Bounds
from bellwether.domain.targets.target import period_word, spelled
from bellwether.domain.windows import Window

PERIODS_SEEN = 6
"""How many whole periods before are looked at."""

FEWEST_PERIODS = 3
"""With values in less than that, history says nothing."""


class Criterion(StrEnum):
    """The five letters."""

    SPECIFIC = "specific"
    MEASURABLE = "measurable"
    ACHIEVABLE = "achievable"
    RELEVANT = "relevant"
    TIME_BOUND = "time_bound"


class Finding(StrEnum):
    """What was found."""

    MET = "met"
    WARNING = "warning"
    UNKNOWN = "unknown"
    """There is not enough data to tell."""


class Check(msgspec.Struct, frozen=True):
    """One criterion, what was found, and why."""

    criterion: Criterion
    finding: Finding
    words: str


class History(msgspec.Struct, frozen=True):
    """What a target needs and what was seen.

    needed: the bounds for one period, in `unit`
    seen: the same of each of the last periods, oldest first; None where undefined
    ahead: what the pace is for where that is not the target itself, as `35,000 by 2027-06-30`
    """

    needed: Bounds
    seen: Sequence[float | None]
    period: Window
    unit: str
    ahead: str = ""


def achievable(history: History) -> Check:
    """What the last periods say of what is needed."""
    seen = [value for value in history.seen if value is not None]
    if len(seen) < FEWEST_PERIODS:
        words = f"The KPI has a value in {len(seen)} of the last {_periods(history)}: too few to tell."
        return Check(Criterion.ACHIEVABLE, Finding.UNKNOWN, words)
    met = sum(history.needed.hold(value) for value in seen)
    finding = Finding.MET if met else Finding.WARNING
    return Check(Criterion.ACHIEVABLE, finding, f"{_compared(history, seen)}; {_met(met, len(seen))}.")


def _periods(history: History) -> str:
    return f"{len(history.seen)} {period_word(history.period, len(history.seen))}"


def _met(met: int, seen: int) -> str:
    return "none of them met it" if met == 0 else f"{met} of {seen} met it"


def _compared(history: History, seen: Sequence[float]) -> str:
    """As `the best of the last 6 months was 640; 1,000 asks for 1.6 times that`."""
    needed, unit = history.needed, history.unit
    if needed.at_least is not None and needed.at_most is not None:
        asked = f"{spelled(needed.at_least, unit)} to {spelled(needed.at_most, unit)}"
        told = f"{spelled(min(seen), unit)} to {spelled(max(seen), unit)}"
        return f"The last {_periods(history)} were {told}; {asked} is asked for"
    rises = needed.at_least is not None
    best = max(seen) if rises else min(seen)
    goal = needed.at_least if needed.at_least is not None else needed.at_most
    assert goal is not None  # noqa: S101 - bounds have at least one side
    asked = spelled(goal, unit) if rises else f"at most {spelled(goal, unit)}"
    seen_words = f"The {'best' if rises else 'lowest'} of the last {_periods(history)} was {spelled(best, unit)}"
    if not history.ahead:
        return f"{seen_words}; {asked}{_times(goal, best, ' asks for ') or ' is asked for'}"
    pace = f"{history.ahead} asks for {asked} a {period_word(history.period)}"
    return f"{seen_words}; {pace}{_times(goal, best, ', ')}"


def _times(goal: float, best: float, lead: str) -> str:
    return f"{lead}{goal / best:.2g} times that" if best > 0 and goal > 0 else ""
