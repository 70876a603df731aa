"""What conflicts, crises, advertising and money contribute: the difference that a run of events makes to it.

What something contributed before the run is remembered; what it contributes after the run is added, and what it
no longer contributes is taken back where it was. So all of it is a function of the set of events.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from bellwether.adapters.postgres.incidents import StoredStep
from bellwether.catalogue.cuts import cuts_of
from bellwether.catalogue.publications import less
from bellwether.domain.incidents import Step
from bellwether.wire.events import CrisisIncident
from bellwether_compute.changes import Changes
from bellwether_compute.contributions import Contributor, Counted, Told, counted, extent
from bellwether_compute.groups import Groups
from bellwether_compute.incidents import Incident, step_of
from bellwether_compute.markers import Marked, marker_of
from bellwether_compute.matters import CONCERNED, entity_key, is_public_reply, rate_of
from bellwether_compute.prices import price_of
from bellwether_compute.state import BrandState
from bellwether_compute.taking import Taken


class ToldStep(NamedTuple):
    """A step of a crisis, and when it was recorded, in ms."""

    brand: BrandState
    incident_id: str
    step: Step
    recorded_ms: int


class Settlement:
    """Moves what entities and crises contribute, once a run."""

    def __init__(self, fresh: Sequence[Taken]) -> None:
        self._before: dict[tuple[BrandState, Contributor], Counted] = {}
        self._recorded: dict[BrandState, int] = {}
        self._concerned = [taken for taken in fresh if type(taken.event) in CONCERNED]
        for taken in self._concerned:
            self._note(taken.brand, taken.record.timestamp)
            for touched in _touched(taken):
                self._touch(taken.brand, touched)
        for brand, currencies in _repriced(self._concerned).items():
            for entity in brand.affairs.entities.values():
                if currencies & extent(entity, brand.affairs.reporting).currencies:
                    self._touch(brand, entity)

    @classmethod
    def of_steps(cls, told: Sequence[ToldStep]) -> Settlement:
        """A settlement of what these steps move."""
        settlement = cls(())
        for one in told:
            settlement._note(one.brand, one.recorded_ms)
            settlement._touch(one.brand, one.brand.affairs.incident(one.incident_id))
        return settlement

    def _note(self, brand: BrandState, recorded_ms: int) -> None:
        self._recorded[brand] = max(recorded_ms // 1000, self._recorded.get(brand, 0))

    def _touch(self, brand: BrandState, touched: Contributor) -> None:
        if (brand, touched) not in self._before:
            self._before[brand, touched] = counted(touched.contributions(), brand.affairs.rates)

    def take(self, groups: Groups, changes: Changes) -> None:
        """Take what the events say of the matters of their brands."""
        for taken in self._concerned:
            _take(taken, groups, changes)

    def settle(self, groups: Groups, changes: Changes) -> None:
        """Take back what is no longer contributed, and add what is."""
        for (brand, touched), before in self._before.items():
            if isinstance(touched, Incident):
                touched.hear(brand.affairs.replies)
            after = counted(touched.contributions(), brand.affairs.rates)
            for moment, cuts in before.keys() | after.keys():
                was, now = before.get((moment, cuts), {}), after.get((moment, cuts), {})
                if was != now:
                    group = groups.of(brand, cuts, moment, self._recorded[brand])
                    group.add(less(was))
                    group.add(now)
                    changes.note(brand, cuts, self._recorded[brand] * 1000)


def settle_steps(told: Sequence[ToldStep], groups: Groups, changes: Changes) -> None:
    """Take steps that no event tells of, as the detector's, and count what they contribute.

    Of an opening the first public message after it must be loaded (`loading_entities.load_first_replies`).
    """
    settlement = Settlement.of_steps(told)
    for one in told:
        _put_step(one, changes)
    settlement.settle(groups, changes)


def _take(taken: Taken, groups: Groups, changes: Changes) -> None:
    event: Any = taken.event
    brand, moment, recorded = taken.brand, taken.time, taken.record.timestamp // 1000
    told = Told(moment, cuts_of(event.data))
    if key := entity_key(event, brand.affairs.reporting):
        entity = brand.affairs.entity(key)
        entity.take(event, told, recorded)
        changes.entities[brand, key] = entity
    elif (price := price_of(event)) is not None:
        groups.of(brand, told.cuts, moment, recorded).add(brand.affairs.rates.totals(price, moment))
    _take_rate(taken, changes)
    _take_step(taken, told, changes)
    _take_marker(taken, told, changes)
    if is_public_reply(event):
        insort(brand.affairs.replies, moment)
        changes.replies.add((brand, moment))


def _touched(taken: Taken) -> Iterator[Contributor]:
    event, affairs = taken.event, taken.brand.affairs
    if key := entity_key(event, taken.brand.affairs.reporting):
        yield affairs.entity(key)
    elif isinstance(event, CrisisIncident):
        yield affairs.incident(event.data.incident_id)
    elif is_public_reply(event):
        yield from (incident for incident in affairs.incidents.values() if incident.may_hear(taken.time))


def _repriced(fresh: Sequence[Taken]) -> dict[BrandState, set[str]]:
    """The currencies about whose rates a run tells something."""
    found: dict[BrandState, set[str]] = {}
    for taken in fresh:
        if (rate := rate_of(taken)) and (currency := taken.brand.affairs.rates.currency_of(rate.base, rate.quote)):
            found.setdefault(taken.brand, set()).add(currency)
    return found


def _take_rate(taken: Taken, changes: Changes) -> None:
    if (rate := rate_of(taken)) is not None:
        taken.brand.affairs.rates.put(rate)
        changes.rates.append((taken.brand, rate))


def _take_step(taken: Taken, told: Told, changes: Changes) -> None:
    event = taken.event
    if isinstance(event, CrisisIncident):
        _put_step(ToldStep(taken.brand, event.data.incident_id, step_of(event, told), taken.record.timestamp), changes)


def _put_step(told: ToldStep, changes: Changes) -> None:
    """A step moves the crisis where that counts, whatever its own event counts in."""
    brand, incident_id, step, recorded = told
    incident = changes.incidents[brand, incident_id] = brand.affairs.incident(incident_id)
    changes.note(brand, incident.cuts(), recorded)
    brand.affairs.take_step(incident_id, step, recorded // 1000)
    changes.note(brand, incident.cuts(), recorded)
    known_on = brand.clock.day(recorded // 1000)
    changes.steps.append(StoredStep(brand.brand.brand_id, incident_id, step, known_on, recorded // 1000))


def _take_marker(taken: Taken, told: Told, changes: Changes) -> None:
    if (marker := marker_of(taken.event)) is None:
        return
    brand, recorded = taken.brand, taken.record.timestamp
    markers = brand.affairs.markers
    before, mark = markers.mark(marker), Marked(told.at, told.cuts, brand.clock.day(recorded // 1000))
    if markers.put(marker, mark):
        changes.note(brand, before.cuts if before else (), recorded)
        key = (brand, marker, mark.known_on)
        changes.markers[key] = min(mark, changes.markers.get(key, mark))
