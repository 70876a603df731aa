"""Which message was answered when, as a function of the set of messages alone."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bellwether_compute.conversations import Answer, Conversation, Received, Sent

Part = tuple[str, Received | Sent]


def conversation(*parts: Part) -> Conversation:
    """The conversation after these messages came, in this order."""
    found = Conversation()
    for message_id, message in parts:
        if isinstance(message, Received):
            found.receive(message_id, message)
        else:
            found.send(message_id, message)
    return found


def asked(message_id: str, at: int, kind: str = "query") -> Part:
    return message_id, Received(at, kind)


def replied(message_id: str, at: int, to: str | None = None) -> Part:
    return message_id, Sent(at, to)


def answers(*parts: Part) -> dict[str, Answer]:
    """The answers, which must be the same whatever order the messages come in."""
    found = conversation(*parts).answers()
    assert all(conversation(*order).answers() == found for order in permutations(parts))
    return found


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


def by_definition(parts: list[Part]) -> dict[str, Answer]:
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
            if reply.in_reply_to == message_id or (reply.in_reply_to is None and message.at <= reply.at)
        ]
        if replies:
            at, reply_id = min(replies)
            found[message_id] = Answer(max(at, message.at), reply_id)
    return found


@given(st.data(), PARTS)
def test_answers_are_what_the_definition_says_in_any_order_of_arrival(data: st.DataObject, parts: list[Part]) -> None:
    assert conversation(*data.draw(st.permutations(parts))).answers() == by_definition(parts)


def test_a_long_conversation_is_answered_without_looking_at_every_pair() -> None:
    many = 20_000
    talk = Conversation()
    for n in range(many):
        talk.receive(f"q{n}", Received(2 * n, "query"))
        talk.send(f"a{n}", Sent(2 * n + 1))
    found = talk.answers()
    assert len(found) == many
    assert found["q777"] == Answer(1555, "a777")
