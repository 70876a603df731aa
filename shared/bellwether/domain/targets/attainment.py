"""How far a target is attained, and whether that is enough at this moment.

Attainment in percent, by the bound that the form of the target sets (v the value):

- at least g: 100 × (1 − (g − v) / |g|), which is 100 × v / g where g > 0; with g = 0, 100 where v >= 0, else 0
- at most g: 100 where v <= g, else 100 × g / v; 0 where g <= 0
- a band: the lesser of both, 100 at most
- from a to b: 100 × (v − a) / (b − a). What builds up over a period (a sum) is told against the
  same point of it: a and b count by the share of the period that is over.

Status compares the value with where it is expected at this moment: what builds up, and what is on
its way to a date, on a straight line; any other value at its goal all along. What it lacks is told
in percent of the way (from the line's start to the goal, or of the goal itself), and compared with
`TOLERANCE` times the share of the time that is left: on the deadline only the goal itself counts.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from bellwether.domain.targets.aims import Aim, Band, Bounds, FromTo, bounds_of

_PERCENT = 100.0
_ROUNDING = 1e-9


class Status(StrEnum):
    """How a target stands at a moment."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    NO_DATA = "no_data"


class Lack(StrEnum):
    """Why something about a target cannot be told."""

    NO_VALUE = "no_value"
    """The KPI is undefined over the stretch."""
    NO_BASELINE = "no_baseline"
    """The KPI was undefined, or 0 for a change in percent, where the way begins."""
    NOT_BEGUN = "not_begun"
    """The stretch of the target lies ahead."""
    NOT_PROJECTED = "not_projected"
    """The KPI compares periods, or tells what is open: its days do not tell where it will stand."""
    SHORT_HISTORY = "short_history"
    """Too few days with data to project from."""


class Tolerance(msgspec.Struct, frozen=True):
    """What may be lacking with all the time left, in percent of the way."""

    on_track: float
    at_risk: float


TOLERANCE = Tolerance(on_track=5.0, at_risk=20.0)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A KPI in the stretch of a target.

    value: over the stretch so far, or over the window that ends at the moment
    baseline: over the period before; for a deadline, where the way began
    elapsed: the share of the stretch that is over, above 0 and at most 1
    builds_up: whether the value grows through the stretch, from `origin` on
    moves: whether it is to be on its way from the baseline to the goal (a deadline)
    """

    value: float | None
    baseline: float | None
    elapsed: float
    builds_up: bool = False
    origin: float = 0.0
    moves: bool = False


class Attainment(msgspec.Struct, frozen=True, kw_only=True):
    """How a target stands.

    attainment: percent, None where undefined, with a reason; may exceed 100 and fall below 0
    goal, expected: the bounds at the deadline, and where the value should be at this moment
    behind: what it lacks, in percent of the way; negative where it is ahead
    """

    attainment: float | None
    status: Status
    goal: Bounds | None = None
    expected: Bounds | None = None
    behind: float | None = None
    reason: Lack | None = None


def attain(aim: Aim, better: str, standing: Standing, tolerance: Tolerance = TOLERANCE) -> Attainment:
    """How a target stands. better: `up`, `down` or `band`, as the catalogue says of the KPI."""
    goal = bounds_of(aim, better, standing.baseline)
    if goal is None:
        return Attainment(attainment=None, status=Status.NO_DATA, reason=Lack.NO_BASELINE)
    if standing.value is None:
        return Attainment(attainment=None, status=Status.NO_DATA, goal=goal, reason=Lack.NO_VALUE)
    attained = _attained(aim, goal, standing.value, standing)
    sides = _sides(aim, goal, standing)
    if sides is None:
        return Attainment(attainment=attained, status=Status.NO_DATA, goal=goal, reason=Lack.NO_BASELINE)
    expected = {side.sense: side.expected(standing.elapsed) for side in sides}
    behind = max(side.lacking(standing.value, standing.elapsed) for side in sides)
    return Attainment(
        attainment=attained,
        status=status_of(behind, standing.elapsed, tolerance),
        goal=goal,
        expected=Bounds(expected.get(_AT_LEAST), expected.get(_AT_MOST)),
        behind=behind,
    )


def status_of(behind: float, elapsed: float, tolerance: Tolerance = TOLERANCE) -> Status:
    """The status of what is behind by that many percent of the way."""
    left = 1 - elapsed
    if behind <= tolerance.on_track * left + _ROUNDING:
        return Status.ON_TRACK
    return Status.AT_RISK if behind <= tolerance.at_risk * left + _ROUNDING else Status.OFF_TRACK


def _attained(aim: Aim, goal: Bounds, value: float, standing: Standing) -> float:
    if isinstance(aim, FromTo):
        share = standing.elapsed if standing.builds_up else 1.0
        return _PERCENT * (value - share * aim.start) / (share * (aim.goal - aim.start))
    sides = []
    if goal.at_least is not None:
        sides.append(_at_least(value, goal.at_least))
    if goal.at_most is not None:
        sides.append(_at_most(value, goal.at_most))
    return min(*sides, _PERCENT) if isinstance(aim, Band) else sides[0]


def _at_least(value: float, goal: float) -> float:
    if goal == 0:
        return _PERCENT if value >= 0 else 0.0
    return _PERCENT * (value / goal if goal > 0 else 1 - (goal - value) / -goal)


def _at_most(value: float, goal: float) -> float:
    if value <= goal:
        return _PERCENT
    return _PERCENT * goal / value if goal > 0 else 0.0


_AT_LEAST, _AT_MOST = 1, -1


class _Side(msgspec.Struct, frozen=True):
    """One bound: `sense` is 1 for at least and -1 for at most; `start` is None where there is no line to it."""

    goal: float
    sense: int
    start: float | None

    def expected(self, elapsed: float) -> float:
        """Where the value should be."""
        return self.goal if self.start is None else self.start + (self.goal - self.start) * elapsed

    def lacking(self, value: float, elapsed: float) -> float:
        """What the value lacks, in percent of the way."""
        way = abs(self.goal) if self.start is None else abs(self.goal - self.start)
        return _PERCENT * self.sense * (self.expected(elapsed) - value) / (way or 1.0)


def _sides(aim: Aim, goal: Bounds, standing: Standing) -> list[_Side] | None:
    """The bounds that are set; None where a line to one would start nowhere."""
    both = ((goal.at_least, _AT_LEAST), (goal.at_most, _AT_MOST))
    bounds = [(bound, sense) for bound, sense in both if bound is not None]
    if standing.builds_up:
        return [_Side(bound, sense, standing.origin) for bound, sense in bounds]
    if not standing.moves:
        return [_Side(bound, sense, None) for bound, sense in bounds]
    start = aim.start if isinstance(aim, FromTo) else standing.baseline
    if start is None:
        return None
    # What was within a bound from the start on is to stay there.
    return [_Side(bound, sense, start if sense * (bound - start) > 0 else None) for bound, sense in bounds]
