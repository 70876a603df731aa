"""The published lexicon as it is read from the installed wheel."""

import subprocess
import sys

from bellwether.adapters.lexicon import vader_lexicon


def test_the_lexicon_has_its_published_size_and_range() -> None:
    lexicon = vader_lexicon()
    assert (len(lexicon.words), len(lexicon.emojis)) == (7_506, 3_570)
    assert all(-4 <= valence <= 4 for valence in lexicon.words.values())


def test_of_a_word_listed_twice_the_later_line_counts() -> None:
    assert vader_lexicon().words["lol"] == 1.8


def test_emojis_have_descriptions_and_lie_beyond_ascii() -> None:
    emojis = vader_lexicon().emojis
    assert emojis["😀"] == "grinning face"
    assert not any(emoji.isascii() for emoji in emojis)


def test_reading_the_lexicon_does_not_load_the_wheels_own_code() -> None:
    program = (
        "import sys; from bellwether.adapters.lexicon import vader_lexicon; vader_lexicon(); "
        "sys.exit('vaderSentiment.vaderSentiment' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
