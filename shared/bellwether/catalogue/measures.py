"""Measures: what the stream is folded into, as data.

A measure names the event types it reads, which of their events, and how one event counts.
Fields are named as in the event's body; names that start with `@` are facts that the fold
derives from the event:

- `@own`: whether a mention is of the brand itself rather than of a competitor
- `@sentiment`: the score of the text in ten-thousandths, from the source where it gives one
- `@sentiment_label`: positive, neutral or negative
- `@author`: the id of the author
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec


class Fold(StrEnum):
    """How events become a total."""

    COUNT = "count"
    SUM = "sum"
    DISTINCT = "distinct"
    JOIN = "join"
    """Contributed by a step that knows more than one event: content items, conversations."""
    HISTOGRAM = "histogram"
    """Likewise, as a distribution of whole seconds."""


class Where(msgspec.Struct, frozen=True):
    """A condition on one field: its value is one of these (None: the field is absent)."""

    field: str
    among: tuple[str | bool | None, ...]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure. All are mergeable; `key` is its name in rollups and in the API."""

    key: str
    title: str
    fold: Fold
    events: tuple[str, ...] = ()
    where: tuple[Where, ...] = ()
    field: str | None = None


Audience = Literal["followers", "subscribers", "members"]

CONTENT_COUNTERS = (
    "impressions",
    "reach",
    "views",
    "video_views",
    "reactions",
    "comments",
    "shares",
    "saves",
    "clicks",
    "votes",
)
"""What a content item earns. Likes are counted under reactions, which hold them."""

INTERACTION_COUNTERS = ("reactions", "comments", "shares", "saves", "clicks", "votes")
"""The counters that are interactions; impressions, reach and views are displays."""

_MENTION = "social.mention.v1"
_RECEIVED = "social.message.received.v1"
_PUBLISHED = "social.content.published.v1"
_INTERACTION = "social.interaction.v1"
_TEXTS = (_MENTION, _RECEIVED, _INTERACTION)
_OWN = Where("@own", (True,))
_UGC = Where("ugc", (True,))


def _label(*labels: str) -> Where:
    return Where("@sentiment_label", labels)


def _joined(key: str, title: str, fold: Fold = Fold.JOIN) -> Measure:
    return Measure(key=key, title=title, fold=fold)


def _counted(key: str, title: str, event: str, *where: Where) -> Measure:
    return Measure(key=key, title=title, fold=Fold.COUNT, events=(event,), where=where)


def _distinct(key: str, title: str, event: str, *where: Where) -> Measure:
    return Measure(key=key, title=title, fold=Fold.DISTINCT, events=(event,), where=where, field="@author")


def _texts(key: str, title: str, *where: Where) -> Measure:
    return Measure(key=key, title=title, fold=Fold.COUNT, events=_TEXTS, where=(_OWN, *where))


MEASURES: tuple[Measure, ...] = (
    _counted("content_published", "Content published", _PUBLISHED, Where("ugc", (False, None))),
    _counted("ugc_submissions", "User-generated content", _PUBLISHED, _UGC),
    _distinct("ugc_authors", "Authors of user-generated content", _PUBLISHED, _UGC),
    *(_joined(key, key.replace("_", " ").capitalize()) for key in CONTENT_COUNTERS),
    _joined("interactions", "Interactions"),
    _distinct(
        "interacting_members",
        "Members who interacted",
        _INTERACTION,
        Where("op", ("add",)),
        Where("kind", ("reaction", "comment", "share", "save", "click", "vote")),
    ),
    _joined("items", "Content items published, by publication"),
    _joined("item_interactions", "Interactions earned so far, by publication"),
    _joined("item_reach", "Reach earned so far, by publication"),
    _joined("item_impressions", "Impressions earned so far, by publication"),
    _joined("item_followers", "Followers of the channel at the time of posting"),
    _joined("item_interactions_followed", "Interactions of items whose followers are known"),
    _counted("mentions", "Mentions of the brand", _MENTION, _OWN),
    _counted("competitor_mentions", "Mentions of competitors", _MENTION, Where("@own", (False,))),
    _distinct("mention_authors", "Authors of mentions", _MENTION, _OWN),
    Measure(
        key="sentiment_sum",
        title="Sum of sentiment scores, in ten-thousandths",
        fold=Fold.SUM,
        events=_TEXTS,
        where=(_OWN, _label("positive", "neutral", "negative")),
        field="@sentiment",
    ),
    _texts("sentiment_n", "Texts scored", _label("positive", "neutral", "negative")),
    _texts("positive_n", "Positive texts", _label("positive")),
    _texts("neutral_n", "Neutral texts", _label("neutral")),
    _texts("negative_n", "Negative texts", _label("negative")),
    _counted("messages_received", "Messages received", _RECEIVED),
    _counted("queries_received", "Queries received", _RECEIVED, Where("kind", ("query",))),
    _joined("messages_answered", "Messages answered, by reception"),
    _joined("queries_answered", "Queries answered, by reception"),
    _joined("query_response_seconds", "Sum of response times of queries, in seconds"),
    _joined("response_time", "Response times of messages", Fold.HISTOGRAM),
    _joined("query_response_time", "Response times of queries", Fold.HISTOGRAM),
)

BY_KEY: dict[str, Measure] = {measure.key: measure for measure in MEASURES}
