"""One batch in, all that is to be written out. No clock, no I/O, no logging.

What a batch needs of Postgres is loaded before (`loading.py`), what it changes is written
after (`store.py`), in one transaction with the offsets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby

from bellwether.catalogue.cuts import cuts_of
from bellwether.wire.events import EVENT_TYPES, AudienceSnapshot, Event
from bellwether_compute.changes import Changes
from bellwether_compute.cohorts import Cohorts
from bellwether_compute.dedup import Verdict, identity_of, utc_day
from bellwether_compute.gains import take_gains
from bellwether_compute.groups import Groups
from bellwether_compute.measuring import Count, Score, derive
from bellwether_compute.settlement import Settlement
from bellwether_compute.state import PartitionState
from bellwether_compute.subjects import item_key, level_moment
from bellwether_compute.taking import LeftOut, Reason, Taken
from bellwether_compute.talks import Talks

_QUARTER_MS = 15 * 60 * 1000
"""Local days begin at quarters of an hour everywhere, so all that is recorded in one is recorded on one day."""
_SURELY_REMEMBERED = 1_000
"""Characters of a text."""
_NAMES: dict[type, str] = {kind: name for name, kind in EVENT_TYPES.items()}


class Pipeline:
    """Folds events into the state of their partitions.

    counts: for every event type the functions that count one (`measuring.compile_measures`)
    score: the sentiment of a text, −1…1
    """

    def __init__(self, counts: Mapping[str, tuple[Count, ...]], score: Score) -> None:
        self._counts = counts
        self._score = score
        self._by_tenant: Mapping[int, Mapping[str, tuple[Count, ...]]] = {}

    def count_for(self, by_tenant: Mapping[int, Mapping[str, tuple[Count, ...]]]) -> None:
        """Count the events of these tenants with these functions instead."""
        self._by_tenant = by_tenant

    def score_ahead(self, event: Event) -> None:
        """Score a text before its event is counted: the scorer remembers short ones."""
        text = getattr(event.data, "text", None)
        if text and len(text) <= _SURELY_REMEMBERED:
            derive(event, self._score, 0)

    def select(self, partition: PartitionState, taken: Sequence[Taken], changes: Changes) -> list[Taken]:
        """The events that were not counted before; the others are counted as what they are."""
        fresh, entries = [], defaultdict[int, list[bytes]](list)
        judge = partition.seen.judge
        for event in taken:
            identity = identity_of(event.brand.brand.brand_id, event.event.source, event.event.id)
            day = utc_day(event.time)
            verdict, entry = judge(identity, event.record.value or b"", day)
            if verdict is Verdict.NEW:
                entries[day].append(entry)
                changes.identities[id(event.record)] = identity
                fresh.append(event)
            else:
                _leave_out(partition.part, event, verdict, changes)
        for tenant_id, applied in Counter(event.brand.brand.tenant_id for event in fresh).items():
            changes.outcomes[partition.part, tenant_id, "applied"] += applied
        for day, new in entries.items():
            changes.seen.setdefault((partition.part, day), []).extend(new)
        return fresh

    def fold(self, fresh: Sequence[Taken], changes: Changes) -> Groups:
        """Count events: one by one what an event says alone, then what it says with others."""
        groups = Groups()
        for _, run in groupby(fresh, key=lambda taken: taken.record.timestamp // _QUARTER_MS):
            self._fold_run(list(run), groups, changes)
        for item in changes.items.values():
            item.by_minute = None
        return groups

    def _fold_run(self, fresh: Sequence[Taken], groups: Groups, changes: Changes) -> None:
        """Count events that were recorded on one local day, whichever brand's."""
        cohorts, talks, settlement = Cohorts(fresh), Talks(fresh), Settlement(fresh)
        cohorts.move(groups)
        for taken in fresh:
            self._count(taken, groups, changes)
            take_gains(taken, item_key(taken), groups, changes)
        settlement.take(groups, changes)
        _take_levels(fresh, cohorts, changes)
        cohorts.settle(groups, changes)
        talks.settle(groups, changes)
        settlement.settle(groups, changes)

    def _count(self, taken: Taken, groups: Groups, changes: Changes) -> None:
        """Count what an event says alone."""
        record, brand, event, moment = taken
        cuts = cuts_of(event.data)
        changes.note(brand, cuts, record.timestamp)
        if counts := self._by_tenant.get(brand.brand.tenant_id, self._counts).get(_NAMES[type(event)]):
            group = groups.of(brand, cuts, moment, record.timestamp // 1000)
            derived = derive(event, self._score, moment)
            for count in counts:
                count(event.data, derived, group)
            changes.hear(taken, derived)


def _leave_out(part: int, taken: Taken, verdict: Verdict, changes: Changes) -> None:
    tenant_id, event = taken.brand.brand.tenant_id, taken.event
    changes.outcomes[part, tenant_id, verdict.value] += 1
    if verdict is Verdict.CONFLICTING:
        detail = f"{event.source} {event.id} was counted with another body"
        changes.left_out.append(LeftOut(taken.record, Reason.CONFLICTING, detail, tenant_id))


def _take_levels(fresh: Sequence[Taken], cohorts: Cohorts, changes: Changes) -> None:
    for taken in fresh:
        if type(taken.event) is AudienceSnapshot:
            _take_level(taken, taken.event, cohorts, changes)


def _take_level(taken: Taken, event: AudienceSnapshot, cohorts: Cohorts, changes: Changes) -> None:
    brand, data, moment = taken.brand, event.data, level_moment(taken, event)
    cuts, recorded = cuts_of(data), taken.record.timestamp // 1000
    stands = brand.put_level(data.audience, data.channel, event.source, moment, data.count, cuts[2:])
    key = (brand, data.channel, data.audience, event.source, moment)
    earlier = changes.levels.get(key)
    changes.levels[key] = (stands, recorded, tuple(dict.fromkeys((*(earlier[2] if earlier else ()), *cuts[1:]))))
    cohorts.touch_channel(brand, data.channel, taken.record.timestamp // 1000)
