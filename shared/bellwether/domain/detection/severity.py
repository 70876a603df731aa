"""How unlikely a deviation is, as a number from 0 to 10."""

from __future__ import annotations

import math

from bellwether.domain.detection.settings import MOST_SEVERE


class Scale:
    """Turns a deviation into a severity and back.

    A deviation is how far a value is above the median of the past, in units of the distance from
    that median to the rare quantile. The chance p of such a value is taken from the exponential
    tail through (0, 1/2) and (1, 1 - rare): p = 1/2 × (2 × (1 - rare)) ** deviation. The severity
    is -log10 p, between 0 and 10.
    """

    def __init__(self, rare: float) -> None:
        self._at_median = math.log10(2)
        self._per_unit = -math.log10(2 * (1 - rare))

    def severity(self, deviation: float) -> float:
        """0 to 10; two digits are kept, since more would only pretend."""
        return round(min(MOST_SEVERE, max(0.0, self._at_median + self._per_unit * deviation)), 2)

    def deviation(self, severity: float) -> float:
        """The deviation that has this severity."""
        return (severity - self._at_median) / self._per_unit

    def of_two(self) -> float:
        """What a deviation is less where two were looked at: each then has half the chance to be the one."""
        return self._at_median / self._per_unit
