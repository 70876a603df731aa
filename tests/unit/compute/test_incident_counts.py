"""What becomes of the measures of a crisis that turns out to be none of its own, and of the detector's steps."""

from __future__ import annotations

from typing import Any

import pytest

from bellwether.domain.incidents import Phase, Step, Word
from bellwether.domain.timeline import Grain
from tests.unit.compute.folding import Folding
from tests.unit.compute.test_fold import folded
from tests.unit.compute.test_settlement import START, crisis_measures, in_any_order, incident, reply


def by_hour(folding: Folding, *measures: str, hours: int = 5) -> list[tuple[Any, ...]]:
    """What the hours from START on count of some measures."""
    found = []
    for hour in range(hours):
        totals = folding.rollups().get((Grain.HOUR, "", START + hour * 3_600), {})
        found.append(tuple(totals.get(measure, 0) for measure in measures))
    return found


ALL_OF_A_CRISIS = ("crises_opened", "crises_responded", "crises_resolved", "crisis_response_time")


@pytest.mark.parametrize(
    "ending", [{"phase": "merged", "into": "flood"}, {"phase": "resolved", "reason": "false"}], ids=["merged", "false"]
)
def test_what_turns_out_to_be_no_crisis_of_its_own_takes_back_all_it_counted_at_that_moment(
    ending: dict[str, str],
) -> None:
    told = {name: value for name, value in ending.items() if name != "phase"}
    course = [incident(1, "opened", 0), incident(2, "acknowledged", 600), incident(3, ending["phase"], 7_200, **told)]
    folding = in_any_order(course)
    assert by_hour(folding, *ALL_OF_A_CRISIS) == [
        (1, 1, 0, {600: 1}),
        (0, 0, 0, 0),
        (-1, -1, 0, {600: -1}),
        (0, 0, 0, 0),
        (0, 0, 0, 0),
    ]
    assert crisis_measures(folding) == {}
    assert folding.brand.affairs.crises("") == []


@pytest.mark.parametrize("reason", [None, "real", "benign"])
def test_every_other_reason_leaves_a_crisis_counted(reason: str | None) -> None:
    told = {} if reason is None else {"reason": reason}
    folding = in_any_order([incident(1, "opened", 0), incident(2, "resolved", 60, **told)])
    assert crisis_measures(folding) == {"crises_opened": 1, "crises_resolved": 1, "crisis_resolution_time": {60: 1}}


def test_a_resolved_crisis_that_is_merged_takes_its_resolution_back_and_split_again_counts_as_open() -> None:
    course = [incident(1, "opened", 0), incident(2, "resolved", 3_600), incident(3, "merged", 7_200, into="flood")]
    folding = in_any_order([*course, incident(4, "split", 10_800)])
    assert by_hour(folding, "crises_opened", "crises_resolved", "crisis_resolution_time") == [
        (1, 0, 0),
        (0, 1, {3_600 >> 1 << 1: 1}),
        (-1, -1, {3_600 >> 1 << 1: -1}),
        (1, 0, 0),
        (0, 0, 0),
    ]
    assert [tuple(i) for i in folding.brand.affairs.crises("")] == [(START, START + 3_600), (START + 10_800, None)]


def test_a_false_alarm_that_flares_up_counts_from_its_reopening_on_with_the_reaction_it_had() -> None:
    course = [incident(1, "opened", 0), incident(2, "resolved", 3_600, reason="false"), reply(1, 300)]
    folding = in_any_order([*course, incident(3, "reopened", 10_800)])
    assert by_hour(folding, *ALL_OF_A_CRISIS) == [
        (1, 1, 0, {300: 1}),
        (-1, -1, 0, {300: -1}),
        (0, 0, 0, 0),
        (1, 1, 0, {300: 1}),
        (0, 0, 0, 0),
    ]


def test_the_steps_of_an_event_and_of_the_detector_come_to_the_same() -> None:
    told: list[tuple[Phase, int]] = [("opened", 0), ("escalated", 60), ("resolved", 600)]
    by_events = folded([[incident(n, phase, after)] for n, (phase, after) in enumerate(told)])
    by_steps = Folding()
    for phase, after in told:
        cuts = ("", "channel=instagram") if phase == "opened" else ()
        step = Step(START + after, phase, cuts, Word("/bellwether/detector", phase))
        by_steps.tell("fire", step)
        by_steps.tell("fire", step)
    assert crisis_measures(by_steps) == crisis_measures(by_events) != {}
    assert crisis_measures(by_steps, "channel=instagram") == crisis_measures(by_events)
    assert by_steps.brand.affairs.crises("") == by_events.brand.affairs.crises("")
