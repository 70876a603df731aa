"""The integrity screen: which interactions and joins are marked inauthentic, and why.

What a rule (`bellwether.catalogue.screen`) watches leaves a sighting in a trace: of the item, the
author, the member, the text or the pair of accounts it is about. What is marked in a trace, since
when and on what ground hangs on the set of its sightings alone, not on their order of arrival.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from bellwether.catalogue.screen import PROMPT_S, RULES, Rule, SuspectMeasure, Tally

SIGHTINGS_KEPT = 256
"""The latest sightings of a trace that are kept; what was marked before stays marked."""
VISITS_KEPT = 64
"""The earliest visits to a user's item that are looked at when its publication is told of after them."""
_SIDE = "\0"


class TraceKey(NamedTuple):
    """The rule that watches, and what it looks at."""

    rule: str
    subject: str


class Sighting(msgspec.Struct, array_like=True):
    """An event as a rule sees it.

    moment: UTC seconds; mark_id: of the event, 32 hexadecimal digits
    what: that which the rule counts; about: the content item or member
    count: what it adds to the suspect measure, 0 for what only bears witness
    formed: when the earliest window that marks it was full, None if it is not marked
    seen: the tally of that window
    """

    moment: int
    mark_id: str
    what: str
    about: str
    author: str
    count: int
    cuts: tuple[str, ...]
    formed: int | None = None
    seen: int = 0


Trace = list[Sighting]
"""Sightings of one rule and subject, ascending by moment and id."""
TracedSighting = tuple[TraceKey, Sighting]
"""A sighting and the trace it belongs to."""


class Ground(msgspec.Struct, frozen=True):
    """Why a rule marks an event: the earliest window that does.

    formed_at: when the window was full, UTC seconds; it reaches back `within_s`
    seen: what the rule counts in it, at least `least`
    """

    subject: str
    formed_at: int
    seen: int
    least: int
    within_s: int


class Mark(msgspec.Struct):
    """An event that is marked, with the ground of every rule that marks it.

    measure, count: what it adds; recorded: when the event that completed it was, UTC seconds
    """

    moment: int
    cuts: tuple[str, ...]
    measure: SuspectMeasure
    count: int
    author: str
    about: str
    recorded: int
    grounds: dict[str, Ground]

    @property
    def item(self) -> tuple[str, str] | None:
        """Channel and content id of the item, where it is an interaction with one."""
        _, _, channel = self.cuts[1].partition("=")
        return (channel, self.about) if self.measure == "suspect_interactions" and self.about else None

    @property
    def formed_at(self) -> int:
        """The moment from which on it is marked."""
        return min(ground.formed_at for ground in self.grounds.values())


def ground_of(key: TraceKey, sighting: Sighting) -> Ground:
    """The ground of a sighting that is marked."""
    rule, formed = RULES[key.rule], sighting.formed
    return Ground(key.subject, sighting.moment if formed is None else formed, sighting.seen, rule.least, rule.within_s)


def _order(sighting: Sighting) -> tuple[int, str]:
    return sighting.moment, sighting.mark_id


def put(trace: Trace, sighting: Sighting) -> None:
    """Add a sighting where it belongs; one that is there already is not added again."""
    at = bisect_left(trace, _order(sighting), key=_order)
    if at == len(trace) or _order(trace[at]) != _order(sighting):
        trace.insert(at, sighting)


def forget_oldest(trace: Trace) -> None:
    """Keep the latest sightings only."""
    del trace[:-SIGHTINGS_KEPT]


def side_of(actor: str, thing: str) -> str:
    """What one of two sides did, for the tally of rounds: each thing counts once."""
    return f"{actor}{_SIDE}{thing}"


def _rounds(window: Counter[str]) -> int:
    sides: Counter[str] = Counter()
    for what, count in window.items():
        actor, told, _ = what.partition(_SIDE)
        sides[actor] += 1 if told else count
    return min(sides.values()) if len(sides) > 1 else 0


_TALLY: dict[Tally, Callable[[Counter[str]], int]] = {
    Tally.EVENTS: Counter.total,
    Tally.DISTINCT: len,
    Tally.ROUNDS: _rounds,
}


def judge(rule: Rule, trace: Trace) -> list[Sighting]:
    """Marks what the rule marks; gives what is marked now and was not, or only by a later or smaller window."""
    found: list[Sighting] = []
    if len(trace) < rule.least:
        return found
    for first, end, formed, seen in _full_windows(rule, trace):
        for sighting in trace[first:end]:
            if sighting.formed is None or (formed, -seen) < (sighting.formed, -sighting.seen):
                sighting.formed, sighting.seen = formed, seen
                found.append(sighting)
    return found


def _full_windows(rule: Rule, trace: Trace) -> Iterator[tuple[int, int, int, int]]:
    """The sightings [first, end) that a window holds and no earlier full one did, when it was full, and its tally."""
    window: Counter[str] = Counter()
    tally, start, marked = _TALLY[rule.tally], 0, 0
    for at, sighting in enumerate(trace):
        window[sighting.what] += 1
        while trace[start].moment < sighting.moment - rule.within_s:
            _take_out(window, trace[start].what)
            start += 1
        is_last_of_second = at + 1 == len(trace) or trace[at + 1].moment > sighting.moment
        if is_last_of_second and (seen := tally(window)) >= rule.least:
            yield max(start, marked), at + 1, sighting.moment, seen
            marked = at + 1


def _take_out(window: Counter[str], what: str) -> None:
    window[what] -= 1
    if not window[what]:
        del window[what]


class Publication(msgspec.Struct, array_like=True, frozen=True, order=True):
    """That an author published an item, UTC seconds."""

    moment: int
    author: str


class Show(msgspec.Struct, array_like=True):
    """An item that is, or may be, a user's.

    published: ascending, mostly one
    visits: interactions from before acts had rows of their own, ascending by moment and id
    """

    published: list[Publication] = []
    visits: list[Sighting] = []

    def publish(self, publication: Publication) -> bool:
        """Take the publication; whether it was not told of before."""
        if publication in self.published:
            return False
        insort(self.published, publication)
        return True

    def visit(self, visit: Sighting, channel: str) -> Iterator[TracedSighting]:
        """Take an interaction; gives it for every publication of the item after which it was prompt."""
        for publication in self.published:
            yield from between(publication, visit, channel)


NO_SHOW = Show()
"""Stands for every item of which nothing is stored; never changed."""


def earliest(visits: Iterable[Sighting]) -> list[Sighting]:
    """The earliest of the interactions with an item, each once: as many as are looked at."""
    by_order = {_order(visit): visit for visit in visits}
    return [by_order[order] for order in sorted(by_order)[:VISITS_KEPT]]


def between(publication: Publication, visit: Sighting, channel: str) -> Iterator[TracedSighting]:
    """A prompt visit by another than the author, in the trace of the two."""
    if 0 <= visit.moment - publication.moment <= PROMPT_S and visit.author != publication.author:
        one, other = sorted((publication.author, visit.author))
        key = TraceKey("pod", f"{channel} {one} <> {other}")
        yield key, msgspec.structs.replace(visit, what=side_of(visit.author, visit.about))
