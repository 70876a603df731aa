"""Acts: what events say of the people behind them, in the form in which it is stored, an event a row."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from bellwether.catalogue.cuts import TOTAL, cuts_by
from bellwether_compute.authors import Deed

_SEPARATOR = chr(31)


class Act(msgspec.Struct, frozen=True, gc=False):
    """An event as an act of its author: a row of `author_act`, its fields in the order of the columns.

    author: '' for a comment of nobody that is told; subject: the content item, or ''
    moment, recorded: UTC seconds; mark_id: 16 bytes; cuts: see `joined_by`
    interactions: how many, negative where taken back
    sentiment: how the text sounds, '' where there is none
    said: what a comment says (`sightings.text_key`), if it is long enough to be compared
    is_new: the account was empty or new; is_visit: the item is not known as the brand's own
    """

    brand_id: int
    author: str
    moment: int
    mark_id: bytes
    channel: str
    subject: str
    cuts: str
    interactions: int
    sentiment: str
    said: bytes | None
    is_new: bool
    is_visit: bool
    recorded: int

    def deed(self) -> Deed:
        """What it counts as, done by an advocate."""
        return Deed(self.moment, split(self.cuts), self.interactions, self.sentiment)


@lru_cache(maxsize=65_536)
def joined_by(channel: str, *more: str | None) -> str:
    """The cuts of what carries these values (see `cuts_by`), as a row holds them: no total, joined by U+001F."""
    return _SEPARATOR.join(cuts_by(channel, *more)[1:])


@lru_cache(maxsize=65_536)
def split(cuts: str) -> tuple[str, ...]:
    """The cuts of a row with the total."""
    return (TOTAL, *cuts.split(_SEPARATOR))
