"""The VADER lexicon, read from the files that the vaderSentiment wheel installs.

Only the data is used; the wheel's own code (and what it imports) stays unloaded.
"""

from collections.abc import Iterator
from importlib.resources import files

from bellwether.domain.sentiment import Lexicon

_PACKAGE = "vaderSentiment"
_WORDS = "vader_lexicon.txt"
_EMOJIS = "emoji_utf8_lexicon.txt"


def vader_lexicon() -> Lexicon:
    """Words with their mean valence (−4…4) and emojis with their descriptions.

    Of a word listed twice the later line counts. Raises ModuleNotFoundError where the
    wheel is not installed and ValueError on a line that is not as published.
    """
    return Lexicon(
        words={word: float(valence) for word, valence in _pairs(_WORDS)},
        emojis=dict(_pairs(_EMOJIS)),
    )


def _pairs(name: str) -> Iterator[tuple[str, str]]:
    """The first two tab-separated columns of a lexicon file."""
    for line in (files(_PACKAGE) / name).read_text(encoding="utf-8").split("\n"):
        if line.strip():
            key, value = line.strip().split("\t")[:2]
            yield key, value
