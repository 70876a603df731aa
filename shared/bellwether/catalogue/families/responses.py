"""Answers: how fast people get them, and how many do."""

from __future__ import annotations

from bellwether.catalogue.areas import COMMUNICATION, COMMUNITY_ENGAGEMENT, DATA_ANALYSIS
from bellwether.catalogue.formula import Average, Percentile, Ratio, Sum, less, total
from bellwether.catalogue.kpi import Control, Direction, Kpi, Unit
from bellwether.domain.windows import Window

_OF_MESSAGES = ("messages_received", "messages_answered")
_OF_QUERIES = ("queries_received", "queries_answered")

MESSAGES = (
    Kpi(
        key="message_response_time",
        title="Response time, median",
        meaning="Wall-clock time from a message to its first answer by a person, over messages received in the window. "
        "Who still waits counts as waiting (Kaplan-Meier), so that silence never looks fast.",
        formula=Percentile("response_time", 0.5, waiting="messages"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=_OF_MESSAGES,
    ),
    Kpi(
        key="message_response_time.p90",
        title="Response time, 90th percentile",
        meaning="The wall-clock time within which nine of ten messages were answered; who still waits counts as "
        "waiting.",
        formula=Percentile("response_time", 0.9, waiting="messages"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=_OF_MESSAGES,
    ),
    Kpi(
        key="message_response_time.answered",
        title="Response time of the answered, median",
        meaning="The median over answered messages alone. Silence makes it look better; read it beside the response "
        "rate.",
        formula=Percentile("response_time", 0.5),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=_OF_MESSAGES,
    ),
    Kpi(
        key="message_response_time.business",
        title="Response time in business hours, median",
        meaning="Time within the brand's business hours from a message to its first answer by a person; nights, "
        "weekends and holidays do not count. Who still waits counts as waiting.",
        formula=Percentile("response_time_business", 0.5, waiting="messages.business"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=(*_OF_MESSAGES, "answered_business"),
    ),
    Kpi(
        key="message_response_time.business_p90",
        title="Response time in business hours, 90th percentile",
        meaning="The time within business hours within which nine of ten messages were answered; who still waits "
        "counts as waiting.",
        formula=Percentile("response_time_business", 0.9, waiting="messages.business"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=(*_OF_MESSAGES, "answered_business"),
    ),
    Kpi(
        key="message_response_time.within_target",
        title="Answers within the target",
        meaning="Of the messages that were answered and have a business clock, the share answered within the brand's "
        "target in business hours. Silence is not in it; read it beside the response rate.",
        formula=Ratio(total("answered_within_target"), total("answered_business")),
        unit=Unit.PERCENT,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=_OF_MESSAGES,
    ),
    Kpi(
        key="message_response_time.unanswered_now",
        title="Unanswered messages",
        meaning="Messages received in the window that have no answer by a person yet. Stands beside every response "
        "time: what nobody has answered has no time yet.",
        formula=Sum(less("messages_received", "messages_answered")),
        unit=Unit.COUNT,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
    ),
    Kpi(
        key="response_rate",
        title="Response rate",
        meaning="Messages received in the window that have an answer by now, per message received in it.",
        formula=Ratio(total("messages_answered"), total("messages_received")),
        unit=Unit.PERCENT,
        control=Control.DIRECT,
        kra=COMMUNICATION,
    ),
)

QUERIES = (
    Kpi(
        key="query_response_time",
        title="Response time of queries, mean",
        meaning="Mean wall-clock time from a query to its first answer by a person, over the answered queries. One "
        "that waited for days weighs as much as many quick ones; read it beside the median. Several queries of one "
        "turn that one answer answers have one response time.",
        # Per response time, not per query: one answer to several queries of a turn is one response time.
        formula=Average("query_response_seconds", "query_response_time"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=("queries_received",),
    ),
    Kpi(
        key="query_response_time.median",
        title="Response time of queries, median",
        meaning="The median of the wall-clock time from a query to its first answer by a person, with queries that "
        "still wait counted as waiting.",
        formula=Percentile("query_response_time", 0.5, waiting="queries"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=_OF_QUERIES,
    ),
    Kpi(
        key="query_response_time.p90",
        title="Response time of queries, 90th percentile",
        meaning="The wall-clock time within which nine of ten queries were answered; those that still wait count as "
        "waiting.",
        formula=Percentile("query_response_time", 0.9, waiting="queries"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=_OF_QUERIES,
    ),
    Kpi(
        key="query_response_time.business",
        title="Response time of queries in business hours, median",
        meaning="The median of the time within the brand's business hours from a query to its first answer by a "
        "person, with queries that still wait counted as waiting.",
        formula=Percentile("query_response_time_business", 0.5, waiting="queries.business"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=_OF_QUERIES,
    ),
    Kpi(
        key="unanswered_questions",
        title="Unanswered questions",
        meaning="Queries received in the window that have no answer by a person yet.",
        formula=Sum(less("queries_received", "queries_answered")),
        unit=Unit.COUNT,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=COMMUNICATION,
    ),
)

FEEDBACK = (
    Kpi(
        key="feedback_response_rate",
        title="Response rate to feedback",
        meaning="Messages with feedback received in the window that have an answer by now, per such message.",
        formula=Ratio(total("feedback_answered"), total("feedback_received")),
        unit=Unit.PERCENT,
        control=Control.DIRECT,
        kra=DATA_ANALYSIS,
        home=Window.MONTH,
    ),
    Kpi(
        key="feedback_response_rate.sentiment",
        title="Net sentiment of feedback",
        meaning="Positive less negative messages with feedback, per such message scored.",
        formula=Ratio(less("feedback_positive_n", "feedback_negative_n"), total("feedback_sentiment_n")),
        unit=Unit.NET_SENTIMENT,
        control=Control.INFLUENCED,
        kra=DATA_ANALYSIS,
        home=Window.MONTH,
    ),
)

KPIS = (*MESSAGES, *QUERIES, *FEEDBACK)
