"""What events say of the people behind them: deeds of advocates, and marks of the integrity screen.

It is settled after the fold, since what has to be loaded for it follows from the events alone:
each kind for a batch in one query. Acts of people are only ever added, a row an event; they are
read again where somebody turns out to have been an advocate, where an item turns out to be a
user's, and around late events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bellwether.adapters.postgres.pool import Connection
from bellwether_compute.acts import Act
from bellwether_compute.authors import Author, Deed
from bellwether_compute.changes import Changes
from bellwether_compute.groups import Groups, place_of
from bellwether_compute.integrity import (
    NO_SHOW,
    Publication,
    Show,
    Sighting,
    TracedSighting,
    TraceKey,
    between,
    earliest,
)
from bellwether_compute.loading_acts import Around, load_around, load_done, load_visits
from bellwether_compute.loading_people import (
    MarkedItem,
    Subject,
    begin,
    find_grounds,
    load_authors,
    load_item_cuts,
    load_marks_of,
    load_shows,
    load_traces,
    read_traces,
)
from bellwether_compute.marking import (
    Traces,
    Watched,
    count_marks,
    drop_known,
    mark,
    mark_recent,
    move_marks,
    place_marks,
    reach,
    sighting_of,
    told_apart,
)
from bellwether_compute.measuring import Derived
from bellwether_compute.recent import Recents
from bellwether_compute.sightings import ACTS, is_praise, membership_seen, seen_as, users_item
from bellwether_compute.state import BrandState, ItemKey
from bellwether_compute.taking import Taken

_EVER = 2**62


class Release(NamedTuple):
    """What an author did in [since, until), UTC seconds, counts as an advocate's by a mention."""

    by: Taken
    author: str
    since: int
    until: int


class Shown(NamedTuple):
    """An item that is, or may be, a user's: its publication, or an interaction with it.

    before: how many acts of the batch came before
    """

    by: Taken
    item: ItemKey
    visit: Act | None
    before: int


class Premiere(NamedTuple):
    """The publication of a user's item that was not told of before."""

    shown: Shown
    publication: Publication
    show: Show


class Found:
    """What a batch says of people that has to be settled with what is stored.

    subjects: what the rules with short windows may have seen enough of, by their acts in memory
    """

    def __init__(self) -> None:
        self.subjects: dict[Subject, list[Act]] = {}
        self.noted: Traces = defaultdict(list)
        self.releases: list[Release] = []
        self.shown: list[Shown] = []
        self.premieres: list[Premiere] = []

    def note(self, taken: Taken, traced: TracedSighting) -> None:
        """Keep a sighting for its trace."""
        key, sighting = traced
        self.noted[taken.brand, key].append((sighting, taken.record.timestamp // 1000))


async def settle_people(connection: Connection, groups: Groups, changes: Changes) -> None:
    """Count what the heard events say of people, and note what that changes."""
    brands = {taken.brand for taken, _ in changes.heard}
    await begin(connection, brands)
    await load_authors(connection, changes.heard)
    found = take_acts(groups, changes)
    await _release(connection, found.releases, groups, changes)
    await load_shows(connection, unknown_items(found.shown))
    take_shown(found, changes)
    await _open_premieres(connection, found, changes)
    await load_traces(connection, found.noted)
    mark(found.noted, changes)
    watched = told_apart(found.subjects, changes.acts)
    mark_recent(watched, await _stored_of_late(connection, watched), changes)
    fresh = drop_known(await find_grounds(connection, changes.marks), changes)
    place_marks(fresh, await load_item_cuts(connection, fresh))
    count_marks(fresh, groups, changes)
    move_marks(await load_marks_of(connection, changes.recut), groups, changes)
    for brand in brands:
        _recents(brand).let_go()


def take_acts(groups: Groups, changes: Changes) -> Found:
    """Count what advocates do, and show the rules what they watch, event by event."""
    found, acts, identities = Found(), changes.acts, changes.identities
    for taken, derived in changes.heard:
        read = ACTS.get(type(taken.event))
        if read is None:
            _take_rest(taken, found, changes)
        elif act := read(taken, derived, identities):
            if act.author in taken.brand.authors or (act.sentiment == "positive" and is_praise(taken.event, derived)):
                _count_act(taken, derived, act, found, groups, changes)
            if act.interactions > 0:
                _watch(taken, act, len(acts), found)
            acts.append(act)
    return found


def _take_rest(taken: Taken, found: Found, changes: Changes) -> None:
    """Take what is no act of an author: somebody joins or leaves, or a user's item is published."""
    for traced in membership_seen(taken):
        found.note(taken, traced)
    if item := users_item(taken.event):
        found.shown.append(Shown(taken, item, None, len(changes.acts)))


def _count_act(taken: Taken, derived: Derived, act: Act, found: Found, groups: Groups, changes: Changes) -> None:
    """Count an act of somebody who has praised the brand, and all that it makes an advocate's."""
    author = _author(taken.brand, act.author)
    since = author.advocate_since
    if is_praise(taken.event, derived):
        for deed in author.praise(act.moment):
            _count_deed(taken, act.author, deed, groups, changes)
        if since is None or act.moment < since:
            changes.authors[taken.brand, act.author] = author
    now = author.advocate_since
    if now is not None and now != since:
        release = Release(taken, act.author, now, _EVER if since is None else since)
        count_released(release, _done_in_batch(release, changes.acts), groups, changes)
        found.releases.append(release)
    if now is not None and act.moment >= now:
        _count_deed(taken, act.author, act.deed(), groups, changes)


def _author(brand: BrandState, name: str) -> Author:
    found = brand.authors.get(name)
    if found is None:
        found = brand.authors[name] = Author()
        if brand.stored_authors is not None:
            brand.stored_authors += 1
    return found


def _done_in_batch(release: Release, acts: Sequence[Act]) -> list[Act]:
    brand_id, since, until = release.by.brand.brand.brand_id, release.since, release.until
    return [
        act for act in acts if act.author == release.author and since <= act.moment < until and act.brand_id == brand_id
    ]


async def _release(connection: Connection, releases: Sequence[Release], groups: Groups, changes: Changes) -> None:
    """Count what is stored of those who turn out to have been advocates."""
    wanted = [(by.brand.brand.brand_id, author, since, until) for by, author, since, until in releases]
    for release, acts in zip(releases, await load_done(connection, wanted), strict=True):
        count_released(release, acts, groups, changes)


def count_released(release: Release, acts: Iterable[Act], groups: Groups, changes: Changes) -> None:
    """Count what somebody did who turns out to have been an advocate."""
    for act in acts:
        _count_deed(release.by, release.author, act.deed(), groups, changes)


def _count_deed(taken: Taken, author_id: str, deed: Deed, groups: Groups, changes: Changes) -> None:
    recorded = taken.record.timestamp // 1000
    group = groups.at(place_of(taken.brand, deed.cuts, deed.moment, recorded))
    group.add(deed.totals())
    group.people["advocates"].add(author_id)
    changes.note(taken.brand, deed.cuts, taken.record.timestamp)


def _watch(taken: Taken, act: Act, before: int, found: Found) -> None:
    """Show an interaction to the rules that watch interactions."""
    brand, recents, subjects = taken.brand, _recents(taken.brand), found.subjects
    if act.author and act.subject:
        subject = f"{act.channel} {act.author}"
        if acts := recents.spree.put(subject, act):
            subjects[brand, TraceKey("spree", subject)] = acts
        if act.is_new and (acts := recents.burst.put(subject := f"{act.channel} {act.subject}", act)):
            subjects[brand, TraceKey("burst", subject)] = acts
        if act.is_visit and brand.shows.get(item := (act.channel, act.subject)) is not NO_SHOW:
            found.shown.append(Shown(taken, item, act, before))
    if act.said is not None and (acts := recents.same_text.put(subject := act.said.hex(), act)):
        subjects[brand, TraceKey("same_text", subject)] = acts


def unknown_items(shown: Iterable[Shown]) -> set[MarkedItem]:
    """The items that are, or may be, a user's, and are not in memory."""
    return {(one.by.brand, one.item) for one in shown if one.item not in one.by.brand.shows}


def take_shown(found: Found, changes: Changes) -> None:
    """Take publications of users' items, and interactions after them."""
    for one in found.shown:
        show = one.by.brand.shows[one.item]
        if one.visit is None:
            _publish(one, show, found, changes)
        elif show.published:
            for traced in show.visit(seen_as(one.visit, ""), one.item[0]):
                found.note(one.by, traced)


def _publish(shown: Shown, show: Show, found: Found, changes: Changes) -> None:
    taken, item, *_ = shown
    if show is NO_SHOW:
        show = taken.brand.shows[item] = Show()
    author = taken.event.data.author
    if author is not None and show.publish(publication := Publication(taken.time, author.id)):
        changes.shows[taken.brand, item] = show
        found.premieres.append(Premiere(shown, publication, show))


async def _open_premieres(connection: Connection, found: Found, changes: Changes) -> None:
    """Note the prompt ones of the interactions with users' items that came before their publications were told of."""
    wanted = [(shown.by.brand.brand.brand_id, *shown.item) for shown, _, _ in found.premieres]
    for premiere, stored in zip(found.premieres, await load_visits(connection, wanted), strict=True):
        note_visits(premiere, stored, changes, found)


def note_visits(premiere: Premiere, stored: Iterable[Act], changes: Changes, found: Found) -> None:
    """Note the prompt ones of the earliest interactions with an item."""
    shown, publication, show = premiere
    acts = (*stored, *_visited_in_batch(shown, changes.acts))
    for visit in earliest([*show.visits, *(seen_as(act, "") for act in acts)]):
        for traced in between(publication, visit, shown.item[0]):
            found.note(shown.by, traced)


def _visited_in_batch(shown: Shown, acts: Sequence[Act]) -> list[Act]:
    brand_id, (channel, item) = shown.by.brand.brand.brand_id, shown.item
    return [
        act
        for act in acts[: shown.before]
        if act.is_visit and act.subject == item and act.channel == channel and act.brand_id == brand_id
    ]


async def _stored_of_late(connection: Connection, watched: Mapping[Subject, Watched]) -> dict[Subject, list[Sighting]]:
    """What is stored around events of subjects that happened before memory is whole."""
    late: dict[str, list[Subject]] = defaultdict(list)
    for (brand, key), (_, fresh) in watched.items():
        if min(act.moment for act in fresh) < _recents(brand).of(key.rule).late_before:
            late[key.rule].append((brand, key))
    found: dict[Subject, list[Sighting]] = {}
    for rule, wanted in late.items():
        found |= await read_traces(connection, wanted)
        around = [Around(watched[one].fresh[0], *reach(rule, watched[one].fresh)) for one in wanted]
        for (brand, key), acts in zip(wanted, await load_around(connection, rule, around), strict=True):
            found.setdefault((brand, key), []).extend(sighting_of(key, act) for act in acts)
    return found


def _recents(brand: BrandState) -> Recents:
    if brand.recents is None:
        raise ValueError("the latest acts of a brand are loaded before others are taken")
    return brand.recents
