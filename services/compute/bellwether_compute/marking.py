"""Marks events of which the rules of the screen have seen enough, and counts them where their items count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, takewhile
from typing import NamedTuple

import msgspec

from bellwether.catalogue.screen import RULES
from bellwether_compute.acts import Act
from bellwether_compute.changes import Changes
from bellwether_compute.groups import Groups, place_of
from bellwether_compute.integrity import (
    Ground,
    Mark,
    Sighting,
    Trace,
    TraceKey,
    forget_oldest,
    ground_of,
    judge,
    put,
)
from bellwether_compute.loading_people import MarkedItem, StoredMark, Subject
from bellwether_compute.sightings import seen_as
from bellwether_compute.state import BrandState

Noted = tuple[Sighting, int]
"""A sighting, and when its event was recorded, UTC seconds."""
Traces = dict[Subject, list[Noted]]
Grounds = Mapping[tuple[BrandState, str], Mapping[str, Ground]]
"""The stored grounds of marks by rule."""
_QUARTER_S = 15 * 60


class Watched(NamedTuple):
    """What a rule may have seen enough of: the acts of a subject from before this batch, and those of it."""

    earlier: Sequence[Act]
    fresh: Sequence[Act]


def mark(noted: Traces, changes: Changes) -> None:
    """Put sightings into their traces, and mark what the rules mark."""
    for (brand, key), sightings in noted.items():
        trace = changes.traces[brand, key] = brand.traces[key]
        _mark_in(trace, (brand, key), sightings, changes)
        forget_oldest(trace)


def mark_recent(
    watched: Mapping[Subject, Watched], stored: Mapping[Subject, Iterable[Sighting]], changes: Changes
) -> None:
    """Mark what the rules mark of the latest acts of subjects.

    stored: what was loaded besides, because memory does not reach back so far
    """
    for (brand, key), (earlier, fresh) in watched.items():
        first, last = reach(key.rule, fresh)
        known = [sighting_of(key, act) for act in earlier if first <= act.moment <= last]
        trace: Trace = []
        for sighting in (*stored.get((brand, key), ()), *known):
            put(trace, sighting)
        _mark_in(trace, (brand, key), [(sighting_of(key, act), act.recorded) for act in fresh], changes)


def told_apart(subjects: Mapping[Subject, Sequence[Act]], acts: Sequence[Act]) -> dict[Subject, Watched]:
    """The acts of subjects apart by whether they are of this batch; in memory these are the last ones."""
    ours = set(map(id, acts)) if subjects else set()
    found = {}
    for subject, seen in subjects.items():
        fresh = list(takewhile(lambda act: id(act) in ours, reversed(seen)))[::-1]
        found[subject] = Watched(seen[: len(seen) - len(fresh)], fresh)
    return found


def reach(rule: str, fresh: Sequence[Act]) -> tuple[int, int]:
    """From when to when acts are in windows that hold one of these, UTC seconds, both included."""
    moments, within_s = [act.moment for act in fresh], RULES[rule].within_s
    return min(moments) - within_s, max(moments) + within_s


def sighting_of(key: TraceKey, act: Act) -> Sighting:
    """An act as a rule with a short window sees it."""
    return seen_as(act, act.subject if key.rule == "spree" else act.author)


def _mark_in(trace: Trace, subject: Subject, sightings: Iterable[Noted], changes: Changes) -> None:
    """Put sightings into a trace, those of a quarter of an hour together, and mark what its rule marks."""
    brand, key = subject
    in_order = sorted(sightings, key=_recorded)
    for _, run in groupby(in_order, key=lambda noted: noted[1] // _QUARTER_S):
        together = list(run)
        for sighting, _ in together:
            put(trace, sighting)
        for marked in judge(RULES[key.rule], trace):
            if marked.count:
                _mark(brand, key, marked, together[-1][1], changes)


def _recorded(noted: Noted) -> int:
    return noted[1]


def _mark(brand: BrandState, key: TraceKey, marked: Sighting, recorded: int, changes: Changes) -> None:
    found = changes.marks.get((brand, marked.mark_id))
    if found is None:
        cuts, measure = marked.cuts, RULES[key.rule].marks
        found = Mark(marked.moment, cuts, measure, marked.count, marked.author, marked.about, recorded, {})
        changes.marks[brand, marked.mark_id] = found
    found.recorded = min(found.recorded, recorded)
    ground = ground_of(key, marked)
    if key.rule not in found.grounds or _is_better(ground, found.grounds[key.rule]):
        found.grounds[key.rule] = ground


def _is_better(ground: Ground, known: Ground) -> bool:
    """Whether a rule marks by an earlier window, or by more in the same one."""
    return (ground.formed_at, -ground.seen, ground.subject) < (known.formed_at, -known.seen, known.subject)


def drop_known(stored: Grounds, changes: Changes) -> list[tuple[BrandState, Mark]]:
    """Leave of the marks what is not stored like that or better; gives those that are new."""
    fresh = []
    for where, found in list(changes.marks.items()):
        known = stored.get(where)
        if known is None:
            fresh.append((where[0], found))
            continue
        found.grounds = {r: g for r, g in found.grounds.items() if r not in known or _is_better(g, known[r])}
        if not found.grounds:
            del changes.marks[where]
    return fresh


def place_marks(marks: Iterable[tuple[BrandState, Mark]], stored: Mapping[MarkedItem, tuple[str, ...]]) -> None:
    """Put marks of interactions into the cuts of their items, where the interactions count, too.

    stored: the cuts of items that are not in memory
    """
    for brand, found in marks:
        key = found.item
        item = brand.items.get(key) if key else None
        if item and item.traits.cuts:
            found.cuts = item.traits.cuts
        elif key:
            found.cuts = stored.get((brand, key), found.cuts)


def count_marks(marks: Iterable[tuple[BrandState, Mark]], groups: Groups, changes: Changes) -> None:
    """Count events that were not marked before; each once, however many rules mark it."""
    for brand, found in marks:
        place = place_of(brand, found.cuts, found.moment, found.recorded)
        groups.at(place).sums[found.measure] += found.count
        changes.note(brand, found.cuts, found.recorded * 1000)


def move_marks(stored: Iterable[StoredMark], groups: Groups, changes: Changes) -> None:
    """Move stored marks of items that count in other cuts now."""
    for brand, key, mark_id, moment, cuts, measure, count in stored:
        now, recorded = brand.items[key].traits.cuts, changes.recut[brand, key]
        for moved, sign in ((cuts, -1), (now, 1)):
            groups.at(place_of(brand, moved, moment, recorded)).sums[measure] += sign * count
            changes.note(brand, moved, recorded * 1000)
        changes.moved_marks[brand, mark_id] = now
        if overruled := brand.overruled.get(mark_id):
            brand.overruled[mark_id] = msgspec.structs.replace(overruled, cuts=now[1:])
