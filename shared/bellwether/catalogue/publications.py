"""What a content item contributes at its publication: all that it has earned so far."""

from __future__ import annotations

from collections.abc import Mapping

from bellwether.catalogue.measures import INTERACTION_COUNTERS
from bellwether.domain.totals import Totals, bin_of

RATE = 1_000_000
"""Engagement rates of single items are whole ten-thousandths of a percent."""

_RATED = (
    ("reach", "item_reach", "item_interactions_reached"),
    ("impressions", "item_impressions", "item_interactions_displayed"),
    ("views", "item_views", "item_interactions_viewed"),
)
"""A rate relates the interactions of those items alone of which its denominator is reported."""


def interactions_of(earned: Mapping[str, int]) -> int:
    """The interactions among the counters of an item."""
    return sum(earned.get(counter, 0) for counter in INTERACTION_COUNTERS)


def publication(earned: Mapping[str, int], followers: int | None, *, partnered: bool) -> Totals:
    """What an item counts at the moment of its publication.

    earned: count by counter, so far
    followers: of its channel when it was published; None while unknown
    partnered: its publication names a campaign and a team
    """
    interactions = interactions_of(earned)
    totals: Totals = {
        "items": 1,
        "item_interactions": interactions,
    }
    for counter, shown, related in _RATED:
        if (count := earned.get(counter, 0)) > 0:
            totals |= {shown: count, related: interactions}
    if followers is not None:
        totals |= {"item_followers": followers, "item_interactions_followed": interactions}
        if partnered:
            totals |= {"item_partnered_followers": followers, "item_partnered_interactions_followed": interactions}
    if followers:
        rate = max(0, RATE * interactions // followers)
        totals |= {"item_rate": {bin_of(rate): 1}, "item_rate_sum": rate, "item_rate_n": 1}
    return totals


def less(totals: Totals) -> Totals:
    """What takes integers and histograms back."""
    return {
        key: {bin_: -count for bin_, count in value.items()} if isinstance(value, dict) else -value
        for key, value in totals.items()
        if isinstance(value, int | dict)
    }
