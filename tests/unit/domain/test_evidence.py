"""Evidence of a crisis follows from the set of its texts, and its terms from Dunning's ratio."""

from __future__ import annotations

from math import log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.evidence import BASELINE_S, EXCERPT, POSTS, Label, Reading, Span, Text, tell
from bellwether.domain.incidents import Phase, Severity, Step, Word
from bellwether.domain.occasions import UNTOLD_S, occasions
from bellwether.domain.terms import log_likelihood, telling_terms, terms_of

SPAN = Span(200_000, 201_000)
ALL = Reading(7, complete=True)
LABELS: st.SearchStrategy[Label | None] = st.sampled_from([None, "negative", "neutral", "positive"])


def text(number: int, at: int = 200_500, said: str = "late again", **told: object) -> Text:
    plain: dict[str, object] = {
        "source": "/a",
        "event_id": f"{number}",
        "offset": number,
        "at": at,
        "channel": "x",
        "public": True,
        "author": "",
        "name": "",
        "followers": None,
        "reach": None,
        "url": "",
        "label": "negative",
        "score": -0.5,
        "excerpt": said[:EXCERPT],
        "terms": terms_of(said),
    }
    return Text(**{**plain, **told})  # type: ignore[arg-type]


@st.composite
def texts(draw: st.DrawFn) -> list[Text]:
    """Texts of a few authors, channels and words, each offset once."""
    return [
        text(
            draw(st.integers(0, 12)),
            draw(st.integers(SPAN.baseline_since - 5_000, SPAN.at + 500)),
            draw(st.sampled_from(["late again", "glass in my cup", "fine", "GLASS in  my cup", "#recall now"])),
            offset=offset,
            channel=draw(st.sampled_from(["x", "web"])),
            public=draw(st.booleans()),
            author=draw(st.sampled_from(["", "a", "b"])),
            name=draw(st.sampled_from(["", "Ann", "Bob"])),
            followers=draw(st.sampled_from([None, 0, 10])),
            reach=draw(st.sampled_from([None, 0, 500])),
            label=draw(LABELS),
            score=draw(st.sampled_from([None, -0.5, 0.5])),
        )
        for offset in range(draw(st.integers(0, 25)))
    ]


@given(texts(), st.randoms(use_true_random=False), st.sampled_from(["", "x"]))
def test_neither_order_nor_repeats_of_texts_change_the_evidence(
    heard: list[Text], random: Random, channel: str
) -> None:
    span = SPAN._replace(channel=channel)
    again = [*heard, *heard[: len(heard) // 2]]
    random.shuffle(again)
    assert tell(span, again, ALL) == tell(span, heard, ALL)


@given(texts())
def test_what_is_counted_adds_up(heard: list[Text]) -> None:
    told = tell(SPAN, heard, ALL)
    first = {one.event_id: one for one in sorted(heard, key=lambda one: -one.offset)}
    here = [one for one in first.values() if SPAN.since <= one.at <= SPAN.at]
    before = [one for one in first.values() if SPAN.baseline_since <= one.at < SPAN.since]
    assert told.sentiment.texts == len(here) == sum(one.texts for one in told.channels)
    assert told.sentiment_before.texts == len(before)
    for side in (told.sentiment, told.sentiment_before):
        assert side.negative + side.neutral + side.positive == side.scored <= side.texts
        assert (side.net is None) == (side.scored == 0) == (side.reason is not None)
    assert sum(one.copies for one in told.posts) == sum(one.public for one in here)
    assert sum(one.texts for one in told.authors) == sum(one.public and one.author != "" for one in here)


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        # By hand: E = 6, 14, 24, 56 for O = 10, 10, 20, 60.
        ((10, 20, 20, 80), 2 * (10 * log(10 / 6) + 10 * log(10 / 14) + 20 * log(20 / 24) + 60 * log(60 / 56))),
        ((5, 10, 0, 10), 2 * (5 * log(2) + 5 * log(5 / 7.5) + 10 * log(10 / 7.5))),
        ((3, 10, 30, 100), 0.0),
        ((4, 4, 9, 9), 0.0),
    ],
)
def test_the_ratio_is_dunnings_over_the_table_of_four(table: tuple[int, int, int, int], wanted: float) -> None:
    assert log_likelihood(*table) == pytest.approx(wanted, abs=1e-9)


def test_the_ratio_of_a_published_table_is_the_published_one() -> None:
    # Dunning 1993, table 2, "the swiss": 110, 2442, 111, 29114.
    assert log_likelihood(110, 110 + 2442, 111, 111 + 29114) == pytest.approx(270.72, abs=0.01)


def test_a_planted_term_is_told_of_first_and_what_is_usual_is_not() -> None:
    usual = [("coffee", "good"), ("coffee", "cup"), ("coffee",)] * 40
    here = [("coffee", "glass"), ("coffee", "glass", "cup"), ("coffee", "new")] * 10
    found = telling_terms(here, usual, 5)
    assert [(one.term, one.texts, one.usual) for one in found] == [("glass", 20, 0), ("new", 10, 0)]
    assert all(one.g2 is not None and one.g2 > 10.83 for one in found)


def test_a_term_that_became_rarer_is_not_told_of_though_it_is_in_more_texts() -> None:
    assert telling_terms([("a",)] * 10 + [()] * 90, [("a",)] * 9 + [()] * 11, 5) == []
    assert telling_terms([("a",)] * 10, [("a",)] * 9 + [()] * 11, 5) == [("a", 10, 9, 11.9039)]


def test_without_a_baseline_the_terms_of_most_texts_are_told_and_none_of_two_texts() -> None:
    assert telling_terms([("b", "a"), ("a",), ("b", "a"), ("b",), ("c",), ("c",)], [], 5) == [
        ("a", 3, 0, None),
        ("b", 3, 0, None),
    ]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("@Acme THE Glass, glass in my cup! https://t.co/x #AcmeFail", ("#acmefail", "cup", "glass")),
        ("don\u2019t 100 % a1 ok", ("a1", "ok")),
        ("Кофе и СТЕКЛО", ("кофе", "стекло")),
        ("# @ ' - _", ()),
        ("", ()),
    ],
)
def test_terms_are_words_and_hashtags_without_links_accounts_and_numbers(said: str, wanted: tuple[str, ...]) -> None:
    assert terms_of(said) == wanted


def test_the_post_that_reached_most_comes_first_and_copies_of_one_are_one() -> None:
    heard = [text(n, said="Glass in my  cup", followers=n) for n in range(30)]
    heard += [text(100 + n, said=f"other {n}", reach=1_000 + n) for n in range(20)]
    told = tell(SPAN, heard, ALL)
    assert len(told.posts) == POSTS
    assert [post.reach for post in told.posts] == list(range(1_019, 1_009, -1))
    told = tell(SPAN, heard[:30], ALL)
    assert [(post.reach, post.copies) for post in told.posts] == [(29, 30)]


def test_of_what_not_all_may_read_nothing_is_shown_but_it_counts() -> None:
    told = tell(SPAN, [text(n, public=False, author="a", channel="email") for n in range(4)], ALL)
    assert (told.posts, told.authors) == ([], [])
    assert (told.sentiment.negative, told.channels[0].channel) == (4, "email")


def test_authors_stand_by_followers_and_have_the_latest_name_that_was_told() -> None:
    said = [
        text(1, at=200_100, author="a", name="Ann"),
        text(2, at=200_200, author="a", name="Anne"),
        text(3, at=200_200, author="a", name="Anna", followers=0),
        text(4, at=200_300, author="a", label="neutral"),
        *(text(10 + n, author="b") for n in range(9)),
        text(30, author="c", followers=70),
    ]
    for heard in (said, said[::-1]):
        authors = tell(SPAN, heard, ALL).authors
        assert [(one.author, one.name, one.followers, one.texts, one.negative) for one in authors] == [
            ("c", None, 70, 1, 1),
            ("a", "Anne", 0, 4, 3),
            ("b", None, None, 9, 9),
        ]


def test_one_channel_is_looked_at_and_all_are_compared() -> None:
    heard = [text(n, channel="x" if n % 3 else "web", label="positive" if n % 3 else "negative") for n in range(9)]
    heard += [text(100 + n, at=SPAN.since - 1, channel="web") for n in range(4)]
    told = tell(SPAN._replace(channel="web"), heard, ALL)
    assert (told.sentiment.texts, told.sentiment.net, told.channel) == (3, -100.0, "web")
    assert [(one.channel, one.texts, one.share, one.usual) for one in told.channels] == [
        ("x", 6, 0.6667, 0.0),
        ("web", 3, 0.3333, 1.0),
    ]


def test_the_baseline_ends_where_the_episode_begins() -> None:
    moments = [SPAN.since - BASELINE_S - 1, SPAN.since - BASELINE_S, SPAN.since - 1, SPAN.since, SPAN.at, SPAN.at + 1]
    told = tell(SPAN, [text(n, at) for n, at in enumerate(moments)], ALL)
    assert (told.sentiment_before.texts, told.sentiment.texts) == (2, 2)


def step(at: int, phase: Phase, score: float | None = None, onset: int | None = None, **told: object) -> Step:
    cuts = ("", "channel=x") if phase == "opened" else ()
    return Step(at, phase, cuts, Word("/a", f"{at}", score=score, onset=onset, **told))  # type: ignore[arg-type]


def test_the_peak_is_the_first_step_that_told_the_highest_severity() -> None:
    opened, grew, again = step(9_000, "opened", 5.0, 8_000), step(9_100, "escalated", 8.0, 8_500), step(9_200, "noted")
    same, calm = step(9_300, "escalated", 8.0, 8_600), step(9_900, "stable", 9.5)
    found = occasions(dict.fromkeys([calm, same, again, grew, opened]))
    assert found["opening"] == (Span(8_000, 9_000, "x"), 5.0, opened)
    assert found["peak"] == (Span(8_500, 9_100, "x"), 8.0, grew)


@pytest.mark.parametrize(("severity", "weight"), [("critical", 8.0), (None, None)])
def test_without_an_onset_the_hour_before_is_looked_at(severity: Severity | None, weight: float | None) -> None:
    opened = step(9_000, "opened", severity=severity)
    sought = (Span(9_000 - UNTOLD_S, 9_000, "x"), weight, opened)
    assert occasions({opened: None}) == {"opening": sought, "peak": sought}


def test_a_crisis_that_came_to_the_whole_brand_is_looked_at_in_all_channels_from_then_on() -> None:
    opened, grew = step(9_000, "opened", 5.0, 8_000), step(9_100, "escalated", 8.0, numbers='{"cut": "", "n": 3}')
    assert occasions({grew: None, opened: None})["peak"].span == Span(8_000, 9_100, "")


def test_of_what_was_never_opened_nothing_is_kept() -> None:
    assert occasions({step(9_000, "escalated", 8.0): None}) == {}
