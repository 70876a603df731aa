"""Cuts: the total of a brand, and its parts by what events say about themselves.

A cut is named `dimension=value`; the total is the empty name. An event counts once in the
total and once in every cut whose dimension it carries, so that totals are never sums of parts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

TOTAL = ""
"""The cut that holds everything."""
DIMENSIONS = ("channel", "campaign", "content_type", "owner", "influencer")
"""The fields of an event's body that make cuts, in the order in which cuts are listed."""


class Described(Protocol):
    """What carries the dimensions: the body of an event."""

    @property
    def channel(self) -> str:
        """The network it happened on."""

    @property
    def campaign(self) -> str | None:
        """The campaign it belongs to."""

    @property
    def content_type(self) -> str | None:
        """What kind of content it is about."""

    @property
    def owner(self) -> str | None:
        """The employee responsible."""

    @property
    def influencer(self) -> str | None:
        """The influencer it came through."""


def cut_name(dimension: str, value: str) -> str:
    """How the cut of one value of a dimension is named: what cannot be printed becomes a space."""
    shown = value if value.isprintable() else "".join(c if c.isprintable() else " " for c in value)
    return f"{dimension}={shown}"


@lru_cache(maxsize=65_536)
def cuts_by(
    channel: str,
    campaign: str | None = None,
    content_type: str | None = None,
    owner: str | None = None,
    influencer: str | None = None,
) -> tuple[str, ...]:
    """The cuts of what carries these values: the total first, then in the order of DIMENSIONS."""
    values = (channel, campaign, content_type, owner, influencer)
    named = (cut_name(dimension, value) for dimension, value in zip(DIMENSIONS, values, strict=True) if value)
    return TOTAL, *named


def cuts_of(data: Described) -> tuple[str, ...]:
    """The cuts that an event counts in."""
    return cuts_by(data.channel, data.campaign, data.content_type, data.owner, data.influencer)
