"""Crises, conflicts, moderation, and what people think of the brand when they are asked."""

from typing import Literal

from bellwether.wire.events.envelope import Body, Envelope
from bellwether.wire.events.fields import Count, Identifier, Name, Note, Score, Term, Text, check_score


class CrisisIncidentData(Body, frozen=True, gc=False, kw_only=True):
    """A step in the life of a crisis."""

    incident_id: Identifier
    phase: Literal["opened", "acknowledged", "responded", "resolved", "reopened", "escalated"]
    severity: Literal["info", "warning", "critical"]
    by: Identifier
    note: Note | None = None


class CrisisIncident(Envelope, frozen=True, gc=False, kw_only=True, tag="crisis.incident.v1"):
    """A step in the life of a crisis, which the detector or a person opened."""

    data: CrisisIncidentData


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
