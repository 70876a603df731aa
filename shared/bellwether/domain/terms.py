"""The terms of short texts, and which of them tell one set of texts from another."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from math import log
from sys import intern
from typing import Final, NamedTuple

MOST_OF_A_TEXT: Final = 100
"""So many terms of a text are taken, from its beginning."""
LEAST_TEXTS: Final = 3
"""A term is told of from so many texts on: of fewer, the approximation by chi-squared says little (Dunning 1993)."""
SURE: Final = 6.63
"""Least G² of a term that is told of: p < 0.01 by chi-squared with one degree of freedom."""
_MOST_CHARACTERS: Final = 4_000
_SHORTEST, _LONGEST = 2, 40


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LINK = re.compile(r"(?:https?://|www\.)\S+")
_WORD = re.compile(r"[#@]?[^\W_][\w'\-]*")
_APOSTROPHE = str.maketrans("\u2019", "'")
_STOP_WORDS: Final = _listed("""
    a about after again all also am an and any are as at be because been before being but by can can't cannot could did
    didn't do does doesn't doing don't down for from get got had has have having he her here him his how i i'd i'll i'm
    i've if in into is isn't it it's its just let me more most my no not now of off on one only or other our out over re
    rt she should so some such than that that's the their them then there these they they're this those through to too
    u under until up us very via was wasn't we were what when where which while who why will with won't would you you're
    your
    а без бы был была были было быть в вам вас вот все всё вы где да для до его ее её если есть еще ещё же за и из или
    им их к как когда кто ли меня мне мы на над нас не него нет ни но ну о об он она они оно от по под при с со так там
    тебя то того тоже только ты у уже чего чем что чтобы это этот эта эти я
""")
"""English and Russian words that stand in texts about anything."""


class Term(NamedTuple):
    """A term, in how many texts of the one set and of the other it stands, and how surely that differs.

    g2: the log-likelihood ratio, None where there is nothing to compare with; from 10.83 on p < 0.001
    """

    term: str
    texts: int
    usual: int
    g2: float | None


def terms_of(text: str) -> tuple[str, ...]:
    """The different words and hashtags of a text in the order of the alphabet, without regard to case.

    Links, names of accounts (@), numbers, single characters and words that stand everywhere are none.
    """
    plain = unicodedata.normalize("NFKC", _LINK.sub(" ", text[:_MOST_CHARACTERS])).casefold().translate(_APOSTROPHE)
    found: dict[str, None] = {}
    for word in _WORD.findall(plain):
        term = word.rstrip("'-")
        if _is_term(term):
            found[intern(term)] = None
        if len(found) == MOST_OF_A_TEXT:
            break
    return tuple(sorted(found))


def _is_term(word: str) -> bool:
    if word[0] == "@" or not _SHORTEST <= len(word.lstrip("#")) <= _LONGEST or word.lstrip("#").isnumeric():
        return False
    return word not in _STOP_WORDS


def log_likelihood(with_it: int, texts: int, usual_with_it: int, usual: int) -> float:
    """G² of a term that stands in so many of so many texts, here and usually: 2 Σ O ln(O / E) over the table of four.

    Source: Dunning, "Accurate Methods for the Statistics of Surprise and Coincidence", Computational Linguistics 19(1),
    1993. At least 0; 0 where the shares are equal.
    """
    here, there = (with_it, texts - with_it), (usual_with_it, usual - usual_with_it)
    both = texts + usual
    cells = ((row[k], sum(row) * (here[k] + there[k]) / both) for row in (here, there) for k in (0, 1) if row[k])
    return max(0.0, 2 * sum(observed * log(observed / expected) for observed, expected in cells))


def telling_terms(texts: Iterable[Iterable[str]], usual: Iterable[Iterable[str]], most: int) -> list[Term]:
    """The terms that surely stand in a larger share of these texts than of the usual ones, the surest first.

    texts, usual: the different terms of each text. Without usual texts the terms that stand in most texts.
    """
    here, there = list(texts), list(usual)
    counts, before = _in_texts(here), _in_texts(there)
    often = [(term, count) for term, count in counts.items() if count >= LEAST_TEXTS]
    if there:
        risen = [(term, count) for term, count in often if count * len(there) > before[term] * len(here)]
        told = [
            Term(term, count, before[term], round(log_likelihood(count, len(here), before[term], len(there)), 4))
            for term, count in risen
        ]
        found = [one for one in told if one.g2 is not None and one.g2 >= SURE]
    else:
        found = [Term(term, count, 0, None) for term, count in often]
    return sorted(found, key=lambda one: (-(one.g2 or 0.0), -one.texts, one.term))[:most]


def _in_texts(texts: Iterable[Iterable[str]]) -> Counter[str]:
    found = Counter[str]()
    for terms in texts:
        found.update(terms)
    return found
