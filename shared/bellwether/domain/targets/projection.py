"""Where a value will stand at the deadline, with an interval that holds it in 4 of 5 cases.

Two methods, both as in Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed.:

- drift (section 5.2, its interval in 5.5), for what moves day by day: sums, and sizes of
  audiences. The last days' movements have mean m and standard deviation s; the value v in h days
  is v + h × m, with a standard error of s × sqrt(h × (1 + h / n)) over n days.
- trend (section 7.6), for rates: the least-squares line through the last days' values, read in
  the middle of the days ahead. Their mean has the standard error
  s × sqrt(1 / h + 1 / n + (t − t̄)² / Σ(tᵢ − t̄)²), with s the residuals' standard deviation; the
  value at the deadline is made of what is seen and what is ahead, by days.

The interval is the estimate ± Student's t times the error. Both take days as independent of each
other and as alike as the last ones were: a change of course is not foreseen, and days of the week
only as far as whole weeks of them are in the days seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import sqrt
from statistics import NormalDist, fmean, stdev

import msgspec

DAYS_SEEN = 28
"""How many whole local days a projection looks back: four weeks, so that each day of the week counts alike."""

FEWEST_DAYS = 7
"""With less than that nothing is projected."""

COVERAGE = 0.8
"""The share of cases in which the interval holds the value, if days are alike and independent."""


class Method(StrEnum):
    """How a projection came about."""

    DRIFT = "drift"
    TREND = "trend"
    ENDED = "ended"
    """The deadline is over: the value itself."""


class Projection(msgspec.Struct, frozen=True):
    """A value at the deadline, in its unit, and the interval around it; `days`: how many it was made from."""

    value: float
    low: float
    high: float
    method: Method
    days: int


def ended(value: float) -> Projection:
    """The value at the deadline itself."""
    return Projection(value, value, value, Method.ENDED, 0)


def by_drift(value: float, movements: Sequence[float], days_left: float) -> Projection | None:
    """What a value becomes that moves by about as much every day as on the days seen; None for too few of them."""
    n = len(movements)
    if n < FEWEST_DAYS:
        return None
    error = stdev(movements) * sqrt(days_left * (1 + days_left / n))
    return _around(value + days_left * fmean(movements), error, n - 1, Method.DRIFT, n)


def by_trend(
    value: float, seen: Sequence[tuple[float, float]], days_left: float, days_in_all: float
) -> Projection | None:
    """What a rate over `days_in_all` days becomes, of which `days_left` are ahead.

    seen: days before the moment (0 is the moment itself, whole days are negative), and the rate on each
    days_left: may exceed `days_in_all`, the length of a window that ends at the deadline
    Returns None for too few days.
    """
    if len(seen) < FEWEST_DAYS:
        return None
    ahead = min(days_left, days_in_all)
    middle = days_left - ahead / 2
    line = _fit(seen)
    share = ahead / days_in_all
    estimate = (1 - share) * value + share * line.at(middle)
    error = share * line.error_of_mean(middle, ahead)
    return _around(estimate, error, len(seen) - 2, Method.TREND, len(seen))


class _Line(msgspec.Struct, frozen=True):
    """A least-squares line through n points around (t̄, ȳ)."""

    n: int
    t_mean: float
    y_mean: float
    slope: float
    spread: float
    deviation: float

    def at(self, t: float) -> float:
        return self.y_mean + self.slope * (t - self.t_mean)

    def error_of_mean(self, t: float, days: float) -> float:
        """The standard error of the mean of `days` values around t."""
        return self.deviation * sqrt(1 / max(days, 1.0) + 1 / self.n + (t - self.t_mean) ** 2 / self.spread)


def _fit(points: Sequence[tuple[float, float]]) -> _Line:
    n = len(points)
    t_mean, y_mean = fmean(t for t, _ in points), fmean(y for _, y in points)
    spread = sum((t - t_mean) ** 2 for t, _ in points)
    slope = sum((t - t_mean) * (y - y_mean) for t, y in points) / spread
    residuals = sum((y - y_mean - slope * (t - t_mean)) ** 2 for t, y in points)
    return _Line(n, t_mean, y_mean, slope, spread, sqrt(residuals / (n - 2)))


def _around(estimate: float, error: float, freedom: int, method: Method, days: int) -> Projection:
    reach = student_t(freedom) * error
    return Projection(estimate, estimate - reach, estimate + reach, method, days)


def student_t(freedom: int, coverage: float = COVERAGE) -> float:
    """The quantile of Student's t that leaves half of what is not covered on either side; freedom >= 5.

    The expansion by Cornish and Fisher around the normal quantile, right to 0.003.
    """
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    first = (z**3 + z) / (4 * freedom)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return z + first + second
