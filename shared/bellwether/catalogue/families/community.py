"""The community: its voice, its size, its mood, and how fast it gets answers."""

from __future__ import annotations

from bellwether.catalogue.formula import (
    Average,
    Growth,
    LevelGrowth,
    NetChange,
    Percentile,
    Ratio,
    Sum,
    less,
    total,
)
from bellwether.catalogue.kpi import Direction, Kpi, Unit
from bellwether.domain.windows import Window

_ENGAGEMENT = "Community engagement"
_BRAND = "Brand"
_AUDIENCE = "Audience"

MENTIONS = (
    Kpi(
        key="brand_mentions",
        title="Brand mentions",
        meaning="Mentions of the brand.",
        formula=Sum(total("mentions")),
        unit=Unit.COUNT,
        kra=_BRAND,
    ),
    Kpi(
        key="brand_mention_growth",
        title="Growth of brand mentions",
        meaning="Growth of mentions against the window before.",
        formula=Growth(total("mentions")),
        unit=Unit.PERCENT,
        kra=_BRAND,
    ),
    Kpi(
        key="share_of_voice",
        title="Share of voice",
        meaning="Mentions of the brand among mentions of the brand and its competitors.",
        formula=Ratio(total("mentions"), total("mentions", "competitor_mentions")),
        unit=Unit.PERCENT,
        kra=_BRAND,
    ),
    Kpi(
        key="community_sentiment",
        title="Net sentiment",
        meaning="Positive less negative texts per text scored: mentions of the brand, messages to it and comments.",
        formula=Ratio(less("positive_n", "negative_n"), total("sentiment_n")),
        unit=Unit.NET_SENTIMENT,
        kra=_ENGAGEMENT,
        also_shown=("neutral_n",),
    ),
)

RESPONSES = (
    Kpi(
        key="message_response_time",
        title="Response time, median",
        meaning="Wall-clock time from a message to its first answer. Who still waits counts "
        "as waiting (Kaplan-Meier), so that silence never looks fast.",
        formula=Percentile("response_time", 0.5, waiting="messages"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        kra=_ENGAGEMENT,
        also_shown=("messages_received", "messages_answered"),
    ),
    Kpi(
        key="message_response_time.p90",
        title="Response time, 90th percentile",
        meaning="The time within which nine of ten messages were answered.",
        formula=Percentile("response_time", 0.9, waiting="messages"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        kra=_ENGAGEMENT,
        also_shown=("messages_received", "messages_answered"),
    ),
    Kpi(
        key="message_response_time.answered",
        title="Response time of the answered, median",
        meaning="The median over answered messages alone. Silence makes it look better; read "
        "it beside the response rate.",
        formula=Percentile("response_time", 0.5),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        kra=_ENGAGEMENT,
        also_shown=("messages_received", "messages_answered"),
    ),
    Kpi(
        key="query_response_time",
        title="Response time of queries, mean",
        meaning="Mean wall-clock time from a query to its first answer, over the answered.",
        formula=Average("query_response_seconds", "queries_answered"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        kra=_ENGAGEMENT,
        also_shown=("queries_received",),
    ),
    Kpi(
        key="query_response_time.median",
        title="Response time of queries, median",
        meaning="The median, with queries that still wait counted as waiting.",
        formula=Percentile("query_response_time", 0.5, waiting="queries"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        kra=_ENGAGEMENT,
        also_shown=("queries_received", "queries_answered"),
    ),
    Kpi(
        key="query_response_time.p90",
        title="Response time of queries, 90th percentile",
        meaning="The time within which nine of ten queries were answered.",
        formula=Percentile("query_response_time", 0.9, waiting="queries"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        kra=_ENGAGEMENT,
        also_shown=("queries_received", "queries_answered"),
    ),
    Kpi(
        key="response_rate",
        title="Response rate",
        meaning="Messages answered so far per message received in the window.",
        formula=Ratio(total("messages_answered"), total("messages_received")),
        unit=Unit.PERCENT,
        kra="Content and communication",
    ),
    Kpi(
        key="unanswered_questions",
        title="Unanswered questions",
        meaning="Queries received in the window that have no answer yet.",
        formula=Sum(less("queries_received", "queries_answered")),
        unit=Unit.COUNT,
        better=Direction.DOWN,
        kra="Content and communication",
    ),
)

GROWTH = (
    Kpi(
        key="ugc_submissions",
        title="User-generated content",
        meaning="Content that members of the community submitted.",
        formula=Sum(total("ugc_submissions")),
        unit=Unit.COUNT,
        kra=_ENGAGEMENT,
    ),
    Kpi(
        key="ugc_participation",
        title="Participation in user-generated content",
        meaning="Authors of user-generated content per member who interacted. Both are "
        "distinct people, counted by sketches with an error of about 2 %.",
        formula=Ratio(total("ugc_authors"), total("interacting_members")),
        unit=Unit.PERCENT,
        kra=_ENGAGEMENT,
    ),
    Kpi(
        key="subscriber_growth",
        title="Net new subscribers",
        meaning="Subscribers at the end less subscribers at the start of the window.",
        formula=NetChange(("subscribers",)),
        unit=Unit.COUNT,
        kra=_AUDIENCE,
        home=Window.MONTH,
    ),
    Kpi(
        key="subscriber_growth.rate",
        title="Subscriber growth",
        meaning="Net new subscribers per subscriber at the start of the window.",
        formula=LevelGrowth(("subscribers",)),
        unit=Unit.PERCENT,
        kra=_AUDIENCE,
        home=Window.MONTH,
    ),
    Kpi(
        key="follower_growth_rate",
        title="Follower growth",
        meaning="Net new followers and subscribers per one at the start of the window.",
        formula=LevelGrowth(("followers", "subscribers")),
        unit=Unit.PERCENT,
        kra=_AUDIENCE,
        home=Window.MONTH,
    ),
)

KPIS = (*MENTIONS, *RESPONSES, *GROWTH)
