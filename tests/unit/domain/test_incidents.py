"""The course of a crisis follows from its steps, whatever their order."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.incidents import (
    LIVE,
    PHASES,
    SILENT,
    Interval,
    Phase,
    Reason,
    State,
    Step,
    Word,
    account,
    advance,
    in_order,
    intervals,
    moves,
    opening,
    possible,
    reaction,
)

OLD_PHASES: tuple[Phase, ...] = ("opened", "acknowledged", "responded", "escalated", "resolved", "reopened")
CUTS = st.sampled_from([("", "channel=x"), ("", "channel=web")])
STEPS = st.lists(st.builds(Step, st.integers(0, 20), st.sampled_from(OLD_PHASES), CUTS, st.just(SILENT)), max_size=8)
SCORES = st.sampled_from([None, 3.0, 9.5])
REASONS: st.SearchStrategy[Reason | None] = st.sampled_from([None, "real", "benign", "false"])


@st.composite
def all_steps(draw: st.DrawFn) -> list[Step]:
    """Steps of all kinds, each of an event of its own."""
    return [
        Step(
            draw(st.integers(0, 12)),
            draw(st.sampled_from(PHASES)),
            draw(CUTS),
            Word("/a", f"{number}", score=draw(SCORES), reason=draw(REASONS), into="other"),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


TABLE = """
              opened acknowledged responded escalated    stable resolved merged reopened split        noted
none          open   -            -         -            -      -        -      -        -            -
open          -      acknowledged responded open         stable resolved merged -        open         open
acknowledged  -      -            responded acknowledged stable resolved merged -        acknowledged acknowledged
responded     -      -            -         responded    stable resolved merged -        responded    responded
stable        -      -            -         open         -      resolved merged open     stable       stable
resolved      -      -            -         -            -      -        merged open     -            resolved
merged        -      -            -         -            -      -        -      -        open         merged
"""
CELLS = [
    (line.split()[0], phase, after)
    for line in TABLE.strip().splitlines()[1:]
    for phase, after in zip(PHASES, line.split()[1:], strict=True)
]
WAYS: dict[str, list[Phase]] = {
    "none": [],
    "open": ["opened"],
    "acknowledged": ["opened", "acknowledged"],
    "responded": ["opened", "responded"],
    "stable": ["opened", "stable"],
    "resolved": ["opened", "resolved"],
    "merged": ["opened", "merged"],
}


def intervals_of_before(steps: Collection[Step]) -> list[Interval]:
    """The rule of the release before this one, which knew of resolutions and reopenings alone."""
    turns = ("resolved", "reopened")
    opened = min((step.at for step in steps if step.phase == "opened"), default=None)
    if opened is None:
        return []
    found, since = list[Interval](), [opened]
    for at, turn in sorted({(s.at, turns.index(s.phase)) for s in steps if s.phase in turns and s.at >= opened}):
        if turns[turn] == "resolved" and since:
            found.append(Interval(since.pop(), at))
        elif turns[turn] == "reopened" and not since:
            since.append(at)
    return [*found, *(Interval(start, None) for start in since)]


def test_the_table_has_a_cell_for_every_state_and_step() -> None:
    assert TABLE.split()[: len(PHASES)] == list(PHASES)
    assert {state for state, _, _ in CELLS} == {"none", *(state.value for state in State)}
    assert len(CELLS) == (len(State) + 1) * len(PHASES)


@pytest.mark.parametrize(("before", "phase", "after"), CELLS)
def test_a_step_leads_where_the_table_says_or_changes_nothing(before: str, phase: Phase, after: str) -> None:
    way = [Step(at, way) for at, way in enumerate(WAYS[before])]
    step = Step(10, phase, word=Word(into="other", reason=None))
    led = None if after == "-" else State(after)
    assert moves([*way, step])[-1].state == led
    stands = account([*way, step])
    if led is not None or before != "none":
        assert stands is not None
        assert stands.state == (led or State(before))
        assert stands.since == (10 if led and led.value != before else max(len(way) - 1, 0))
    else:
        assert stands is None
    if before != "none":
        assert (phase in possible(State(before))) == (led is not None)
        assert advance(State(before), phase) == led


@given(STEPS)
def test_without_the_newer_steps_a_crisis_is_open_as_it_was_before_they_were_known(steps: list[Step]) -> None:
    assert intervals(steps) == intervals_of_before(steps)


@given(st.data(), all_steps())
def test_neither_order_nor_repeats_of_steps_change_an_account(data: st.DataObject, steps: list[Step]) -> None:
    arrived = data.draw(st.permutations(steps))
    assert account({*arrived, *steps}) == account(steps)
    assert moves(arrived) == moves(steps)
    assert intervals(arrived) == intervals(steps)


@given(all_steps(), st.integers(0, 13))
def test_an_account_of_a_moment_hangs_on_nothing_later(steps: list[Step], moment: int) -> None:
    then = [move for move in moves(set(steps)) if move.step.at < moment]
    assert moves({step for step in steps if step.at < moment}) == then


@given(all_steps())
def test_a_crisis_is_open_while_it_is_in_a_live_state_and_never_where_it_is_void(steps: list[Step]) -> None:
    found, stands = intervals(steps), account(steps)
    assert found == sorted(found)
    if stands is None or stands.merged_into or stands.reason == "false":
        assert found == []
    else:
        assert (found[-1].resolved is None) == (stands.state in LIVE)
        assert found[-1].resolved == stands.resolved_at
        assert found[0].opened == stands.opening.at


def test_an_account_tells_the_severity_last_said_the_peak_and_the_first_times() -> None:
    def step(at: int, phase: Phase, score: float | None = None, by: str = "ann") -> Step:
        return Step(at, phase, word=Word("/a", f"{at}", by, severity="critical" if at < 60 else "warning", score=score))

    steps = [step(10, "opened", 6.0), step(20, "acknowledged", 1.0), step(30, "escalated", 9.0), step(40, "stable")]
    steps += [step(50, "reopened"), step(60, "escalated", 4.0), step(70, "acknowledged"), step(80, "noted", 10.0)]
    stands = account(steps)
    assert stands is not None
    assert (stands.state, stands.since, stands.opening) == (State.ACKNOWLEDGED, 70, steps[0])
    assert (stands.severity, stands.score, stands.peak) == ("warning", 4.0, 9.0)
    assert (stands.acknowledged_at, stands.responded_at, stands.stable_at) == (20, None, 40)
    assert (stands.resolved_at, stands.reason, stands.merged_into) == (None, None, "")


def test_a_false_alarm_was_never_open_and_is_so_again_when_it_is_reopened() -> None:
    false = [Step(10, "opened"), Step(30, "resolved", word=Word(reason="false")), Step(40, "noted")]
    assert intervals(false) == []
    assert intervals([*false, Step(50, "reopened")]) == [Interval(10, 30), Interval(50, None)]


def test_a_crisis_is_open_from_its_opening_to_its_resolution() -> None:
    assert intervals([Step(10, "opened")]) == [Interval(10, None)]
    assert intervals([Step(30, "resolved"), Step(10, "opened")]) == [Interval(10, 30)]


def test_a_crisis_that_is_reopened_is_open_twice() -> None:
    steps = [Step(10, "opened"), Step(30, "resolved"), Step(50, "reopened")]
    assert intervals(steps) == [Interval(10, 30), Interval(50, None)]
    assert intervals([*steps, Step(70, "resolved")]) == [Interval(10, 30), Interval(50, 70)]


def test_a_second_resolution_and_the_reopening_of_what_is_open_change_nothing() -> None:
    steps = [Step(10, "opened"), Step(20, "reopened"), Step(30, "resolved"), Step(40, "resolved")]
    assert intervals(steps) == [Interval(10, 30)]


def test_what_was_never_opened_has_no_course() -> None:
    steps = [Step(10, "acknowledged"), Step(30, "resolved"), Step(50, "reopened")]
    assert (opening(steps), intervals(steps), reaction(steps, 60)) == (None, [], None)


def test_what_happened_before_the_opening_is_no_step_of_the_crisis() -> None:
    steps = [Step(5, "resolved"), Step(6, "acknowledged"), Step(10, "opened")]
    assert intervals(steps) == [Interval(10, None)]
    assert reaction(steps, None) is None


def test_of_two_openings_the_earlier_stands() -> None:
    steps = [Step(20, "opened", ("", "channel=x")), Step(10, "opened", ("", "channel=web"))]
    assert opening(steps) == Step(10, "opened", ("", "channel=web"))
    assert intervals(steps) == [Interval(10, None)]


def test_the_first_of_acknowledgement_response_and_public_reply_is_the_reaction() -> None:
    steps = [Step(10, "opened"), Step(40, "acknowledged"), Step(30, "responded")]
    assert reaction(steps, None) == 30
    assert reaction(steps, 20) == 20
    assert reaction(steps, 35) == 30


def test_intervals_of_several_crises_are_ascending_and_the_open_one_is_last_of_those_that_begin_together() -> None:
    found = [Interval(5, None), Interval(5, 9), Interval(1, None), Interval(5, 7)]
    assert in_order(found) == [Interval(1, None), Interval(5, 7), Interval(5, 9), Interval(5, None)]


@given(STEPS, st.integers(0, 21))
def test_as_of_a_moment_a_crisis_is_what_its_steps_up_to_it_say(steps: list[Step], moment: int) -> None:
    """Of the full course one sees what had begun by then, and as open what was resolved later."""
    opened = opening(steps)
    if opened is None or opened.at >= moment:
        return
    seen = [i for i in intervals(steps) if i.opened < moment]
    expected = [i if i.resolved is not None and i.resolved < moment else Interval(i.opened, None) for i in seen]
    assert intervals([step for step in steps if step.at < moment]) == expected


@given(st.data(), STEPS)
def test_the_order_in_which_steps_become_known_does_not_matter(data: st.DataObject, steps: list[Step]) -> None:
    arrived = data.draw(st.permutations([*steps, *steps]))
    assert intervals(arrived) == intervals(steps)
    assert opening(arrived) == opening(steps)
    assert reaction(arrived, 7) == reaction(steps, 7)
