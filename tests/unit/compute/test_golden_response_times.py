"""The golden set of response times, through the rules for conversations alone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from itertools import islice, permutations

import msgspec
import pytest

from bellwether.domain.business_hours import (
    BusinessHours,
    ClosedAnswer,
    HolidayText,
    Schedule,
    business_hours,
    schedule_of,
)
from bellwether.domain.clock import ceil_minute
from bellwether.domain.response_times import ResponseRules
from bellwether.wire.events import decode_event
from bellwether_compute.conversations import Messages, Standing, standings
from bellwether_compute.talks import put_message
from tests.support.golden_response_times import Case, Expected, Message, cases, event_of

CASES = cases()
MOST_ORDERS = 24


def rules_of(case: Case) -> ResponseRules:
    told = case.settings
    rules = ResponseRules(
        business_hours(told["time_zone"], schedule(case)),
        ClosedAnswer(told.get("closed_answer_policy", "zero")),
    )
    target, gap = told.get("response_target_s"), told.get("thread_gap_s")
    rules = rules._replace(target_s=target) if target else rules
    return rules._replace(thread_gap_s=gap) if gap else rules


def schedule(case: Case) -> Schedule:
    holidays = json.dumps(case.settings.get("holidays", []))
    return schedule_of(case.settings.get("business_hours"), msgspec.json.decode(holidays, type=list[HolidayText]))


def orders(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Every order of arrival of a short conversation, many of a longer one."""
    if len(messages) <= 4:
        yield from permutations(messages)
        return
    for seed in range(MOST_ORDERS):
        yield random.Random(seed).sample(messages, len(messages))


def standing(messages: Sequence[Message], rules: ResponseRules) -> dict[str, Standing]:
    talk = Messages()
    for number, message in enumerate(messages):
        put_message(talk, decode_event(json.dumps(event_of(message, "aurora", number)).encode()), message.at)
    return standings(talk, rules, {})


def shown(stands: Standing, rules: ResponseRules, case: Case, expected: Expected) -> Expected:
    """What is told of a message, as far as the case says what it should be."""
    received, clocks = stands.received.at, stands.clocks
    late = rules.late_from(received)
    end = stands.answer.at if stands.answer else case.as_of
    hours = rules.hours or BusinessHours(case.settings["time_zone"], Schedule())
    waited = (end - received, hours.seconds_between(received, end)) if end is not None else None
    parts = [(s.kind.value, s.end - s.start) for s in hours.intervals(received, end)] if end is not None else []
    return Expected(
        stands.answer.message_id if stands.answer else None,
        clocks.wall if clocks else None,
        clocks.business if clocks else None,
        clocks.within_target if clocks else None,
        stands.turn_of,
        stands.waits,
        waited if expected.waited else None,
        ceil_minute(late) if late is not None and expected.late_from else None,
        tuple(parts) if expected.intervals else None,
    )


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_conversation_is_told_as_the_golden_set_says_in_any_order_of_arrival(case: Case) -> None:
    rules = rules_of(case)
    for messages in islice(orders(case.messages), MOST_ORDERS):
        found = standing(messages, rules)
        told = {
            message_id: shown(stands, rules, case, case.expected[message_id]) for message_id, stands in found.items()
        }
        assert told == case.expected


def test_the_golden_set_is_as_large_as_it_says_and_no_case_is_told_twice() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)
    policies = {c.settings.get("closed_answer_policy") for c in CASES if c.name.startswith("02")}
    assert policies == {"zero", "wall", "leave_out", None}
