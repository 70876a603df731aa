"""What the sentiment scorer promises by itself, the published method aside."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.cleaning import clean
from bellwether.domain.sentiment import (
    NEGATIVE_TO,
    POSITIVE_FROM,
    CachedScorer,
    Lexicon,
    Scores,
    SentimentScorer,
)

_LEXICON = Lexicon(
    words={"good": 1.9, "bad": -2.5, "no": -1.2, "kind": 2.4, "bomb": -2.2},
    emojis={"😀": "good face", "👩‍✈️": "never looked up"},
)


class CountingScorer:
    """Scores by length and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, text: str) -> float:
        self.asked.append(text)
        return len(text) / 1e6


@pytest.fixture
def scorer() -> SentimentScorer:
    return SentimentScorer(_LEXICON)


@pytest.mark.parametrize("text", ["", "   ", "\n\t\u2009"])
def test_a_text_without_words_has_no_shares_at_all(scorer: SentimentScorer, text: str) -> None:
    assert scorer.scores(text) == Scores(neg=0, neu=0, pos=0, compound=0)


def test_a_text_of_unlisted_words_is_neutral_whatever_its_punctuation(scorer: SentimentScorer) -> None:
    assert scorer.scores("the plane landed!!!") == Scores(neg=0, neu=1, pos=0, compound=0)


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        ("good flight", "very good flight"),
        ("slightly good flight", "good flight"),
        ("good flight", "GOOD flight"),
        ("good flight", "good flight!"),
        ("good flight!", "good flight!!!"),
        ("not good", "good"),
        ("it is not good", "it is never so good"),
        ("good but bad", "bad but good"),
        ("a bomb on the plane", "this was really the bomb"),
        ("the least good flight", "at least good food"),
        ("no good", "good"),
        ("bad flight", "without doubt good flight"),
    ],
)
def test_wording_moves_the_score_the_right_way(scorer: SentimentScorer, weaker: str, stronger: str) -> None:
    assert scorer.score(weaker) < scorer.score(stronger)


def test_kind_of_is_no_praise(scorer: SentimentScorer) -> None:
    assert scorer.score("kind of late") == 0
    assert scorer.score("kind crew") > 0


def test_an_adverb_of_degree_carries_no_sentiment_itself_even_if_it_is_listed() -> None:
    assert SentimentScorer(Lexicon(words={"very": 1.5}, emojis={})).score("very late") == 0


def test_an_emoji_counts_as_the_words_that_describe_it(scorer: SentimentScorer) -> None:
    assert scorer.scores("late😀again") == scorer.scores("late good faceagain")


def test_emojis_of_several_code_points_are_left_as_they_are(scorer: SentimentScorer) -> None:
    assert scorer.scores("👩‍✈️ good") == scorer.scores("x good")


def test_capitals_mean_nothing_where_everything_is_shouted(scorer: SentimentScorer) -> None:
    assert scorer.score("GOOD FLIGHT") == scorer.score("good flight")


@given(st.text())
def test_scores_stay_in_their_ranges_and_shares_add_up(text: str) -> None:
    scores = SentimentScorer(_LEXICON).scores(text)
    assert -1 <= scores.compound <= 1
    shares = scores[:3]
    assert all(0 <= share <= 1 for share in shares)
    assert sum(shares) == pytest.approx(1 if text.split() else 0, abs=0.002)


@given(st.lists(st.text(max_size=8), max_size=20))
def test_forgetting_tokens_never_changes_a_score(words: list[str]) -> None:
    text = " ".join([*words, "good", *words])
    assert SentimentScorer(_LEXICON, max_tokens=1).scores(text) == SentimentScorer(_LEXICON).scores(text)


def test_no_more_tokens_are_kept_than_allowed_and_no_long_ones() -> None:
    scorer = SentimentScorer(_LEXICON, max_tokens=100)
    scorer.score(" ".join(f"word{n}" for n in range(1_050)))
    assert len(scorer._tokens) <= 100
    scorer.score("x" * 1_000)
    assert "x" * 1_000 not in scorer._tokens


def test_a_long_text_built_to_be_slow_is_scored_in_linear_time(scorer: SentimentScorer) -> None:
    started = time.process_time()
    scorer.score("good bad " * 50_000 + "but" + " bad good" * 50_000)
    assert time.process_time() - started < 10  # the square of its words would take many minutes


def test_the_thresholds_are_those_of_the_authors() -> None:
    assert (NEGATIVE_TO, POSITIVE_FROM) == (-0.05, 0.05)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("@united thanks, great crew", "thanks, great crew"),
        ("RT @united: great crew", "great crew"),
        ("  rt @a: RT @b great crew", "great crew"),
        ("RT great crew", "great crew"),
        ("great crew https://t.co/a?b=c&d=1#e", "great crew"),
        ("Http://T.co/a great www.united.com/x crew", "great  crew"),
        ("so late (https://t.co/x)!!!", "so late ()!!!"),
        ("mail me@united.com now", "mail me@united.com now"),
        ("hi @crew@mastodon.social!", "hi !"),
        ("@a @b.", "."),
        ("ART @ 5pm, RTL at 8", "ART @ 5pm, RTL at 8"),
        ("awww.cute and ://", "awww.cute and ://"),
        ("", ""),
    ],
)
def test_handles_links_and_the_mark_of_a_retweet_are_stripped(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text("RTrt @:/.hwps!a\n"))
def test_cleaning_only_ever_takes_away(text: str) -> None:
    rest = iter(text)
    assert all(character in rest for character in clean(text))


@pytest.mark.parametrize("piece", ["@", "http://", "RT ", "RT @a", "www.", "@a@", "!", "w", " ", "@a."])
def test_cleaning_a_hostile_text_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    clean("RT " + piece * (200_000 // len(piece)) + "\0://www.@")
    assert time.process_time() - started < 2


def test_retweets_of_one_text_are_scored_once() -> None:
    counting = CountingScorer()
    cached = CachedScorer(counting)
    texts = ["great crew", "RT @a: great crew", "@united great crew https://t.co/1", " great crew "]
    assert {cached.score(text) for text in texts} == {counting.score("great crew")}
    assert counting.asked == ["great crew"] * 2  # one of them by this test itself
    assert (cached.hits, cached.misses) == (3, 1)


def test_only_the_most_recent_texts_are_remembered() -> None:
    counting = CountingScorer()
    cached = CachedScorer(counting, max_texts=2)
    for text in ("one", "two", "one", "three", "one", "two"):
        cached.score(text)
    assert counting.asked == ["one", "two", "three", "two"]


def test_a_very_long_text_is_scored_but_not_remembered() -> None:
    counting = CountingScorer()
    cached = CachedScorer(counting)
    assert cached.score("a" * 5_000) == cached.score("a" * 5_000) == 5_000 / 1e6
    assert len(counting.asked) == 2


@given(st.text())
def test_a_remembered_score_is_the_score_of_the_cleaned_text(text: str) -> None:
    scorer = SentimentScorer(_LEXICON)
    cached = CachedScorer(scorer)
    assert cached.score(text) == cached.score(text) == scorer.score(clean(text))
