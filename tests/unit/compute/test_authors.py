"""Advocates: who is one since when, and what of their deeds counts, whatever the order of arrival."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.compute.screening import T0, Event, Screening, interaction, mention

CUT = "channel=instagram"


def praises(*moments: int, author: str = "ann") -> list[Event]:
    return [mention(f"praise-{author}-{at}", T0 + at, author, "+ love it") for at in moments]


def advocates(screening: Screening, cut: str = "") -> dict[str, int]:
    return {key: value for key, value in screening.total(cut).items() if key.startswith("advocate")}


def test_the_third_positive_mention_makes_an_advocate_and_counts_as_the_first_deed() -> None:
    screening = Screening()
    screening.apply([interaction("early", T0 + 5, "ann"), *praises(10, 20, 30), interaction("late", T0 + 31, "ann")])
    assert advocates(screening, CUT) == {
        "advocates": 1,
        "advocate_interactions": 1,
        "advocate_positive_n": 1,
        "advocate_sentiment_n": 1,
    }


def test_two_positive_mentions_a_third_of_a_competitor_and_a_fourth_that_is_neutral_make_none() -> None:
    screening = Screening()
    others = [mention("rival", T0 + 30, "ann", "+ fine", of="rival"), mention("plain", T0 + 40, "ann", "well")]
    screening.apply([*praises(10, 20), *others, interaction("like", T0 + 50, "ann")])
    assert advocates(screening) == {}


def test_three_authors_with_a_positive_mention_each_are_no_advocates() -> None:
    screening = Screening()
    screening.apply([event for name in ("ann", "bob", "cat") for event in praises(10, author=name)])
    assert advocates(screening) == {}


def test_what_an_advocate_takes_back_is_taken_back_and_views_are_no_interactions() -> None:
    screening = Screening()
    deeds = [
        interaction("a", T0 + 40, "ann", count=5),
        interaction("b", T0 + 50, "ann", op="remove", count=2),
        interaction("c", T0 + 60, "ann", kind="view"),
        interaction("d", T0 + 70, "ann", kind="comment", op="edit", text="- awful"),
    ]
    screening.apply([*praises(10, 20, 30), *deeds])
    assert advocates(screening)["advocate_interactions"] == 3
    assert advocates(screening)["advocate_sentiment_n"] == 1


def test_texts_of_advocates_count_by_how_they_sound() -> None:
    screening = Screening()
    texts = [mention("n", T0 + 40, "ann", "- bad"), mention("0", T0 + 50, "ann", "so so")]
    screening.apply([*praises(10, 20, 30), *texts])
    assert advocates(screening) == {
        "advocates": 1,
        "advocate_positive_n": 1,
        "advocate_negative_n": 1,
        "advocate_sentiment_n": 3,
    }


def test_a_late_mention_makes_an_advocate_earlier_and_what_lies_between_counts() -> None:
    screening = Screening()
    screening.apply(
        [*praises(10, 20, 100), interaction("between", T0 + 60, "ann"), interaction("before", T0 + 5, "ann")]
    )
    assert "advocate_interactions" not in advocates(screening)
    screening.apply(praises(30))
    assert advocates(screening)["advocate_interactions"] == 1
    assert advocates(screening)["advocate_positive_n"] == 2


_EVENTS = st.lists(
    st.tuples(st.sampled_from("+-01x"), st.integers(0, 40), st.sampled_from(("ann", "bob"))), min_size=1, max_size=24
)


def _event(number: int, kind: str, moment: int, author: str) -> Event:
    if kind in "+-0":
        return mention(str(number), T0 + moment, author, kind)
    return interaction(str(number), T0 + moment, author, op="add" if kind == "1" else "remove")


@given(_EVENTS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_and_batches_of_arrival_change_nothing(
    drawn: list[tuple[str, int, str]], random: object, size: int
) -> None:
    events = [_event(number, *told) for number, told in enumerate(drawn)]
    one, other = Screening(), Screening()
    one.apply(sorted(events, key=lambda event: event["time"]))
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for start in range(0, len(shuffled), size):
        other.apply(shuffled[start : start + size])
    assert one.everything() == other.everything()
    assert one.total() == _by_definition(drawn)


def _by_definition(drawn: list[tuple[str, int, str]]) -> dict[str, int]:
    found = dict.fromkeys(
        ("advocates", "advocate_interactions", "advocate_positive_n", "advocate_negative_n", "advocate_sentiment_n"), 0
    )
    for author in ("ann", "bob"):
        praised = sorted(moment for kind, moment, who in drawn if kind == "+" and who == author)
        done = [kind for kind, moment, who in drawn if len(praised) > 2 and who == author and moment >= praised[2]]
        found["advocates"] += bool(done)
        found["advocate_interactions"] += done.count("1") - done.count("x")
        found["advocate_positive_n"] += done.count("+")
        found["advocate_negative_n"] += done.count("-")
        found["advocate_sentiment_n"] += sum(map(done.count, "+-0"))
    return {key: value for key, value in found.items() if value}
