"""A log of which a part was put aside, repaired and written again, and what has to come of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from random import Random

from tests.support.intake import written
from tests.support.ledger import TENANT, ZONES, Entry, Ledger
from tests.support.ledger_voice import Voice
from tests.support.oracle import Expected, Logged, Oracle

Place = tuple[int, int]
"""Partition and offset."""


class RepairedOracle(Oracle):
    """Knows which records of the log were put aside before what was wrong with them was put right.

    aside: the reason by place
    """

    def __init__(
        self,
        zones: Mapping[str, str],
        spoiled: Mapping[tuple[bytes | None, bytes | None], str],
        aside: Mapping[Place, str],
    ) -> None:
        super().__init__(zones, spoiled)
        self._aside = aside

    def take(self, record: Logged) -> None:
        """Judge one record; one that was put aside counts where it comes again."""
        reason = self._aside.get((record.part, record.offset))
        if reason is None:
            super().take(record)
            return
        self._expected.outcomes[record.part, "quarantined"] += 1
        self._expected.quarantine[record.part, record.offset] = (reason, record.key, record.value)


async def logged(bootstrap: str, topic: str) -> list[Logged]:
    """All records of a topic, by partition and offset."""
    found = await written(bootstrap, topic)
    return sorted(Logged(r.partition, r.offset, r.timestamp, r.key, r.value) for r in found)


def expected_after_repair(
    ledger: Ledger, records: Collection[Logged], zones: Mapping[str, str], aside: Mapping[Place, str]
) -> Expected:
    """What has to come of these records."""
    oracle = RepairedOracle({**ledger.zones, **zones}, ledger.spoiled, aside)
    for record in records:
        oracle.take(record)
    return oracle.expected()


def spoken_by(slug: str, seed: int, count: int, now: int, span_s: int) -> Iterator[Entry]:
    """So many sound events of a brand that no ledger has, one in ten of them twice, in the order of their arrival."""
    random = Random(seed)
    voice = Voice(random, slug, others=list(ZONES))
    for moment in sorted(random.randrange(now - span_s, now - 60) for _ in range(count)):
        value = json.dumps(voice.speak(moment)).encode()
        entry = Entry(moment * 1000 + 999, f"{TENANT}/{slug}".encode(), value)
        yield from [entry] * (2 if random.random() < 0.1 else 1)


def with_mirrors(expected: Expected, mirrors: Mapping[str, str]) -> Expected:
    """The same, where measures of a tenant's own count what built-in ones do."""
    rollups = (counts for totals in expected.rollups.values() for counts in totals.values())
    known = (counts for totals in expected.known.values() for counts in totals.values())
    for counts in chain(rollups, known):
        counts.update(Counter({own: counts[built_in] for own, built_in in mirrors.items() if counts[built_in]}))
    return expected
