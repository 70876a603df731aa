"""What events say of the people behind them: deeds of advocates, and marks of the integrity screen.

It is settled after the fold, since what has to be loaded for it follows from the events alone:
authors, traces and shows of a batch in one query each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from bellwether.adapters.postgres.pool import Connection
from bellwether.catalogue.screen import RULES
from bellwether.wire.events import ContentPublished, Interaction
from bellwether_compute.authors import Deed
from bellwether_compute.changes import Changes, Heard
from bellwether_compute.groups import Groups, place_of
from bellwether_compute.integrity import Mark, Publication, Sighting, TraceKey, forget_oldest, ground_of, judge, put
from bellwether_compute.loading_people import (
    MarkedItem,
    StoredMark,
    find_marked,
    load_authors,
    load_item_cuts,
    load_marks_of,
    load_shows,
    load_traces,
)
from bellwether_compute.sightings import deed_of, is_praise, sightings_of, visit_of
from bellwether_compute.state import BrandState, ItemKey
from bellwether_compute.taking import Taken

Noted = tuple[Sighting, int]
"""A sighting, and when its event was recorded, UTC seconds."""
Traces = dict[tuple[BrandState, TraceKey], list[Noted]]
_QUARTER_S = 15 * 60


async def settle_people(connection: Connection, groups: Groups, changes: Changes) -> None:
    """Count what the heard events say of people, and note what that changes."""
    heard = changes.heard
    await load_authors(connection, heard)
    count_deeds(heard, groups, changes)
    shown = [(taken, key) for taken, _ in heard if (key := show_key(taken))]
    await load_shows(connection, shown)
    noted = note_sightings(heard, shown, changes)
    await load_traces(connection, noted)
    mark(noted, changes)
    known = await find_marked(connection, changes.marks)
    fresh = [(brand, found) for (brand, mark_id), found in changes.marks.items() if (brand, mark_id) not in known]
    place_marks(fresh, await load_item_cuts(connection, fresh))
    count_marks(fresh, groups, changes)
    move_marks(await load_marks_of(connection, changes.recut), groups, changes)


def count_deeds(heard: Sequence[Heard], groups: Groups, changes: Changes) -> None:
    """Count what advocates did, also earlier deeds of those who turn out to have been advocates."""
    for taken, derived in heard:
        author_id, brand, counted = derived.author, taken.brand, list[Deed]()
        deed = deed_of(taken, derived)
        if author_id is None or deed is None:
            continue
        author = brand.authors[author_id]
        since = author.advocate_since
        if is_praise(taken.event, derived):
            counted.extend(author.praise(taken.time))
        counted.extend(author.act(deed))
        if since is None or taken.time < since:
            changes.authors[brand, author_id] = author
        for done in counted:
            _count_deed(taken, author_id, done, groups, changes)


def _count_deed(taken: Taken, author_id: str, deed: Deed, groups: Groups, changes: Changes) -> None:
    recorded = taken.record.timestamp // 1000
    group = groups.at(place_of(taken.brand, deed.cuts, deed.moment, recorded))
    group.add(deed.totals())
    group.people["advocates"].add(author_id)
    changes.note(taken.brand, deed.cuts, taken.record.timestamp)


def show_key(taken: Taken) -> ItemKey | None:
    """The item that an event tells of as a user's, or interacts with while it may be one."""
    event = taken.event
    if isinstance(event, ContentPublished):
        return (event.data.channel, event.data.content_id) if event.data.ugc and event.data.author else None
    if not isinstance(event, Interaction) or event.data.author is None or event.data.content_id is None:
        return None
    key = (event.data.channel, event.data.content_id)
    item = taken.brand.items.get(key)
    return None if item and item.published_at is not None else key


def note_sightings(heard: Sequence[Heard], shown: Sequence[tuple[Taken, ItemKey]], changes: Changes) -> Traces:
    """What the rules see of events, by trace."""
    noted: Traces = defaultdict(list)
    for taken, _ in heard:
        for key, sighting in sightings_of(taken):
            noted[taken.brand, key].append((sighting, taken.record.timestamp // 1000))
    for taken, item in shown:
        for key, sighting in _meet(taken, item, changes):
            noted[taken.brand, key].append((sighting, taken.record.timestamp // 1000))
    return noted


def _meet(taken: Taken, item: ItemKey, changes: Changes) -> Iterator[tuple[TraceKey, Sighting]]:
    event, show = taken.event, taken.brand.shows[item]
    if isinstance(event, ContentPublished) and event.data.author:
        changes.shows[taken.brand, item] = show
        yield from show.publish(Publication(taken.time, event.data.author.id), item[0])
    elif visit := visit_of(taken):
        if not show.is_full_before(visit):
            changes.shows[taken.brand, item] = show
        yield from show.visit(visit, item[0])


def mark(noted: Traces, changes: Changes) -> None:
    """Put sightings into their traces, and mark what the rules mark."""
    for (brand, key), sightings in noted.items():
        trace = changes.traces[brand, key] = brand.traces[key]
        for _, run in groupby(sightings, key=lambda sighted: sighted[1] // _QUARTER_S):
            together = list(run)
            for sighting, _ in together:
                put(trace, sighting)
            recorded = max(at for _, at in together)
            for marked in judge(RULES[key.rule], trace):
                if marked.count:
                    _mark(brand, key, marked, recorded, changes)
        forget_oldest(trace)


def _mark(brand: BrandState, key: TraceKey, marked: Sighting, recorded: int, changes: Changes) -> None:
    found = changes.marks.get((brand, marked.mark_id))
    if found is None:
        cuts, measure = marked.cuts, RULES[key.rule].marks
        found = Mark(marked.moment, cuts, measure, marked.count, marked.author, marked.about, recorded, {})
        changes.marks[brand, marked.mark_id] = found
    found.recorded = min(found.recorded, recorded)
    found.grounds[key.rule] = ground_of(key, marked)


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
