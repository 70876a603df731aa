"""Speed of sentiment scoring: our scorer and vaderSentiment in alternating rounds.

Prints texts per second of one core, as medians over the rounds, and their ratio. Real
texts are used where the folder of shared data stands beside the checkout, else generated
ones of the same length. Run it with `python tests/bench/bench_sentiment.py`.
"""

import argparse
import csv
import random
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median

from bellwether.adapters.lexicon import vader_lexicon
from bellwether.domain.sentiment import CachedScorer, SentimentScorer, clean

_AIRLINE = Path(__file__).resolve().parents[3] / "shared" / "data" / "airline.csv"
_FILLERS = ("the", "a", "to", "my", "flight", "was", "is", "it", "on", "this", "we", "for", "but", "very")


def main() -> None:
    """Measure and print."""
    options = _options()
    texts = _texts(options.texts)
    own = SentimentScorer(vader_lexicon())
    oracle = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    rates = _alternate(
        texts,
        options.rounds,
        {
            "vaderSentiment": oracle.polarity_scores,
            "own, four scores": own.scores,
            "own, compound": own.score,
            "clean": clean,
            "own, cleaned, cold cache": CachedScorer(own, max_texts=1).score,
            "own, cleaned, warm cache": CachedScorer(own).score,
        },
    )
    base = rates["vaderSentiment"]
    for name, rate in rates.items():
        print(f"{name:26} {rate:12,.0f} texts/s   x{rate / base:.1f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=3_000, help="texts per round")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each scorer")
    return parser.parse_args()


def _texts(count: int) -> list[str]:
    if _AIRLINE.exists():
        with _AIRLINE.open(encoding="utf-8", newline="") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        source = "real"
    else:
        texts = _generated(count)
        source = "generated"
    texts = random.Random(7).sample(texts, min(count, len(texts)))
    mean = sum(map(len, texts)) / len(texts)
    print(f"{len(texts)} {source} texts of {mean:.0f} characters on average")
    return texts


def _generated(count: int) -> list[str]:
    rng = random.Random(7)
    words = [word for word in vader_lexicon().words if word.isalpha()]
    return [" ".join(rng.choice(words if rng.random() < 0.15 else _FILLERS) for _ in range(24)) for _ in range(count)]


def _alternate(texts: Sequence[str], rounds: int, scorers: dict[str, Callable[[str], object]]) -> dict[str, float]:
    """Median rate of each scorer; a round of each in turn, so that all share the weather.

    Processor time is counted, so that other work on the machine does not enter.
    """
    rates: dict[str, list[float]] = {name: [] for name in scorers}
    for _ in range(rounds):
        for name, score in scorers.items():
            started = time.process_time()
            for text in texts:
                score(text)
            rates[name].append(len(texts) / (time.process_time() - started))
    return {name: median(measured) for name, measured in rates.items()}


if __name__ == "__main__":
    main()
