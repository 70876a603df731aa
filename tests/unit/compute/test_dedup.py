"""An event counts once, however often and in whatever company it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.clock import DAY_S
from bellwether_compute.dedup import SeenEvents, Verdict, days_to_open, identity_of, utc_day
from bellwether_compute.identities import ENTRY_BYTES

DAY = 20_000


def seen(*days: int) -> SeenEvents:
    found = SeenEvents()
    found.open_days.update(days)
    return found


def test_an_event_is_new_once_and_a_duplicate_ever_after() -> None:
    events, identity = seen(DAY), identity_of(1, "/page", "e1")
    assert events.judge(identity, b"body", DAY)[0] is Verdict.NEW
    assert events.judge(identity, b"body", DAY) == (Verdict.DUPLICATE, b"")
    assert events.judge(identity, b"body", DAY) == (Verdict.DUPLICATE, b"")
    assert len(events) == 1


def test_the_same_identity_with_another_body_is_told_apart() -> None:
    events, identity = seen(DAY), identity_of(1, "/page", "e1")
    events.judge(identity, b"body", DAY)
    assert events.judge(identity, b"another", DAY) == (Verdict.CONFLICTING, b"")
    assert events.judge(identity, b"body", DAY) == (Verdict.DUPLICATE, b"")


def test_a_repeat_that_claims_another_open_day_is_found() -> None:
    events, identity = seen(DAY, DAY + 1), identity_of(1, "/page", "e1")
    events.judge(identity, b"body", DAY)
    assert events.judge(identity, b"later", DAY + 1) == (Verdict.CONFLICTING, b"")


def test_brands_sources_and_ids_are_each_part_of_the_identity() -> None:
    identities = {identity_of(b, s, i) for b in (1, 2, 256) for s in ("/a", "/ab") for i in ("1", "b1", "é")}
    assert len(identities) == 18
    assert identity_of(1, "/a", "b") != identity_of(1, "/ab", "")
    assert all(len(identity) == 16 for identity in identities)


def test_an_event_of_a_day_that_is_not_open_is_never_judged() -> None:
    with pytest.raises(KeyError, match="is not open"):
        seen(DAY).judge(identity_of(1, "/page", "e1"), b"body", DAY - 1)


def test_days_that_are_not_in_memory_are_opened() -> None:
    events = seen(DAY, DAY + 1)
    moments = [DAY * DAY_S, DAY * DAY_S - 1, (DAY + 2) * DAY_S - 1, (DAY + 2) * DAY_S, 0]
    assert days_to_open(events, moments) == {DAY - 1, DAY + 2, 0}
    assert days_to_open(events, []) == set()


def test_a_day_ends_at_midnight_utc() -> None:
    assert [utc_day(moment) for moment in (0, DAY_S - 1, DAY_S)] == [0, 0, 1]


def test_a_closed_day_is_forgotten_and_found_again_when_it_is_loaded() -> None:
    events, old, young = seen(DAY, DAY + 9), identity_of(1, "/page", "old"), identity_of(1, "/page", "young")
    _, entry = events.judge(old, b"body", DAY)
    events.judge(young, b"body", DAY + 9)
    events.close_before(DAY + 1, most=0)
    assert events.open_days == {DAY + 9}
    assert len(events) == 1
    assert days_to_open(events, [DAY * DAY_S]) == {DAY}
    events.load(DAY, entry)
    events.open_days.add(DAY)
    assert events.judge(old, b"body", DAY)[0] is Verdict.DUPLICATE
    assert events.judge(young, b"body", DAY + 9)[0] is Verdict.DUPLICATE


def test_closing_days_that_are_not_open_forgets_nothing() -> None:
    events = seen(DAY)
    events.judge(identity_of(1, "/page", "e1"), b"body", DAY)
    events.close_before(DAY, most=0)
    assert events.open_days == {DAY}
    assert len(events) == 1


def test_old_days_stay_open_while_they_hold_few_and_go_together_when_they_hold_many() -> None:
    events = seen(DAY, DAY + 1, DAY + 2)
    for number, day in enumerate((DAY, DAY, DAY + 1, DAY + 2)):
        events.judge(identity_of(1, "/page", str(number)), b"body", day)
    events.close_before(DAY + 2, most=3)
    assert events.open_days == {DAY, DAY + 1, DAY + 2}
    events.close_before(DAY + 2, most=2)
    assert events.open_days == {DAY + 2}
    assert len(events) == 1
    assert days_to_open(events, [DAY * DAY_S, (DAY + 2) * DAY_S]) == {DAY}


ARRIVALS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.sampled_from([b"x", b"y"])), max_size=40)


@given(ARRIVALS, st.integers(0, 40))
def test_what_was_stored_and_loaded_again_gives_the_same_verdicts(
    arrivals: list[tuple[int, int, bytes]], cut: int
) -> None:
    days = range(DAY, DAY + 4)
    whole, stored = seen(*days), seen(*days)
    segments: dict[int, bytes] = {}
    for number, (event, off, body) in enumerate(arrivals):
        if number == cut:  # a new owner of the partition, who reads what was committed
            stored = seen(*days)
            for day, entries in segments.items():
                stored.load(day, entries)
        identity = identity_of(1, "/page", str(event))
        verdict, entry = stored.judge(identity, body, DAY + off)
        assert verdict is whole.judge(identity, body, DAY + off)[0]
        assert len(entry) == (ENTRY_BYTES if verdict is Verdict.NEW else 0)
        segments[DAY + off] = segments.get(DAY + off, b"") + entry


@given(ARRIVALS)
def test_every_identity_is_new_exactly_once(arrivals: list[tuple[int, int, bytes]]) -> None:
    events = seen(*range(DAY, DAY + 4))
    verdicts = [events.judge(identity_of(1, "/p", str(e)), body, DAY + off)[0] for e, off, body in arrivals]
    assert verdicts.count(Verdict.NEW) == len({e for e, _, _ in arrivals})
