"""The community: what it does, what it says of the brand, and in which mood."""

from __future__ import annotations

from bellwether.catalogue.areas import (
    ADVOCACY,
    AWARENESS,
    COMMUNITY_ENGAGEMENT,
    CRISIS,
    GENERAL,
    PERFORMANCE,
)
from bellwether.catalogue.formula import Contrast, Growth, Ratio, RatioFall, Sum, Term, less, total
from bellwether.catalogue.kpi import Control, Kind, Kpi, Unit
from bellwether.catalogue.measures import INTERACTION_COUNTERS
from bellwether.domain.windows import Window

_GENUINE = less("interactions", "suspect_interactions")

ACTIVITY = (
    Kpi(
        key="weekly_interactions",
        title="Interactions",
        meaning="Reactions, comments, shares, saves, clicks and votes on the brand's content and in its community; "
        "what is taken back counts off, and views do not count.",
        formula=Sum(total("interactions")),
        screened=Sum(_GENUINE),
        unit=Unit.COUNT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=INTERACTION_COUNTERS,
        home=Window.WEEK,
    ),
    Kpi(
        key="engagement_growth",
        title="Engagement growth",
        meaning="Growth of interactions against the window before.",
        formula=Growth(total("interactions")),
        screened=Growth(_GENUINE),
        unit=Unit.PERCENT,
        kra=PERFORMANCE,
    ),
    Kpi(
        key="participation_growth",
        title="Growth of participation",
        meaning="Growth of the number of different people who interacted, against the window before. People are "
        "counted by sketches with an error of about 2 %.",
        formula=Growth(total("interacting_members")),
        unit=Unit.PERCENT,
        kra=COMMUNITY_ENGAGEMENT,
    ),
    Kpi(
        key="ugc_submissions",
        title="User-generated content",
        meaning="Content that members of the community published, as its source marks it.",
        formula=Sum(total("ugc_submissions")),
        unit=Unit.COUNT,
        kra=COMMUNITY_ENGAGEMENT,
    ),
    Kpi(
        key="ugc_participation",
        title="Participation in user-generated content",
        meaning="Authors of user-generated content per member who interacted. Both are different people, counted by "
        "sketches with an error of about 2 %.",
        formula=Ratio(total("ugc_authors"), total("interacting_members")),
        unit=Unit.PERCENT,
        kra=COMMUNITY_ENGAGEMENT,
    ),
)

MENTIONS = (
    Kpi(
        key="brand_mentions",
        title="Brand mentions",
        meaning="Mentions of the brand itself; those of its competitors are not in it.",
        formula=Sum(total("mentions")),
        unit=Unit.COUNT,
        control=Control.INFLUENCED,
        kra=AWARENESS,
        also_shown=("mention_authors", "influencer_mentions"),
    ),
    Kpi(
        key="brand_mention_growth",
        title="Growth of brand mentions",
        meaning="Growth of mentions of the brand against the window before.",
        formula=Growth(total("mentions")),
        unit=Unit.PERCENT,
        control=Control.INFLUENCED,
        kra=ADVOCACY,
        home=Window.MONTH,
    ),
    Kpi(
        key="share_of_voice",
        title="Share of voice",
        meaning="Mentions of the brand among mentions of the brand and of the competitors it is told against.",
        formula=Ratio(total("mentions"), total("mentions", "competitor_mentions")),
        unit=Unit.PERCENT,
        control=Control.INFLUENCED,
        kra=GENERAL,
    ),
)

_SCORED = "Scored are mentions of the brand, messages to it and comments."
SENTIMENT = (
    Kpi(
        key="community_sentiment",
        title="Net sentiment",
        meaning=f"Positive less negative texts, per text scored: neutral ones pull it towards 0. {_SCORED}",
        formula=Ratio(less("positive_n", "negative_n"), total("sentiment_n")),
        unit=Unit.NET_SENTIMENT,
        control=Control.INFLUENCED,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=("neutral_n",),
    ),
    Kpi(
        key="community_sentiment.positive_share",
        title="Share of positive texts",
        meaning=f"Positive texts per text scored. {_SCORED}",
        formula=Ratio(total("positive_n"), total("sentiment_n")),
        unit=Unit.PERCENT,
        control=Control.INFLUENCED,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=("neutral_n", "negative_n", "sentiment_sum"),
    ),
    Kpi(
        key="community_sentiment.to_polar",
        title="Net sentiment of those with an opinion",
        meaning=f"Positive less negative texts, per text that is one of both; neutral ones are left out. {_SCORED}",
        formula=Ratio(less("positive_n", "negative_n"), total("positive_n", "negative_n")),
        unit=Unit.NET_SENTIMENT,
        control=Control.INFLUENCED,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=("neutral_n",),
    ),
    Kpi(
        key="negative_sentiment_reduction",
        title="Reduction of negative sentiment",
        meaning="The share of negative texts in the window before less that in this one, in points: above 0, there is "
        f"less of it. {_SCORED}",
        formula=RatioFall(total("negative_n"), total("sentiment_n")),
        unit=Unit.POINTS,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=CRISIS,
        home=Window.MONTH,
    ),
)

ADVOCATES = (
    Kpi(
        key="testimonials",
        title="Testimonials",
        meaning="Testimonials and reviews that were published, whoever published them.",
        formula=Sum(total("testimonials")),
        unit=Unit.COUNT,
        kra=ADVOCACY,
        home=Window.MONTH,
    ),
    Kpi(
        key="advocate_engagement",
        title="Engagement of advocates",
        meaning="Interactions of advocates, per advocate who said or did something in the window. An advocate is an "
        "author from the third positive mention of the brand on. They are different people, counted by sketches with "
        "an error of about 2 %.",
        formula=Ratio(total("advocate_interactions"), total("advocates"), scale=1),
        unit=Unit.RATIO,
        kra=ADVOCACY,
        home=Window.MONTH,
    ),
    Kpi(
        key="advocacy_sentiment_impact",
        title="Mood of advocates against that of others",
        meaning="Net sentiment of the texts that advocates wrote, less that of all other texts, in points.",
        formula=Contrast(
            less("advocate_positive_n", "advocate_negative_n"),
            total("advocate_sentiment_n"),
            # What the others wrote: everything but what advocates did.
            (*less("positive_n", "negative_n", "advocate_positive_n"), Term("advocate_negative_n")),
            less("sentiment_n", "advocate_sentiment_n"),
            points=True,
        ),
        unit=Unit.POINTS,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=ADVOCACY,
        home=Window.MONTH,
    ),
)

KPIS = (*ACTIVITY, *MENTIONS, *SENTIMENT, *ADVOCATES)
