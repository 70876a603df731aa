"""A database for the simulation: what compute's one transaction does to it, and what its loads find.

It understands claims, segments of identities and guards, and the transaction of a cycle as a whole. What the
transaction means is said here once more and in another way than in SQL: whole rows replace whole rows, points add up,
and all of it, or none, happens where the partition is still under the epoch and at the offset that it was left at.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg

from bellwether.adapters.postgres.rollups import buckets_of, pack, unpack
from bellwether.catalogue.cuts import TOTAL
from bellwether.domain.timeline import Chunk, Grain
from bellwether.wire.events import AudienceSnapshot
from bellwether_compute.changes import Changes
from bellwether_compute.content import Item
from bellwether_compute.conversations import Conversation
from bellwether_compute.identities import ENTRY_BYTES
from bellwether_compute.loading import read_by_minute
from bellwether_compute.state import BrandState
from bellwether_compute.store import Advance, Fenced
from bellwether_compute.subjects import conversation_key, item_key
from bellwether_compute.taking import Taken
from bellwether_compute.talks import cuts_in

Point = Callable[[str], Awaitable[bool]]
"""Waits for its turn at a named point. True: the effect is to happen, and its answer to be lost."""


class Lost(ConnectionError):
    """What a worker sees of a fault: nothing came back."""


class Flaws(NamedTuple):
    """Bugs to plant; the simulation has to find each of them.

    no_fence: the transaction does not ask under which epoch and at which offset the partition is
    marked_first: identities are written before, and apart from, what their events fold into
    moved_first: offsets are
    no_seek: after a failure reading goes on where it was
    keeps_state: after a failure what is in memory is kept
    """

    no_fence: bool = False
    marked_first: bool = False
    moved_first: bool = False
    no_seek: bool = False
    keeps_state: bool = False


class StoredReceipt(NamedTuple):
    """The columns of a receipt that are compared; moments in UTC seconds."""

    kind: str
    received_at: int
    known_on: int
    answered_at: int | None
    answered_by: str | None
    answer_known_on: int | None
    timed: bool

    def after(self, stored: StoredReceipt | None) -> StoredReceipt:
        """As it is stored in place of another: of what stays as it was, the stored day stands."""
        if stored is None:
            return self
        same_message = (stored.kind, stored.received_at) == (self.kind, self.received_at)
        answer = (self.answered_at, self.answered_by)
        same_answer = self.answered_at is not None and answer == (stored.answered_at, stored.answered_by)
        return self._replace(
            known_on=stored.known_on if same_message else self.known_on,
            answer_known_on=stored.answer_known_on if same_answer else self.answer_known_on,
        )


@dataclass
class Offset:
    """A row of `stream_offset`; `holder` is the connection whose transaction has locked it."""

    epoch: int = 0
    next_offset: int = 0
    fingerprint: bytes | None = None
    holder: Connection | None = None


@dataclass
class Tables:
    """Everything that is stored, by what it is kept under; brands by their ids."""

    offsets: list[Offset]
    segments: dict[tuple[int, int], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    outcomes: Counter[tuple[int, str]] = field(default_factory=Counter)
    quarantine: dict[tuple[int, int], tuple[str, bytes | None, bytes | None]] = field(default_factory=dict)
    rollups: dict[tuple[Grain, int, str], dict[tuple[int, int], bytes]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    levels: dict[tuple[int, str, str, str, int], tuple[int, frozenset[str]]] = field(default_factory=dict)
    items: dict[tuple[int, str, str], Item] = field(default_factory=dict)
    points: dict[tuple[int, str, str, int, int], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    talks: dict[tuple[int, str, str], Conversation] = field(default_factory=dict)
    receipts: dict[tuple[int, str, str, str], StoredReceipt] = field(default_factory=dict)

    def write_marks(self, changes: Changes) -> None:
        """The identities that were counted."""
        for key, entries in changes.seen.items():
            self.segments[key].extend(entries)

    def write_log_side(self, changes: Changes) -> None:
        """What became of every record. Raises UniqueViolationError where one is in quarantine already."""
        for out in changes.left_out:
            place = (out.record.partition, out.record.offset)
            if place in self.quarantine:
                raise asyncpg.UniqueViolationError(f"{place} is in quarantine")
            self.quarantine[place] = (out.reason.value, out.record.key, out.record.value)
        for (part, _, outcome), events in changes.outcomes.items():
            self.outcomes[part, outcome] += events

    def write_measures(self, changes: Changes) -> None:
        """Rollups and states, whole; points of items add up."""
        for row, totals in changes.rollups.items():
            self.rollups[row.grain, row.brand_id, row.cut][row.bucket, row.known_on] = pack(totals)
        for (brand, *level), (count, _, cuts) in changes.levels.items():
            key: Any = (brand.brand.brand_id, *level)
            _, before = self.levels.get(key, (0, frozenset()))
            self.levels[key] = (count, before | frozenset(cuts))
        for (brand, item_at), item in changes.items.items():
            self.items[brand.brand.brand_id, *item_at] = copy.deepcopy(item)
        for (brand, item_at, minute, known_on), gained in changes.points.items():
            self.points[brand.brand.brand_id, *item_at, minute, known_on].update(gained)
        for (brand, talk_at), talk in changes.conversations.items():
            self.talks[brand.brand.brand_id, *talk_at] = copy.deepcopy(talk)
        for (brand, talk_at, message_id), receipt in changes.receipts.items():
            received, answer, _, _, clocks = receipt.standing
            place = (brand.brand.brand_id, *talk_at, message_id)
            told = StoredReceipt(
                kind=received.kind,
                received_at=received.at,
                known_on=receipt.known_on,
                answered_at=answer.at if answer else None,
                answered_by=answer.message_id if answer else None,
                answer_known_on=receipt.answer_known_on if answer else None,
                timed=clocks is None or clocks.wall is not None,
            )
            self.receipts[place] = told.after(self.receipts.get(place))

    def fill(self, fresh: Sequence[Taken]) -> None:
        """Put into memory what these events need and is not there."""
        for brand in {taken.brand for taken in fresh}:
            if not brand.loaded:
                self._fill_brand(brand)
        for taken in fresh:
            brand, brand_id = taken.brand, taken.brand.brand.brand_id
            if item_at := item_key(taken):
                self._fill_item(brand, item_at)
                brand.items.setdefault(item_at, Item())
            if (talk_at := conversation_key(taken)) and talk_at not in brand.conversations:
                stored = self.talks.get((brand_id, *talk_at))
                brand.conversations[talk_at] = copy.deepcopy(stored) if stored else Conversation()
            if isinstance(taken.event, AudienceSnapshot):
                for _, *key in [key for key in self.items if key[0] == brand_id]:
                    self._fill_item(brand, (key[0], key[1]))
        for brand, item_at in read_by_minute(fresh):
            brand.items[item_at].by_minute = self._by_minute(brand.brand.brand_id, *item_at)

    def _fill_brand(self, brand: BrandState) -> None:
        brand_id = brand.brand.brand_id
        levels = (key for key in self.levels if key[0] == brand_id)
        for key in sorted(levels, key=lambda key: key[4]):
            count, cuts = self.levels[key]
            audience: Any = key[2]
            brand.put_level(audience, key[1], key[3], key[4], count, cuts)
        for (owner, channel, _), talk in self.talks.items():
            for standing in talk.standings.values() if owner == brand_id else ():
                if standing.waits:
                    received = standing.received
                    brand.set_waiting(received.kind, cuts_in(channel, received), received.at, waits=True)
        brand.loaded = True

    def _fill_item(self, brand: BrandState, item_at: tuple[str, str]) -> None:
        stored = self.items.get((brand.brand.brand_id, *item_at))
        if stored is not None and item_at not in brand.items:
            brand.items[item_at] = copy.deepcopy(stored)

    def _by_minute(self, brand_id: int, channel: str, content_id: str) -> dict[int, dict[str, int]]:
        found: dict[int, Counter[str]] = defaultdict(Counter)
        for (*item, minute, _), gained in self.points.items():
            if item == [brand_id, channel, content_id]:
                found[minute].update(gained)
        return {minute: dict(gained) for minute, gained in found.items()}

    def fill_chunks(self, wanted: Mapping[tuple[BrandState, str], Collection[Chunk]]) -> None:
        """Put chunks of rollups into memory that are not there."""
        for (brand, cut), chunks in wanted.items():
            timeline = brand.timeline(cut)
            for chunk in set(chunks) - timeline.loaded:
                grain, start, stop = buckets_of(chunk, timeline.clock)
                for (bucket, known_on), totals in self.rollups[grain, brand.brand.brand_id, cut].items():
                    if start <= bucket < stop:
                        timeline.put(grain, bucket, known_on, unpack(totals))
                timeline.loaded.add(chunk)


class Database:
    """The tables, and who is in a transaction on them.

    refused: identities of which Postgres refuses what their events fold into
    """

    def __init__(self, cluster: str, partitions: int, refused: Collection[bytes], flaws: Flaws) -> None:
        self.guard = {"cluster_id": cluster, "partitions": partitions}
        self.tables = Tables([Offset() for _ in range(partitions)])
        self.refused = refused
        self.flaws = flaws
        self.most_events: int | None = None
        """With more events than that a transaction does not end in time; None for no limit."""
        self.committed: list[Changes] = []
        """What was committed since somebody last looked."""
        self.stale = 0
        """How many transactions came from somebody who was no longer the owner, or not where it thought."""

    def free(self, connection: Connection) -> None:
        """Its transaction has ended, one way or the other."""
        for offset in self.tables.offsets:
            if offset.holder is connection:
                offset.holder = None


class Connection:
    """One worker's connection; every call waits for its turn and may fail."""

    def __init__(self, database: Database, point: Point) -> None:
        self.database = database
        self.point = point

    async def fetchrow(self, query: str, *arguments: Any) -> Mapping[str, Any] | None:
        """The guard of the stream, or a claim."""
        if "stream_guard" in query:
            await self.point("guard")
            return self.database.guard
        assert "SET epoch = epoch + 1" in query, query
        try:
            return await self._claim(await self._locked(arguments[1]))
        finally:
            self.database.free(self)

    async def _claim(self, offset: Offset) -> Mapping[str, Any]:
        lost = await self.point("claim")
        offset.epoch += 1
        if lost:
            raise Lost("claim")
        return {
            "epoch": offset.epoch,
            "next_offset": offset.next_offset,
            "last_fingerprint": offset.fingerprint,
        }

    async def fetch(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Segments of identities, and of every brand that its total is kept; nothing else is stored.

        Only what is kept is waited for: for others a connection is asked for before, at a point of its own.
        """
        if "kpi_current" in query:
            await self.point("shown")
            return [(brand_id, TOTAL) for brand_id in arguments[0]]
        if "dedup_segment" not in query:
            return []
        _, part, days = arguments
        segments = self.database.tables.segments
        return [(day, b"".join(segments[part, day])) for day in days if (part, day) in segments]

    async def _locked(self, part: int) -> Offset:
        """The row of a partition, as soon as no other transaction holds it."""
        offset = self.database.tables.offsets[part]
        while offset.holder not in (None, self):
            await self.point("lock")
        offset.holder = self
        return offset

    async def commit(self, advances: Sequence[Advance], changes: Changes) -> None:
        """The transaction of a cycle. Raises Fenced, DataError for what is refused, Lost."""
        try:
            await self._transact(advances, changes)
        finally:
            self.database.free(self)

    async def _transact(self, advances: Sequence[Advance], changes: Changes) -> None:
        tables, flaws = self.database.tables, self.database.flaws
        await self.point("begin")
        if flaws.marked_first:
            tables.write_marks(changes)
        for advance in sorted(advances):
            stored = await self._locked(advance.part)
            here = (stored.epoch, stored.next_offset) == (advance.epoch, advance.expected)
            if not here:
                self.database.stale += 1
            if not here and not flaws.no_fence:
                raise Fenced(f"partition {advance.part} is not at {advance.expected} under {advance.epoch}")
            await self.point("advanced")
        if flaws.moved_first:
            _move(tables, advances)
        await self.point("write")
        self._take_time(changes)
        self._refuse(changes)
        lost = await self.point("commit")
        if not flaws.moved_first:
            _move(tables, advances)
        if not flaws.marked_first:
            tables.write_marks(changes)
        tables.write_log_side(changes)
        tables.write_measures(changes)
        self.database.committed.append(changes)
        if lost:
            raise Lost("commit")

    def _take_time(self, changes: Changes) -> None:
        most = self.database.most_events
        if most is not None and sum(changes.outcomes.values()) > most:
            raise TimeoutError("the transaction did not end in time")

    def _refuse(self, changes: Changes) -> None:
        for entries in changes.seen.values():
            joined = b"".join(entries)
            identities = {joined[at : at + 16] for at in range(0, len(joined), ENTRY_BYTES)}
            if not identities.isdisjoint(self.database.refused):
                raise asyncpg.DataError("what this folds into is refused")


def _move(tables: Tables, advances: Sequence[Advance]) -> None:
    for advance in advances:
        offset = tables.offsets[advance.part]
        offset.next_offset = advance.next_offset
        offset.fingerprint = advance.fingerprint or offset.fingerprint


class Pool:
    """Lends connections to one worker."""

    def __init__(self, database: Database, point: Point) -> None:
        self._database = database
        self._point = point

    @asynccontextmanager
    async def connection(self, deadline_s: float | None = None) -> AsyncIterator[Connection]:
        """A connection of its own."""
        await self._point("connect")
        yield Connection(self._database, self._point)

    async def fetchrow(self, query: str, *arguments: object) -> Mapping[str, Any] | None:
        """One row, or none."""
        return await Connection(self._database, self._point).fetchrow(query, *arguments)

    async def fetch(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Rows."""
        return await Connection(self._database, self._point).fetch(query, *arguments)


async def load_for(connection: Connection, fresh: Sequence[Taken]) -> None:
    """What `bellwether_compute.loading.load_for` is on a database of this kind."""
    await connection.point("load")
    connection.database.tables.fill(fresh)


async def load_chunks(
    connection: Connection, wanted: Mapping[tuple[BrandState, str], Collection[Chunk]], *_: object
) -> None:
    """What `bellwether_compute.loading.load_chunks` is."""
    if wanted:
        await connection.point("load chunks")
        connection.database.tables.fill_chunks(wanted)


async def commit(
    connection: Connection, stream: str, advances: Sequence[Advance], changes: Changes, *_: object
) -> None:
    """What `bellwether_compute.store.commit` is."""
    await connection.commit(advances, changes)


async def settle_nobody(*_: object) -> None:
    """In place of what is settled of people: the simulation leaves it out."""
