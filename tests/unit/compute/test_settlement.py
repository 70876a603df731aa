"""Crises, conflicts, advertising and money: what they contribute is a function of the set of events."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.domain.timeline import Grain
from tests.unit.compute.affair_events import ADS, AFFAIRS, DATED, MONEY
from tests.unit.compute.brand_events import DAY, Drawn, streams
from tests.unit.compute.folding import NOW, Folding, envelope, iso
from tests.unit.compute.test_fold import ZONES, batches, folded

START = NOW - NOW % DAY - 5 * DAY  # a midnight some days ago


def total(folding: Folding, cut: str = "", before: int = NOW + DAY) -> dict[str, Any]:
    """All measures of a cut over the whole hours before a moment."""
    found: Counter[str] = Counter()
    times: dict[str, Counter[int]] = {}
    for (grain, at, bucket), totals in folding.rollups().items():
        if grain is Grain.HOUR and at == cut and bucket < before:
            for key, value in totals.items():
                if isinstance(value, dict):
                    times.setdefault(key, Counter()).update(value)
                else:
                    found[key] += value
    shown = {key: dict(sorted((bin_, n) for bin_, n in by_bin.items() if n)) for key, by_bin in times.items()}
    return {key: value for key, value in {**found, **shown}.items() if value}


def in_any_order(events: list[Drawn]) -> Folding:
    """The fold of events, the same one for every order of their arrival, each in a batch of its own."""
    foldings = [folded([[event] for event in order]) for order in permutations(events)]
    first = foldings[0].everything()
    for other in foldings[1:]:
        assert other.everything() == first
    return foldings[0]


def incident(number: int, phase: str, after: int, **data: Any) -> Drawn:
    told = {"incident_id": "fire", "phase": phase, "severity": "critical", "by": "ann", **data}
    return envelope("crisis.incident.v1", f"i{number}", START + after, **told)


def reply(number: int, after: int, **data: Any) -> Drawn:
    told = {"conversation_id": "c", "message_id": f"m{number}", "public": True, "channel": "x", **data}
    return envelope("social.message.sent.v1", f"r{number}", START + after, **told)


def crisis_measures(folding: Folding, cut: str = "", before: int = NOW) -> dict[str, Any]:
    return {
        key: value for key, value in total(folding, cut, before).items() if key.startswith("crises_") or "crisis" in key
    }


def test_a_crisis_counts_when_it_is_opened_answered_and_resolved() -> None:
    folding = in_any_order(
        [incident(1, "opened", 0), incident(2, "acknowledged", 600), incident(3, "resolved", 7_200), reply(1, -5)]
    )
    assert crisis_measures(folding) == {
        "crises_opened": 1,
        "crises_responded": 1,
        "crisis_response_time": {600: 1},
        "crises_resolved": 1,
        "crisis_resolution_time": {7_200 >> 2 << 2: 1},
    }
    assert crisis_measures(folding, before=START + 3_600).keys() == {
        "crises_opened",
        "crises_responded",
        "crisis_response_time",
    }


def test_the_first_public_message_after_the_opening_answers_a_crisis_on_whichever_channel() -> None:
    folding = in_any_order([incident(1, "opened", 0), reply(1, 0), reply(2, 90), reply(3, 30, public=False)])
    assert crisis_measures(folding) == {"crises_opened": 1, "crises_responded": 1, "crisis_response_time": {90: 1}}


def test_a_crisis_counts_in_the_cuts_of_its_opening() -> None:
    folding = in_any_order(
        [incident(1, "opened", 0, campaign="autumn"), incident(2, "resolved", 60, channel="x", campaign="spring")]
    )
    assert crisis_measures(folding, "campaign=autumn") == crisis_measures(folding)
    assert crisis_measures(folding, "channel=instagram") == crisis_measures(folding)
    assert crisis_measures(folding, "campaign=spring") == {}
    assert crisis_measures(folding, "channel=x") == {}


def test_a_reopening_takes_the_resolution_back_until_the_next_one() -> None:
    course = [incident(1, "opened", 0), incident(2, "resolved", 3_600), incident(3, "reopened", 7_200)]
    folding = in_any_order([*course, incident(4, "resolved", 10_800)])
    assert [
        crisis_measures(folding, before=START + hours * 3_600).get("crises_resolved", 0) for hours in range(1, 5)
    ] == [
        0,
        1,
        0,
        1,
    ]
    assert crisis_measures(folding)["crisis_resolution_time"] == {10_800 >> 3 << 3: 1}


def test_crises_of_a_cut_are_intervals() -> None:
    folding = in_any_order([incident(1, "opened", 0), incident(2, "resolved", 60), incident(3, "reopened", 90)])
    for cut in ("", "channel=instagram"):
        assert [tuple(i) for i in folding.brand.affairs.crises(cut)] == [(START, START + 60), (START + 90, None)]
    assert folding.brand.affairs.crises("channel=x") == []
    folding.apply([incident(4, "resolved", 300)])
    assert folding.brand.affairs.crises("")[-1] == (START + 90, START + 300)


def conflict(number: int, phase: str, after: int, **data: Any) -> Drawn:
    return envelope("community.conflict.v1", f"c{number}", START + after, conflict_id="row", phase=phase, **data)


def test_a_conflict_resolved_before_it_escalates_counts_as_resolved_unescalated() -> None:
    told = [conflict(1, "opened", 0), conflict(2, "resolved", 500), conflict(3, "resolved", 300)]
    calm = in_any_order([*told, conflict(4, "escalated", 301)])
    assert total(calm) == {
        "conflicts_opened": 1,
        "conflicts_resolved": 1,
        "conflict_resolution_seconds": 300,
        "conflicts_resolved_unescalated": 1,
        "conflicts_escalated": 1,
    }
    assert "conflicts_resolved_unescalated" not in total(in_any_order([*told, conflict(4, "escalated", 300)]))


def test_what_was_never_opened_is_not_resolved() -> None:
    assert total(in_any_order([conflict(1, "resolved", 300), conflict(2, "escalated", 200)])) == {
        "conflicts_escalated": 1
    }


def test_a_case_counts_once_a_phase_at_its_earliest_moment() -> None:
    def case(number: int, phase: str, after: int) -> Drawn:
        return envelope("community.moderation.v1", f"v{number}", START + after, case_id="spam", phase=phase)

    folding = in_any_order([case(1, "violation", 0), case(2, "violation", 9_000), case(3, "addressed", 4_000)])
    assert total(folding) == {"violations": 1, "violations_addressed": 1}
    assert total(folding, before=START + 3_600) == {"violations": 1}


def price(number: int, value: str, currency: str, after: int = 0, **data: Any) -> Drawn:
    told = {"conversion_id": f"k{number}", "kind": "sale", "attribution": "organic", **data}
    return envelope("sales.conversion.v1", f"p{number}", START + after, value=value, currency=currency, **told)


def money(folding: Folding, cut: str = "") -> dict[str, Any]:
    """What counts as money."""
    found = total(folding, cut)
    return {key: value for key, value in found.items() if "value" in key or "cost" in key or key.startswith("ad_")}


def exchange(number: int, rate: str, after: int, told_after: int = 0, **pair: str) -> Drawn:
    told = {"base": "EUR", "quote": "USD", **pair, "rate": rate, "valid_from": iso(START + after)}
    return envelope("finance.rate.v1", f"x{number}", START + told_after, **told)


def test_amounts_without_a_rate_are_counted_apart_until_it_comes() -> None:
    sales = [price(1, "10.00", "USD"), price(2, "10.00", "EUR", 60), price(3, "5", "EUR", 7_200, kind="signup")]
    folding = in_any_order(sales)
    assert money(folding) == {
        "conversion_value": 10_000_000,
        "sale_value": 10_000_000,
        "conversion_value.unconverted": 2,
        "sale_value.unconverted": 1,
    }
    folding.apply([exchange(1, "1.1", 3_600, told_after=DAY)])
    assert money(folding) == {
        "conversion_value": 15_500_000,
        "sale_value": 10_000_000,
        "conversion_value.unconverted": 1,
        "sale_value.unconverted": 1,
    }
    folding.apply([exchange(2, "1.2", 0)])
    assert money(folding) == {"conversion_value": 27_500_000, "sale_value": 22_000_000}


def test_a_late_rate_moves_what_it_concerns_whatever_the_order() -> None:
    events = [price(1, "10", "EUR"), exchange(1, "1.1", -60), exchange(2, "1.3", 1), exchange(3, "1.2", 0)]
    assert money(in_any_order(events))["conversion_value"] == 12_000_000


def test_a_late_rate_is_known_from_the_day_on_which_it_was_recorded() -> None:
    folding = Folding()
    folding.apply([price(1, "10", "EUR")], recorded=START + 60)
    folding.apply([exchange(1, "1.1", 0)], recorded=START + DAY)
    day = folding.brand.clock.day(START)
    known = {
        known_on: {key: count for key, count in totals.items() if "conversion_value" in key}
        for (grain, cut, bucket, known_on), totals in folding.rollups_by_day_known().items()
        if grain is Grain.DAY and cut == "" and bucket == day
    }
    assert known == {
        0: {"conversion_value.unconverted": 1},
        day + 1: {"conversion_value.unconverted": -1, "conversion_value": 11_000_000},
    }


def test_costs_of_an_influencer_count_as_such_and_a_collaboration_costs_once() -> None:
    def collaboration(number: int, cost: str, after: int) -> Drawn:
        told = {"collaboration_id": "lena", "influencer": "lena", "phase": "started", "cost": cost, "currency": "USD"}
        return envelope("social.collaboration.v1", f"l{number}", START + after, **told)

    cost = envelope("finance.cost.v1", "f1", START, amount="-2.50", currency="USD", reason="credit note")
    folding = in_any_order([collaboration(1, "300", 60), collaboration(2, "100", 0), cost])
    assert money(folding) == {"cost": 97_500_000, "influencer_cost": 100_000_000}
    assert money(folding, "influencer=lena") == {"cost": 100_000_000, "influencer_cost": 100_000_000}


def delivery(number: int, start: int, end: int, told: int | None = None, **data: Any) -> Drawn:
    period = {"from": iso(START + start), "to": iso(START + end)}
    body = {"campaign": "autumn", "spend": "0", "currency": "USD", **period, **data}
    return envelope("ads.delivery.v1", f"a{number}", START + (end if told is None else told), **body)


def test_deltas_of_advertising_add_up_at_the_end_of_their_periods() -> None:
    parts = [
        delivery(1, 0, 3_600, impressions=100, spend="2"),
        delivery(2, 3_600, 7_200, impressions=50, conversions=0.25),
    ]
    folding = in_any_order([*parts, delivery(3, 0, 3_600, impressions=1)])
    assert money(folding) == {
        "ad_impressions": 151,
        "ad_conversions": 250_000,
        "ad_spend": 2_000_000,
        "cost": 2_000_000,
    }
    assert total(folding, "campaign=autumn", START + 3_600)["ad_impressions"] == 101


def test_a_snapshot_of_advertising_counts_what_it_shows_more_than_the_one_before() -> None:
    told: dict[str, Any] = {"cumulative": True, "currency": "USD"}
    folding = in_any_order(
        [
            delivery(1, 0, 3_600, impressions=100, clicks=5, spend="2", revenue="1", **told),
            delivery(2, 0, 7_200, impressions=90, spend="3.5", **told),
            delivery(3, 0, 10_800, impressions=120, clicks=9, spend="3.5", revenue="8", **told),
        ]
    )
    by_hour = [
        {
            key: value
            for (grain, cut, at), totals in folding.rollups().items()
            if (grain, cut, at) == (Grain.HOUR, "", hour)
            for key, value in totals.items()
        }
        for hour in (START, START + 3_600, START + 7_200)
    ]
    assert by_hour == [
        {"ad_impressions": 100, "ad_clicks": 5, "ad_spend": 2_000_000, "cost": 2_000_000, "ad_revenue": 1_000_000},
        {"ad_impressions": -10, "ad_spend": 1_500_000, "cost": 1_500_000},
        {"ad_impressions": 30, "ad_clicks": 4, "ad_revenue": 7_000_000},
    ]


def test_of_two_snapshots_to_one_moment_the_one_told_of_later_stands_then_the_larger() -> None:
    events = [
        delivery(number, 0, 3_600, told, cumulative=True, impressions=impressions)
        for number, (told, impressions) in enumerate([(3_600, 900), (3_700, 100), (3_700, 90)])
    ]
    assert money(in_any_order(events)) == {"ad_impressions": 100}


def test_snapshots_of_a_day_that_still_runs_count_when_they_were_taken() -> None:
    folding = Folding()
    for hour in (3, 2, 1):
        running = delivery(hour, 0, DAY, hour * 3_600, cumulative=True, impressions=100 * hour)
        folding.apply([running], recorded=START + hour * 3_600)
    assert [total(folding, before=START + hour * 3_600 + 1).get("ad_impressions", 0) for hour in range(4)] == [
        0,
        100,
        200,
        300,
    ]


def test_differences_of_amounts_are_exact_to_the_last_of_their_digits() -> None:
    spent = [("1", 3_600), ("900000000001.000000500000000001", 7_200)]
    snapshots = [delivery(n, 0, end, cumulative=True, spend=spend) for n, (spend, end) in enumerate(spent)]
    folding = in_any_order(snapshots)
    assert total(folding, before=START + 3_600)["ad_spend"] == 1_000_000
    assert total(folding)["ad_spend"] == 1_000_000 + 900_000_000_000_000_001


def test_deltas_and_snapshots_of_one_period_are_never_mixed() -> None:
    events = [delivery(1, 0, 3_600, impressions=40), delivery(2, 0, 7_200, cumulative=True, impressions=100)]
    assert money(in_any_order(events)) == {"ad_impressions": 100}
    other_period = delivery(3, 1, 3_600, impressions=7)
    assert money(in_any_order([*events, other_period])) == {"ad_impressions": 107}


def test_a_period_that_changes_its_currency_takes_the_old_amount_back() -> None:
    rate = exchange(1, "2", -DAY)
    snapshots = [
        delivery(1, 0, 3_600, cumulative=True, spend="10", currency="EUR"),
        delivery(2, 0, 7_200, cumulative=True, spend="30"),
    ]
    assert money(in_any_order([rate, *snapshots])) == {"ad_spend": 30_000_000, "cost": 30_000_000}


def test_markers_are_the_earliest_word_on_what_they_mark() -> None:
    def published(number: int, after: int, **data: Any) -> Drawn:
        return envelope("social.content.published.v1", f"b{number}", START + after, content_id=f"p{number}", **data)

    activity = {"activity": "training", "title": "a title"}
    folding = in_any_order(
        [
            published(1, 60, campaign="autumn"),
            published(2, 50, campaign="autumn", channel="x"),
            published(3, 40, campaign="autumn", ugc=True),
            envelope("activity.recorded.v1", "t1", START, **activity),
        ]
    )
    markers = folding.brand.affairs.markers
    assert markers.of_cut("") == {"campaign_started": [START + 50], "training": [START]}
    assert markers.of_cut("channel=x") == {"campaign_started": [START + 50]}
    assert markers.of_cut("channel=instagram") == {"training": [START]}


@settings(max_examples=300)
@given(st.data(), ZONES, st.one_of(streams(AFFAIRS), streams(MONEY), streams(ADS, most=8)))
def test_order_batches_and_repeats_of_such_events_change_nothing(
    data: st.DataObject, zone: str, events: list[Drawn]
) -> None:
    expected = folded([[event] for event in events], zone).everything()
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    arrived = data.draw(st.permutations([*events, *repeats]))
    found = folded(batches(data, arrived), zone).everything()
    assert found.pop("outcomes") == Counter(applied=len(events), duplicate=len(repeats))
    del expected["outcomes"]
    for name, value in expected.items():
        assert found[name] == value, name


@settings(max_examples=200)
@given(streams(DATED, most=10), st.sampled_from([NOW - NOW % 3_600, NOW - DAY, NOW - 3]))
def test_what_counts_before_a_moment_hangs_on_nothing_later(events: list[Drawn], moment: int) -> None:
    """So a reading of the past finds in rollups what was true then."""
    moment -= moment % 60
    earlier = [event for event in events if event["time"] < iso(moment)]
    seen, expected = folded([events]), folded([earlier])
    for grain, cut, bucket in seen.rollups().keys() | expected.rollups().keys():
        if grain is Grain.MINUTE and bucket < moment:
            at = (grain, cut, bucket)
            assert seen.rollups().get(at) == expected.rollups().get(at)


def _valid(told: list[Drawn], currency: str, moment: str) -> Fraction | None:
    """The rate of a currency at a moment, found by looking at all of them."""
    found = []
    for number, event in enumerate(told):
        data = event["data"]
        start = data.get("valid_from", event["time"])
        if start <= moment and {data["base"], data["quote"]} == {currency, "USD"}:
            is_direct, value = data["quote"] == "USD", Fraction(data["rate"])
            found.append((start, is_direct, event["time"], value, number))
    if not found:
        return None
    _, is_direct, _, value, _ = max(found)
    return value if is_direct else 1 / value


@settings(max_examples=300)
@given(streams(MONEY))
def test_sums_of_money_are_those_of_its_events_done_one_by_one(events: list[Drawn]) -> None:
    priced = [e for e in events if e["type"] in ("sales.conversion.v1", "finance.rate.v1")]
    told = [e for e in priced if e["type"] == "finance.rate.v1"]
    micros, unconverted = 0, 0
    for event in priced:
        if (value := event["data"].get("value")) is None:
            continue
        currency = event["data"]["currency"]
        factor = Fraction(1) if currency == "USD" or not Decimal(value) else _valid(told, currency, event["time"])
        if factor is None:
            unconverted += 1
        else:
            micros += round(Fraction(Decimal(value)) * factor * 10**6)
    found = total(folded([priced]))
    assert (found.get("conversion_value", 0), found.get("conversion_value.unconverted", 0)) == (micros, unconverted)


@pytest.mark.parametrize("kind", ["crisis.incident.v1", "community.conflict.v1", "ads.delivery.v1"])
def test_such_events_move_the_cuts_in_which_they_count(kind: str) -> None:
    event = {
        "crisis.incident.v1": incident(1, "opened", 0, owner="ann"),
        "community.conflict.v1": conflict(1, "opened", 0, owner="ann"),
        "ads.delivery.v1": delivery(1, 0, 60, spend="1", owner="ann"),
    }[kind]
    folding = folded([[event]])
    assert {"", "channel=instagram", "owner=ann"} <= folding.moved
