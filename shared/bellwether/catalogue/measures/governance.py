"""Measures of crises, conflicts and rules, of what people were asked, and of what the team did."""

from __future__ import annotations

from typing import Literal

from msgspec import structs

from bellwether.catalogue.measures.event_types import (
    ACTIVITY,
    ASSESSMENT,
    CONFLICT,
    CRISIS,
    MODERATION,
    SENT,
    SURVEY,
)
from bellwether.catalogue.measures.measure import Fold, Measure, Where, counted, joined, summed

SURVEYS = ("csat", "partner", "standards", "growth", "perception", "trust")
SUBJECTS = ("brand_voice", "tone", "consistency", "integration", "alignment", "report_accuracy")
_APART: dict[str, Literal["channel"]] = {"consistency": "channel"}
"""What is also kept apart by a field, so that its values can be compared within one cut."""
ACTIVITIES = (
    "industry_event",
    "workshop",
    "training",
    "tool_adopted",
    "feature_launched",
    "technique",
    "skill",
    "learning_applied",
    "initiative",
    "partnership_signed",
    "partner_event",
    "report",
    "recommendation",
    "insight_used",
    "trend",
    "platform_change",
)


def _scores(prefix: str, event: str, field: str, name: str) -> tuple[Measure, Measure]:
    title, of, by = f"{prefix.capitalize()}: {name.replace('_', ' ')}", (Where(field, (name,)),), _APART.get(name)
    total = summed(f"{prefix}_{name}_sum", f"{title}, sum of scores in millionths of the scale", event, "@score", *of)
    count = counted(f"{prefix}_{name}_n", f"{title}, scores given", event, *of)
    return structs.replace(total, by=by), structs.replace(count, by=by)


_CRISES = (
    joined("crises_opened", "Crises opened", CRISIS),
    joined("crises_responded", "Crises that the brand reacted to", (CRISIS, SENT)),
    joined("crises_resolved", "Crises resolved", CRISIS),
    joined(
        "crisis_response_time",
        "Times from the opening of a crisis to the brand's first reaction",
        (CRISIS, SENT),
        Fold.HISTOGRAM,
    ),
    joined("crisis_resolution_time", "Times from the opening of a crisis to its resolution", CRISIS, Fold.HISTOGRAM),
)

_RULES = (
    joined("conflicts_opened", "Conflicts opened", CONFLICT),
    joined("conflicts_escalated", "Conflicts escalated", CONFLICT),
    joined("conflicts_resolved", "Conflicts resolved", CONFLICT),
    joined("conflicts_resolved_unescalated", "Conflicts resolved and never escalated", CONFLICT),
    joined("conflict_resolution_seconds", "Sum of resolution times of conflicts, in seconds", CONFLICT),
    joined("violations", "Breaches of the rules", MODERATION),
    joined("violations_addressed", "Breaches of the rules that were dealt with", MODERATION),
)

_JUDGEMENTS = (
    *(measure for name in SURVEYS for measure in _scores("survey", SURVEY, "survey", name)),
    *(measure for name in SUBJECTS for measure in _scores("assessment", ASSESSMENT, "subject", name)),
)

_ACTIVITIES = tuple(
    counted(f"activity_{name}", f"Activities: {name.replace('_', ' ')}", ACTIVITY, Where("activity", (name,)))
    for name in ACTIVITIES
)

MEASURES: tuple[Measure, ...] = (*_CRISES, *_RULES, *_JUDGEMENTS, *_ACTIVITIES)
