"""From rollups, audiences and who waits to values: what counts in which window."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bellwether.catalogue.builtin import CATALOGUE, _checked
from bellwether.catalogue.evaluate import LevelHistory, Sources, Undone, Value, current_spans, evaluate, facts_of
from bellwether.catalogue.formula import Reason, Sum, total
from bellwether.catalogue.kpi import Kpi, Unit
from bellwether.catalogue.scorecards import SCORECARDS
from bellwether.domain.clock import DAY_S, HOUR_S, LocalClock
from bellwether.domain.timeline import Grain, Timeline, chunk_of
from bellwether.domain.totals import Totals
from bellwether.domain.windows import Span, Window

CLOCK = LocalClock("UTC")
NOON = 20_000 * DAY_S + 12 * HOUR_S
HOUR_SPAN = Span(NOON - HOUR_S, NOON, NOON - 2 * HOUR_S, NOON - HOUR_S)


def timeline(buckets: Mapping[int, Totals]) -> Timeline:
    """Rollups in all grains of totals by minute."""
    found = Timeline(CLOCK)
    for minute, totals in buckets.items():
        hour, day = CLOCK.place(minute)
        for grain, bucket in zip(Grain, (minute, hour, day), strict=True):
            found.loaded.add(chunk_of(grain, bucket, CLOCK))
            found.add(grain, bucket, 0, totals)
    return found


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
    assert facts.waiting == {"messages": [1, 70, HOUR_S], "queries": []}


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


ISSUED = [
    "weekly_interactions",
    "content_engagement_rate",
    "content_engagement_rate.by_reach",
    "content_engagement_rate.by_impressions",
    "content_reach",
    "content_impressions",
    "click_through_rate",
    "brand_mentions",
    "brand_mention_growth",
    "share_of_voice",
    "community_sentiment",
    "message_response_time",
    "query_response_time",
    "response_rate",
    "unanswered_questions",
    "ugc_submissions",
    "ugc_participation",
    "subscriber_growth",
    "follower_growth_rate",
    "engagement_growth",
    "content_pieces_monthly",
    "coverage_growth",
]


@pytest.mark.parametrize("key", ISSUED)
def test_every_kpi_that_is_promised_stands_in_the_catalogue(key: str) -> None:
    kpi = CATALOGUE[key]
    assert kpi.key == key
    assert kpi.title
    assert kpi.meaning.endswith(".")


def test_scorecards_hold_kpis_of_the_catalogue_and_no_area_is_empty() -> None:
    for role, card in SCORECARDS.items():
        assert card.role == role
        assert set(card.kpis()) <= CATALOGUE.keys()
        assert all(area.lines for area in card.areas)
        assert all(line.weight > 0 for area in card.areas for line in area.lines)


def _kpi(key: str, measure: str) -> Kpi:
    return Kpi(key=key, title="T", meaning="M.", formula=Sum(total(measure)), unit=Unit.COUNT, kra="K")


def test_a_catalogue_with_a_key_twice_or_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="given twice"):
        _checked((_kpi("a", "mentions"), _kpi("a", "mentions")))
    with pytest.raises(ValueError, match="mansions"):
        _checked((*CATALOGUE.values(), _kpi("a", "mansions")))
