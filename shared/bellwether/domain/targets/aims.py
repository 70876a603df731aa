"""What a target asks of a value: its form, and the bounds that come of it."""

from __future__ import annotations

import msgspec

_PERCENT = 100.0


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="form", tag="level"):
    """Reach a value, in the direction that is better: at least it where more is better, at most where less is.

    Example: 1,000 net new subscribers every month.
    """

    value: float


class Maximum(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="form", tag="maximum"):
    """Stay at or below a value. Example: a churn of at most 3 %."""

    value: float


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="form", tag="band"):
    """Stay within [low, high], low < high. Example: 12 to 16 pieces of content a month."""

    low: float
    high: float


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="form", tag="change"):
    """Move by a percentage, not 0, against the period before. Example: traffic +15 %."""

    percent: float


class FromTo(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="form",
    tag="from_to",
    rename={"start": "from", "goal": "to"},
):
    """Move from one value to another one. Example: the engagement rate from 5 % to 6 %."""

    start: float
    goal: float


Aim = Level | Maximum | Band | Change | FromTo


class Bounds(msgspec.Struct, frozen=True):
    """What a value is to be, in its unit; None where that side is open."""

    at_least: float | None = None
    at_most: float | None = None

    def hold(self, value: float) -> bool:
        """Whether the value is within."""
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


def bounds_of(aim: Aim, better: str, baseline: float | None) -> Bounds | None:
    """The bounds of an aim; None where a change has nothing to start from.

    better: `up`, `down` or `band`, as the catalogue says of the KPI
    baseline: the value over the period before
    """
    match aim:
        case Band(low, high):
            return Bounds(low, high)
        case Maximum(value):
            return Bounds(at_most=value)
        case Level(value):
            return _one_sided(value, rises=better != "down")
        case FromTo(start, goal):
            return _one_sided(goal, rises=goal > start)
        case Change(percent):
            if not baseline:
                return None
            return _one_sided(baseline + abs(baseline) * percent / _PERCENT, rises=percent > 0)


def _one_sided(value: float, *, rises: bool) -> Bounds:
    return Bounds(at_least=value) if rises else Bounds(at_most=value)


def against(aim: Aim, better: str) -> bool:
    """Whether an aim asks for worse than there is, as the catalogue sees it."""
    match aim:
        case Maximum():
            return better == "up"
        case Change(percent):
            return better in _WORSE_IF[percent > 0]
        case FromTo(start, goal):
            return better in _WORSE_IF[goal > start]
        case _:
            return False


_WORSE_IF = {True: ("down",), False: ("up",)}
"""The directions that a rise (True) or a fall is against."""
