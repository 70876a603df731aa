"""Which message was answered when, as a function of the set of messages alone."""

from __future__ import annotations

import json
from collections import Counter
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.postgres.readings_receipts import answered
from bellwether.adapters.postgres.rollups import pack
from bellwether.domain.business_hours import ClosedAnswer, business_hours, schedule_of
from bellwether.domain.response_times import Clocks, ResponseRules
from bellwether.wire.events import decode_event
from bellwether_compute.conversations import Answer, Conversation, Messages, Received, Sent, Standing, standings
from bellwether_compute.talks import put_message
from tests.support.audit import flattened
from tests.support.oracle_conversations import Message, Receipt, receipts
from tests.unit.compute.folding import envelope

Part = tuple[str, Received | Sent]
GAP = 1000
RULES = ResponseRules(thread_gap_s=GAP)


def messages(*parts: Part) -> Messages:
    """The messages of a conversation after they came in this order."""
    found = Messages()
    for message_id, message in parts:
        if isinstance(message, Received):
            found.receive(message_id, message)
        else:
            found.send(message_id, message)
    return found


def asked(message_id: str, at: int, kind: str = "query", author: int = 0) -> Part:
    return message_id, Received(at, kind, author=author)


def replied(message_id: str, at: int, to: str | None = None, *, by_machine: bool = False) -> Part:
    return message_id, Sent(at, to, by_machine)


def standing(*parts: Part) -> dict[str, Standing]:
    """How messages stand, which must be the same whatever order they come in."""
    found = standings(messages(*parts), RULES, {})
    assert all(standings(messages(*order), RULES, {}) == found for order in permutations(parts))
    return found


def answers(*parts: Part) -> dict[str, Answer]:
    """The answers, which must be the same whatever order the messages come in."""
    return {message_id: stands.answer for message_id, stands in standing(*parts).items() if stands.answer}


def walls(*parts: Part) -> dict[str, int | None]:
    """The response times by the clock on the wall, None where an answer adds none; without the unanswered."""
    return {message_id: stands.clocks.wall for message_id, stands in standing(*parts).items() if stands.clocks}


def waiting(*parts: Part) -> set[str]:
    """Who waits by itself."""
    return {message_id for message_id, stands in standing(*parts).items() if stands.waits}


def test_the_first_reply_to_a_message_is_its_answer() -> None:
    found = answers(asked("q", 100), replied("a", 160, "q"), replied("b", 130, "q"))
    assert found == {"q": Answer(130, "b")}


def test_a_second_part_that_replies_to_the_brands_own_message_answers_nothing() -> None:
    found = answers(asked("q", 100), asked("q2", 110), replied("a", 160, "q"), replied("part 2", 161, "a"))
    assert found == {"q": Answer(160, "a")}


def test_a_reply_to_a_message_that_never_came_answers_nothing() -> None:
    assert answers(asked("q", 100), replied("a", 160, "lost")) == {}


def test_a_reply_that_does_not_say_to_what_answers_all_that_waited() -> None:
    found = answers(asked("q1", 100), asked("q2", 150), asked("q3", 170), replied("a", 160))
    assert found == {"q1": Answer(160, "a"), "q2": Answer(160, "a")}


def test_a_reply_that_does_not_say_to_what_leaves_earlier_answers_alone() -> None:
    found = answers(asked("q1", 100), replied("a", 110, "q1"), asked("q2", 120), replied("b", 130))
    assert found == {"q1": Answer(110, "a"), "q2": Answer(130, "b")}


def test_a_message_of_the_very_second_of_a_reply_is_answered_by_it() -> None:
    assert answers(asked("q", 100), replied("a", 100)) == {"q": Answer(100, "a")}


def test_a_reply_that_was_sent_before_its_message_by_another_clock_took_no_time() -> None:
    assert answers(asked("q", 100), replied("a", 97, "q")) == {"q": Answer(100, "a")}


def test_of_two_replies_of_one_second_the_one_with_the_smaller_id_is_the_answer() -> None:
    assert answers(asked("q", 100), replied("b", 130, "q"), replied("a", 130, "q")) == {"q": Answer(130, "a")}


def test_a_message_id_that_comes_twice_stands_where_it_was_first() -> None:
    found = answers(asked("q", 100), asked("q", 90), replied("a", 160, "q"), replied("a", 150, "q"))
    assert found == {"q": Answer(150, "a")}


def test_a_message_id_that_comes_twice_in_one_second_with_other_words_is_one_message() -> None:
    answers(asked("q", 100, "query"), asked("q", 100, "direct"), asked("r", 100), replied("a", 120))
    answers(asked("q", 100), asked("r", 100), replied("a", 120, "q"), replied("a", 120, "r"))
    answers(asked("q", 100), asked("r", 100), replied("a", 120), replied("a", 120, "r"))


def test_nothing_is_answered_where_nobody_replied() -> None:
    assert answers(asked("q", 100)) == {}
    assert answers(replied("a", 100)) == {}


def test_a_machine_answers_nothing() -> None:
    first, second = replied("bot", 101, by_machine=True), replied("bot 2", 102, "q", by_machine=True)
    assert answers(asked("q", 100), first, second) == {}
    assert answers(asked("q", 100), first, second, replied("a", 160)) == {"q": Answer(160, "a")}


def test_a_later_message_that_names_nothing_answers_only_what_the_gap_allows() -> None:
    assert answers(asked("q", 100), replied("a", 100 + GAP)) == {"q": Answer(100 + GAP, "a")}
    assert answers(asked("q", 100), asked("r", 102), replied("a", 101 + GAP)) == {"r": Answer(101 + GAP, "a")}
    assert answers(asked("q", 100), replied("a", 9 * GAP, "q")) == {"q": Answer(9 * GAP, "a")}


def test_the_clock_of_a_turn_runs_from_its_first_message() -> None:
    turn = asked("q1", 100), asked("q2", 150), asked("q3", 155), replied("a", 160)
    assert walls(*turn) == {"q1": 60, "q2": None, "q3": None}
    assert {m: s.turn_of for m, s in standing(*turn).items()} == {"q1": None, "q2": "q1", "q3": "q1"}


def test_a_turn_waits_once_however_many_messages_it_has() -> None:
    assert waiting(asked("q1", 100), asked("q2", 150)) == {"q1"}


def test_a_message_after_an_answer_starts_a_new_clock() -> None:
    turns = asked("q1", 100), replied("a", 110), asked("q2", 120), replied("b", 150)
    assert walls(*turns) == {"q1": 10, "q2": 30}
    assert waiting(*turns[:3]) == {"q2"}


def test_what_comes_in_the_second_of_the_answer_belongs_to_the_turn() -> None:
    assert walls(asked("q1", 100), asked("q2", 110), replied("a", 110)) == {"q1": 10, "q2": None}


def test_a_message_that_is_answered_by_name_has_a_clock_of_its_own() -> None:
    assert walls(asked("q1", 100), asked("q2", 150), replied("a", 160, "q2")) == {"q2": 10}
    assert waiting(asked("q1", 100), asked("q2", 150), replied("a", 160, "q2")) == {"q1"}


def test_who_is_passed_over_waits_for_himself() -> None:
    turn = asked("q1", 100), asked("q2", 150), replied("a", 160, "q1"), asked("q3", 170)
    assert waiting(*turn) == {"q2"}
    assert {m: s.turn_of for m, s in standing(*turn).items()} == {"q1": None, "q2": "q1", "q3": "q2"}
    assert walls(*turn, replied("b", 200)) == {"q1": 60, "q2": 50, "q3": None}


def test_a_further_message_of_a_turn_that_the_gap_has_left_behind_has_a_clock_of_its_own() -> None:
    assert walls(asked("q1", 100), asked("q2", 900), replied("a", 101 + GAP)) == {"q2": 201}


def test_messages_of_others_or_of_another_kind_or_much_later_are_no_further_parts() -> None:
    others = asked("q", 100, author=1), asked("r", 110, author=2), asked("d", 120, "direct", author=1)
    assert waiting(*others, asked("later", 101 + GAP, author=1)) == {"q", "r", "d", "later"}


def test_an_answer_is_told_by_the_rules_of_its_time() -> None:
    talk = Conversation(messages(asked("q", 100), replied("a", 160)))
    assert [now.clocks for _, _, now in talk.settle(RULES)] == [Clocks(60, 60, True)]
    strict = RULES._replace(target_s=30)
    assert list(talk.settle(strict)) == []
    talk.messages.receive("q2", Received(200, "query"))
    talk.messages.send("b", Sent(250))
    assert {mid: now.clocks for mid, _, now in talk.settle(strict)} == {"q2": Clocks(50, 50, False)}
    talk.messages.send("earlier", Sent(140))
    (changed,) = talk.settle(strict)
    assert (changed[1] and changed[1].clocks, changed[2].clocks) == (Clocks(60, 60, True), Clocks(40, 40, False))


def test_both_clocks_and_the_target_are_kept() -> None:
    hours = business_hours("UTC", schedule_of({"thu": ["00:00-00:02"]}, []))  # 1970-01-01
    rules = ResponseRules(hours, ClosedAnswer.LEAVE_OUT, target_s=20)
    found = standings(
        messages(asked("q", 100), asked("late", 200), replied("a", 160), replied("b", 300, "late")), rules, {}
    )
    assert {m: s.clocks for m, s in found.items()} == {"q": Clocks(60, 20, True), "late": Clocks(100, None, None)}


def _body(ids: st.SearchStrategy[str], **fields: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    drawn = st.fixed_dictionaries({"message_id": ids, **{name: st.sampled_from(of) for name, of in fields.items()}})
    return drawn.map(lambda body: {name: value for name, value in body.items() if value is not None})


IDS = st.sampled_from(["m1", "m2", "m3"])
REPLY_IDS = st.sampled_from(["r1", "r2", "r3"])
MOMENTS = st.integers(0, 6)
PARTS = st.lists(
    st.one_of(
        st.builds(asked, IDS, MOMENTS, st.sampled_from(["query", "direct"])),
        st.builds(replied, REPLY_IDS, MOMENTS, st.one_of(st.none(), IDS, REPLY_IDS, st.just("lost"))),
    ),
    max_size=8,
)


def by_definition(parts: list[Part], gap: int) -> dict[str, Answer]:
    """The answers by the words of the definition, message by message."""
    received: dict[str, Received] = {}
    sent: dict[str, Sent] = {}
    for message_id, message in parts:
        if isinstance(message, Received):
            received[message_id] = min(received.get(message_id, message), message, key=lambda m: (m.at, m.kind))
        else:
            known = sent.get(message_id, message)
            sent[message_id] = min(known, message, key=lambda m: (m.at, m.in_reply_to or ""))
    found = {}
    for message_id, message in received.items():
        replies = [
            (reply.at, reply_id)
            for reply_id, reply in sent.items()
            if reply.in_reply_to == message_id
            or (reply.in_reply_to is None and message.at <= reply.at <= message.at + gap)
        ]
        if replies:
            at, reply_id = min(replies)
            found[message_id] = Answer(max(at, message.at), reply_id)
    return found


@given(st.data(), PARTS, st.integers(1, 8))
def test_answers_are_what_the_definition_says_in_any_order_of_arrival(
    data: st.DataObject, parts: list[Part], gap: int
) -> None:
    assert messages(*data.draw(st.permutations(parts))).answers(gap) == by_definition(parts, gap)


FAR = st.sampled_from([0, 1, 2, 300_000, 604_800, 604_801, 604_802, 900_000, 1_209_601])
BODIES = st.lists(
    st.one_of(
        st.tuples(
            st.just("received"), FAR, _body(IDS, kind=["query", "direct"], author=[None, {"id": "a"}, {"id": "b"}])
        ),
        st.tuples(
            st.just("sent"), FAR, _body(REPLY_IDS, in_reply_to=[None, None, "m1", "m2", "r1"], agent=["bot:x", "eve"])
        ),
    ),
    max_size=9,
)


@given(BODIES)
def test_receipts_are_those_of_a_count_by_the_words_of_the_rules(bodies: list[Message]) -> None:
    talk = Messages()
    for direction, moment, data in bodies:
        event = envelope(f"social.message.{direction}.v1", "e", moment, conversation_id="c", **data)
        put_message(talk, decode_event(json.dumps(event).encode()), moment)
    found = standings(talk, ResponseRules(), {})
    expected = receipts(bodies)
    assert {message_id: told(stands) for message_id, stands in found.items()} == expected
    for message_id, stands in found.items():
        if stands.clocks:
            counted = flattened(pack(answered(stands.received.kind, stands.clocks, 1)))
            assert counted == Counter(dict(expected[message_id].totals()))


def told(stands: Standing) -> Receipt:
    """A standing as the oracle tells it."""
    moment, by = (stands.answer.at, stands.answer.message_id) if stands.answer else (None, None)
    is_timed = stands.clocks is None or stands.clocks.wall is not None
    return Receipt(stands.received.kind, stands.received.at, moment, by, is_timed)


@given(PARTS, st.integers(1, 8))
def test_whoever_is_unanswered_waits_or_the_first_of_the_turn_does(parts: list[Part], gap: int) -> None:
    found = standings(messages(*parts), ResponseRules(thread_gap_s=gap), {})
    for stands in found.values():
        first = found[stands.turn_of] if stands.turn_of else stands
        assert (stands.answer is None) == (stands.waits or (stands.clocks is None and first.answer is None))
        assert first.received.at <= stands.received.at


def test_a_long_conversation_is_answered_without_looking_at_every_pair() -> None:
    many = 20_000
    talk = Messages()
    for n in range(many):
        talk.receive(f"q{n}", Received(2 * n, "query"))
        talk.send(f"a{n}", Sent(2 * n + 1))
    found = standings(talk, RULES, {})
    assert len(found) == many
    assert found["q777"].answer == Answer(1555, "a777")
