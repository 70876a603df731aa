"""What is judged during one bin: how far each signal is from the usual, and what it takes to pass a bound."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import ceil, inf
from typing import NamedTuple

from bellwether.domain.clock import HOUR_S
from bellwether.domain.detection.baseline import Baseline, Usual, deviation_of, deviations
from bellwether.domain.detection.history import COLUMNS
from bellwether.domain.detection.settings import BIN_S, DetectorSettings
from bellwether.domain.detection.severity import Scale
from bellwether.domain.detection.state import Reading, Signal

NEVER = 1 << 62
"""A count that is never reached."""


class Seen(NamedTuple):
    """What was seen in the windows that end with a bin.

    volume, scored, negative: in the span
    share_scored, share_negative: in the hours of the share
    """

    volume: int
    scored: int
    negative: int
    share_scored: int
    share_negative: int


def seen_in(counts: Sequence[int], span: int) -> Seen:
    """The sums over the last `span` bins, and over all bins for the share."""
    short = -span * COLUMNS
    volume, scored, negative = (sum(counts[short + column :: COLUMNS]) for column in range(COLUMNS))
    return Seen(volume, scored, negative, sum(counts[1::COLUMNS]), sum(counts[2::COLUMNS]))


class Judge:
    """The bounds of one bin.

    hour: the local hour of the day, 0 to 23
    campaign: more volume is nothing unusual
    muted: no volume can be judged, since collection had a gap
    """

    def __init__(
        self, usual: Baseline, settings: DetectorSettings, hour: int, *, campaign: bool = False, muted: bool = False
    ) -> None:
        self._usual = usual
        self._settings = settings
        self._percent = usual.profile[hour]
        self._scale = Scale(settings.rare)
        self._usual_share = usual.share.share if usual.share else 0.0
        self._less = 0.0 if usual.share is None else self._scale.of_two()
        self._campaign = campaign
        self._muted = muted
        self._open = self._scale.deviation(settings.open_severity)

    def deviations(self, seen: Seen) -> dict[Signal, float]:
        """How far each signal that counts is above its median, in spreads."""
        usual, found = self._usual, dict[Signal, float]()
        if not self._muted and not self._campaign:
            found[Signal.VOLUME] = self._far(seen.volume, usual.volume)
        if not self._muted and seen.negative >= seen.scored * self._least_share():
            found[Signal.NEGATIVE_VOLUME] = self._far(seen.negative, usual.negative)
        share = self._share(seen)
        if share is not None:
            found[Signal.NEGATIVE_SHARE] = share
        return found

    def _far(self, total: int, usual: Usual) -> float:
        return (total - usual.expected(self._percent)) / self._spread(usual) - self._less

    def _spread(self, usual: Usual) -> float:
        return max(usual.spread, self._settings.least_growth * usual.expected(self._percent))

    def _share(self, seen: Seen) -> float | None:
        usual = self._usual.share
        if usual is None or seen.share_scored < self._settings.share_least:
            return None
        if seen.share_negative < seen.share_scored * self._least_share():
            return None
        far = deviations(seen.share_negative, seen.share_scored, self._usual_share)
        return (far - usual.median) / usual.spread

    def _least_share(self) -> float:
        share = self._usual_share
        return min(share + self._settings.share_rise, (1 + share) / 2)

    def most(self, seen: Seen) -> tuple[Signal, float]:
        """The signal that is furthest from its usual, and how far that is; far below where none counts."""
        found = self.deviations(seen)
        return max(found.items(), key=lambda one: one[1], default=(Signal.VOLUME, -inf))

    def volume_for(self, severity: float) -> int:
        """The volume in the span that has this severity."""
        if self._muted or self._campaign:
            return NEVER
        return self._needed(self._usual.volume, severity)

    def negative_for(self, severity: float) -> int:
        """The negative volume in the span that has this severity."""
        return NEVER if self._muted else self._needed(self._usual.negative, severity)

    def _needed(self, usual: Usual, severity: float) -> int:
        far = self._scale.deviation(severity) + self._less
        return max(1, _whole(usual.expected(self._percent) + far * self._spread(usual)))

    def more_negative_for(self, severity: float, seen: Seen) -> int:
        """How many more texts it takes at least, if all are negative, until the share has this severity; from 1 on."""
        usual, share, least = self._usual.share, self._usual_share, self._least_share()
        if usual is None:
            return NEVER
        scored, negative = seen.share_scored, seen.share_negative
        far = (usual.median + self._scale.deviation(severity) * usual.spread) * deviation_of(scored, share)
        by_far = (far - negative + scored * share) / (1 - share)
        by_rise = (scored * least - negative) / (1 - least)
        return max(1, self._settings.share_least - scored, _whole(by_far), _whole(by_rise))

    def severity(self, deviation: float) -> float:
        """0 to 10."""
        return self._scale.severity(deviation)

    def reading(self, signal: Signal, far: float, seen: Seen) -> Reading:
        """A signal with the numbers that explain it."""
        if signal is Signal.NEGATIVE_SHARE:
            return self._share_reading(far, seen)
        of_volume = signal is Signal.VOLUME
        total, usual = (seen.volume, self._usual.volume) if of_volume else (seen.negative, self._usual.negative)
        bound, span_s = self._needed(usual, self._settings.open_severity), self._settings.span_minutes * 60
        expected = round(usual.expected(self._percent), 2)
        return Reading(signal, self._scale.severity(far), total, expected, bound, total, span_s)

    def _share_reading(self, far: float, seen: Seen) -> Reading:
        usual, n, share = self._usual.share, seen.share_scored, self._usual_share
        spread = usual.median + self._open * usual.spread if usual else 0.0
        bound = max(self._least_share(), share + spread * deviation_of(n, share) / n)
        seen_share, span_s = round(seen.share_negative / n, 4), self._settings.share_hours * HOUR_S
        return Reading(Signal.NEGATIVE_SHARE, self._scale.severity(far), seen_share, share, round(bound, 4), n, span_s)

    def run_up(self, reading: Reading, counts: Sequence[int]) -> int:
        """How many bins before the last one the run-up of a signal began.

        It began where the sum of what came since, less what is half-way between the usual and the
        bound, is highest: the change point of a CUSUM chart.
        """
        level = (reading.expected + reading.bound) / 2
        if reading.signal is Signal.NEGATIVE_SHARE:
            amounts = [bad - level * n for n, bad in zip(counts[1::COLUMNS], counts[2::COLUMNS], strict=True)]
        else:
            column, per_bin = (0 if reading.signal is Signal.VOLUME else 2), level * BIN_S / reading.span_s
            amounts = [n - per_bin for n in counts[column::COLUMNS]]
        since = list(accumulate(reversed(amounts)))
        return since.index(max(since))


def _whole(needed: float) -> int:
    """The least whole number that is enough, whatever the last digits of the arithmetic say."""
    return ceil(needed - 1e-9)
