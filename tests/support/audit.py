"""Reads everything that compute has written and holds it against what the oracle expects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg
import msgspec

from bellwether.adapters.postgres.pool import Connection
from tests.support.detected import Finding
from tests.support.oracle import GRAINS, GROWING, Bucket, Expected, Known
from tests.support.oracle_conversations import Receipt

_MOST_SHOWN = 12
_ROLLUPS = "SELECT b.slug, r.cut, r.bucket, r.known_on, r.totals FROM rollup_{grain} r JOIN brand b USING (brand_id)"
_OUTCOMES = "SELECT part, outcome, sum(events)::bigint FROM ledger WHERE stream = $1 GROUP BY 1, 2"
_QUARANTINE = "SELECT part, log_offset, reason, record_key, record_value FROM quarantine WHERE stream = $1"
_RECEIPTS = """
    SELECT b.slug, channel, conversation_id, message_id, kind, received_at, answered_at, answered_by, timed,
        known_on, answer_known_on
    FROM receipt JOIN brand b USING (brand_id)
"""
_LEVELS = """
    SELECT b.slug, channel, audience, account, observed_at, members FROM audience_level JOIN brand b USING (brand_id)
"""
_ITEMS = "SELECT b.slug, channel, content_id, published_at, followers FROM content_item JOIN brand b USING (brand_id)"
_POINTS = "SELECT b.slug, p.* FROM content_point p JOIN brand b USING (brand_id)"
_POINT_KEY = ("slug", "channel", "content_id", "minute", "known_on")
_IDENTITIES = "SELECT coalesce(sum(length(entries)), 0) / 20 FROM dedup_segment WHERE stream = $1"
_FINDINGS = """
    SELECT b.slug, w.onset, w.numbers FROM incident_word w JOIN brand b USING (brand_id)
    WHERE w.source = '/bellwether/detector' AND w.onset IS NOT NULL
"""
_OF_CRISES = ("crises_", "crisis_")
"""Measures of crises, which follow from their steps."""
_READ_TO = "SELECT part, next_offset FROM stream_offset WHERE stream = $1 AND next_offset > 0"
_SUMS = "SELECT b.slug, r.cut, r.totals FROM rollup_day r JOIN brand b USING (brand_id)"

_unpack = msgspec.msgpack.Decoder(dict[str, int | bytes | dict[int, int]]).decode


class Audit:
    """One look at the whole database; `differences` is empty where everything is as it has to be."""

    def __init__(self, connection: Connection, stream: str, expected: Expected) -> None:
        self._connection = connection
        self._stream = stream
        self._expected = expected
        self.differences: list[str] = []
        self.lost = 0
        self.double = 0
        self.outcomes: Counter[str] = Counter()

    async def run(self) -> None:
        """Compare every table."""
        await self._compare_records()
        for grain in GRAINS:
            await self._compare_rollups(grain)
        await self._compare_states()

    async def _compare_records(self) -> None:
        """What became of each record: the ledger, the quarantine, the identities, the offsets."""
        expected = self._expected
        outcomes = {(part, outcome): n for part, outcome, n in await self._fetch(_OUTCOMES, self._stream)}
        for (_, outcome), count in outcomes.items():
            self.outcomes[outcome] += count
        self._compare("outcomes", expected.outcomes, outcomes)
        quarantine = {(part, at): tuple(rest) for part, at, *rest in await self._fetch(_QUARANTINE, self._stream)}
        self._compare("quarantine", expected.quarantine, quarantine)
        identities = await self._connection.fetchval(_IDENTITIES, self._stream)
        self._compare("identities", {"stored": expected.outcome("applied")}, {"stored": identities})
        read = {row[0]: row[1] for row in await self._fetch(_READ_TO, self._stream)}
        records: Counter[int] = Counter()
        for (part, _), count in expected.outcomes.items():
            records[part] += count
        self._compare("offsets", records, read)

    async def _compare_rollups(self, grain: str) -> None:
        sums: dict[Bucket, Counter[str]] = {}
        known: dict[tuple[Bucket, int], Counter[str]] = {}
        for slug, cut, start, known_on, totals in await self._fetch(_ROLLUPS.format(grain=grain)):
            bucket, counts = Bucket(slug, cut, start), _without_crises(flattened(totals))
            sums.setdefault(bucket, Counter()).update(counts)
            known.setdefault((bucket, known_on), Counter()).update(counts)
        self._compare(f"by {grain}", self._expected.rollups[grain], _nonzero(sums))
        self._compare(f"by {grain} and day of knowledge", self._expected.known[grain], _nonzero(known))
        if grain == "day":
            self._count_mentions(sums)

    def _count_mentions(self, sums: Mapping[Bucket, Counter[str]]) -> None:
        """Lost and double events, as far as sums tell: by bucket, so that they do not cancel out."""
        for bucket in sums.keys() | self._expected.rollups["day"].keys():
            for measure in GROWING:
                have = sums.get(bucket, Counter())[measure]
                wanted = self._expected.rollups["day"].get(bucket, Counter())[measure]
                if not bucket.cut and measure in ("mentions", "competitor_mentions", "messages_received"):
                    self.lost += max(0, wanted - have)
                    self.double += max(0, have - wanted)

    async def _compare_states(self) -> None:
        """Receipts, audiences and content items."""
        rows = await self._fetch(_RECEIPTS)
        self._compare("receipts", self._expected.receipts, {tuple(row[:4]): Receipt(*row[4:9]) for row in rows})
        known = {tuple(row[:4]): Known(*row[9:]) for row in rows}
        self._compare("days of knowledge of receipts", self._expected.receipts_known, known)
        levels = {tuple(row[:5]): row[5] for row in await self._fetch(_LEVELS)}
        self._compare("levels", self._expected.levels, levels)
        items = {tuple(row[:3]): tuple(row[3:]) for row in await self._fetch(_ITEMS)}
        self._compare("items", self._expected.items, items)
        points = {tuple(row[name] for name in _POINT_KEY): _counters(row) for row in await self._fetch(_POINTS)}
        self._compare("points", self._expected.points, _nonzero(points))
        findings = {(row[0], _finding(row[1], row[2])): True for row in await self._fetch(_FINDINGS)}
        self._compare("findings of detectors", self._expected.findings, findings)

    async def _fetch(self, query: str, *arguments: object) -> Iterable[asyncpg.Record]:
        return await self._connection.fetch(query, *arguments)

    def _compare(self, what: str, wanted: Mapping[Any, object], found: Mapping[Any, object]) -> None:
        wrong = [key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]
        if wrong:
            shown = (
                f"{key}: {_told(wanted.get(key), found.get(key))}" for key in sorted(wrong, key=repr)[:_MOST_SHOWN]
            )
            self.differences.append(f"{what}: {len(wrong)} of {len(wanted)} differ\n    " + "\n    ".join(shown))


def _finding(onset: int, numbers: str) -> Finding:
    told = msgspec.json.decode(numbers)
    return Finding(told["cut"], told["change"], told["at"], onset, told["severity"])


def _without_crises(counts: Counter[str]) -> Counter[str]:
    return Counter({name: n for name, n in counts.items() if not name.startswith(_OF_CRISES)})


def _counters(row: asyncpg.Record) -> Counter[str]:
    return Counter({name: count for name, count in row.items() if name not in {*_POINT_KEY, "brand_id"}})


def _told(wanted: object, found: object) -> str:
    if isinstance(wanted, Counter) and isinstance(found, Counter):
        names = sorted(n for n in wanted.keys() | found.keys() if wanted[n] != found[n])
        return ", ".join(f"{name} {found[name]} instead of {wanted[name]}" for name in names)
    return f"{found} instead of {wanted}"


def flattened(totals: bytes) -> Counter[str]:
    """Packed totals as integers, a distribution as a measure per bin; sketches are left out."""
    counts: Counter[str] = Counter()
    for measure, total in _unpack(totals).items():
        if isinstance(total, int):
            counts[measure] = total
        elif isinstance(total, dict):
            counts.update({f"{measure}[{at}]": n for at, n in total.items()})
    return counts


def _nonzero(totals: Mapping[Any, Counter[str]]) -> dict[Any, Counter[str]]:
    found = {place: Counter({m: n for m, n in counts.items() if n}) for place, counts in totals.items()}
    return {place: counts for place, counts in found.items() if counts}


async def audit(dsn: str, stream: str, expected: Expected) -> Audit:
    """Compare all that is in the database with what is expected."""
    connection = await asyncpg.connect(dsn)
    try:
        found = Audit(connection, stream, expected)
        await found.run()
    finally:
        await connection.close()
    return found


async def growing_sums(connection: Connection) -> Counter[tuple[str, str, str]]:
    """The sums over all days, at this moment, of the measures that never fall, by brand, cut and measure."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for slug, cut, totals in await connection.fetch(_SUMS):
        counts = flattened(totals)
        sums.update({(slug, cut, measure): counts[measure] for measure in GROWING & counts.keys()})
    return sums
