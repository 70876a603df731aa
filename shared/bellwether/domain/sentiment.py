"""Sentiment of short texts: the four scores of VADER, written for a stream.

The method is that of Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for
Sentiment Analysis of Social Media Text", ICWSM 2014; its word lists are published under
the MIT licence with the package vaderSentiment. The scores equal those of vaderSentiment
3.3.2 to the last digit, its oddities included: a score must not change with the engine
that computed it. Texts are split into tokens, what is known of a token is kept, and
context is looked at only around words that the lexicon lists.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import heappop, heappush
from math import sqrt
from string import punctuation
from typing import Final, NamedTuple, Protocol

from bellwether.domain.cleaning import clean

POSITIVE_FROM: Final = 0.05
"""Lowest compound score of a positive text: the authors' threshold (VADER's README)."""
NEGATIVE_TO: Final = -0.05
"""Highest compound score of a negative text: the authors' threshold (VADER's README)."""

_BOOST = 0.293  # mean change of intensity by a degree adverb, as the paper measured it
_SHOUT = 0.733  # ... by capitals amid lower case
_NEGATION = -0.74
_NEVER_SO = 1.25  # "never so good" praises
_EXCLAIMED = tuple(marks * 0.292 for marks in range(5))  # four marks say all
_ASKED = (0.0, 0.0, 2 * 0.18, 3 * 0.18, 0.96)  # one question mark is a question, more are tone
_SPREAD = 15.0  # makes the compound score approach 1 as the sum of valences grows


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_AMPLIFIERS = _listed("""
    absolutely amazingly awfully completely considerable considerably decidedly deeply
    effing enormous enormously entirely especially exceptional exceptionally extreme
    extremely fabulously flippin flipping frackin fracking frickin fricking friggin
    frigging fuckin fucking fuggin fugging fully greatly hella highly hugely incredible
    incredibly intensely major majorly more most particularly purely quite really
    remarkably so substantially thoroughly total totally tremendous tremendously uber
    unbelievably unusually utter utterly very
""")
_DAMPENERS = _listed("""
    almost barely hardly kind-of kinda kindof less little marginal marginally occasional
    occasionally partly scarce scarcely slight slightly somewhat sort-of sorta sortof
""")
_BOOSTERS = dict.fromkeys(_AMPLIFIERS, _BOOST) | dict.fromkeys(_DAMPENERS, -_BOOST)
_NEGATIONS = _listed("""
    aint arent cannot cant couldnt darent despite didnt doesnt dont hadnt hasnt havent
    isnt mightnt mustnt neednt neither never none nope nor not nothing nowhere oughtnt
    rarely seldom shant shouldnt uh-uh uhuh wasnt werent without wont wouldnt
""")  # and every word with "n't" in it
_DAMPENING_PAIRS = frozenset({"just enough", "kind of", "sort of"})
_IDIOMS = {
    "the shit": 3.0,
    "the bomb": 3.0,
    "bad ass": 1.5,
    "bus stop": 0.0,
    "yeah right": -2.0,
    "kiss of death": -1.5,
    "to die for": 3.0,
    "beating heart": 3.5,
}
_PHRASE_WORDS = frozenset(" ".join([*_IDIOMS, *_DAMPENING_PAIRS]).split())
# "or", "nor", "doubt", "at" and "very" are read beside one of these alone.
_TURNING = frozenset({"no", "this", "least", *_BOOSTERS, *_PHRASE_WORDS})
_FEW_VALENCES = 64  # looking through so many costs less than order among them
_LONGEST_EMOTICON = 2  # characters that outlast the stripping of punctuation
_LONGEST_TOKEN_KEPT = 64  # characters; what is longer is hardly ever seen twice
_LONGEST_TEXT_KEPT = 2_000  # characters; bounds the bytes of the cache, not only its rows


class Scores(NamedTuple):
    """Shares of negative, neutral and positive wording (0…1) and the compound (−1…1)."""

    neg: float
    neu: float
    pos: float
    compound: float


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What words are worth: valence (−4…4) per lower-case word, a description per emoji (beyond ASCII)."""

    words: Mapping[str, float]
    emojis: Mapping[str, str]


class TextScorer(Protocol):
    """Whatever tells how a text feels: the lexicon below, or a model of the tenant."""

    def score(self, text: str) -> float:
        """Sentiment of the text, −1…1."""
        ...


@dataclass(slots=True)
class _Token:
    """What the rules ask of one token, wherever it stands."""

    word: str  # lower case, without surrounding punctuation
    valence: float | None  # None: not in the lexicon
    boost: float = 0.0
    scored: bool = False  # carries sentiment itself; a booster never does
    upper: bool = False
    negates: bool = False
    phrasal: bool = False  # occurs in an idiom or in a dampening pair
    plain: bool = True  # by itself it changes no other token's valence, and none changes its own


# Stand-ins beyond the ends of a text. No rule looks at a listed word before the scored
# one, so the front counts as listed; "no" looks for a listed word after, so the back does not.
_FRONT = _Token("", 0.0)
_BACK = _Token("", None)


class _Tokens(dict[str, _Token]):
    """Facts of the tokens seen so far, by raw token; emptied when it is full."""

    def __init__(self, words: Mapping[str, float], max_tokens: int) -> None:
        super().__init__()
        self._words = words
        self._max_tokens = max_tokens

    def __missing__(self, raw: str) -> _Token:
        token = _token(raw, self._words)
        if len(raw) <= _LONGEST_TOKEN_KEPT:
            if len(self) >= self._max_tokens:
                self.clear()
            self[raw] = token
        return token


def _token(raw: str, words: Mapping[str, float]) -> _Token:
    bare = raw.strip(punctuation)
    if len(bare) <= _LONGEST_EMOTICON:  # probably an emoticon, whose punctuation is its meaning
        bare = raw
    word = bare.lower()
    negates = word in _NEGATIONS or "n't" in word
    return _Token(
        word=word,
        valence=words.get(word),
        boost=_BOOSTERS.get(word, 0.0),
        scored=word in words and word not in _BOOSTERS,
        upper=bare.isupper(),
        negates=negates,
        phrasal=word in _PHRASE_WORDS,
        plain=not negates and word not in _TURNING,
    )


class SentimentScorer:
    """Scores texts by a lexicon. Deterministic; one instance serves one thread."""

    def __init__(self, lexicon: Lexicon, max_tokens: int = 32_768) -> None:
        """Keep the facts of up to `max_tokens` different tokens (about 300 bytes each)."""
        self._tokens = _Tokens(lexicon.words, max_tokens)
        self._emojis = {
            ord(emoji): f" {name}"  # nothing parts it from what follows, as in the original
            for emoji, name in lexicon.emojis.items()
            if len(emoji) == 1  # the original replaces single code points only
        }
        self._emoji_set = frozenset(map(chr, self._emojis))

    def score(self, text: str) -> float:
        """Compound sentiment of a text, −1…1 with 4 decimals; 0 where nothing is known."""
        spelt = self._spell_emojis(text)
        return _compound(_valences(self._split(spelt), spelt), _emphasis(spelt))

    def scores(self, text: str) -> Scores:
        """All four scores of a text; all are 0 where there is no token at all."""
        spelt = self._spell_emojis(text)
        tokens = self._split(spelt)
        if not tokens:
            return Scores(0.0, 0.0, 0.0, 0.0)
        valences, emphasis = _valences(tokens, spelt), _emphasis(spelt)
        shares = _shares(valences, len(tokens), emphasis)
        return Scores(*shares, _compound(valences, emphasis))

    def _split(self, text: str) -> list[_Token]:
        return list(map(self._tokens.__getitem__, text.split()))

    def _spell_emojis(self, text: str) -> str:
        """The text with emojis described in words."""
        if text.isascii() or self._emoji_set.isdisjoint(text):
            return text
        return text.translate(self._emojis)


def _valences(tokens: list[_Token], text: str) -> list[float]:
    """Valences, in context, of the tokens of a text that carry sentiment; the others have none."""
    places = [place for place, token in enumerate(tokens) if token.scored]
    if not places:
        return []
    # Looking at the whole text first costs a fraction of looking at every token; beyond ASCII there are capitals
    # that have no lower case.
    lower = text.lower()
    shouting = not (lower == text and text.isascii()) and _is_mixed_case(tokens)
    padded = [_FRONT, _FRONT, _FRONT, *tokens, _BACK, _BACK]
    valences = [_valence(padded[place : place + 6], shouting) for place in places]
    if "but" in lower:
        words = [token.word for token in tokens]
        if "but" in words:
            _turn_at(words.index("but"), places, valences)
    return valences


def _is_mixed_case(tokens: Sequence[_Token]) -> bool:
    """Whether capitals mean anything: some tokens have them and some do not."""
    return len({token.upper for token in tokens}) > 1


def _valence(window: Sequence[_Token], shouting: bool) -> float:
    """Valence of a token by itself and by the three tokens before and the two after it."""
    far, mid, near, token, after, _ = window
    if token.plain and near.plain and mid.plain and far.plain:
        valence = token.valence or 0.0
        return valence + _shout(valence) if shouting and token.upper else valence
    if token.word == "kind" and after.word == "of":
        return 0.0
    valence = _own_valence(far, mid, near, token, after)
    if shouting and token.upper:
        valence += _shout(valence)
    if near.valence is None and not near.plain:
        valence = _boosted(valence, near, 1.0, shouting) * (_NEGATION if near.negates else 1.0)
    if mid.valence is None and not mid.plain:
        valence = _boosted(valence, mid, 0.95, shouting) * _middle_negation(mid, near)
    if far.valence is None:
        if not (far.plain and near.plain):
            valence = _boosted(valence, far, 0.9, shouting) * _far_negation(far, mid, near)
        if near.phrasal or token.phrasal or (far.phrasal and mid.phrasal):
            valence = _idiomatic(valence, window)
    if near.word == "least" and near.valence is None and mid.word not in ("at", "very"):
        valence *= _NEGATION
    return valence


def _own_valence(far: _Token, mid: _Token, near: _Token, token: _Token, after: _Token) -> float:
    """The lexicon's valence, turned by a "no" before it; "no" itself yields to what it turns."""
    valence = token.valence or 0.0
    if "no" in (near.word, mid.word) or (far.word == "no" and near.word in ("or", "nor")):
        return valence * _NEGATION
    if token.word == "no" and after.valence is not None:
        return 0.0
    return valence


def _shout(valence: float) -> float:
    return _SHOUT if valence > 0 else -_SHOUT


def _boosted(valence: float, neighbour: _Token, weight: float, shouting: bool) -> float:
    """The valence made stronger or weaker by a degree adverb, less so from afar."""
    boost = neighbour.boost
    if not boost:
        return valence
    if valence < 0:
        boost = -boost
    if shouting and neighbour.upper:
        boost += _shout(valence)
    return valence + boost * weight


def _middle_negation(mid: _Token, near: _Token) -> float:
    """Factor of the token two before the scored one."""
    if mid.word == "never" and near.word in ("so", "this"):
        return _NEVER_SO
    if mid.word == "without" and near.word == "doubt":
        return 1.0
    return _NEGATION if mid.negates else 1.0


def _far_negation(far: _Token, mid: _Token, near: _Token) -> float:
    """Factor of the token three before the scored one."""
    # The original's precedence: a "so" or "this" just before counts without any "never".
    if near.word in ("so", "this") or (far.word == "never" and mid.word in ("so", "this")):
        return _NEVER_SO
    if far.word == "without" and "doubt" in (mid.word, near.word):
        return 1.0
    return _NEGATION if far.negates else 1.0


def _idiomatic(valence: float, window: Sequence[_Token]) -> float:
    """The valence of the idiom around the token, if there is one, and of "kind of" before it."""
    far, mid, near, token, after, later = window
    far_mid, mid_near = f"{far.word} {mid.word}", f"{mid.word} {near.word}"
    near_on, ahead = f"{near.word} {token.word}", f"{token.word} {after.word}"
    before = (near_on, f"{mid.word} {near_on}", mid_near, f"{far_mid} {near.word}", far_mid)
    # Idioms that start at the token win over those that reach it; among the others the first.
    for phrase in (f"{ahead} {later.word}", ahead, *before):
        if phrase in _IDIOMS:
            valence = _IDIOMS[phrase]
            break
    for pair in (far_mid, mid_near):
        if pair in _DAMPENING_PAIRS:
            valence -= _BOOST  # whatever its sign, as in the original
    return valence


def _turn_at(but: int, places: Sequence[int], valences: list[float]) -> None:
    """Halve what stands before "but" and raise what stands after it by half, in place.

    The original walks the list and alters, for each value, the *first* place that holds
    an equal one at that moment, so equal values hit one another. In a long text heaps give
    that first place in logarithmic time: it cannot be made to cost its square.
    """
    if len(valences) > _FEW_VALENCES:
        _turn_many_at(but, places, valences)
        return
    for index in range(len(valences)):
        valence = valences[index]
        first = valences.index(valence)
        valences[first] = _turned(valence, places[first], but)


def _turned(valence: float, place: int, but: int) -> float:
    return valence * (0.5 if place < but else 1.5 if place > but else 1.0)


def _turn_many_at(but: int, places: Sequence[int], valences: list[float]) -> None:
    holders: defaultdict[float, list[int]] = defaultdict(list)
    for index, valence in enumerate(valences):
        holders[valence].append(index)
    for index in range(len(valences)):
        valence = valences[index]
        first = heappop(holders[valence])
        valences[first] = turned = _turned(valence, places[first], but)
        heappush(holders[turned], first)


def _emphasis(text: str) -> float:
    """Added intensity by exclamation marks (up to four) and by repeated question marks."""
    if "!" not in text and "?" not in text:
        return 0.0
    most = len(_ASKED) - 1
    return _EXCLAIMED[min(text.count("!"), most)] + _ASKED[min(text.count("?"), most)]


def _compound(valences: Sequence[float], emphasis: float) -> float:
    total = sum(valences)
    if not total:
        return 0.0
    total += emphasis if total > 0 else -emphasis
    return round(total / sqrt(total * total + _SPREAD), 4)


def _shares(valences: Sequence[float], tokens: int, emphasis: float) -> tuple[float, float, float]:
    """Negative, neutral and positive share of the wording; they add up to 1 but for rounding."""
    positive = negative = 0.0
    neutral = tokens
    for valence in valences:  # not sum(): newer Pythons round it in another way
        if valence > 0:
            positive += valence + 1.0  # a neutral token counts as 1
            neutral -= 1
        elif valence < 0:
            negative += 1.0 - valence
            neutral -= 1
    if positive > negative:
        positive += emphasis
    elif negative > positive:
        negative += emphasis
    total = positive + negative + neutral
    return round(negative / total, 3), round(neutral / total, 3), round(positive / total, 3)


class CachedScorer:
    """Cleans texts and scores each distinct one once, as long as it is remembered."""

    def __init__(self, scorer: TextScorer, max_texts: int = 65_536) -> None:
        """Remember up to `max_texts` scores, the least recently used being dropped first."""
        self._score = scorer.score
        self._remembered = lru_cache(max_texts)(scorer.score)

    def score(self, text: str) -> float:
        """Compound sentiment of the cleaned text, −1…1."""
        cleaned = clean(text)
        score = self._remembered if len(cleaned) <= _LONGEST_TEXT_KEPT else self._score
        return score(cleaned)

    @property
    def hits(self) -> int:
        """How many scores were remembered."""
        return self._remembered.cache_info().hits

    @property
    def misses(self) -> int:
        """How many texts had to be scored, those too long to remember left out."""
        return self._remembered.cache_info().misses
