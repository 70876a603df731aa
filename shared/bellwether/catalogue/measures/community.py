"""Measures of the community: its voice, its mood, its questions, who comes and who goes."""

from __future__ import annotations

from bellwether.catalogue.measures.event_types import (
    INTERACTION,
    JOINED,
    LEFT,
    MENTION,
    RECEIVED,
    SENT,
    VISIT,
)
from bellwether.catalogue.measures.measure import Fold, Measure, Where, counted, distinct, joined, summed

AUDIENCES = ("members", "followers", "subscribers")
_TEXTS = (MENTION, RECEIVED, INTERACTION)
_OWN = Where("@own", (True,))
_SCORED = ("positive", "neutral", "negative")
_QUERY = Where("kind", ("query",))
_FEEDBACK = Where("kind", ("feedback",))


def _label(*labels: str) -> Where:
    return Where("@sentiment_label", labels)


_VOICE = (
    counted("mentions", "Mentions of the brand", MENTION, _OWN),
    counted("competitor_mentions", "Mentions of competitors", MENTION, Where("@own", (False,))),
    distinct("mention_authors", "Authors of mentions", MENTION, _OWN),
    counted(
        "influencer_mentions", "Mentions of the brand by influencers", MENTION, _OWN, Where("influencer", present=True)
    ),
)

_MOOD = (
    summed(
        "sentiment_sum",
        "Sum of sentiment scores, in ten-thousandths",
        _TEXTS,
        "@sentiment",
        _OWN,
        _label(*_SCORED),
    ),
    counted("sentiment_n", "Texts scored", _TEXTS, _OWN, _label(*_SCORED)),
    *(counted(f"{label}_n", f"{label.capitalize()} texts", _TEXTS, _OWN, _label(label)) for label in _SCORED),
)

_ADVOCATES = (
    joined("advocates", "Advocates who said or did something", _TEXTS),
    joined("advocate_interactions", "Interactions of advocates", (MENTION, INTERACTION)),
    joined("advocate_sentiment_n", "Texts of advocates that were scored", _TEXTS),
    joined("advocate_positive_n", "Positive texts of advocates", _TEXTS),
    joined("advocate_negative_n", "Negative texts of advocates", _TEXTS),
)

_MESSAGES = (
    counted("messages_received", "Messages received", RECEIVED),
    counted("queries_received", "Queries received", RECEIVED, _QUERY),
    counted("feedback_received", "Feedback received", RECEIVED, _FEEDBACK),
    counted("feedback_sentiment_n", "Feedback scored", RECEIVED, _FEEDBACK, _label(*_SCORED)),
    counted("feedback_positive_n", "Positive feedback", RECEIVED, _FEEDBACK, _label("positive")),
    counted("feedback_negative_n", "Negative feedback", RECEIVED, _FEEDBACK, _label("negative")),
)

_TALK = (RECEIVED, SENT)
_ANSWERS = (
    joined("messages_answered", "Messages answered, by reception", _TALK),
    joined("queries_answered", "Queries answered, by reception", _TALK),
    joined("feedback_answered", "Feedback answered, by reception", _TALK),
    joined("answered_business", "Messages answered that have a business clock, by reception", _TALK),
    joined("answered_within_target", "Messages answered within the target in business hours, by reception", _TALK),
    joined("query_response_seconds", "Sum of response times of queries, in seconds", _TALK),
    joined("response_time", "Response times of messages", _TALK, Fold.HISTOGRAM),
    joined("query_response_time", "Response times of queries", _TALK, Fold.HISTOGRAM),
    joined("response_time_business", "Response times of messages in business hours", _TALK, Fold.HISTOGRAM),
    joined("query_response_time_business", "Response times of queries in business hours", _TALK, Fold.HISTOGRAM),
)

_COMING_AND_GOING = (
    counted("joined", "Joins", JOINED),
    counted("left", "Leaves", LEFT),
    *(counted(f"joined_{name}", f"Joins of {name}", JOINED, Where("audience", (name,))) for name in AUDIENCES),
    *(counted(f"left_{name}", f"Leaves of {name}", LEFT, Where("audience", (name,))) for name in AUDIENCES),
    joined("suspect_joins", "Joins marked as inauthentic", JOINED),
    counted("visits", "Visits to the community", VISIT),
    distinct("community_visitors", "Visitors of the community", VISIT, field="visitor_id"),
)

MEASURES: tuple[Measure, ...] = (*_VOICE, *_MOOD, *_ADVOCATES, *_MESSAGES, *_ANSWERS, *_COMING_AND_GOING)
