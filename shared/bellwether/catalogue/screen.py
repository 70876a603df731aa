"""The integrity screen as data: by which rules interactions and joins are marked inauthentic.

A rule looks at windows of event time. An event is marked if there is a window of `within_s`
seconds that holds it and in which at least `least` matching events are counted, so that the
marked set hangs on the set of events alone, not on the order of their arrival.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

SuspectMeasure = Literal["suspect_interactions", "suspect_joins"]


class Tally(StrEnum):
    """What is counted in a window."""

    EVENTS = "events"
    DISTINCT = "distinct"
    """How many different accounts, or different items."""
    ROUNDS = "rounds"
    """The smaller of two opposite counts: joins and leaves, interactions there and back."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: `words` say what it marks, with its thresholds.

    within_s: length of the window in seconds, both ends included
    least: the tally from which on everything in the window is marked
    """

    name: str
    words: str
    marks: SuspectMeasure
    tally: Tally
    within_s: int
    least: int


NEW_ACCOUNT_S = 7 * 86_400
"""An account is new for so long after it was made, in seconds."""
PROMPT_S = 600
"""An interaction is prompt so long after the publication of what it is with, in seconds."""
SHORTEST_TEXT = 24
"""Shorter texts, of so many letters and digits, are identical by nature."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            name="burst",
            words="At least 10 accounts that are empty (0 followers) or younger than 7 days interact with one item "
            "within one minute.",
            marks="suspect_interactions",
            tally=Tally.DISTINCT,
            within_s=_MINUTE,
            least=10,
        ),
        Rule(
            name="join_burst",
            words="At least 10 accounts that are empty (0 followers) or younger than 7 days join one audience within "
            "one minute.",
            marks="suspect_joins",
            tally=Tally.DISTINCT,
            within_s=_MINUTE,
            least=10,
        ),
        Rule(
            name="spree",
            words="One account interacts with at least 10 different items within 10 seconds.",
            marks="suspect_interactions",
            tally=Tally.DISTINCT,
            within_s=10,
            least=10,
        ),
        Rule(
            name="churn",
            words="One account joins an audience at least twice and leaves it at least twice within 7 days; its joins "
            "are marked.",
            marks="suspect_joins",
            tally=Tally.ROUNDS,
            within_s=7 * _DAY,
            least=2,
        ),
        Rule(
            name="same_text",
            words="The same comment, of at least 24 letters and digits, is written at least 5 times within one hour, "
            "by one account or by several.",
            marks="suspect_interactions",
            tally=Tally.EVENTS,
            within_s=_HOUR,
            least=5,
        ),
        Rule(
            name="pod",
            words="Two accounts each interact with at least 5 items that the other published, within 10 minutes of the "
            "publication, within 7 days.",
            marks="suspect_interactions",
            tally=Tally.ROUNDS,
            within_s=7 * _DAY,
            least=5,
        ),
    )
}
"""Every rule by its name."""

LONGEST_S = max(rule.within_s for rule in RULES.values())
"""No event is marked for what happened later than so many seconds after it."""
