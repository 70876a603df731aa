"""Crises of a brand: what each contributes, and while which of them were open."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from bellwether.adapters.postgres.incidents import StoredAccount
from bellwether.domain.incidents import Interval, Move, State, Step, Word, account, intervals, opening, reaction, taken
from bellwether.domain.totals import Totals, add_totals, bin_of
from bellwether.wire.events import CrisisIncident
from bellwether_compute.contributions import Contribution, Cuts, Told

Counts = dict[str, int | None]
"""Measures that count 1; of a time the bin in which it does."""


class Incident:
    """One crisis: its steps, and the brand's first public message after the opening as far as known.

    recorded_at: when the last of its steps was recorded, UTC seconds
    """

    def __init__(self) -> None:
        self.steps: set[Step] = set()
        self.reply_at: int | None = None
        self.recorded_at = 0

    def take(self, step: Step, recorded_at: int) -> None:
        """Take a step, in any order and any number of times."""
        self.steps.add(step)
        self.recorded_at = max(self.recorded_at, recorded_at)

    def hear(self, replies: Sequence[int]) -> None:
        """Take public messages of the brand by their moments, ascending."""
        opened = opening(self.steps)
        if opened is None:
            return
        first = replies[bisect_right(replies, opened.at) :][:1]
        known = [moment for moment in (self.reply_at, *first) if moment is not None and moment > opened.at]
        self.reply_at = min(known, default=None)

    def may_hear(self, reply_at: int) -> bool:
        """Whether a public message at this moment may be the first one after the opening."""
        return self.reply_at is None or reply_at < self.reply_at

    def stored(self, brand_id: int, incident_id: str) -> StoredAccount | None:
        """Its account, as it is stored; None before it is opened."""
        told = account(self.steps)
        return StoredAccount(brand_id, incident_id, told, len(self.steps), self.recorded_at) if told else None

    def open(self) -> list[Interval]:
        """While it was open, ascending."""
        return intervals(self.steps)

    def cuts(self) -> Cuts:
        """The cuts it counts in, those of its opening; none before that is known."""
        opened = opening(self.steps)
        return opened.cuts if opened else ()

    def contributions(self) -> Iterator[Contribution]:
        """It counts when it is opened, first reacted to and resolved.

        A reopening takes the resolution back. What turns out to be void, merged into another one or a false alarm,
        takes back all it has counted, at the moment when that is said.
        """
        course = taken(self.steps)
        if not course:
            return
        reacted, before = reaction(self.steps, self.reply_at), Counts()
        turns = {move.step.at: move for move in course}
        opened, last = course[0].step, course[0]
        for moment in sorted(turns.keys() | ({reacted} if reacted is not None else set())):
            last = turns.get(moment, last)
            now = _counts(opened, last, reacted if reacted is not None and reacted <= moment else None)
            if now != before:
                yield Contribution(moment, opened.cuts, _difference(before, now))
            before = now


def _counts(opened: Step, last: Move, reacted: int | None) -> Counts:
    """What a crisis counts while it stands so: its measures, of a time the bin that it counts in."""
    if last.is_void:
        return {}
    counts: Counts = {"crises_opened": None}
    if reacted is not None:
        counts |= {"crises_responded": None, "crisis_response_time": bin_of(reacted - opened.at)}
    if last.state is State.RESOLVED:
        counts |= {"crises_resolved": None, "crisis_resolution_time": bin_of(last.since - opened.at)}
    return counts


def _difference(before: Counts, now: Counts) -> Totals:
    """What is counted now and was not before, less what was."""
    found: Totals = {}
    for counts, sign in ((before, -1), (now, 1)):
        for measure, bin_ in counts.items() - (now if counts is before else before).items():
            add_totals(found, {measure: sign if bin_ is None else {bin_: sign}})
    return found


def step_of(event: CrisisIncident, told: Told) -> Step:
    """The step that an event tells of. Only an opening counts in the cuts of its event."""
    data = event.data
    word = Word(
        source=event.source,
        event_id=event.id,
        by=data.by,
        note=data.note or "",
        severity=data.severity,
        score=data.severity_score,
        reason=data.reason,
        into=data.into or "",
        onset=min(int(data.onset.timestamp()), told.at) if data.onset else None,
    )
    return Step(told.at, data.phase, told.cuts if data.phase == "opened" else (), word)
