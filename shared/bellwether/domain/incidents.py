"""The life of a crisis: its steps, the states they lead through, and what the crisis KPIs take from them.

All of it follows from the set of steps, so that it does not depend on the order in which steps become known, and all of
it can be read as of any moment: from the steps up to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, get_args

Phase = Literal[
    "opened",
    "acknowledged",
    "responded",
    "escalated",
    "stable",
    "resolved",
    "merged",
    "reopened",
    "split",
    "noted",
]
"""What a step says; in this order where several happen within one second."""
PHASES: Final[tuple[Phase, ...]] = get_args(Phase)
Reason = Literal["real", "benign", "false"]
"""Why a crisis is over: it was one; what looked like one did no harm; there was nothing."""
Severity = Literal["info", "warning", "critical"]


class State(StrEnum):
    """Where a crisis stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESPONDED = "responded"
    STABLE = "stable"
    RESOLVED = "resolved"
    MERGED = "merged"


LIVE: Final = frozenset({State.OPEN, State.ACKNOWLEDGED, State.RESPONDED, State.STABLE})
"""The states in which a crisis goes on."""

TRANSITIONS: Final[Mapping[tuple[State | None, Phase], State]] = MappingProxyType(
    {
        (None, "opened"): State.OPEN,
        (State.OPEN, "acknowledged"): State.ACKNOWLEDGED,
        (State.OPEN, "responded"): State.RESPONDED,
        (State.OPEN, "escalated"): State.OPEN,
        (State.OPEN, "stable"): State.STABLE,
        (State.OPEN, "resolved"): State.RESOLVED,
        (State.OPEN, "merged"): State.MERGED,
        (State.OPEN, "split"): State.OPEN,
        (State.OPEN, "noted"): State.OPEN,
        (State.ACKNOWLEDGED, "responded"): State.RESPONDED,
        (State.ACKNOWLEDGED, "escalated"): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, "stable"): State.STABLE,
        (State.ACKNOWLEDGED, "resolved"): State.RESOLVED,
        (State.ACKNOWLEDGED, "merged"): State.MERGED,
        (State.ACKNOWLEDGED, "split"): State.ACKNOWLEDGED,
        (State.ACKNOWLEDGED, "noted"): State.ACKNOWLEDGED,
        (State.RESPONDED, "escalated"): State.RESPONDED,
        (State.RESPONDED, "stable"): State.STABLE,
        (State.RESPONDED, "resolved"): State.RESOLVED,
        (State.RESPONDED, "merged"): State.MERGED,
        (State.RESPONDED, "split"): State.RESPONDED,
        (State.RESPONDED, "noted"): State.RESPONDED,
        (State.STABLE, "escalated"): State.OPEN,  # what grows again is not stable, and nobody has seen it yet
        (State.STABLE, "resolved"): State.RESOLVED,
        (State.STABLE, "merged"): State.MERGED,
        (State.STABLE, "reopened"): State.OPEN,
        (State.STABLE, "split"): State.STABLE,
        (State.STABLE, "noted"): State.STABLE,
        (State.RESOLVED, "reopened"): State.OPEN,
        (State.RESOLVED, "merged"): State.MERGED,
        (State.RESOLVED, "noted"): State.RESOLVED,
        (State.MERGED, "split"): State.OPEN,  # out of the one it was merged into
        (State.MERGED, "noted"): State.MERGED,
    }
)
"""All that can happen: the state after a step, by the state before it. A step that is not here changes nothing."""

SCORES: Final[Mapping[Severity, float]] = MappingProxyType({"info": 2.0, "warning": 5.0, "critical": 8.0})
"""The severity from 0 to 10 that a named one stands for where no number is told."""

_REACTIONS = frozenset({"acknowledged", "responded"})
_WEIGHING = frozenset({"opened", "escalated", "reopened"})
_ORDER: Final = {phase: place for place, phase in enumerate(PHASES)}


class Word(NamedTuple):
    """What an event says of a step besides when and what; '' and None where it says nothing.

    source, event_id: of the event
    by: who did it
    score: severity from 0 to 10
    into: the crisis that this one is merged into, or that is split off
    onset: when it is thought to have begun, UTC seconds
    signal: what the detector watches, by the name of the signal
    numbers: what explains the step, as a JSON object
    """

    source: str = ""
    event_id: str = ""
    by: str = ""
    note: str = ""
    severity: Severity | None = None
    score: float | None = None
    reason: Reason | None = None
    into: str = ""
    onset: int | None = None
    signal: str = ""
    numbers: str = ""


SILENT: Final = Word()
"""Of a step of which only that it happened is known."""


class Step(NamedTuple):
    """A step in the life of a crisis.

    at: UTC seconds
    cuts: what its event counts in; those of the opening are where the crisis counts
    """

    at: int
    phase: Phase
    cuts: tuple[str, ...] = ()
    word: Word = SILENT


class Move(NamedTuple):
    """A step, and where the crisis stands after it.

    state: None where the step changed nothing, since it was not possible then
    since: from when on it stands so, UTC seconds
    reason: of the resolution that stands
    """

    step: Step
    state: State | None
    since: int = 0
    reason: Reason | None = None

    @property
    def is_void(self) -> bool:
        """Whether what was opened is no crisis of its own after it: a part of another one, or nothing at all."""
        return self.state is State.MERGED or self.reason == "false"


class Interval(NamedTuple):
    """While a crisis was open, in UTC seconds; `resolved` is None while it still is."""

    opened: int
    resolved: int | None


class Account(NamedTuple):
    """A crisis as its steps tell it; moments in UTC seconds.

    state, since: where it stands, and from when on
    opening: the step that opened it
    severity, score: as last told of when it was opened, escalated or reopened
    peak: the highest score told of; None where none was
    acknowledged_at, responded_at, stable_at: the first time that it came to be so; None if it never did
    resolved_at, reason: of the resolution that stands
    merged_into: the crisis that it is a part of; '' where it is one of its own
    """

    state: State
    since: int
    opening: Step
    severity: Severity | None
    score: float | None
    peak: float | None
    acknowledged_at: int | None
    responded_at: int | None
    stable_at: int | None
    resolved_at: int | None
    reason: Reason | None
    merged_into: str


def advance(state: State | None, phase: Phase) -> State | None:
    """The state after a step; None where the step is not possible. No state changes elsewhere."""
    return TRANSITIONS.get((state, phase))


def possible(state: State) -> tuple[Phase, ...]:
    """The steps that are possible in a state."""
    return tuple(phase for phase in PHASES if (state, phase) in TRANSITIONS)


def opening(steps: Iterable[Step]) -> Step | None:
    """The step that opened the crisis: the earliest one told of; None while none is."""
    return min((step for step in steps if step.phase == "opened"), key=_place, default=None)


def moves(steps: Iterable[Step]) -> list[Move]:
    """All steps in their order, each with what it led to."""
    found, stands = list[Move](), None
    for step in sorted(steps, key=_place):
        move = _move(stands, step)
        found.append(move)
        stands = stands if move.state is None else move
    return found


def _move(stands: Move | None, step: Step) -> Move:
    state = advance(stands.state if stands else None, step.phase)
    if stands is None or state is None or state is not stands.state:
        return Move(step, state, step.at, step.word.reason if state is State.RESOLVED else None)
    return stands._replace(step=step)


def _place(step: Step) -> tuple[object, ...]:
    return step.at, _ORDER[step.phase], step.cuts, step.word.source, step.word.event_id


def taken(steps: Iterable[Step]) -> list[Move]:
    """The steps that changed something, or could have: those that were possible, in their order."""
    return [move for move in moves(steps) if move.state is not None]


def account(steps: Iterable[Step]) -> Account | None:
    """Where a crisis stands after all these steps; None for one that was never opened."""
    course = taken(steps)
    if not course or (state := course[-1].state) is None:
        return None
    last, told = course[-1], [move.step for move in course]
    joined = [step.word.into for step in told if step.phase == "merged"]
    weighing = [step.word for step in told if step.phase in _WEIGHING]
    scores = [word.score for word in weighing if word.score is not None]
    looking_back = [step.word.score for step in told if step.phase == "stable" and step.word.score is not None]
    return Account(
        state=state,
        since=last.since,
        opening=told[0],
        severity=next((word.severity for word in reversed(weighing) if word.severity), None),
        score=scores[-1] if scores else None,
        peak=max([*scores, *looking_back], default=None),
        acknowledged_at=_first(told, "acknowledged"),
        responded_at=_first(told, "responded"),
        stable_at=_first(told, "stable"),
        resolved_at=last.since if state is State.RESOLVED else None,
        reason=last.reason,
        merged_into=joined[-1] if state is State.MERGED else "",
    )


def _first(told: Iterable[Step], phase: Phase) -> int | None:
    return next((step.at for step in told if step.phase == phase), None)


def intervals(steps: Iterable[Step]) -> list[Interval]:
    """While the crisis was open, ascending; one that was never opened, or is void, has no interval.

    What is said to have happened before the opening is no step of this crisis.
    """
    course = taken(steps)
    if not course or course[-1].is_void:
        return []
    found, since = list[Interval](), list[int]()
    for move in course:
        is_live = move.state in LIVE
        if is_live and not since:
            since.append(move.step.at)
        elif not is_live and since:
            found.append(Interval(since.pop(), move.step.at))
    return [*found, *(Interval(start, None) for start in since)]


def in_order(found: Iterable[Interval]) -> list[Interval]:
    """Intervals of several crises, ascending; of two that begin together the one that is still open comes last."""
    return sorted(found, key=lambda one: (one.opened, one.resolved is None, one.resolved or 0))


def reaction(steps: Collection[Step], reply_at: int | None) -> int | None:
    """When the brand first reacted: acknowledged it, responded, or replied in public; None if not yet.

    Whether the step was possible then does not matter: who acknowledges what is resolved already has reacted, too.

    reply_at: the brand's first public message after the opening
    """
    opened = opening(steps)
    if opened is None:
        return None
    told = [step.at for step in steps if step.phase in _REACTIONS and step.at >= opened.at]
    if reply_at is not None:
        told.append(reply_at)
    return min(told, default=None)
