"""Markers: moments before and after which KPIs are compared, as the start of a campaign."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

from bellwether.wire.events import Activity, Collaboration, ContentPublished, Event
from bellwether_compute.contributions import Cuts

ACTIVITIES = frozenset({"training", "partner_event", "platform_change"})
"""The activities that mark a moment, each event one of its own."""


class Marker(NamedTuple):
    """What is marked; of several events about one marker the earliest stands."""

    name: str
    subject: str


class Marked(NamedTuple):
    """When (UTC seconds), in which cuts, and on which local day that was recorded."""

    moment: int
    cuts: Cuts
    known_on: int


def marker_of(event: Event) -> Marker | None:
    """The marker that an event tells of, if any."""
    if isinstance(event, ContentPublished) and event.data.campaign and not event.data.ugc:
        return Marker("campaign_started", event.data.campaign)
    if isinstance(event, Collaboration) and event.data.phase == "started":
        return Marker("collaboration_started", event.data.collaboration_id)
    if isinstance(event, Activity) and event.data.activity in ACTIVITIES:
        return Marker(event.data.activity, f"{event.source} {event.id}")
    return None


class Markers:
    """The markers of a brand, by cut and name."""

    def __init__(self) -> None:
        self._marks: dict[Marker, Marked] = {}
        self._moments: dict[str, dict[str, list[int]]] = {}

    def of_cut(self, cut: str) -> dict[str, list[int]]:
        """Moments by name of the marker, ascending, UTC seconds."""
        return self._moments.get(cut, {})

    def mark(self, marker: Marker) -> Marked | None:
        """What stands for a marker."""
        return self._marks.get(marker)

    def put(self, marker: Marker, mark: Marked) -> bool:
        """Take an event about a marker; whether it says what was not known when it was recorded."""
        known = self._marks.get(marker)
        if known is None or mark[:2] < known[:2]:
            if known is not None:
                self._show(marker.name, known, is_shown=False)
            self._show(marker.name, mark, is_shown=True)
            self._marks[marker] = mark
            return True
        if mark[:2] == known[:2] and mark.known_on < known.known_on:
            self._marks[marker] = mark
        return mark.known_on < known.known_on

    def _show(self, name: str, mark: Marked, *, is_shown: bool) -> None:
        for cut in mark.cuts:
            moments = self._moments.setdefault(cut, {}).setdefault(name, [])
            if is_shown:
                insort(moments, mark.moment)
            else:
                del moments[bisect_left(moments, mark.moment)]
                if not moments:
                    del self._moments[cut][name]
