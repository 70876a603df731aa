"""Tweets per five minutes of four brands, with labelled windows: scored as the Numenta Anomaly Benchmark does."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from math import inf
from statistics import fmean, median
from types import ModuleType
from typing import NamedTuple

import msgspec

from bellwether.domain.detection import DEFAULTS, ChangeKind, Detector, DetectorSettings, History, Live
from bellwether.domain.detection.simple_rules import alerts, far_above
from tests.bench.detector.data import DATA
from tests.bench.detector.finding import Finding

FOLDER = DATA / "tweet_volume"
PROFILES = ("standard", "reward_low_FP_rate", "reward_low_FN_rate")
STEP_S = 300
WEEK_ROWS = 7 * 86_400 // STEP_S
MOST_FALSE_ALARMS = 0.3
LEAST_SCORE = 75.0
TRIED = (2.2, 2.4, 2.6, 2.8, 3.0, 3.2)
"""The severities from which the leave-one-out score picks."""


class Series(NamedTuple):
    """One brand: times as in the file, counts, and the labelled windows (first and last time)."""

    name: str
    times: list[str]
    counts: list[int]
    windows: list[tuple[str, str]]

    def weeks(self) -> float:
        """How much of it is scored."""
        return float(len(self.times) - scorer().probation(len(self.times))) / WEEK_ROWS


class Score(NamedTuple):
    """Of one or several series: raw scores by profile, windows, hits, false alarms, weeks, hours from window to hit."""

    raw: dict[str, float]
    windows: int
    hits: int
    false_alarms: int
    weeks: float
    delays: list[float]

    def normal(self, profile: str) -> float:
        """0: as if nothing had been told; 100: perfect."""
        return float(scorer().normalise(self.raw[profile], self.windows, profile))

    def per_week(self) -> float:
        """False alarms per brand and week."""
        return self.false_alarms / self.weeks


Rule = Callable[[Series], list[bool]]
"""Tells for every row whether an incident opens in it."""


@cache
def scorer() -> ModuleType:
    """The scorer that lies beside the data."""
    spec = importlib.util.spec_from_file_location("nab_score", FOLDER / "nab_score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def load() -> tuple[Series, ...]:
    """All series of the folder."""
    labelled = json.loads((FOLDER / "windows.json").read_text())
    return tuple(_series(key.split("/")[-1], found) for key, found in sorted(labelled.items()))


def _series(file: str, windows: list[list[str]]) -> Series:
    rows = list(csv.DictReader((FOLDER / file).open()))
    spans = [(first.partition(".")[0], last.partition(".")[0]) for first, last in windows]
    times, counts = [row["timestamp"] for row in rows], [int(float(row["value"])) for row in rows]
    return Series(file.removeprefix("Twitter_volume_").removesuffix(".csv"), times, counts, spans)


def second(time: str) -> int:
    """The UTC second of a time in a file."""
    return int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp())


def events(series: Series) -> Iterator[int]:
    """The moment of every single tweet: those of a row lie evenly in its five minutes."""
    for time, count in zip(series.times, series.counts, strict=True):
        start = second(time)
        for one in range(count):
            yield start + STEP_S * one // count


def detect(settings: DetectorSettings) -> Rule:
    """The detector itself, event by event."""

    def rule(series: Series) -> list[bool]:
        detector, start = Detector(Live(), History({}), settings), second(series.times[0])
        told, observe = [False] * len(series.times), detector.observe
        for at in events(series):
            for change in observe(at):
                if change.kind is ChangeKind.OPENED:
                    told[(change.at - start) // STEP_S] = True
        return told

    return rule


def simple_rule(series: Series) -> list[bool]:
    """The rule to beat: z >= 6 over the three days before, then quiet for 24 hours."""
    rows, told = 288, [False] * len(series.counts)
    for row in alerts(far_above(series.counts, 6, 3 * rows), rows):
        told[row] = True
    return told


def score(series: Series, told: list[bool]) -> Score:
    """What a rule told, against the windows."""
    raw, hits = {}, 0
    for profile in PROFILES:
        rows = scorer().score_rows(series.times, told, series.windows, profile, series.name)
        raw[profile], info = scorer().total(rows, 0.5, profile)
        hits = info["windows_hit"]
    place = {time: row for row, time in reversed(list(enumerate(series.times)))}
    spans = [(place[first], place[last]) for first, last in series.windows]
    scored = range(int(scorer().probation(len(told))), len(told))
    fired = [row for row in scored if told[row]]
    false = sum(not any(first <= row <= last for first, last in spans) for row in fired)
    found = (next((row - first for row in fired if first <= row <= last), None) for first, last in spans)
    delays = [rows * STEP_S / 3600 for rows in found if rows is not None]
    return Score(raw, len(spans), hits, false, series.weeks(), delays)


def pooled(scores: list[Score]) -> Score:
    """Of several series."""
    raw = {profile: sum(one.raw[profile] for one in scores) for profile in PROFILES}
    windows, hits, false = (
        sum(column) for column in zip(*((s.windows, s.hits, s.false_alarms) for s in scores), strict=True)
    )
    return Score(raw, windows, hits, false, sum(s.weeks for s in scores), [d for s in scores for d in s.delays])


@cache
def scores_at(severity: float) -> dict[str, Score]:
    """By series, with one opening severity and everything else as published."""
    rule = detect(msgspec.structs.replace(DEFAULTS, open_severity=severity))
    return {series.name: score(series, rule(series)) for series in load()}


def leave_one_out(most_false_alarms: float) -> tuple[Score, dict[str, float]]:
    """Each series scored with the opening severity that is best on the three others; and which that is.

    Best is the highest standard score among those with at most so many false alarms per brand and week.
    """
    picked = {}
    for left_out in load():
        others = {s: pooled([one for name, one in scores_at(s).items() if name != left_out.name]) for s in TRIED}
        allowed = [s for s in TRIED if others[s].per_week() <= most_false_alarms] or list(TRIED)
        picked[left_out.name] = max(allowed, key=lambda s: others[s].normal("standard"))
    return pooled([scores_at(severity)[name] for name, severity in picked.items()]), picked


def published() -> Finding:
    """The settings as they are shipped, on all series."""
    found = pooled(list(scores_at(DEFAULTS.open_severity).values()))
    met = found.normal("standard") >= LEAST_SCORE and found.per_week() <= MOST_FALSE_ALARMS
    return Finding("tweet volumes, settings as published", met, figures(found))


def left_out() -> Finding:
    """The score that is to be expected on a series not seen before."""
    found, picked = leave_one_out(MOST_FALSE_ALARMS)
    met = found.normal("standard") >= LEAST_SCORE and found.per_week() <= MOST_FALSE_ALARMS
    return Finding("tweet volumes, leaving one series out", met, f"{figures(found)}; {_opened_at(picked)}")


def left_out_by_score_alone() -> Finding:
    """The same where the score alone picks, which weighs false alarms too; beats the simple rule in every profile."""
    found, picked = leave_one_out(inf)
    simple = _simple()
    met = all(found.normal(profile) > simple.normal(profile) for profile in PROFILES)
    return Finding("… picked by the score alone", met, f"{figures(found)}; {_opened_at(picked)}")


def _opened_at(picked: dict[str, float]) -> str:
    return "opened at " + ", ".join(f"{name} {severity}" for name, severity in picked.items())


@cache
def _simple() -> Score:
    return pooled([score(series, simple_rule(series)) for series in load()])


def beats_simple() -> Finding:
    """In every profile."""
    ours = pooled(list(scores_at(DEFAULTS.open_severity).values()))
    simple = _simple()
    met = all(ours.normal(profile) > simple.normal(profile) for profile in PROFILES)
    return Finding("the simple rule on the same series is beaten", met, f"it has {figures(simple)}")


def figures(found: Score) -> str:
    """In one line."""
    profiles = " / ".join(f"{found.normal(profile):.1f}" for profile in PROFILES)
    delay = f"{median(found.delays):.1f} h (mean {fmean(found.delays):.1f})" if found.delays else "none"
    return (
        f"{profiles}, {found.hits} of {found.windows} windows, {found.false_alarms} false alarms "
        f"({found.per_week():.2f} a brand and week), from the start of a window {delay}"
    )


SERIES = (published, left_out, left_out_by_score_alone, beats_simple)
"""Every expectation on the series."""
