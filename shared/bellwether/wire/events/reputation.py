"""Crises, conflicts, moderation, and what people think of the brand when they are asked."""

from typing import Annotated, Literal

from msgspec import Meta

from bellwether.domain.incidents import Phase, Reason, Severity
from bellwether.wire.events.envelope import Body, Envelope
from bellwether.wire.events.fields import (
    Count,
    Identifier,
    Instant,
    Name,
    Note,
    Score,
    Term,
    Text,
    check_instant,
    check_score,
)


class CrisisIncidentData(Body, frozen=True, gc=False, kw_only=True):
    """A step in the life of a crisis. Which steps are possible when, and what each does: docs/incidents.md."""

    incident_id: Identifier
    phase: Phase
    severity: Severity
    by: Identifier
    note: Note | None = None
    severity_score: Annotated[float, Meta(ge=0, le=10, description="The severity as a number.")] | None = None
    reason: Annotated[Reason | None, Meta(description="Why it is over; of the phase resolved alone.")] = None
    into: (
        Annotated[
            Identifier,
            Meta(description="Of merged the crisis that this is a part of, of split the one that is split off."),
        ]
        | None
    ) = None
    onset: Annotated[Instant, Meta(description="When it is thought to have begun.")] | None = None

    def __post_init__(self) -> None:
        if self.reason is not None and self.phase != "resolved":
            raise ValueError("`reason`: is of the phase resolved alone")
        if (self.phase == "merged" and self.into is None) or self.into == self.incident_id:
            raise ValueError("`into`: must name another crisis")
        check_instant("onset", self.onset)


def _given(field: str) -> dict[str, object]:
    return {"required": [field], "properties": {field: {"not": {"type": "null"}}}}


def _phase(phase: Phase) -> dict[str, object]:
    return {"properties": {"phase": {"const": phase}}}


_BY_PHASE = Meta(
    extra_json_schema={
        "allOf": [
            {"if": _phase("merged"), "then": _given("into")},
            {"if": _given("reason"), "then": _phase("resolved")},
        ]
    }
)
"""How the schema says which fields belong to which phase."""


class CrisisIncident(Envelope, frozen=True, gc=False, kw_only=True, tag="crisis.incident.v1"):
    """A step in the life of a crisis, which the detector or a person opened."""

    data: Annotated[CrisisIncidentData, _BY_PHASE]


class ConflictData(Body, frozen=True, gc=False, kw_only=True):
    """A step in the life of a conflict between members."""

    conflict_id: Identifier
    phase: Literal["opened", "escalated", "resolved"]
    note: Note | None = None


class Conflict(Envelope, frozen=True, gc=False, kw_only=True, tag="community.conflict.v1"):
    """A step in the life of a conflict in the community."""

    data: ConflictData


class ModerationData(Body, frozen=True, gc=False, kw_only=True):
    """A breach of the community's rules, and later that it was dealt with."""

    case_id: Identifier
    phase: Literal["violation", "addressed"]
    rule: Term | None = None
    content_id: Identifier | None = None


class Moderation(Envelope, frozen=True, gc=False, kw_only=True, tag="community.moderation.v1"):
    """A breach of the community's rules was found or dealt with: compliance."""

    data: ModerationData


class SurveyResponseData(Body, frozen=True, gc=False, kw_only=True):
    """One answer to one survey question, with the scale it was given on."""

    survey: Identifier
    score: Score
    scale_min: Score
    scale_max: Score
    respondent: Identifier | None = None
    text: Text | None = None

    def __post_init__(self) -> None:
        check_score(self.score, self.scale_min, self.scale_max)


class SurveyResponse(Envelope, frozen=True, gc=False, kw_only=True, tag="survey.response.v1"):
    """An answer to a survey."""

    data: SurveyResponseData


class AssessmentData(Body, frozen=True, gc=False, kw_only=True):
    """What an assessor thinks of something, with the scale it was given on."""

    subject: Identifier
    score: Score
    scale_min: Score
    scale_max: Score
    assessor: Identifier
    content_id: Identifier | None = None

    def __post_init__(self) -> None:
        check_score(self.score, self.scale_min, self.scale_max)


class Assessment(Envelope, frozen=True, gc=False, kw_only=True, tag="assessment.recorded.v1"):
    """A judgement by a person: evidence of the kind attested."""

    data: AssessmentData


class ActivityData(Body, frozen=True, gc=False, kw_only=True):
    """Something that the team did, as a number of its own and as a marker on the curves."""

    activity: Term
    title: Name
    people: Count | None = None
    outcome: Note | None = None


class Activity(Envelope, frozen=True, gc=False, kw_only=True, tag="activity.recorded.v1"):
    """An activity of the team: a workshop, a launch, a report."""

    data: ActivityData
