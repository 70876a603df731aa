"""The course of a crisis: when it was open, and when the brand first reacted.

Both follow from the set of its steps, so that they do not depend on the order in which steps become known, and
both can be read as of any moment: from the steps up to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

_REACTIONS = frozenset({"acknowledged", "responded"})
_TURNS = ("resolved", "reopened")
"""What ends an open interval and what begins another; in this order where both happen within one second."""


class Step(NamedTuple):
    """A step in the life of a crisis.

    at: UTC seconds
    phase: opened, acknowledged, responded, escalated, resolved or reopened
    cuts: what its event counts in; those of the opening are where the crisis counts
    """

    at: int
    phase: str
    cuts: tuple[str, ...] = ()


class Interval(NamedTuple):
    """While a crisis was open, in UTC seconds; `resolved` is None while it still is."""

    opened: int
    resolved: int | None


def opening(steps: Iterable[Step]) -> Step | None:
    """The step that opened the crisis: the earliest one told of; None while none is."""
    return min((step for step in steps if step.phase == "opened"), default=None)


def intervals(steps: Collection[Step]) -> list[Interval]:
    """While the crisis was open, ascending; a crisis that was never opened has no interval.

    What is said to have happened before the opening is no step of this crisis. A second resolution, or the
    reopening of what is open, changes nothing.
    """
    opened = opening(steps)
    if opened is None:
        return []
    turns = {(s.at, _TURNS.index(s.phase)) for s in steps if s.phase in _TURNS and s.at >= opened.at}
    found, since = list[Interval](), [opened.at]
    for at, turn in sorted(turns):
        if _TURNS[turn] == "resolved" and since:
            found.append(Interval(since.pop(), at))
        elif _TURNS[turn] == "reopened" and not since:
            since.append(at)
    return [*found, *(Interval(start, None) for start in since)]


def in_order(found: Iterable[Interval]) -> list[Interval]:
    """Intervals of several crises, ascending; of two that begin together the one that is still open comes last."""
    return sorted(found, key=lambda one: (one.opened, one.resolved is None, one.resolved or 0))


def reaction(steps: Collection[Step], reply_at: int | None) -> int | None:
    """When the brand first reacted: acknowledged it, responded, or replied in public; None if not yet.

    reply_at: the brand's first public message after the opening
    """
    opened = opening(steps)
    if opened is None:
        return None
    told = [step.at for step in steps if step.phase in _REACTIONS and step.at >= opened.at]
    if reply_at is not None:
        told.append(reply_at)
    return min(told, default=None)
