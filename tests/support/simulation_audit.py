"""What has to hold in a simulation: at every commit, and when all is at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from bellwether.adapters.postgres.rollups import pack
from bellwether.domain.timeline import Grain
from bellwether_compute.changes import Changes
from bellwether_compute.identities import ENTRY_BYTES
from tests.support.audit import flattened
from tests.support.oracle import GRAINS, GROWING, Bucket, Expected, Known
from tests.support.oracle_conversations import Receipt
from tests.support.simulation_log import Log
from tests.support.simulation_store import Database, Tables

_MOST_SHOWN = 3
_OF_PEOPLE = ("advocate_",)
"""Measures that are counted where people are settled, which the simulation leaves out."""


class Watch:
    """Looks at every commit."""

    def __init__(self, database: Database, expected: Expected, slugs: Mapping[int, str]) -> None:
        self._database = database
        self._finals = expected.known["day"]
        self.slugs = slugs

    def look(self, log: Log) -> None:
        """Conservation, and no total above what it may come to. Raises AssertionError."""
        committed, self._database.committed = self._database.committed, []
        tables = self._database.tables
        for part, offset in enumerate(tables.offsets):
            accounted = sum(n for (where, _), n in tables.outcomes.items() if where == part)
            in_flight = len(log.parts[part]) - offset.next_offset
            assert accounted + in_flight == len(log.parts[part]), (
                f"partition {part}: {accounted} accounted for, {in_flight} in flight, {len(log.parts[part])} accepted"
            )
        for changes in committed:
            self._look_at_totals(changes)

    def _look_at_totals(self, changes: Changes) -> None:
        for row, totals in changes.rollups.items():
            if row.grain is Grain.DAY:
                bucket = Bucket(self.slugs[row.brand_id], row.cut, row.bucket)
                final = self._finals.get((bucket, row.known_on), Counter())
                found = flattened(pack(totals))
                above = {m: (found[m], final[m]) for m in GROWING if found[m] > final[m]}
                assert not above, f"{bucket}: above what may be: {above}"


def differences(tables: Tables, expected: Expected, slugs: Mapping[int, str]) -> list[str]:
    """In what the tables are not as the oracle says, in words."""
    applied = sum(map(len, (b"".join(s) for s in tables.segments.values()))) // ENTRY_BYTES
    compared: list[tuple[str, Mapping[Any, object], Mapping[Any, object]]] = [
        ("outcomes", expected.outcomes, tables.outcomes),
        ("quarantine", expected.quarantine, tables.quarantine),
        ("identities", {"stored": expected.outcome("applied")}, {"stored": applied}),
        ("levels", expected.levels, {(slugs[b], *key): n for (b, *key), (n, _) in tables.levels.items()}),
        (
            "items",
            expected.items,
            {(slugs[b], *k): (i.published_at, i.followers) for (b, *k), i in tables.items.items()},
        ),
        ("points", expected.points, _nonzero({(slugs[b], *key): n for (b, *key), n in tables.points.items()})),
        ("receipts", *_receipts(tables, expected, slugs)),
    ]
    compared += [
        (f"by {grain}", _without_people(expected.known[grain]), _known(tables, grain, slugs)) for grain in GRAINS
    ]
    return [words for name, wanted, found in compared for words in _differing(name, wanted, found)]


def _receipts(
    tables: Tables, expected: Expected, slugs: Mapping[int, str]
) -> tuple[dict[Any, object], dict[Any, object]]:
    wanted: dict[Any, object] = {
        key: (receipt, expected.receipts_known[key]) for key, receipt in expected.receipts.items()
    }
    found: dict[Any, object] = {
        (slugs[brand_id], *key): (
            Receipt(row.kind, row.received_at, row.answered_at, row.answered_by, row.timed),
            Known(row.known_on, row.answer_known_on),
        )
        for (brand_id, *key), row in tables.receipts.items()
    }
    return wanted, found


def _known(tables: Tables, grain: str, slugs: Mapping[int, str]) -> dict[Any, Counter[str]]:
    return _without_people(
        {
            (Bucket(slugs[brand_id], cut, bucket), known_on): flattened(totals)
            for (stored, brand_id, cut), rows in tables.rollups.items()
            if stored is Grain[grain.upper()]
            for (bucket, known_on), totals in rows.items()
        }
    )


def _without_people(totals: Mapping[Any, Counter[str]]) -> dict[Any, Counter[str]]:
    return _nonzero(
        {
            place: Counter({m: n for m, n in counts.items() if not m.startswith(_OF_PEOPLE)})
            for place, counts in totals.items()
        }
    )


def _nonzero(totals: Mapping[Any, Counter[str]]) -> dict[Any, Counter[str]]:
    found = {place: Counter({m: n for m, n in counts.items() if n}) for place, counts in totals.items()}
    return {place: counts for place, counts in found.items() if counts}


def _differing(name: str, wanted: Mapping[Any, object], found: Mapping[Any, object]) -> Iterator[str]:
    wrong = sorted((key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)), key=repr)
    if wrong:
        shown = "; ".join(f"{key}: {found.get(key)} instead of {wanted.get(key)}" for key in wrong[:_MOST_SHOWN])
        yield f"{name}: {len(wrong)} of {len(wanted)} differ: {shown}"
