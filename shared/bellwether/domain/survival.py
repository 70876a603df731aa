"""Quantiles of waiting times of which some have not ended yet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence


def waiting_time(quantile: float, ended: Mapping[int, int], waiting: Sequence[int]) -> int | None:
    """The waiting time by which a share of all waits has ended, in seconds.

    The Kaplan-Meier estimate (Kaplan and Meier 1958): who still waits counts as having
    waited at least so long, so that leaving messages unanswered cannot make the answer look
    fast. With nobody waiting it is the lower quantile of the ended waits.

    ended: count of ended waits by their seconds (whole, ≥ 0, counts ≥ 0)
    waiting: seconds waited so far by each who still waits, ascending
    Returns None where so many still wait that the quantile is not reached yet.
    """
    at_risk = sum(ended.values()) + len(waiting)
    surviving, gone, passed = 1.0, 0, 0
    for seconds in sorted(ended):
        censored = bisect_left(waiting, seconds)
        at_risk -= gone + censored - passed
        passed, gone = censored, ended[seconds]
        surviving *= 1 - gone / at_risk if gone else 1
        if 1 - surviving >= quantile - 1e-12:
            return seconds
    return None


def quantile_of(quantile: float, ended: Mapping[int, int]) -> int | None:
    """The smallest value that at least a share of the counted ones does not exceed.

    Returns None for an empty histogram.
    """
    wanted = quantile * sum(ended.values()) - 1e-9
    seen = 0
    for value in sorted(ended):
        seen += ended[value]
        if seen >= wanted:
            return value
    return None
