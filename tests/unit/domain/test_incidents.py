"""The course of a crisis follows from its steps, whatever their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.incidents import Interval, Step, in_order, intervals, opening, reaction

STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, 20),
        st.sampled_from(["opened", "acknowledged", "responded", "escalated", "resolved", "reopened"]),
        st.sampled_from([("", "channel=x"), ("", "channel=web")]),
    ),
    max_size=8,
)


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
