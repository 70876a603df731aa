"""What is stored of people is enough: marks, advocates and totals are the same in any order, in any batches and after
any crash, and what was stored in an earlier form is found, too.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool, open_pool
from bellwether_compute.acts import Act
from bellwether_compute.authors import ACTS_KEPT, Author, Deed
from bellwether_compute.changes import Changes, Heard
from bellwether_compute.groups import Groups
from bellwether_compute.integrity import Show, Sighting
from bellwether_compute.loading_people import AUTHORS_AT_ONCE
from bellwether_compute.measuring import derive
from bellwether_compute.people import settle_people
from bellwether_compute.retention import delete_traces_before
from bellwether_compute.sightings import mark_id_of
from bellwether_compute.state import BrandState
from bellwether_compute.store_people import write_people
from bellwether_compute.taking import Taken, take
from tests.unit.compute.folding import NOW, StoredRecord, envelope
from tests.unit.compute.screening import T0, Event, by_sign, interaction, membership, mention

EMPTY: dict[str, Any] = {"followers": 0}
COPIED = "Win a free phone at my page today!"
_BRAND_IDS = itertools.count(1)


def burst(name: str, at: int, size: int) -> list[Event]:
    return [interaction(f"{name}-{n}", at + 5 * n, f"{name}{n}", account=EMPTY) for n in range(size)]


def spree(name: str, at: int, size: int) -> list[Event]:
    return [interaction(f"{name}-{n}", at + n, "ann", f"p{n}") for n in range(size)]


def copies(name: str, at: int, size: int) -> list[Event]:
    authors = ("ann", None, "bob")
    return [
        interaction(f"{name}-{n}", at + 400 * n, authors[n % 3], f"p{n % 2}", kind="comment", text=COPIED)
        for n in range(size)
    ]


def pod(name: str, at: int, size: int) -> list[Event]:
    """Ann and Bob like each other's posts, two minutes after publication."""
    events = []
    for n in range(size):
        author, other = ("ann", "bob")[:: 1 if n % 2 else -1]
        item, published = f"{name}-{n}", at + 60 * n
        told = {"content_id": item, "ugc": True, "author": {"id": author}}
        events.append(envelope("social.content.published.v1", f"publish-{item}", published, **told))
        events.append(interaction(f"like-{item}", published + 120, other, item))
    return events


def praise(name: str, at: int, size: int) -> list[Event]:
    """Bob praises the brand again and again, and does something in between."""
    praises = [mention(f"{name}-{n}", at + 60 * n, "bob", "+ love it") for n in range(size // 4)]
    return [*praises, *(interaction(f"{name}+{n}", at + 40 * n, "bob", f"b{n}") for n in range(size // 2))]


def churn(name: str, at: int, size: int) -> list[Event]:
    kinds = ("joined", "left")
    return [membership(f"{name}-{n}", at + n, "mia", kinds[n % 2], author={"id": f"m{n}"}) for n in range(size // 2)]


_SCENES: dict[str, Callable[[str, int, int], list[Event]]] = {
    scene.__name__: scene for scene in (burst, spree, copies, pod, praise, churn)
}


class Outcome(NamedTuple):
    """Marks by the id of their event, sums by place and measure, and the advocates of each place."""

    marks: dict[str, tuple[object, ...]]
    sums: dict[tuple[object, ...], int]
    advocates: set[tuple[object, ...]]


class Following:
    """A brand of its own in a shared database, and what its batches come to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._brand = Brand(next(_BRAND_IDS), 1, "acme", "aurora", "Aurora", "UTC", "USD", ("rival",))
        self._state = self._fresh()
        self._ids: dict[str, str] = {}
        self._sums: Counter[tuple[object, ...]] = Counter()
        self._advocates: set[tuple[object, ...]] = set()

    @property
    def brand_id(self) -> int:
        return self._brand.brand_id

    def _fresh(self) -> BrandState:
        state = BrandState(self._brand, 0)
        state.loaded = True
        return state

    def crash(self) -> None:
        """Forget all that is in memory."""
        self._state = self._fresh()

    def taken(self, events: Iterable[Event]) -> list[Taken]:
        records = [StoredRecord(0, 0, NOW * 1000, b"acme/aurora", json.dumps(event).encode()) for event in events]
        taken, left_out = take(records, lambda _: self._state)
        assert left_out == []
        self._ids |= {mark_id_of(one): one.event.id for one in taken}
        return taken

    async def apply(self, events: Sequence[Event]) -> None:
        """Settle and store one batch."""
        groups, changes = await self.settle(events)
        async with self._connection.transaction():
            await write_people(self._connection, changes)
        for place, group in groups._groups.items():
            where = (place.cuts, place.minute, place.known_on)
            self._sums.update({(*where, measure): count for measure, count in group.sums.items()})
            self._advocates |= {(*where, author) for author in group.people["advocates"]}

    async def settle(self, events: Sequence[Event]) -> tuple[Groups, Changes]:
        """Settle a batch, and store nothing."""
        groups, changes = Groups(), Changes()
        changes.heard = [Heard(one, derive(one.event, by_sign, one.time)) for one in self.taken(events)]
        await settle_people(self._connection, groups, changes)
        return groups, changes

    async def outcome(self) -> Outcome:
        rows = await self._connection.fetch("SELECT * FROM integrity_mark WHERE brand_id = $1", self.brand_id)
        marks: dict[str, tuple[object, ...]] = {
            self._ids[row["mark_id"]]: (
                *(row["moment"], row["formed_at"], tuple(row["cuts"]), row["measure"], row["count"], row["author"]),
                *(row["subject"], row["grounds"]),
            )
            for row in rows
        }
        return Outcome(marks, {key: count for key, count in self._sums.items() if count}, self._advocates)


class Way(NamedTuple):
    """How events arrive: shuffled, in batches of these sizes in turn; after which batches all in memory is lost, and
    which ones are settled once more because the first attempt could not be stored.
    """

    shuffle: Random
    sizes: list[int]
    crashes: list[bool]
    attempts: list[bool]


_WAYS = st.builds(
    Way,
    st.randoms(use_true_random=False),
    st.lists(st.integers(1, 30), min_size=1, max_size=3),
    st.lists(st.booleans(), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=3),
)
_STORIES = st.lists(
    st.tuples(st.sampled_from(sorted(_SCENES)), st.integers(0, 60), st.integers(8, 14)), min_size=1, max_size=4
)
"""Scenes, and when each begins, in steps of three minutes, and how large it is."""


async def follow(connection: Connection, events: Sequence[Event], way: Way) -> Outcome:
    """What events come to that arrive in a way."""
    arriving, following = list(events), Following(connection)
    way.shuffle.shuffle(arriving)
    remaining = iter(arriving)
    turns = zip(itertools.cycle(way.sizes), itertools.cycle(way.crashes), itertools.cycle(way.attempts), strict=False)
    for size, crashes, fails in turns:
        batch = list(itertools.islice(remaining, size))
        if not batch:
            break
        if fails:
            await following.settle(batch)
            following.crash()
        await following.apply(batch)
        if crashes:
            following.crash()
    return await following.outcome()


async def expected(connection: Connection, events: Sequence[Event]) -> Outcome:
    """What events come to that arrive in order and at once."""
    following = Following(connection)
    await following.apply(sorted(events, key=lambda event: str(event["time"])))
    return await following.outcome()


@pytest.fixture
async def pool(database: str) -> Any:
    async with open_pool(database, deadline_s=170, statement_s=60) as pool:
        yield pool


async def test_order_batches_and_crashes_change_no_mark_no_advocate_and_no_total(pool: Pool) -> None:
    loop, marked, advocates = asyncio.get_running_loop(), Counter[str](), 0

    async def check(story: list[tuple[str, int, int]], way: Way) -> None:
        nonlocal advocates
        scenes = [_SCENES[name](f"{name}{n}", T0 + 180 * at, size) for n, (name, at, size) in enumerate(story)]
        events = [event for scene in scenes for event in scene]
        async with pool.connection() as connection:
            want = await expected(connection, events)
            found = await follow(connection, events, way)
        assert found == want
        marked.update(rule for mark in want.marks.values() for rule in json.loads(str(mark[-1])))
        advocates += len(want.advocates)

    # Not shrunk: each attempt costs a story in PostgreSQL, and a test has three minutes.
    @settings(max_examples=60, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate))
    @given(_STORIES, _WAYS)
    def hold(story: list[tuple[str, int, int]], way: Way) -> None:
        asyncio.run_coroutine_threadsafe(check(story, way), loop).result()

    await asyncio.to_thread(hold)
    assert set(marked) == {"burst", "spree", "same_text", "pod", "churn"}
    assert advocates


async def test_advocates_of_a_brand_with_more_authors_than_are_loaded_at_once_are_found(pool: Pool) -> None:
    async with pool.connection() as connection:
        following = Following(connection)
        others = "INSERT INTO author_state SELECT $1, 'fan ' || n, $2 FROM generate_series(1, $3::int) AS f(n)"
        await connection.execute(others, following.brand_id, msgspec.msgpack.encode(Author([T0])), AUTHORS_AT_ONCE)
        for n in (2, 0, 1):
            await following.apply([mention(f"praise-{n}", T0 + 60 * n, "bob", "+ love it")])
            following.crash()
        await following.apply([interaction("like", T0 + 120, "bob"), interaction("early", T0 + 119, "bob")])
        found = await following.outcome()
    assert sum(count for (*_, measure), count in found.sums.items() if measure == "advocate_interactions") == 1
    assert {author for *_, author in found.advocates} == {"bob"}


async def test_what_was_stored_before_acts_had_rows_is_found(pool: Pool) -> None:
    published = pod("pod", T0, 10)[::2]
    async with pool.connection() as connection:
        following = Following(connection)
        await store_in_the_old_form(connection, following)
        await following.apply([*spree("s", T0, 10)[5:], mention("third", T0 + 40, "bob", "+ love it"), *published])
        found = await following.outcome()
    assert set(found.marks) == {*(f"s-{n}" for n in range(10)), *(f"like-pod-{n}" for n in range(10))}
    total = Counter[object]()
    for (*_, measure), count in found.sums.items():
        total[measure] += count
    assert total["advocate_interactions"] == 1


async def store_in_the_old_form(connection: Connection, following: Following) -> None:
    """Half a spree of Ann's, two praises of Bob's and what he did before and after, and visits to items of both."""
    brand_id, encode = following.brand_id, msgspec.msgpack.encode
    half = [_seen(taken, f"p{n}") for n, taken in enumerate(following.taken(spree("s", T0, 5)))]
    trace = (brand_id, "spree", "instagram ann", encode(half), NOW)
    await connection.execute("INSERT INTO screen_trace VALUES ($1, $2, $3, $4, $5)", *trace)
    bob = Author([T0, T0 + 20], [Deed(T0 + 10, ("",), 1), Deed(T0 + 50, ("", "channel=instagram"), 1)])
    await connection.execute("INSERT INTO author_state VALUES ($1, 'bob', $2)", brand_id, encode(bob))
    for visit in following.taken(pod("pod", T0, 10)[1::2]):
        seen = _seen(visit, "")
        show = (brand_id, "instagram", seen.about, encode(Show([], [seen])), NOW)
        await connection.execute("INSERT INTO screen_show VALUES ($1, $2, $3, $4, $5)", *show)


def _seen(taken: Taken, what: str) -> Sighting:
    data: Any = taken.event.data
    cuts = ("", "channel=instagram")
    return Sighting(taken.time, mark_id_of(taken), what, data.content_id, data.author.id, 1, cuts)


def act(brand_id: int, number: int, author: str, mark_id: bytes = b"\1" * 16) -> Act:
    """An act at a minute of its own."""
    rest = ("instagram", "post", "channel=instagram", 1, "", None, False, False)
    return Act(brand_id, author, 60 * number, mark_id, *rest, NOW + number)


async def acts_of(connection: Connection, author: str) -> list[int]:
    query = "SELECT moment / 60 FROM author_act WHERE author_id = $1 ORDER BY moment"
    return [row[0] for row in await connection.fetch(query, author)]


async def test_the_latest_acts_of_an_author_are_kept_and_older_ones_go_in_time(pool: Pool) -> None:
    many = ACTS_KEPT + 50
    async with pool.connection() as connection:
        following = Following(connection)
        (taken,) = following.taken([interaction("any", T0, "ann")])
        taken.brand.authors["cat"] = Author([60 * many] * 3)
        changes = Changes(heard=[Heard(taken, derive(taken.event, by_sign, taken.time))])

        async def write(numbers: Iterable[int], author: str, *chosen: bytes) -> None:
            changes.acts = [act(following.brand_id, n, author, *chosen) for n in numbers]
            await write_people(connection, changes)

        await write(range(many), "ann")
        assert await acts_of(connection, "ann") == list(range(many))
        await write([many], "ann", bytes(16))
        assert await acts_of(connection, "ann") == list(range(many + 1 - ACTS_KEPT, many + 1))
        await write(range(5), "bob", bytes(16))
        assert await acts_of(connection, "bob") == list(range(5))
        await write(range(2 * many), "cat", bytes(16))  # an advocate since half of it
        before, after = range(many - ACTS_KEPT, many), range(2 * many - ACTS_KEPT, 2 * many)
        assert await acts_of(connection, "cat") == [*before, *after]


async def test_comments_of_nobody_are_let_go_of_by_age(pool: Pool) -> None:
    async with pool.connection() as connection:
        acts = [act(1, n, author) for n in range(4) for author in ("", "ann")]
        await write_people(connection, Changes(acts=acts))
        assert await delete_traces_before(pool, NOW + 2) == 2
        assert (await acts_of(connection, ""), await acts_of(connection, "ann")) == ([2, 3], [0, 1, 2, 3])
