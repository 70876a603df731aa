"""From rollups, audiences and who waits to values: what counts in which window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.evaluate import (
    LevelHistory,
    Sources,
    Undone,
    Value,
    current_spans,
    evaluate,
    facts_of,
    value_of,
)
from bellwether.catalogue.formula import AnyFormula, Reason, Sum, Uplift, less, total
from bellwether.catalogue.kpi import Kpi, Unit
from bellwether.domain.business_hours import BusinessHours, Hours, Schedule
from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock
from bellwether.domain.totals import Totals
from bellwether.domain.windows import Span, Window
from tests.unit.catalogue.facts import timeline

CLOCK = LocalClock("UTC")
NOON = 20_000 * DAY_S + 12 * HOUR_S
HOUR_SPAN = Span(NOON - HOUR_S, NOON, NOON - 2 * HOUR_S, NOON - HOUR_S)


def sources(buckets: Mapping[int, Totals] | None = None, **others: object) -> Sources:
    given = {"audiences": {}, "waiting": {}, **others}
    return Sources(timeline(buckets or {}), **given)  # type: ignore[arg-type]


def test_a_window_holds_its_first_minute_and_not_the_one_at_its_end() -> None:
    minutes: Mapping[int, Totals] = {
        NOON - HOUR_S - 60: {"mentions": 1}, NOON - HOUR_S: {"mentions": 10}, NOON - 60: {"mentions": 100},
        NOON: {"mentions": 1_000},
    }  # fmt: skip
    facts = facts_of(sources(minutes), HOUR_SPAN)
    assert (facts.amounts["mentions"], facts.before["mentions"]) == (110, 1)


def test_what_came_about_later_is_taken_back_only_where_its_cohort_is_in_the_window() -> None:
    minutes: Mapping[int, Totals] = {
        NOON - 600: {"messages_answered": 3, "response_time": {60: 2, 900: 1}},
        NOON - 2 * HOUR_S: {"messages_answered": 1},
    }
    late = Undone(NOON - 600, {"messages_answered": -1, "response_time": {900: -1}})
    elsewhere = [Undone(moment, {"messages_answered": -1}) for moment in (NOON, NOON - HOUR_S - 1)]
    facts = facts_of(sources(minutes, undone=[late, *elsewhere]), HOUR_SPAN)
    assert facts.totals == {"messages_answered": 2, "response_time": {60: 2}}


def test_evaluating_takes_nothing_from_the_rollups_themselves() -> None:
    kept = sources({NOON - 600: {"mentions": 3}}, undone=[Undone(NOON - 600, {"mentions": -1})])
    assert [facts_of(kept, HOUR_SPAN).amounts["mentions"] for _ in range(3)] == [2, 2, 2]


def test_who_waits_has_waited_up_to_the_end_of_the_window_in_which_the_message_came() -> None:
    received = [NOON - HOUR_S - 1, NOON - HOUR_S, NOON - 70, NOON - 1, NOON]
    facts = facts_of(sources(waiting={"messages": received, "queries": []}), HOUR_SPAN)
    assert (facts.waiting["messages"], facts.waiting["queries"]) == ([1, 70, HOUR_S], [])


def test_levels_are_those_just_before_the_edges_of_the_window() -> None:
    accounts = {
        "known": LevelHistory([NOON - 2 * HOUR_S, NOON - HOUR_S, NOON - 60], [100, 110, 130]),
        "new": LevelHistory([NOON - 60], [5]),
        "future": LevelHistory([NOON], [9]),
    }
    facts = facts_of(sources(audiences={"followers": accounts}), HOUR_SPAN)
    assert facts.levels["followers"].start == {"known": 100}
    assert facts.levels["followers"].end == {"known": 130, "new": 5}


def test_values_come_with_their_window_their_parts_and_why_there_is_none() -> None:
    spans = current_spans(NOON, CLOCK, NOON)
    values = evaluate(sources({NOON - 60: {"mentions": 3, "competitor_mentions": 1}}), spans)
    assert values.keys() == CATALOGUE.keys()
    assert all(by_window.keys() == set(Window) for by_window in values.values())
    voice = values["share_of_voice"][Window.HOUR]
    assert voice == Value(75.0, NOON - HOUR_S, NOON, 3, 4, 4, parts={"mentions": 3, "competitor_mentions": 1})
    nothing = values["click_through_rate"][Window.WEEK]
    assert (nothing.value, nothing.reason, nothing.partial) == (None, Reason.NO_DATA, True)


def test_only_the_kpis_and_windows_that_are_asked_for_are_evaluated() -> None:
    spans = {Window.DAY: current_spans(NOON, CLOCK, NOON)[Window.DAY]}
    values = evaluate(sources({NOON - 60: {"mentions": 3}}), spans, [CATALOGUE["brand_mentions"]])
    assert {kpi: list(by_window) for kpi, by_window in values.items()} == {"brand_mentions": [Window.DAY]}


def test_current_windows_end_together_and_each_is_compared_with_what_lies_before_it() -> None:
    spans = current_spans(NOON + 1, CLOCK, NOON + 1)
    assert {span.end for span in spans.values()} == {NOON + 60}
    assert all(span.before_start <= span.before_end <= span.start < span.end for span in spans.values())


def test_the_window_before_is_told_without_what_came_about_later_either() -> None:
    minutes: Mapping[int, Totals] = {NOON - 600: {"mentions": 3}, NOON - 2 * HOUR_S: {"mentions": 5}}
    undone = [Undone(NOON - 600, {"mentions": -1}), Undone(NOON - 2 * HOUR_S, {"mentions": -2})]
    facts = facts_of(sources(minutes, undone=undone), HOUR_SPAN)
    assert (facts.amounts["mentions"], facts.before["mentions"]) == (2, 3)


NIGHT = BusinessHours("UTC", Schedule(week=((Hours(9 * 60, 11 * 60 + 30),),) * 7))
"""Closed from half past eleven on."""


def test_who_waits_has_waited_once_more_in_open_hours() -> None:
    received = [NOON - HOUR_S, NOON - 2400, NOON - 1200, NOON - 60]
    facts = facts_of(sources(waiting={"messages": received}, hours=NIGHT), HOUR_SPAN)
    assert facts.waiting == {"messages": [60, 1200, 2400, HOUR_S], "messages.business": [0, 0, 600, 1800]}
    always = facts_of(sources(waiting={"messages": received}), HOUR_SPAN)
    assert always.waiting["messages.business"] == always.waiting["messages"]


def test_what_could_not_be_converted_at_all_is_known_as_such() -> None:
    minutes: Mapping[int, Totals] = {
        NOON - 600: {"cost.unconverted": 2, "ad_spend": 5, "ad_spend.unconverted": 1, "sale_value.unconverted": 0},
    }
    assert facts_of(sources(minutes), HOUR_SPAN).unpriced == {"cost"}


def kpi(formula: AnyFormula, **more: Any) -> Kpi:
    return Kpi(key="own", title="T", meaning="M.", formula=formula, unit=Unit.COUNT, kra="K", **more)


CLEAN = kpi(Sum(total("interactions")), screened=Sum(less("interactions", "suspect_interactions")))


def test_a_value_stands_beside_what_it_is_without_inauthentic_activity() -> None:
    found = facts_of(sources({NOON - 60: {"interactions": 9, "suspect_interactions": 4}}), HOUR_SPAN)
    value = value_of(CLEAN, found)
    assert (value.value, value.screened, value.parts) == (9, 5, {"interactions": 9})
    assert value_of(kpi(Sum(total("interactions"))), found).screened is None


OLD = kpi(Sum(total("mentions")), valid_from=date(2024, 1, 1), also_shown=("clicks",))
NEW = kpi(Sum(total("clicks")), version=2, valid_from=date(2024, 10, 5), earlier=(OLD,))


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        (NOON, 5),
        (20_000 * DAY_S, 5),
        (20_001 * DAY_S, 5),  # the last moment of the 4th
        (20_001 * DAY_S + 60, 7),
    ],
)
def test_a_span_is_told_by_the_definition_of_its_last_local_day(end: int, shown: int) -> None:
    found = sources({end - 60: {"mentions": 5, "clicks": 7}})
    span = Span(end - HOUR_S, end, end - 2 * HOUR_S, end - HOUR_S)
    value = value_of(NEW, facts_of(found, span))
    assert value.value == shown
    assert evaluate(found, {Window.HOUR: span}, [NEW]) == {"own": {Window.HOUR: value}}
    assert value.parts == ({"mentions": 5, "clicks": 7} if shown == 5 else {"clicks": 7})


def test_a_past_period_is_told_by_the_definition_of_today_only_on_purpose() -> None:
    found = sources({NOON - 60: {"mentions": 5, "clicks": 7}})
    assert value_of(NEW, facts_of(found, HOUR_SPAN), restated=True).value == 7
    assert evaluate(found, {Window.HOUR: HOUR_SPAN}, [NEW], restated=True)["own"][Window.HOUR].value == 7


def test_the_day_that_a_definition_is_chosen_by_is_the_local_one() -> None:
    kiritimati = LocalClock("Pacific/Kiritimati")  # fourteen hours ahead: noon of the 4th is the 5th there
    found = Sources(timeline({NOON - 60: {"mentions": 5, "clicks": 7}}, kiritimati), {}, {})
    assert value_of(NEW, facts_of(found, HOUR_SPAN)).value == 7


def test_windows_that_look_around_markers_share_what_they_read() -> None:
    started = NOON - 8 * DAY_S
    found = sources(
        {started - DAY_S: {"mentions": 10}, started + DAY_S: {"mentions": 15}}, markers={"campaign_started": [started]}
    )
    grown = kpi(Uplift(total("mentions"), None, "campaign_started"))
    values = evaluate(found, current_spans(NOON, CLOCK, NOON), [grown])["own"]
    told = {window for window, value in values.items() if value.value == 50.0}
    assert told == {
        Window.DAYS_7,
        Window.DAYS_28,
        Window.DAYS_90,
        Window.WEEK,
        Window.QUARTER,
        Window.MONTH,
        Window.YEAR,
    }
    assert {values[window].reason for window in set(Window) - told} == {Reason.NO_MARKER}
