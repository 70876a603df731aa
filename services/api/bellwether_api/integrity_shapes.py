"""The shapes of answers about marks of the integrity screen, and an example of each."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from bellwether.catalogue.screen import RULES
from bellwether_api.shapes import Moment

SuspectMeasure = Literal["suspect_interactions", "suspect_joins"]
RuleName = Annotated[str, Meta(description="Name of a rule of the screen.", examples=[*RULES])]


class RuleOut(Struct, frozen=True):
    """A rule of the screen."""

    name: RuleName
    words: Annotated[str, Meta(description="What it marks, with its thresholds.")]
    marks: Annotated[SuspectMeasure, Meta(description="The measure that its marks count in.")]
    within_s: Annotated[int, Meta(description="Length of the window, in seconds.")]
    least: Annotated[int, Meta(description="So much in one window is marked.")]


class RuleList(Struct, frozen=True):
    """All rules of the screen."""

    items: list[RuleOut]


class GroundOut(Struct, frozen=True):
    """Why a rule marks an event: the earliest window that does."""

    rule: RuleName
    subject: Annotated[str, Meta(description="What the rule watched: an item, an account, a text, two accounts.")]
    formed_at: Annotated[datetime, Meta(description="When the window was full; it reaches back `within_s`.")]
    seen: Annotated[int, Meta(description="What the rule counted in the window.")]
    least: int
    within_s: int


class VerdictOut(Struct, frozen=True):
    """What somebody said of a mark."""

    overruled: Annotated[bool, Meta(description="True: no longer counted as inauthentic; false: restored.")]
    by_key: Annotated[str, Meta(description="Public id of the API key.")]
    by: Annotated[str | None, Meta(description="Who, as the caller told.")]
    note: Annotated[str | None, Meta(description="Why, as the caller told.")]
    at: Moment


class MarkOut(Struct, frozen=True):
    """An event that the screen marks as inauthentic. It counts once, however many rules mark it."""

    mark_id: Annotated[str, Meta(description="Follows from the identity of the event.")]
    at: Annotated[datetime, Meta(description="When the event happened; it counts there.")]
    formed_at: Annotated[datetime, Meta(description="From when on it is marked.")]
    measure: SuspectMeasure
    count: Annotated[int, Meta(description="How many interactions or joins it is.")]
    author: Annotated[str | None, Meta(description="The account, where the event names it.")]
    subject: Annotated[str | None, Meta(description="The content item, or the member.")]
    cuts: Annotated[list[str], Meta(description="The cuts it counts in besides the total.")]
    grounds: list[GroundOut]
    overruled: bool
    verdicts: Annotated[list[VerdictOut], Meta(description="All that was said of it, the latest first.")]


class MarkPage(Struct, frozen=True):
    """A page of marks, the latest events first."""

    items: list[MarkOut]
    next: Annotated[str | None, Meta(description="`cursor` of the next page; null at the end.")]


RULE_LIST = RuleList([RuleOut(rule.name, rule.words, rule.marks, rule.within_s, rule.least) for rule in RULES.values()])
"""Every rule of the screen, as it is answered."""

_AT = datetime(2026, 10, 13, 12, tzinfo=UTC)
_MARK = MarkOut(
    mark_id="6f1c0a52b1f94d7f8d5e3a9c27b0e411",
    at=_AT,
    formed_at=_AT.replace(second=40),
    measure="suspect_interactions",
    count=1,
    author="user-81",
    subject="post-17",
    cuts=["channel=instagram"],
    grounds=[GroundOut("burst", "instagram post-17", _AT.replace(second=40), 14, 10, 60)],
    overruled=True,
    verdicts=[VerdictOut(True, "9aBcD3fGh1Jk", "Dana", "Guests of our launch event", _AT.replace(hour=14))],
)
INTEGRITY_ANSWERS = (RuleList, MarkOut, MarkPage)
INTEGRITY_EXAMPLES = (RULE_LIST, _MARK, MarkPage([_MARK], f"{int(_AT.timestamp())}-{_MARK.mark_id}"))
