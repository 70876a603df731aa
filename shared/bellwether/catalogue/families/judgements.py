"""What people think when they are asked: surveys, and assessments by an assessor.

Every answer is taken as its place on its own scale, from 0 to 100 %, and weighs the same.
"""

from __future__ import annotations

from bellwether.catalogue.areas import (
    BRAND_VOICE,
    COMPLIANCE,
    CRISIS,
    CROSS_FUNCTIONAL,
    LEARNING,
    PARTNERSHIPS,
    REPORTING,
)
from bellwether.catalogue.formula import Average, Blend, Lowest, Uplift, less, total
from bellwether.catalogue.kpi import Control, Evidence, Kind, Kpi, Unit
from bellwether.domain.windows import Window

_ONE_PERCENT = 10_000
"""Of a score, which is kept in millionths of its scale."""


def _mean(name: str) -> Average:
    return Average(f"{name}_sum", f"{name}_n", unit=_ONE_PERCENT)


SURVEYS = (
    Kpi(
        key="community_satisfaction",
        title="Satisfaction of the community",
        meaning="Mean score of the answers to surveys on satisfaction (csat), from 0 to 100 % of their scale.",
        formula=_mean("survey_csat"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        evidence=Evidence.SURVEYED,
        kra=CRISIS,
        home=Window.MONTH,
    ),
    Kpi(
        key="partner_satisfaction",
        title="Satisfaction of partners",
        meaning="Mean score of the answers of partners to surveys (partner), from 0 to 100 % of their scale.",
        formula=_mean("survey_partner"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        evidence=Evidence.SURVEYED,
        kra=PARTNERSHIPS,
        home=Window.QUARTER,
    ),
    Kpi(
        key="standards_feedback",
        title="Opinion on the community's standards",
        meaning="Mean score of the answers to surveys on the standards (standards), from 0 to 100 % of their scale.",
        formula=_mean("survey_standards"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        evidence=Evidence.SURVEYED,
        kra=COMPLIANCE,
        home=Window.QUARTER,
    ),
    Kpi(
        key="growth_feedback",
        title="Opinion on professional growth",
        meaning="Mean score of the team's answers to surveys on growth (growth), from 0 to 100 % of their scale.",
        formula=_mean("survey_growth"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        evidence=Evidence.SURVEYED,
        kra=LEARNING,
        home=Window.QUARTER,
    ),
)

VOICE = (
    Kpi(
        key="brand_voice_alignment",
        title="Alignment with the brand's voice",
        meaning="The mean of the mean assessment of the brand's voice and of the mean score of surveys on how it is "
        "perceived, each from 0 to 100 % of its scale; where there is only one of them, that one.",
        formula=Blend((_mean("assessment_brand_voice"), _mean("survey_perception"))),
        unit=Unit.PERCENT,
        evidence=Evidence.ATTESTED,
        control=Control.DIRECT,
        kra=BRAND_VOICE,
        home=Window.QUARTER,
    ),
    Kpi(
        key="tone_appropriateness",
        title="Appropriateness of tone",
        meaning="Mean assessment of the tone, from 0 to 100 % of its scale. Read it in a cut by content type.",
        formula=_mean("assessment_tone"),
        unit=Unit.PERCENT,
        evidence=Evidence.ATTESTED,
        control=Control.DIRECT,
        kra=BRAND_VOICE,
        home=Window.QUARTER,
    ),
    Kpi(
        key="messaging_consistency",
        title="Consistency of messages",
        meaning="The mean assessment of consistency on the channel that has the lowest, in percent of the mean over "
        "all channels: 100 means that no channel falls behind.",
        formula=Lowest("assessment_consistency_sum", "assessment_consistency_n", unit=_ONE_PERCENT),
        unit=Unit.PERCENT,
        evidence=Evidence.ATTESTED,
        control=Control.DIRECT,
        kra=BRAND_VOICE,
        home=Window.QUARTER,
    ),
    Kpi(
        key="messaging_brand_impact",
        title="Mood after campaigns began",
        meaning="Net sentiment in the 7 days after a campaign began less that in the 7 days before, in points; pooled "
        "over the campaigns whose 7 days were over within the window. A campaign begins with the brand's first item "
        "that names it.",
        formula=Uplift(less("positive_n", "negative_n"), total("sentiment_n"), marker="campaign_started", points=True),
        unit=Unit.POINTS,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=BRAND_VOICE,
        home=Window.QUARTER,
    ),
)

TEAMS = (
    Kpi(
        key="marketing_integration",
        title="Integration with marketing",
        meaning="Mean assessment of the integration with marketing, from 0 to 100 % of its scale.",
        formula=_mean("assessment_integration"),
        unit=Unit.PERCENT,
        evidence=Evidence.ATTESTED,
        kra=CROSS_FUNCTIONAL,
        home=Window.QUARTER,
    ),
    Kpi(
        key="campaign_alignment",
        title="Alignment of campaigns",
        meaning="Mean assessment of how campaigns are aligned with other teams, from 0 to 100 % of its scale. Read it "
        "in a cut by campaign.",
        formula=_mean("assessment_alignment"),
        unit=Unit.PERCENT,
        evidence=Evidence.ATTESTED,
        kra=CROSS_FUNCTIONAL,
        home=Window.QUARTER,
    ),
    Kpi(
        key="report_accuracy",
        title="Accuracy of reports",
        meaning="Mean assessment of the accuracy of reports, from 0 to 100 % of its scale.",
        formula=_mean("assessment_report_accuracy"),
        unit=Unit.PERCENT,
        evidence=Evidence.ATTESTED,
        control=Control.DIRECT,
        kra=REPORTING,
        home=Window.QUARTER,
    ),
)

KPIS = (*SURVEYS, *VOICE, *TEAMS)
