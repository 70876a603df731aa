"""Crises, conflicts and the rules of the community."""

from __future__ import annotations

from bellwether.catalogue.areas import COMPLIANCE, CRISIS
from bellwether.catalogue.formula import (
    Average,
    Blend,
    DuringCrises,
    Percentile,
    Ratio,
    RatioFall,
    RatioGrowth,
    RecoveryTime,
    Regained,
    Sum,
    Term,
    less,
    total,
)
from bellwether.catalogue.kpi import Control, Direction, Evidence, Kind, Kpi, Unit
from bellwether.domain.windows import Window

_NET, _SCORED = less("positive_n", "negative_n"), total("sentiment_n")
_POSTS = total("ugc_submissions", "community_comments")
_POST = "Posts are user-generated content and comments."

CRISES = (
    Kpi(
        key="crisis_response_time",
        title="Response time to crises",
        meaning="The median time from the opening of a crisis to the brand's first reaction: its acknowledgement, a "
        "response that was recorded, or the brand's first public message. Over crises first reacted to in the window.",
        formula=Percentile("crisis_response_time", 0.5),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        control=Control.DIRECT,
        kra=CRISIS,
        also_shown=("crises_opened", "crises_responded"),
        home=Window.QUARTER,
    ),
    Kpi(
        key="crisis_sentiment",
        title="Net sentiment in crises",
        meaning="Positive less negative texts per text scored, while a crisis was open; pooled over the crises of the "
        "window.",
        formula=DuringCrises(_NET, _SCORED),
        unit=Unit.NET_SENTIMENT,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=CRISIS,
        also_shown=("crises_opened",),
        home=Window.QUARTER,
    ),
    Kpi(
        key="crisis_resolution_rate",
        title="Crises resolved",
        meaning="Crises resolved in the window per crisis opened in it; one that is opened again counts off. Above 100 "
        "where more are resolved than begin.",
        formula=Ratio(total("crises_resolved"), total("crises_opened")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=CRISIS,
        home=Window.QUARTER,
    ),
    Kpi(
        key="crisis_resolution_rate.time",
        title="Time to resolve crises",
        meaning="The median time from the opening of a crisis to its resolution, over crises resolved in the window.",
        formula=Percentile("crisis_resolution_time", 0.5),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        kind=Kind.LAGGING,
        kra=CRISIS,
        also_shown=("crises_opened", "crises_resolved"),
        home=Window.QUARTER,
    ),
    Kpi(
        key="sentiment_recovery",
        title="Recovery of sentiment",
        meaning="Of the drop of net sentiment from the 24 hours before a crisis to the time while it was open, the "
        "share regained in the 24 hours after its resolution; pooled over the crises whose 24 hours were over within "
        "the window.",
        formula=Regained(_NET, _SCORED),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=CRISIS,
        home=Window.QUARTER,
    ),
    Kpi(
        key="sentiment_recovery.time",
        title="Time until sentiment has recovered",
        meaning="The median time from the resolution of a crisis until net sentiment is back where it was in the 24 "
        "hours before the crisis.",
        formula=RecoveryTime(_NET, _SCORED),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=CRISIS,
        home=Window.QUARTER,
    ),
)

CONFLICTS = (
    Kpi(
        key="conflict_resolution_time",
        title="Resolution time of conflicts",
        meaning="Mean time from the opening of a conflict between members to its resolution, over those resolved in "
        "the window.",
        formula=Average("conflict_resolution_seconds", "conflicts_resolved"),
        unit=Unit.SECONDS,
        better=Direction.DOWN,
        kind=Kind.LAGGING,
        evidence=Evidence.ATTESTED,
        control=Control.DIRECT,
        kra=CRISIS,
        also_shown=("conflicts_opened", "conflicts_escalated"),
        home=Window.MONTH,
    ),
    Kpi(
        key="conflicts_resolved_unescalated",
        title="Conflicts resolved without escalation",
        meaning="Conflicts between members that were resolved in the window and had not been escalated by then.",
        formula=Sum(total("conflicts_resolved_unescalated")),
        unit=Unit.COUNT,
        kind=Kind.LAGGING,
        evidence=Evidence.ATTESTED,
        kra=CRISIS,
        also_shown=("conflicts_opened", "conflicts_resolved", "conflicts_escalated"),
        home=Window.MONTH,
    ),
)

RULES = (
    Kpi(
        key="guideline_compliance",
        title="Compliance with the guidelines",
        meaning=f"The share of posts in the community that broke no rule: 100 less breaches per hundred posts. {_POST}",
        formula=Ratio((*_POSTS, Term("violations", -1)), _POSTS),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=COMPLIANCE,
        home=Window.MONTH,
    ),
    Kpi(
        key="violations_addressed",
        title="Breaches dealt with",
        meaning="Breaches of the rules dealt with in the window, per breach found in it.",
        formula=Ratio(total("violations_addressed"), total("violations")),
        unit=Unit.PERCENT,
        control=Control.DIRECT,
        kra=COMPLIANCE,
        home=Window.MONTH,
    ),
    Kpi(
        key="violations_addressed.count",
        title="Number of breaches dealt with",
        meaning="Breaches of the rules dealt with in the window.",
        formula=Sum(total("violations_addressed")),
        unit=Unit.COUNT,
        control=Control.DIRECT,
        kra=COMPLIANCE,
        also_shown=("violations",),
        home=Window.MONTH,
    ),
    Kpi(
        key="trust_safety_improvement",
        title="Improvement of trust and safety",
        meaning="The mean of two improvements against the window before: the growth of the mean score of surveys on "
        "trust, in percent, and the fall of breaches per hundred posts, in points. Where one of them is undefined, the "
        f"other stands alone. {_POST}",
        formula=Blend(
            (
                RatioGrowth(total("survey_trust_sum"), total("survey_trust_n")),
                RatioFall(total("violations"), _POSTS),
            )
        ),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        evidence=Evidence.SURVEYED,
        kra=COMPLIANCE,
        home=Window.QUARTER,
    ),
)

KPIS = (*CRISES, *CONFLICTS, *RULES)
