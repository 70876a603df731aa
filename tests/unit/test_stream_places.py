"""Places in the stream and what waits for a listener, without a database: a small one is played by the test."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.postgres.news import NewWord, Version
from bellwether.adapters.postgres.snapshots import Snapshot, parse_snapshot
from bellwether.domain.windows import Window
from bellwether_api.stream.place import Place, parse_place
from bellwether_api.stream.selection import Selection, Update
from bellwether_api.stream.shapes import Lost, Topic
from bellwether_api.stream.subscription import MOST_BYTES, MOST_STEPS, Asked, Subscription, Told

LINEAGE = "5f3a9c21"
WORD = "00000000-0000-0000-0000-{:012}"


class Played:
    """Transactions that begin and commit in any order, each with some words."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._next = 100
        self._running: dict[int, list[NewWord]] = {}
        self.committed: list[NewWord] = []

    def step(self) -> None:
        """Begin a transaction, or commit one, or roll it back."""
        if not self._running or self._random.random() < 0.5:
            name = self._next * 10
            words = [self._word(name + n) for n in range(self._random.randrange(4))]
            self._running[self._next] = words
            self._next += 1
        else:
            words = self._running.pop(self._random.choice(sorted(self._running)))
            self.committed += words if self._random.random() < 0.9 else []

    def _word(self, name: int) -> NewWord:
        return NewWord(self._next, self._random.randrange(3), WORD.format(name), 1, "i", "s", str(name))

    def look(self) -> Snapshot:
        return Snapshot(min(self._running, default=self._next), self._next, frozenset(self._running))

    def finish(self) -> None:
        while self._running:
            self.committed += self._running.popitem()[1]


@given(st.integers(0, 2**32))
def test_a_listener_cut_off_anywhere_hears_every_word_once_in_whatever_order_transactions_commit(seed: int) -> None:
    random = Random(seed)
    played = Played(random)
    place, heard = Place(LINEAGE, played.look()), list[NewWord]()
    for turn in range(40):
        for _ in range(random.randrange(4)):
            played.step()
        if turn == 39:
            played.finish()
        now = played.look()
        new = list(place.onward(sorted(played.committed), now))
        told = new if turn == 39 else new[: random.randrange(len(new) + 1)]
        heard += [word for word, _ in told]
        place = Place(LINEAGE, now) if told == new else told[-1][1] if told else place
        assert parse_place(str(place)) == place
    assert sorted(heard) == sorted(played.committed)


@pytest.mark.parametrize(
    "text", ["", "1", "1:2", "3:2:", "1:5:7", "1:5:0", "1:5:2,", "1:5:x", "1:5:2\n", "1:9" + "9" * 30 + ":"]
)
def test_what_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a snapshot"):
        parse_snapshot(text)


def test_a_version_was_there_only_if_its_writer_is_below_all_that_ran_even_where_numbers_begin_anew() -> None:
    snapshot = Snapshot(2**32 + 10, 2**32 + 20, frozenset({2**32 + 10}))
    for writer, was_there in ((9, True), (10, False), (19, False), (20, False), (30, False), (2**32 - 5, True)):
        assert Version(str(writer), 0).was_there(snapshot) is was_there


class _Ids(NamedTuple):
    subscription: Subscription
    place: Place


def _listener() -> _Ids:
    asked = Asked(None, frozenset(Topic), "", Selection())
    return _Ids(Subscription("key", asked, {}), Place(LINEAGE, Snapshot(1, 1)))


def _update(key: str, value: int, *, whole: bool = False, size: int = 10) -> Update:
    raw = msgspec.Raw(msgspec.json.encode({"value": value, "pad": "x" * size}))
    return Update((1, ""), "acme", value, value, whole, {key: {Window.DAY: raw}})


def _values(update: Update | None) -> dict[str, int]:
    assert update is not None
    return {key: msgspec.json.decode(windows[Window.DAY])["value"] for key, windows in update.figures.items()}


def test_values_that_wait_are_merged_and_the_latest_of_each_figure_stays() -> None:
    subscription, place = _listener()
    for update in (_update("a", 1, whole=True), _update("b", 2), _update("a", 3)):
        subscription.offer(update)
    subscription.advance(place)
    waiting = subscription.take().updates[1, ""]
    assert (_values(waiting), waiting.whole if waiting else None, waiting.as_of if waiting else 0) == (
        *({"a": 3, "b": 2}, True),
        3,
    )
    assert not subscription.take().updates


def test_values_beyond_the_bound_are_to_be_read_anew_and_nothing_more_is_held_of_them() -> None:
    subscription, place = _listener()
    for number in range(10):
        subscription.offer(_update(f"k{number}", number, size=MOST_BYTES // 4))
    subscription.advance(place)
    assert dict(subscription.take().updates) == {(1, ""): None}
    subscription.offer(_update("a", 1, size=MOST_BYTES // 2))
    assert _values(subscription.take().updates[1, ""]) == {"a": 1}


async def test_more_steps_than_the_bound_are_forgotten_and_the_listener_is_told_to_begin_anew() -> None:
    subscription, place = _listener()
    for number in range(MOST_STEPS + 5):
        word = NewWord(number, 0, WORD.format(number), 1, "i", "s", "e")
        subscription.tell(Told(word, "{}", place, place.seen))
    subscription.advance(place)
    assert await subscription.wait(1)
    assert subscription.take() == ({}, [], Lost.TOO_SLOW)
    assert not await subscription.wait(0.01)
