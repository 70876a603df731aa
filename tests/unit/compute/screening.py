"""Settles what events say of people, in memory: a brand of which nothing is stored yet, and batches of its events.

As with `folding`, an empty database has nothing to load, so every author, trace and show that is unknown is a new one.
Of what a batch writes only acts are ever read again; they are kept aside and handed back as they would be loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bellwether.domain.timeline import Grain
from bellwether.domain.totals import Totals, merged
from bellwether_compute.acts import Act
from bellwether_compute.changes import Changes, Heard
from bellwether_compute.groups import Groups
from bellwether_compute.integrity import NO_SHOW, Ground
from bellwether_compute.marking import count_marks, drop_known, mark, mark_recent, place_marks, told_apart
from bellwether_compute.measuring import derive
from bellwether_compute.people import (
    Premiere,
    Release,
    count_released,
    note_visits,
    take_acts,
    take_shown,
    unknown_items,
)
from bellwether_compute.recent import Recents
from bellwether_compute.sightings import mark_id_of
from bellwether_compute.state import BrandState
from bellwether_compute.taking import take
from tests.unit.compute.folding import NOW, StoredRecord, brand_state, envelope, plain

T0 = NOW - 6 * 3600
"""Where the events of the tests begin: in the morning of the day on which they are recorded."""
Event = dict[str, Any]


def by_sign(text: str) -> float:
    """A score that reads the first character of a text: +, − or anything else."""
    return {"+": 0.8, "-": -0.8}.get(text[:1], 0.0)


def interaction(event_id: str, moment: int, author: str | None = None, item: str | None = "post", **more: Any) -> Event:
    """A like, unless it says otherwise."""
    who = {"id": author, **more.pop("account", {})} if author else None
    body = {"kind": "reaction", "content_id": item, "author": who, **more}
    told = {name: value for name, value in body.items() if value is not None}
    return envelope("social.interaction.v1", event_id, moment, **told)


def mention(event_id: str, moment: int, author: str, text: str, of: str = "aurora") -> Event:
    """A mention of the brand, unless it says otherwise."""
    return envelope("social.mention.v1", event_id, moment, of=of, text=text, author={"id": author})


def membership(event_id: str, moment: int, member: str, kind: str = "joined", **more: Any) -> Event:
    """A follower who joins or leaves."""
    body = {"audience": "followers", "member_id": member, **more}
    return envelope(f"social.audience.{kind}.v1", event_id, moment, **body)


class Screening:
    """A brand, what is known of the people behind its events, and what those add up to."""

    def __init__(self) -> None:
        self.brand = brand_state()
        self.brand.recents = Recents()
        self.acts: list[Act] = []
        self.marks: dict[str, dict[str, Ground]] = {}
        self._ids: dict[str, str] = {}

    def apply(self, events: Iterable[Event], recorded: float = NOW) -> None:
        """Settle one batch, all of it recorded at one moment."""
        changes, groups = Changes(), Groups()
        changes.heard = self._heard(list(events), recorded)
        found = take_acts(groups, changes)
        for release in found.releases:
            count_released(release, self._done(release), groups, changes)
        self.brand.shows |= {key: NO_SHOW for _, key in unknown_items(found.shown)}
        take_shown(found, changes)
        for premiere in found.premieres:
            note_visits(premiere, self._visits(premiere), changes, found)
        for _, traced in found.noted:
            self.brand.traces.setdefault(traced, [])
        mark(found.noted, changes)
        mark_recent(told_apart(found.subjects, changes.acts), {}, changes)
        fresh = drop_known({(self.brand, mark_id): grounds for mark_id, grounds in self.marks.items()}, changes)
        place_marks(fresh, {})
        count_marks(fresh, groups, changes)
        for (_, mark_id), told in changes.marks.items():
            self.marks.setdefault(mark_id, {}).update(told.grounds)
        self.acts += changes.acts
        _roll_up(groups)

    def _done(self, release: Release) -> list[Act]:
        _, author, since, until = release
        return [act for act in self.acts if act.author == author and since <= act.moment < until]

    def _visits(self, premiere: Premiere) -> list[Act]:
        return [act for act in self.acts if act.is_visit and (act.channel, act.subject) == premiere.shown.item]

    def _heard(self, events: list[Event], recorded: float) -> list[Heard]:
        records = [
            StoredRecord(0, 0, int(recorded * 1000), b"acme/aurora", json.dumps(event).encode()) for event in events
        ]
        taken, left_out = take(records, lambda _: self.brand)
        assert left_out == []
        for one in taken:
            self._ids[mark_id_of(one)] = one.event.id
        return [Heard(one, derive(one.event, by_sign, one.time)) for one in taken]

    def marked(self) -> dict[str, set[str]]:
        """The names of the rules by the id of the event that they mark."""
        return {self._ids[mark_id]: set(grounds) for mark_id, grounds in self.marks.items()}

    def everything(self) -> dict[str, object]:
        """Marks with their grounds, and all rollups, for comparison."""
        return {"marks": self.marks, "rollups": rollups_of(self.brand)}

    def total(self, cut: str = "") -> dict[str, Any]:
        """All of a cut, over all time."""
        days: list[Totals] = [
            totals for by_day in self.brand.timeline(cut)._buckets[Grain.DAY].values() for totals in by_day.values()
        ]
        return plain(merged(days))


def _roll_up(groups: Groups) -> None:
    for (brand, cut), chunks in groups.chunks().items():
        brand.timeline(cut).loaded |= chunks
    groups.roll_up()


def rollups_of(brand: BrandState) -> dict[tuple[Grain, str, int], dict[str, Any]]:
    """All that is in the rollups of a brand, summed over the days on which it was known, without zeros."""
    return {
        (grain, cut, bucket): shown
        for cut, timeline in brand.timelines.items()
        for grain in Grain
        for bucket, by_day in timeline._buckets[grain].items()
        if (shown := plain(merged(by_day.values())))
    }
