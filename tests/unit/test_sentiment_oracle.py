"""Our scores against those of vaderSentiment 3.3.2: all four, to the last digit."""

import csv
import random
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bellwether.adapters.lexicon import vader_lexicon
from bellwether.domain.cleaning import clean
from bellwether.domain.sentiment import SentimentScorer

_SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
_LEXICON = vader_lexicon()
_SCORER = SentimentScorer(_LEXICON)
_VADER = import_module("vaderSentiment.vaderSentiment")
_oracle: Callable[[str], Mapping[str, float]] = _VADER.SentimentIntensityAnalyzer().polarity_scores


def _words(text: str) -> list[str]:
    return text.split()


# Every word that some rule asks for, so that rules meet one another within few words.
_RULE_WORDS = _words("""
    no nor or not never so this without doubt least at very but kind of sort kinda kind-of just
    enough the shit bomb bad ass badass bus stop yeah right kiss death to die for beating heart
    don't DON'T n't ain't cannot uh-uh despite hardly barely more less most REALLY fucking
    can't stand fed up screwed
""")
_ADVERBS_AND_NEGATIONS = [*_VADER.BOOSTER_DICT, *_VADER.NEGATE]
_PHRASES = [
    *_VADER.SPECIAL_CASES,
    *_VADER.SENTIMENT_LADEN_IDIOMS,
    *("without doubt", "without any doubt", "never so", "never this", "at least", "very least", "no X or"),
]
_PLAIN_WORDS = _words("a I flight plane U.S. Monday it's it was A OK 24/7 éclair straße İstanbul ΑΣ ﬁne")
_LISTED_WORDS = sorted(_LEXICON.words)
_EMOTICONS = [word for word in _LISTED_WORDS if not any(map(str.isalnum, word))]
_EMOJIS = [*sorted(_LEXICON.emojis), "\ufe0f", "\u200d", "\ud83d"]
_GOOD_AND_BAD = _words("good great nice bad awful sad love hate no kind")
_POOLS = (
    (6, _RULE_WORDS),
    (3, _ADVERBS_AND_NEGATIONS),
    (3, _PHRASES),
    (6, _GOOD_AND_BAD),
    (4, _LISTED_WORDS),
    (3, _PLAIN_WORDS),
    (1, _EMOTICONS),
    (1, _EMOJIS),
)
_DRAWN_POOLS = [pool for weight, pool in _POOLS for _ in range(weight)]
_SHAPES: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.title, str.swapcase, str)
_ENDS = ("", "", "", "", "!", "?", "!!", "??", "???", "?!?!", "!!!!!", ".", ",", "...", "'", '"', ")", ":)")
_GAPS = (" ", " ", " ", " ", " ", " ", " ", "  ", "\n", "\t", "\u00a0", "\u2009", "", ",", "-")


def _adversarial_text(rng: random.Random) -> str:
    pieces: list[str] = []
    for _ in range(min(int(rng.expovariate(0.16)), 30)):
        word = rng.choice(rng.choice(_DRAWN_POOLS))
        if rng.random() < 0.3:
            word = rng.choice(_SHAPES)(word)
        if rng.random() < 0.15:
            word = rng.choice(_ENDS) + word + rng.choice(_ENDS)
        pieces += word, rng.choice(_GAPS)
    return "".join(pieces) + rng.choice(_ENDS)


def _adversarial_texts(count: int) -> Iterator[str]:
    rng = random.Random(2014)
    return (_adversarial_text(rng) for _ in range(count))


def _assert_equal_scores(texts: Iterable[str]) -> int:
    """Compare all texts and name the first few that differ; returns how many were compared."""
    compared, different = 0, []
    for text in texts:
        compared += 1
        ours, theirs = _SCORER.scores(text), _oracle(text)
        if ours._asdict() != theirs or _SCORER.score(text) != theirs["compound"]:
            different.append((text, ours, theirs))
    assert not different, f"{len(different)} of {compared} differ: {different[:3]}"
    return compared


def _texts_of(path: Path, read: Callable[[Path], list[str]]) -> list[str]:
    if not path.exists():
        pytest.skip(f"the shared data folder has no {path.name} here")
    return read(path)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _text_column(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def test_fifty_thousand_adversarial_texts_score_as_vader_scores_them() -> None:
    assert _assert_equal_scores(_adversarial_texts(50_000)) == 50_000


def test_the_adversarial_texts_reach_every_kind_of_score() -> None:
    compounds = [_SCORER.score(text) for text in _adversarial_texts(5_000)]
    assert min(compounds) < -0.9
    assert max(compounds) > 0.9
    assert 0.05 < compounds.count(0.0) / len(compounds) < 0.5


def test_tweets_score_as_vader_scores_them() -> None:
    texts = _texts_of(_SHARED_DATA / "sentiment_en" / "val_text.txt", _lines)
    assert _assert_equal_scores(texts) > 1_000


def test_airline_tweets_score_as_vader_scores_them_cleaned_or_not() -> None:
    texts = _texts_of(_SHARED_DATA / "airline.csv", _text_column)
    assert _assert_equal_scores(texts) > 7_000
    _assert_equal_scores(map(clean, texts))


def test_every_listed_word_and_emoji_scores_as_vader_scores_it() -> None:
    _assert_equal_scores([*_LEXICON.words, *_LEXICON.emojis])


def test_every_pair_of_rule_words_before_a_word_scores_as_vader_scores_it() -> None:
    _assert_equal_scores(f"{first} {second} good" for first in _RULE_WORDS for second in _RULE_WORDS)


def test_every_adverb_and_negation_up_to_three_before_a_word_scores_as_vader_scores_it() -> None:
    _assert_equal_scores(
        around(f"it was {shape(word)} {between}{listed}")
        for word in _ADVERBS_AND_NEGATIONS
        for shape in (str.lower, str.upper)
        for around in (str, str.upper)
        for between in ("", "X ", "X y ", "X y z ")
        for listed in ("good", "bad")
    )


def test_every_phrase_meets_every_other_as_in_vader() -> None:
    _assert_equal_scores(
        f"on a {first} {second}{end}" for first in _PHRASES for second in _PHRASES for end in ("", " good", " was good")
    )


def test_rule_words_three_before_and_two_after_a_word_score_as_vader_scores_them() -> None:
    rng = random.Random(3)
    windows = ([rng.choice(_RULE_WORDS) for _ in range(5)] for _ in range(10_000))
    _assert_equal_scores(" ".join([*w[:3], rng.choice(_GOOD_AND_BAD), *w[3:]]) for w in windows)


def test_long_texts_with_many_equal_valences_around_but_score_as_vader_scores_them() -> None:
    rng = random.Random(5)
    words = ["good", "bad", "but", "very", "not", "plane", "GOOD", "sad"]
    _assert_equal_scores(" ".join(rng.choices(words, k=300)) for _ in range(50))


@given(st.text())
@example("")
@example(" \t\n\u00a0")
@example("!!!")
@example("but")
@example("\ud83d\ude00 good\x00bad")
@example("good" + "!" * 1_000 + "?" * 1_000)
@example("good bad " * 500)
def test_any_text_at_all_scores_as_vader_scores_it(text: str) -> None:
    _assert_equal_scores([text])


@given(
    st.lists(
        st.sampled_from([*_RULE_WORDS, *_GOOD_AND_BAD, *_EMOTICONS[:20], *_EMOJIS[:20]])
        | st.text(string.ascii_letters + string.punctuation, max_size=6),
        max_size=12,
    )
)
def test_any_mixture_of_rule_words_scores_as_vader_scores_it(words: list[str]) -> None:
    _assert_equal_scores([" ".join(words), " ".join(words).title()])
