"""One batch in, all that is to be written out. No clock, no I/O, no logging.

What a batch needs of Postgres is loaded before (`loading.py`), what it changes is written
after (`store.py`), in one transaction with the offsets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from bellwether.catalogue.cuts import cuts_of
from bellwether.wire.events import AudienceSnapshot, type_name
from bellwether_compute.changes import Changes
from bellwether_compute.cohorts import Cohorts
from bellwether_compute.dedup import Verdict, identity_of, utc_day
from bellwether_compute.gains import gains_of, keep_gain
from bellwether_compute.groups import Groups, place_of
from bellwether_compute.measuring import Count, Score, derive
from bellwether_compute.settlement import Settlement
from bellwether_compute.state import PartitionState
from bellwether_compute.subjects import item_key, level_moment
from bellwether_compute.taking import LeftOut, Reason, Taken
from bellwether_compute.talks import Talks

_QUARTER_MS = 15 * 60 * 1000
"""Local days begin at quarters of an hour everywhere, so all that is recorded in one is recorded on one day."""


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

    def select(self, partition: PartitionState, taken: Sequence[Taken], changes: Changes) -> list[Taken]:
        """The events that were not counted before; the others are counted as what they are."""
        fresh = []
        for event in taken:
            verdict = self._judge(partition, event, changes)
            outcome = "applied" if verdict is Verdict.NEW else verdict.value
            changes.outcomes[partition.part, event.brand.brand.tenant_id, outcome] += 1
            if verdict is Verdict.NEW:
                fresh.append(event)
            elif verdict is Verdict.CONFLICTING:
                detail = f"{event.event.source} {event.event.id} was counted with another body"
                tenant_id = event.brand.brand.tenant_id
                changes.left_out.append(LeftOut(event.record, Reason.CONFLICTING, detail, tenant_id))
        return fresh

    def _judge(self, partition: PartitionState, taken: Taken, changes: Changes) -> Verdict:
        day = utc_day(taken.time)
        identity = identity_of(taken.brand.brand.brand_id, taken.event.source, taken.event.id)
        verdict, entry = partition.seen.judge(identity, taken.record.value or b"", day)
        if entry:
            changes.seen.setdefault((partition.part, day), []).append(entry)
        return verdict

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
        cohorts = Cohorts(fresh)
        cohorts.move(groups)
        talks, settlement = Talks(fresh), Settlement(fresh)
        for taken in fresh:
            record, brand, event, moment = taken
            recorded = record.timestamp // 1000
            place = place_of(brand, cuts := cuts_of(event.data), moment, recorded)
            if counts := self._by_tenant.get(brand.brand.tenant_id, self._counts).get(type_name(event)):
                group, derived = groups.at(place), derive(event, self._score, moment)
                for count in counts:
                    count(event.data, derived, group)
                changes.hear(taken, derived)
            changes.note(brand, cuts, record.timestamp)
            key = item_key(taken)
            for gain in gains_of(taken, key):
                keep_gain(taken, key, gain, groups, changes)
            talks.take(taken)
            settlement.take(taken, groups, changes)
            _take_level(taken, cohorts, changes)
        cohorts.settle(groups, changes)
        talks.settle(groups, changes)
        settlement.settle(groups, changes)


def _take_level(taken: Taken, cohorts: Cohorts, changes: Changes) -> None:
    event, brand = taken.event, taken.brand
    if not isinstance(event, AudienceSnapshot):
        return
    data, moment = event.data, level_moment(taken, event)
    cuts, recorded = cuts_of(data), taken.record.timestamp // 1000
    stands = brand.put_level(data.audience, data.channel, event.source, moment, data.count, cuts[2:])
    key = (brand, data.channel, data.audience, event.source, moment)
    earlier = changes.levels.get(key)
    changes.levels[key] = (stands, recorded, tuple(dict.fromkeys((*(earlier[2] if earlier else ()), *cuts[1:]))))
    cohorts.touch_channel(brand, data.channel, taken.record.timestamp // 1000)
