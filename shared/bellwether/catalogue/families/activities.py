"""What the team did, as it recorded it: events, tools, reports, learning."""

from __future__ import annotations

from bellwether.catalogue.areas import DATA_ANALYSIS, LEARNING, PARTNERSHIPS, PLATFORMS, REPORTING
from bellwether.catalogue.formula import Ratio, Sum, Uplift, total
from bellwether.catalogue.kpi import Control, Evidence, Kind, Kpi, Unit
from bellwether.domain.windows import Window


def _done(key: str, title: str, meaning: str, kra: str, *activities: str, home: Window = Window.QUARTER) -> Kpi:
    """A KPI that counts activities of some kinds."""
    return Kpi(
        key=key,
        title=title,
        meaning=meaning,
        formula=Sum(total(*(f"activity_{activity}" for activity in activities))),
        unit=Unit.COUNT,
        evidence=Evidence.ATTESTED,
        control=Control.DIRECT,
        kra=kra,
        home=home,
    )


PLATFORM = (
    _done(
        "features_and_tools_implemented",
        "Features and tools implemented",
        "Features launched and tools adopted that were recorded.",
        PLATFORMS,
        "feature_launched",
        "tool_adopted",
    ),
)

LEARNED = (
    _done(
        "industry_event_participation",
        "Participation in industry events",
        "Industry events and workshops attended that were recorded.",
        LEARNING,
        "industry_event",
        "workshop",
    ),
    _done("new_tool_adoption", "New tools adopted", "Tools adopted that were recorded.", LEARNING, "tool_adopted"),
    _done("skill_development", "Skills developed", "Skills acquired that were recorded.", LEARNING, "skill"),
    Kpi(
        key="learning_performance_impact",
        title="Engagement after trainings",
        meaning="Engagement rate by followers of the items published in the 7 days after a training, against that of "
        "items published in the 7 days before; pooled over the trainings whose 7 days were over within the window.",
        formula=Uplift(total("item_interactions_followed"), total("item_followers"), marker="training"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=LEARNING,
        also_shown=("activity_training",),
        home=Window.QUARTER,
    ),
    _done(
        "training_participation",
        "Participation in trainings",
        "Trainings and workshops attended that were recorded.",
        LEARNING,
        "training",
        "workshop",
    ),
    _done(
        "techniques_implemented",
        "Techniques implemented",
        "New techniques put to use that were recorded.",
        LEARNING,
        "technique",
    ),
    Kpi(
        key="learning_application",
        title="Application of what was learnt",
        meaning="Applications of something learnt that were recorded, per training.",
        formula=Ratio(total("activity_learning_applied"), total("activity_training")),
        unit=Unit.PERCENT,
        evidence=Evidence.ATTESTED,
        control=Control.DIRECT,
        kra=LEARNING,
        home=Window.QUARTER,
    ),
)

REPORTS = (
    _done(
        "engagement_reports",
        "Engagement reports",
        "Reports on engagement that were issued, one a month as a rule.",
        DATA_ANALYSIS,
        "report",
        home=Window.MONTH,
    ),
    _done(
        "report_frequency",
        "Reports",
        "Reports that were issued in the window.",
        REPORTING,
        "report",
        home=Window.MONTH,
    ),
    _done(
        "trends_identified",
        "Trends identified",
        "Trends that a person identified or confirmed, as recorded.",
        DATA_ANALYSIS,
        "trend",
        home=Window.MONTH,
    ),
    _done(
        "data_driven_initiatives",
        "Initiatives driven by data",
        "Initiatives begun because of data, as recorded.",
        DATA_ANALYSIS,
        "initiative",
    ),
    _done(
        "recommendations_made",
        "Recommendations made",
        "Recommendations made from data, as recorded.",
        REPORTING,
        "recommendation",
        home=Window.MONTH,
    ),
    Kpi(
        key="insight_usage",
        title="Use of insights",
        meaning="Insights that were put to use, per recommendation made in the window.",
        formula=Ratio(total("activity_insight_used"), total("activity_recommendation")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        evidence=Evidence.ATTESTED,
        kra=REPORTING,
        home=Window.QUARTER,
    ),
)

PARTNERS = (
    _done(
        "partnerships_secured",
        "Partnerships secured",
        "Partnerships signed, as recorded.",
        PARTNERSHIPS,
        "partnership_signed",
    ),
    _done(
        "partner_events",
        "Partner events",
        "Events held together with partners, as recorded.",
        PARTNERSHIPS,
        "partner_event",
    ),
)

KPIS = (*PLATFORM, *LEARNED, *REPORTS, *PARTNERS)
