"""From findings of detectors to steps of crises: one crisis at a time for a brand, in whichever cuts it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from bellwether.catalogue.cuts import TOTAL
from bellwether.domain.clock import DAY_S
from bellwether.domain.detection import Change, ChangeKind
from bellwether.domain.incidents import SCORES, Phase, Severity, State, Step, Word, account

SOURCE = "/bellwether/detector"
"""The source of steps that no event tells of."""
BY = "detector"
RESOLVED_AFTER_S = DAY_S
"""What was quiet for so long, and nobody has resolved, is over; until then a new finding is a flare-up of it."""
_NAMED = sorted((score, name) for name, score in SCORES.items())
_FLARED = frozenset({State.STABLE, State.RESOLVED})


class Episode(msgspec.Struct, array_like=True):
    """What the detectors of a brand see together.

    incident_id: of its crisis; cut: where it was seen first
    seen_in: the cuts in which it goes on
    told: the highest severity that was told of
    quiet_at: when it ended in the last of its cuts, UTC seconds; None while it goes on
    """

    incident_id: str
    cut: str
    seen_in: list[str]
    told: float
    quiet_at: int | None = None

    @property
    def ends_at(self) -> int | None:
        """When it is over if nothing is seen any more; None while it goes on."""
        return None if self.quiet_at is None else self.quiet_at + RESOLVED_AFTER_S


class NewStep(NamedTuple):
    """A step that a finding leads to, of the crisis with this id."""

    incident_id: str
    step: Step


class Told:
    """The steps that are told of crises at a point of the log."""

    def __init__(self, steps: dict[str, set[Step]]) -> None:
        self._steps = steps

    def stands(self, incident_id: str, at: int) -> tuple[str, State]:
        """The crisis that this one is a part of by now, and its state by the steps up to `at`."""
        passed = {incident_id}
        while True:
            found = account(step for step in self._steps.get(incident_id, ()) if step.at <= at)
            if found is None or found.state is not State.MERGED or found.merged_into in passed:
                return incident_id, State.OPEN if found is None else found.state
            passed.add(incident_id := found.merged_into)

    def add(self, new: NewStep) -> None:
        """Take a step."""
        self._steps.setdefault(new.incident_id, set()).add(new.step)


def incident_id_of(cut: str, opened_at: int) -> str:
    """The id of the crisis that is first seen in a cut at a moment."""
    return f"detected-{opened_at}" + (f"-{blake2b(cut.encode(), digest_size=4).hexdigest()}" if cut else "")


def follow(episode: Episode | None, cut: str, change: Change, told: Told) -> tuple[Episode | None, list[NewStep]]:
    """The episode after a finding in a cut, and the steps that it leads to."""
    if change.kind is ChangeKind.CLOSED:
        return episode, list(_end_in(episode, cut, change, told)) if episode else []
    if episode is None:
        return _begin(cut, change)
    is_known = TOTAL in episode.seen_in and cut != TOTAL
    at = max(change.at, episode.quiet_at or 0)
    episode.quiet_at = None
    if cut not in episode.seen_in:
        episode.seen_in.append(cut)
    if is_known:
        return episode, [NewStep(episode.incident_id, Step(at, "noted", (), _word(episode.incident_id, cut, change)))]
    episode.told = max(episode.told, change.severity)
    incident_id, state = told.stands(episode.incident_id, at)
    phase: Phase = "reopened" if state in _FLARED else "escalated"
    return episode, [NewStep(incident_id, Step(at, phase, (), _word(episode.incident_id, cut, change, episode.told)))]


def _begin(cut: str, change: Change) -> tuple[Episode, list[NewStep]]:
    incident_id = incident_id_of(cut, change.at)
    cuts = (TOTAL, cut) if cut else (TOTAL,)
    step = Step(change.at, "opened", cuts, _word(incident_id, cut, change, change.severity))
    return Episode(incident_id, cut, [cut], change.severity), [NewStep(incident_id, step)]


def _end_in(episode: Episode, cut: str, change: Change, told: Told) -> Iterator[NewStep]:
    if cut in episode.seen_in:
        episode.seen_in.remove(cut)
    if not episode.seen_in:
        episode.quiet_at = change.at
        incident_id, state = told.stands(episode.incident_id, change.at)
        if state not in (State.STABLE, State.RESOLVED, State.MERGED):
            yield NewStep(incident_id, Step(change.at, "stable", (), _word(episode.incident_id, cut, change)))


def end(episode: Episode, told: Told) -> list[NewStep]:
    """The step that ends an episode, if nobody has ended it."""
    if (at := episode.ends_at) is None:
        return []
    incident_id, state = told.stands(episode.incident_id, at)
    if state is not State.STABLE:
        return []
    note = f"Quiet for {RESOLVED_AFTER_S // 3600} hours; nobody has said why."
    word = Word(SOURCE, f"{episode.incident_id} resolved {at}", BY, note)
    return [NewStep(incident_id, Step(at, "resolved", (), word))]


def _word(incident_id: str, cut: str, change: Change, told: float | None = None) -> Word:
    """What is said of a step. told: the severity of the crisis by now, where the step raises it."""
    is_closed = change.kind is ChangeKind.CLOSED
    return Word(
        source=SOURCE,
        event_id=" ".join((incident_id, change.kind.value, str(change.at), f"{change.severity:g}", cut)),
        by=BY,
        note=_note(cut, change),
        severity=None if told is None else named(told),
        score=change.severity if told is None else told,
        onset=None if is_closed else change.onset,
        signal=change.reading.signal.value,
        numbers=msgspec.json.encode(_numbers(cut, change)).decode(),
    )


def _note(cut: str, change: Change) -> str:
    if change.kind is ChangeKind.CLOSED:
        return "As usual again."
    name, where = change.reading.signal.value.replace("_", " "), cut or "all channels"
    return f"{name} in {where}: {change.reading.seen:g}, usual is {change.reading.expected:g}"


def _numbers(cut: str, change: Change) -> dict[str, object]:
    reading = change.reading
    seen = {"seen": float(reading.seen), "expected": float(reading.expected), "bound": float(reading.bound)}
    what = {"cut": cut, "change": change.kind.value, "at": change.at, "severity": change.severity}
    return {**what, "signal": reading.signal.value, **seen, "n": reading.n, "span_s": reading.span_s}


def named(score: float) -> Severity:
    """The named severity that is nearest to a score from 0 to 10."""
    return min(_NAMED, key=lambda known: abs(known[0] - score))[1]


def part_of_log(known: Iterable[tuple[str, Step]], later: Iterable[tuple[str, Step]]) -> Told:
    """The steps told of at a point of the log: the known ones without those that come after it."""
    unknown, steps = set(later), dict[str, set[Step]]()
    for incident_id, step in known:
        if (incident_id, step) not in unknown:
            steps.setdefault(incident_id, set()).add(step)
    return Told(steps)
