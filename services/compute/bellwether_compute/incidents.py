"""Crises of a brand: what each contributes, and while which of them were open."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from bellwether.domain.incidents import Interval, Step, intervals, opening, reaction
from bellwether.domain.totals import bin_of
from bellwether_compute.contributions import Contribution, Cuts


class Incident:
    """One crisis: its steps, and the brand's first public message after the opening as far as known."""

    def __init__(self) -> None:
        self.steps: set[Step] = set()
        self.reply_at: int | None = None

    def take(self, step: Step) -> None:
        """Take a step, in any order and any number of times."""
        self.steps.add(step)

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

    def open(self) -> list[Interval]:
        """While it was open, ascending."""
        return intervals(self.steps)

    def cuts(self) -> Cuts:
        """The cuts it counts in, those of its opening; none before that is known."""
        opened = opening(self.steps)
        return opened.cuts if opened else ()

    def contributions(self) -> Iterator[Contribution]:
        """It counts when it is opened, first reacted to and resolved; a reopening takes the resolution back."""
        opened = opening(self.steps)
        if opened is None:
            return
        yield Contribution(opened.at, opened.cuts, {"crises_opened": 1})
        reacted = reaction(self.steps, self.reply_at)
        if reacted is not None:
            took = {bin_of(reacted - opened.at): 1}
            yield Contribution(reacted, opened.cuts, {"crises_responded": 1, "crisis_response_time": took})
        resolved_before: int | None = None
        for start, resolved in self.open():
            if resolved_before is not None:
                yield _resolution(opened, start, resolved_before, -1)
            if resolved is not None:
                yield _resolution(opened, resolved, resolved, 1)
            resolved_before = resolved


def _resolution(opened: Step, moment: int, resolved: int, sign: int) -> Contribution:
    took = {bin_of(resolved - opened.at): sign}
    return Contribution(moment, opened.cuts, {"crises_resolved": sign, "crisis_resolution_time": took})
