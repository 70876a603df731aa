"""The whole fold: what is made of a set of events does not depend on their order, their batches or their repeats."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.domain.timeline import Grain
from bellwether.domain.windows import MINUTES_KEPT_S
from bellwether_compute.groups import Groups, place_of
from tests.unit.compute.brand_events import ABOUT_ONE_ITEM, Drawn, streams
from tests.unit.compute.folding import NOW, Folding, brand_state, envelope

ZONES = st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York"])


def batches(data: st.DataObject, events: list[Drawn]) -> list[list[Drawn]]:
    """Some partition of the events into batches, in their order."""
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(events) - 1)), max_size=5)))
    return [events[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(events)], strict=True)]


def folded(parts: list[list[Drawn]], time_zone: str = "UTC") -> Folding:
    folding = Folding(time_zone)
    for part in parts:
        folding.apply(part)
    return folding


@settings(max_examples=300)
@given(st.data(), ZONES, st.one_of(streams(), streams(ABOUT_ONE_ITEM, most=8)))
def test_order_batches_and_repeats_of_events_change_nothing(
    data: st.DataObject, zone: str, events: list[Drawn]
) -> None:
    expected = folded([[event] for event in events], zone).everything()
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    arrived = data.draw(st.permutations([*events, *repeats]))
    found = folded(batches(data, arrived), zone).everything()
    assert found.pop("outcomes") == Counter(applied=len(events), duplicate=len(repeats))
    assert expected.pop("outcomes") == Counter(applied=len(events))
    for name, value in expected.items():
        assert found[name] == value, name


RECORDED = st.sampled_from([0, 1, 600, 43_199, 43_200, 86_400, 90_000])


@settings(max_examples=200)
@given(st.data(), ZONES, streams())
def test_the_days_on_which_totals_were_known_do_not_depend_on_batches(
    data: st.DataObject, zone: str, events: list[Drawn]
) -> None:
    log = sorted(((NOW + data.draw(RECORDED), event) for event in events), key=lambda logged: logged[0])
    one_by_one, together = Folding(zone), Folding(zone)
    for logged in log:
        one_by_one.apply_logged([logged])
    together.apply_logged(log)
    assert together.rollups_by_day_known() == one_by_one.rollups_by_day_known()
    assert together.everything() == one_by_one.everything()


def by_local_hour_and_day(folding: Folding, measure: str, cut: str = "") -> dict[Grain, int]:
    """The sum of an integer measure by grain."""
    sums: Counter[Grain] = Counter()
    for (grain, at, _), totals in folding.rollups().items():
        if at == cut:
            value: Any = totals.get(measure, 0)
            sums[grain] += value
    return dict(sums)


@settings(max_examples=100)
@given(streams(), ZONES)
def test_hours_and_days_hold_the_same_totals_and_channels_make_up_the_whole(events: list[Drawn], zone: str) -> None:
    folding = folded([events], zone)
    for measure in ("mentions", "interactions", "reach", "items", "item_interactions", "messages_received"):
        whole = by_local_hour_and_day(folding, measure)
        assert whole.get(Grain.HOUR, 0) == whole.get(Grain.DAY, 0)
        channels = [by_local_hour_and_day(folding, measure, f"channel={c}") for c in ("instagram", "x")]
        assert sum(c.get(Grain.DAY, 0) for c in channels) == whole.get(Grain.DAY, 0)


@settings(max_examples=100)
@given(streams())
def test_counts_of_the_fold_are_the_counts_of_its_events(events: list[Drawn]) -> None:
    folding = folded([events])
    expected = Counter(
        mentions=sum(e["type"] == "social.mention.v1" and e["data"]["of"] == "aurora" for e in events),
        competitor_mentions=sum(e["type"] == "social.mention.v1" and e["data"]["of"] == "rival" for e in events),
        messages_received=sum(e["type"] == "social.message.received.v1" for e in events),
        ugc_submissions=sum(e["type"] == "social.content.published.v1" and e["data"]["ugc"] for e in events),
    )
    for measure, count in expected.items():
        assert by_local_hour_and_day(folding, measure).get(Grain.DAY, 0) == count


def known_days(folding: Folding, measure: str) -> dict[int, int]:
    """A measure by the day on which it was known, over all days of the total."""
    found: Counter[int] = Counter()
    for by_day in folding.brand.timeline("")._buckets[Grain.DAY].values():
        for known_on, totals in by_day.items():
            value: Any = totals.get(measure, 0)
            found[known_on] += value
    return {day: count for day, count in found.items() if count}


def mention(event_id: str, moment: float) -> Drawn:
    return envelope("social.mention.v1", event_id, moment, of="aurora")


def test_what_is_recorded_on_its_own_local_day_is_on_time_and_later_is_kept_apart() -> None:
    folding = Folding("Asia/Kolkata")
    midnight = NOW - NOW % 86_400 + 86_400 - 19_800  # the next local midnight, 18:30 UTC
    folding.apply([mention("a", midnight - 60)], recorded=midnight - 1)
    folding.apply([mention("b", midnight - 60)], recorded=midnight)
    folding.apply([mention("c", midnight - 60)], recorded=midnight + 2 * 86_400)
    later = folding.brand.clock.day(midnight)
    assert known_days(folding, "mentions") == {0: 1, later: 1, later + 2: 1}


def test_an_event_from_a_clock_ahead_is_on_time() -> None:
    folding = Folding()
    midnight = NOW - NOW % 86_400
    folding.apply([mention("a", midnight + 300)], recorded=midnight - 10)
    assert known_days(folding, "mentions") == {0: 1}


def test_minutes_that_are_no_longer_kept_are_not_written() -> None:
    folding = Folding()
    folding.apply([mention("old", NOW - 16 * 86_400), mention("new", NOW - 86_400)])
    assert by_local_hour_and_day(folding, "mentions") == {Grain.MINUTE: 1, Grain.HOUR: 2, Grain.DAY: 2}


def test_an_event_with_an_old_identity_and_another_body_is_left_out_with_a_reason() -> None:
    folding = Folding()
    changes = folding.apply([mention("a", NOW - 60), mention("a", NOW - 120), mention("a", NOW - 60)])
    assert folding.outcomes == Counter(applied=1, conflicting=1, duplicate=1)
    (left_out,) = changes.left_out
    assert left_out.reason.value == "conflicting"
    assert left_out.detail == "/test a was counted with another body"


@pytest.mark.parametrize("late", [False, True])
def test_items_count_the_followers_of_their_channel_at_posting_also_where_the_snapshot_came_late(late: bool) -> None:
    published = envelope("social.content.published.v1", "p", NOW - 3_000, content_id="post")
    before = envelope("social.audience.snapshot.v1", "s", NOW - 4_000, audience="followers", count=900)
    after = envelope("social.audience.snapshot.v1", "t", NOW - 2_000, audience="followers", count=950)
    reaction = envelope("social.interaction.v1", "i", NOW - 1_000, content_id="post", kind="reaction")
    folding = folded([[published], [reaction], [after], [before]] if late else [[before, published, reaction, after]])
    days = {measure: known_days(folding, measure) for measure in ("item_followers", "item_interactions_followed")}
    assert days == {"item_followers": {0: 900}, "item_interactions_followed": {0: 1}}


def test_a_snapshot_takes_back_the_interactions_of_its_own_batch_and_of_earlier_ones() -> None:
    def reaction(number: int) -> Drawn:
        return envelope("social.interaction.v1", f"i{number}", NOW - 60, content_id="p", kind="reaction")

    shown = envelope("social.content.metrics.v1", "s", NOW - 30, content_id="p", cumulative={"likes": 5})
    shown["data"]["observed_at"] = shown["time"]
    published = envelope("social.content.published.v1", "p", NOW - 90, content_id="p")
    for parts in ([[published, reaction(1), reaction(2), shown]], [[published, reaction(1)], [reaction(2), shown]]):
        assert known_days(folded(parts), "reactions") == {0: 5}


def test_rollups_that_moved_are_named_with_the_moment_the_intake_took_them() -> None:
    folding = Folding()
    changes = folding.apply([mention("a", NOW - 60), mention("b", NOW - 600)], recorded=NOW - 5)
    assert {cut: ms for (_, cut), ms in changes.moved.items()} == {
        "": (NOW - 5) * 1000,
        "channel=instagram": (NOW - 5) * 1000,
    }
    assert folding.brand.fresh_to == NOW - 5


def test_the_oldest_event_that_moved_a_cut_is_named_in_whatever_order_they_came() -> None:
    folding = Folding()
    moments = (NOW, NOW + 7, NOW - 3, NOW + 9)
    changes = folding.apply_logged((at, mention(str(at), NOW - 60)) for at in moments)
    assert set(changes.moved.values()) == {(NOW - 3) * 1000}
    assert folding.brand.fresh_to == NOW + 9


@given(ZONES, st.integers(0, 40 * 86_400), st.integers(0, 40 * 86_400))
def test_a_group_is_found_by_minutes_where_seconds_put_it(zone: str, moment: int, recorded: int) -> None:
    brand, groups, cuts = brand_state(zone), Groups(), ("", "channel=x")
    for near_moment, near_recorded in ((0, 0), (59, 0), (0, 59), (60, 0), (0, 60), (0, 899), (3_599, 86_399)):
        told = brand, cuts, NOW + moment + near_moment, NOW + recorded + near_recorded
        assert groups.of(*told) is groups.at(place_of(*told))


def test_what_is_recorded_on_two_sides_of_a_local_midnight_is_in_two_groups() -> None:
    brand, groups, cuts = brand_state("Asia/Kolkata"), Groups(), ("",)
    midnight = brand.clock.day_start(brand.clock.day(NOW) + 1)
    before, after = (groups.of(brand, cuts, NOW, at) for at in (midnight - 1, midnight))
    assert before is not after
    assert after is groups.at(place_of(brand, cuts, NOW, midnight))


@given(ZONES, st.integers(0, 59), st.sampled_from([-1, 0, 1]))
def test_a_minute_is_kept_as_such_to_the_second_in_which_it_is_too_old(zone: str, second: int, off: int) -> None:
    brand, groups = brand_state(zone), Groups()
    for recorded in (NOW + MINUTES_KEPT_S - 60, NOW + MINUTES_KEPT_S + off):
        told = brand, ("",), NOW // 60 * 60 + second, recorded
        assert groups.of(*told) is groups.at(place_of(*told))


def test_receipts_items_and_points_know_the_days_on_which_their_parts_were_recorded() -> None:
    day, ids = 86_400, {"conversation_id": "c"}
    log = [
        (NOW, envelope("social.message.received.v1", "m", NOW - 60, **ids, message_id="m")),
        (NOW, envelope("social.interaction.v1", "i", NOW - 60, content_id="p", kind="click")),
        (NOW + day, envelope("social.content.published.v1", "p", NOW - 90, content_id="p")),
        (NOW + day, envelope("social.message.sent.v1", "r", NOW - 30, **ids, message_id="r")),
        (NOW + 2 * day, envelope("social.audience.snapshot.v1", "f", NOW - 99, audience="followers", count=900)),
        (NOW + 2 * day, envelope("social.interaction.v1", "j", NOW - 60, content_id="p", kind="click")),
        (NOW + 3 * day, envelope("social.audience.snapshot.v1", "g", NOW - 98, audience="followers", count=910)),
        (NOW + 3 * day, envelope("social.message.received.v1", "n", NOW, **ids, message_id="n")),
    ]
    folding, first = Folding(), NOW // day
    changes = folding.apply_logged(log)
    receipts = {message_id: receipt for (_, _, message_id), receipt in changes.receipts.items()}
    assert (receipts["m"].known_on, receipts["m"].answer_known_on) == (first, first + 1)
    assert (receipts["n"].known_on, receipts["n"].answer_known_on) == (first + 3, None)
    item = folding.brand.items["instagram", "p"]
    assert (item.published_known_on, item.followers_known_on, item.followers) == (first + 1, first + 2, 910)
    assert {known_on: gained["clicks"] for (*_, known_on), gained in changes.points.items()} == {first: 1, first + 2: 1}
