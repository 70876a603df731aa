"""What compute remembers of a brand."""

from __future__ import annotations

import pytest

from bellwether.catalogue.cuts import cuts_by
from bellwether.catalogue.evaluate import LevelHistory
from tests.unit.compute.folding import brand_state


def test_one_source_on_two_channels_is_two_accounts() -> None:
    brand = brand_state()
    brand.history("followers", "instagram", "/crm").put(100, 1_000)
    brand.history("followers", "x", "/crm").put(100, 50)
    assert sum(history.counts[-1] for history in brand.audiences("")["followers"].values()) == 1_050
    (only,) = brand.audiences("channel=x")["followers"].values()
    assert only == LevelHistory([100], [50])
    assert brand.audiences("channel=tiktok") == {}


def test_followers_of_a_channel_are_those_known_just_before() -> None:
    brand = brand_state()
    brand.history("followers", "instagram", "/a").put(100, 1_000)
    brand.history("subscribers", "instagram", "/b").put(200, 30)
    brand.history("members", "instagram", "/c").put(100, 7)
    brand.history("followers", "x", "/a").put(100, 5)
    assert [brand.followers_at("instagram", moment) for moment in (100, 101, 200, 201)] == [None, 1_000, 1_000, 1_030]
    assert brand.followers_at("tiktok", 500) is None


def test_queries_wait_as_messages_too_in_the_total_and_in_their_channel() -> None:
    brand = brand_state()
    brand.set_waiting("query", cuts_by("x"), 200, waits=True)
    brand.set_waiting("direct", cuts_by("x"), 100, waits=True)
    brand.set_waiting("query", cuts_by("email"), 150, waits=True)
    assert brand.waiting("") == {"messages": [100, 150, 200], "queries": [150, 200]}
    assert brand.waiting("channel=x") == {"messages": [100, 200], "queries": [200]}
    brand.set_waiting("query", cuts_by("x"), 200, waits=False)
    assert brand.waiting("") == {"messages": [100, 150], "queries": [150]}
    assert brand.waiting("channel=x") == {"messages": [100], "queries": []}


def test_messages_that_waited_before_wait_in_the_order_of_their_reception() -> None:
    brand = brand_state()
    brand.put_waiting("query", cuts_by("x"), [300, 100])
    brand.put_waiting("direct", cuts_by("email"), [200])
    assert brand.waiting("") == {"messages": [100, 200, 300], "queries": [100, 300]}
    brand.set_waiting("query", cuts_by("x"), 100, waits=False)
    assert brand.waiting("channel=x") == {"messages": [300], "queries": [300]}


def test_who_does_not_wait_cannot_stop_waiting() -> None:
    brand = brand_state()
    brand.set_waiting("query", cuts_by("x"), 200, waits=True)
    with pytest.raises(ValueError, match="does not wait"):
        brand.set_waiting("query", cuts_by("x"), 100, waits=False)
    assert brand.waiting("channel=x")["queries"] == [200]


def test_an_event_counts_in_the_total_and_in_the_cut_of_every_dimension_that_it_carries() -> None:
    assert cuts_by("other:forum") == ("", "channel=other:forum")
    everything = ("", "channel=x", "campaign=spring", "content_type=reel", "owner=eve", "influencer=ann")
    assert cuts_by("x", "spring", "reel", "eve", "ann") == everything
    assert cuts_by("x", None, None, "eve") == ("", "channel=x", "owner=eve")


def test_a_level_counts_in_the_cuts_that_its_snapshot_names() -> None:
    brand = brand_state()
    brand.put_level("followers", "x", "/a", 100, 10, cuts_by("x", owner="eve"))
    brand.put_level("followers", "x", "/a", 200, 12, cuts_by("x"))
    (account,) = brand.audiences("owner=eve")["followers"].values()
    assert account == LevelHistory([100], [10])
    assert brand.audiences("")["followers"] == {"x /a": LevelHistory([100, 200], [10, 12])}
    brand.put_level("followers", "x", "/a", 100, 11, cuts_by("x"))
    assert account == LevelHistory([100], [11]), "of two counts of one moment the larger stands, in every cut"
