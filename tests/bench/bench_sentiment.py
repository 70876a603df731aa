"""Speed of sentiment scoring: our scorer and vaderSentiment in alternating rounds.

Real texts are used where the folder of shared data stands beside the checkout, else generated ones of the same length.
"""

import asyncio
import csv
import random
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from bellwether.adapters.lexicon import vader_lexicon
from bellwether.domain.cleaning import clean
from bellwether.domain.sentiment import CachedScorer, SentimentScorer
from tests.bench.effort import Effort
from tests.bench.report import Report, Row, ratio_of

_AIRLINE = Path(__file__).resolve().parents[3] / "shared" / "data" / "airline.csv"
_FILLERS = ("the", "a", "to", "my", "flight", "was", "is", "it", "on", "this", "we", "for", "but", "very")


_VADER = "vaderSentiment"
_HOW = (
    "Our scorer and vaderSentiment over the same texts, in one process; the four scores are equal, which the tests "
    "prove. `clean` takes links and @handles out of a text, as compute does before it scores; a warm cache knows every "
    "text, a cold one none."
)


async def measure(effort: Effort) -> Report:
    """Run the rounds, in a thread."""
    return await asyncio.to_thread(_measure, effort)


def _measure(effort: Effort) -> Report:
    texts, kind = _texts(effort.texts)
    own = SentimentScorer(vader_lexicon())
    scorers = {
        _VADER: import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer().polarity_scores,
        "own, four scores": own.scores,
        "own, compound": own.score,
        "clean": clean,
        "own, cleaned, cold cache": CachedScorer(own, max_texts=1).score,
        "own, cleaned, warm cache": CachedScorer(own).score,
    }
    found = _alternate(texts, effort.rounds, scorers)
    mean = sum(map(len, texts)) / len(texts)
    return Report(
        title="Sentiment",
        unit="texts",
        how=f"{_HOW} {effort.rounds} rounds of {len(texts):,} {kind} texts of {mean:.0f} characters on average.",
        rows=[Row.middle(name, runs) for name, runs in found.items()],
        ratios=[
            ratio_of(f"{name} / {_VADER}", found[name], found[_VADER], "per_cpu_s", goal)
            for name, goal in (("own, four scores", 4.0), ("own, cleaned, cold cache", None))
        ],
    )


def _texts(count: int) -> tuple[list[str], str]:
    """So many texts, and whether they are real or generated."""
    if not _AIRLINE.exists():
        return _generated(count), "generated"
    with _AIRLINE.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return random.Random(7).sample(texts, min(count, len(texts))), "real"


def _generated(count: int) -> list[str]:
    rng = random.Random(7)
    words = [word for word in vader_lexicon().words if word.isalpha()]
    return [" ".join(rng.choice(words if rng.random() < 0.15 else _FILLERS) for _ in range(24)) for _ in range(count)]


def _alternate(texts: Sequence[str], rounds: int, scorers: dict[str, Callable[[str], object]]) -> dict[str, list[Row]]:
    """Rates of each scorer; a round of each in turn, so that all share the weather.

    Processor time is counted, so that other work on the machine does not enter.
    """
    found: dict[str, list[Row]] = {name: [] for name in scorers}
    for _ in range(rounds):
        for name, score in scorers.items():
            started = time.thread_time()
            for text in texts:
                score(text)
            found[name].append(Row(name, per_cpu_s=len(texts) / (time.thread_time() - started)))
    return found
